/* SPDX-License-Identifier: Apache-2.0 */
#include <sonde/text.h>

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CAPACITY_FIRST ((size_t)128)
#define FAIL_MAX ((size_t)1024)

/* What an empty builder points at; nobody writes to it, its capacity is 0. */
static char nothing[1];

void sonde_text_init(struct sonde_text *text, const struct sonde_host *host, struct sonde_ctx *ctx,
                     size_t max)
{
    memset(text, 0, sizeof(*text));
    text->host = host;
    text->ctx = ctx;
    text->data = nothing;
    text->max = max;
}

/* Room for size more bytes and the NUL; 0, or -1 with the sticky error set. */
static int reserve(struct sonde_text *text, size_t size)
{
    if (text->failed)
        return -1;
    if (text->size > text->max || size > text->max - text->size) {
        text->failed = 1;
        return -1;
    }
    const size_t needed = text->size + size + 1;
    if (needed <= text->capacity)
        return 0;
    size_t capacity = text->capacity ? text->capacity : CAPACITY_FIRST;
    while (capacity < needed)
        capacity *= 2;
    char *data = text->host->alloc(text->ctx, capacity);
    if (!data) {
        text->failed = 1;
        return -1;
    }
    if (text->size)
        memcpy(data, text->data, text->size);
    data[text->size] = '\0';
    text->data = data;
    text->capacity = capacity;
    return 0;
}

void sonde_text_add_n(struct sonde_text *text, const char *data, size_t size)
{
    if (reserve(text, size))
        return;
    if (size)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void sonde_text_add(struct sonde_text *text, const char *string)
{
    sonde_text_add_n(text, string, strlen(string));
}

void sonde_text_add_char(struct sonde_text *text, char c)
{
    sonde_text_add_n(text, &c, 1);
}

void sonde_text_add_format(struct sonde_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        text->failed = 1;
    if (n < 0 || reserve(text, (size_t)n))
        return;
    va_start(args, format);
    vsnprintf(text->data + text->size, (size_t)n + 1, format, args);
    va_end(args);
    text->size += (size_t)n;
}

static int is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void sonde_text_add_encoded(struct sonde_text *text, const char *data, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size && !text->failed; i++) {
        const unsigned char c = (unsigned char)data[i];
        if (is_unreserved(c)) {
            sonde_text_add_char(text, (char)c);
        } else {
            const char out[3] = {'%', hex[c >> 4], hex[c & 15]};
            sonde_text_add_n(text, out, sizeof(out));
        }
    }
}

void sonde_text_add_param(struct sonde_text *text, const char *name, const char *value,
                          size_t value_size)
{
    if (text->size) {
        const char last = text->data[text->size - 1];
        if (last != '?' && last != '&')
            sonde_text_add_char(text, '&');
    }
    sonde_text_add(text, name);
    sonde_text_add_char(text, '=');
    sonde_text_add_encoded(text, value, value_size);
}

void sonde_text_add_seconds(struct sonde_text *text, int64_t ns)
{
    char out[40];
    const uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    int n = snprintf(out, sizeof(out), "%s%llu.%09llu", ns < 0 ? "-" : "",
                     (unsigned long long)(size / 1000000000u),
                     (unsigned long long)(size % 1000000000u));
    while (out[n - 1] == '0')
        n--;
    if (out[n - 1] == '.')
        n--;
    sonde_text_add_n(text, out, (size_t)n);
}

static void add_json_ascii(struct sonde_text *text, char c)
{
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        const char out[2] = {'\\', to[at - from]};
        sonde_text_add_n(text, out, sizeof(out));
    } else if ((unsigned char)c < 0x20 || c == 0x7f) {
        sonde_text_add_format(text, "\\u%04x", (unsigned)(unsigned char)c);
    } else {
        sonde_text_add_char(text, c);
    }
}

void sonde_text_add_json(struct sonde_text *text, const char *data, size_t size)
{
    sonde_text_add_char(text, '"');
    for (size_t i = 0; i < size && !text->failed;) {
        const size_t n = utf8_size((const unsigned char *)data + i, size - i);
        if (n == 1)
            add_json_ascii(text, data[i]);
        else if (n == 0)
            sonde_text_add(text, "\xef\xbf\xbd");
        else
            sonde_text_add_n(text, data + i, n);
        i += n ? n : 1;
    }
    sonde_text_add_char(text, '"');
}

const char *sonde_text_string(const struct sonde_text *text)
{
    return text->data ? text->data : "";
}

char *sonde_copy(const struct sonde_host *host, struct sonde_ctx *ctx, const char *data,
                 size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    char *copy = host->alloc(ctx, size + 1);
    if (!copy)
        return NULL;
    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

const char *sonde_pair_get(const struct sonde_pair *pairs, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].value;
    }
    return NULL;
}

int32_t sonde_failf(const struct sonde_host *host, struct sonde_ctx *ctx, int32_t code,
                    int64_t position, const char *format, ...)
{
    char text[FAIL_MAX];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0)
        text[0] = '\0';
    /* A cut must not leave half a character behind. */
    if (n >= (int)sizeof(text)) {
        size_t end = sizeof(text) - 1;
        while (end && ((unsigned char)text[end - 1] & 0xc0u) == 0x80u)
            end--;
        if (end && (unsigned char)text[end - 1] >= 0xc0u)
            end--;
        text[end] = '\0';
    }
    return host->fail(ctx, code, position, text);
}
