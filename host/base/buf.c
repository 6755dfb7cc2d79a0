/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void buf_finish(struct buf *buf)
{
    mem_free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failed = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t size)
{
    if (buf->failed)
        return NULL;
    if (size > buf->max || buf->size > buf->max - size) {
        buf->failed = 1;
        return NULL;
    }
    size_t need = buf->size + size + 1;
    if (need > buf->capacity) {
        size_t capacity = buf->capacity ? buf->capacity : 128;
        while (capacity < need)
            capacity *= 2;
        if (capacity > buf->max + 1)
            capacity = buf->max + 1;
        char *data = mem_resize(buf->data, capacity, 1);
        if (!data) {
            buf->failed = 1;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

void buf_add_n(struct buf *buf, const void *data, size_t size)
{
    char *to = buf_reserve(buf, size);
    if (!to)
        return;
    if (size)
        memcpy(to, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void buf_add(struct buf *buf, const char *string)
{
    buf_add_n(buf, string, strlen(string));
}

void buf_add_char(struct buf *buf, char c)
{
    if (buf->failed || buf->size + 1 >= buf->capacity || buf->size >= buf->max) {
        buf_add_n(buf, &c, 1);
        return;
    }
    buf->data[buf->size++] = c;
    buf->data[buf->size] = '\0';
}

void buf_vprintf(struct buf *buf, const char *format, va_list arguments)
{
    /* Mostly the room that is there is enough; a second run is for when it is not. */
    va_list again;
    va_copy(again, arguments);
    char *to = buf_reserve(buf, 0);
    size_t room = to ? buf->capacity - buf->size : 0;
    int n = vsnprintf(to, room, format, arguments);
    if (n < 0) {
        buf->failed = 1;
    } else if (to && (size_t)n < room && (size_t)n <= buf->max - buf->size) {
        buf->size += (size_t)n;
    } else if (to) {
        *to = '\0';
        to = buf_reserve(buf, (size_t)n);
        if (to) {
            vsnprintf(to, (size_t)n + 1, format, again);
            buf->size += (size_t)n;
        }
    }
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buf_vprintf(buf, format, arguments);
    va_end(arguments);
}

void buf_truncate(struct buf *buf, size_t size)
{
    if (size < buf->size) {
        buf->size = size;
        buf->data[size] = '\0';
    }
}

const char *buf_text(const struct buf *buf)
{
    return buf->data && buf->capacity ? buf->data : "";
}

char *buf_steal(struct buf *buf)
{
    char *data = NULL;
    if (!buf->failed)
        data = buf->data ? buf->data : mem_strdup("");
    else
        mem_free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
    return data;
}

void buf_json_string(struct buf *buf, const char *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    buf_add_char(buf, '"');
    size_t run = 0;
    size_t i = 0;
    while (i < size) {
        unsigned char c = (unsigned char)data[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t sequence = c >= 0x80 ? utf8_sequence(data + i, size - i) : 0;
        if (sequence) {
            i += sequence;
            continue;
        }
        buf_add_n(buf, data + run, i - run);
        if (c == '"' || c == '\\') {
            char escape[2] = {'\\', (char)c};
            buf_add_n(buf, escape, 2);
        } else if (c == '\n') {
            buf_add_n(buf, "\\n", 2);
        } else if (c == '\t') {
            buf_add_n(buf, "\\t", 2);
        } else if (c == '\r') {
            buf_add_n(buf, "\\r", 2);
        } else if (c == 0 || c >= 0x80) {
            buf_add(buf, "\xef\xbf\xbd");
        } else {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            buf_add_n(buf, escape, 6);
        }
        run = ++i;
    }
    buf_add_n(buf, data + run, size - run);
    buf_add_char(buf, '"');
}

/* C1 controls; zero-width and direction marks, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F. */
static bool is_hidden(const unsigned char *p, size_t sequence)
{
    if (sequence == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    if (sequence != 3 || p[0] != 0xe2)
        return false;
    return (p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
           (p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf);
}

void buf_add_shown(struct buf *buf, const char *data, size_t size, bool unicode)
{
    size_t i = 0;
    while (i < size) {
        size_t plain = i;
        while (plain < size && data[plain] >= 0x20 && data[plain] < 0x7f)
            plain++;
        buf_add_n(buf, data + i, plain - i);
        i = plain;
        if (i == size)
            break;
        unsigned char c = (unsigned char)data[i];
        size_t sequence = utf8_sequence(data + i, size - i);
        if (c == '\n')
            buf_add(buf, "\\n");
        else if (c == '\t')
            buf_add(buf, "\\t");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(buf, "\\x%02x", c);
        else if (!sequence || is_hidden((const unsigned char *)data + i, sequence))
            buf_add(buf, unicode ? "\xef\xbf\xbd" : "?");
        else if (c >= 0x80 && !unicode)
            buf_add_char(buf, '?');
        else
            buf_add_n(buf, data + i, sequence);
        i += sequence ? sequence : 1;
    }
}

size_t format_double(char out[32], double value, int digits)
{
    if (digits <= 0) {
        /* 15 digits nearly always read back equal; 17 always do. */
        for (digits = 15; digits < 17; digits++) {
            snprintf(out, 32, "%.*g", digits, value);
            if (strtod(out, NULL) == value)
                return strlen(out);
        }
    }
    int n = snprintf(out, 32, "%.*g", digits, value);
    return n > 0 ? (size_t)n : 0;
}

void buf_json_double(struct buf *buf, double value)
{
    char text[32];
    if (isnan(value))
        buf_add(buf, "\"NaN\"");
    else if (isinf(value))
        buf_add(buf, value > 0 ? "\"+Inf\"" : "\"-Inf\"");
    else
        buf_add_n(buf, text, format_double(text, value, 0));
}

void buf_json_int(struct buf *buf, int64_t value)
{
    char text[24];
    char *end = text + sizeof text;
    char *p = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--p = '-';
    buf_add_n(buf, p, (size_t)(end - p));
}

void buf_json_sep(struct buf *buf)
{
    if (!buf->size)
        return;
    char last = buf->data[buf->size - 1];
    if (last != '{' && last != '[' && last != ':' && last != ',')
        buf_add_char(buf, ',');
}

void buf_json_key(struct buf *buf, const char *name)
{
    buf_json_sep(buf);
    buf_json_string(buf, name, strlen(name));
    buf_add_char(buf, ':');
}
