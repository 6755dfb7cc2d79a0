/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "../src/utf8.h"
#include <sonde/json.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

struct kit_block {
    struct kit_block *next;
    void *data;
};

void kit_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("testkit: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void *kit_alloc(struct kit_pool *pool, size_t size)
{
    struct kit_block *block = malloc(sizeof(*block));
    if (!block)
        kit_die("out of memory");
    block->data = calloc(1, size ? size : 1);
    if (!block->data)
        kit_die("out of memory");
    block->next = pool->blocks;
    pool->blocks = block;
    pool->used += size;
    return block->data;
}

char *kit_copy(struct kit_pool *pool, const char *data, size_t size)
{
    char *copy = kit_alloc(pool, size + 1);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

char *kit_format(struct kit_pool *pool, const char *format, ...)
{
    char buf[1024];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    if (n < 0)
        kit_die("a text could not be formatted");
    return kit_copy(pool, buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

void kit_pool_free(struct kit_pool *pool)
{
    while (pool->blocks) {
        struct kit_block *block = pool->blocks;
        pool->blocks = block->next;
        free(block->data);
        free(block);
    }
    pool->used = 0;
}

void kit_add_n(struct kit_text *text, const char *data, size_t size)
{
    if (text->size + size + 1 > text->capacity) {
        size_t capacity = text->capacity ? text->capacity : 256;
        while (capacity < text->size + size + 1)
            capacity *= 2;
        char *grown = realloc(text->data, capacity);
        if (!grown)
            kit_die("out of memory");
        text->data = grown;
        text->capacity = capacity;
    }
    if (size)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void kit_add(struct kit_text *text, const char *string)
{
    kit_add_n(text, string, strlen(string));
}

void kit_addf(struct kit_text *text, const char *format, ...)
{
    char buf[512];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(buf))
        kit_die("a text could not be formatted");
    kit_add_n(text, buf, (size_t)n);
}

static void add_json_ascii(struct kit_text *text, unsigned char c)
{
    if (c == '"' || c == '\\')
        kit_addf(text, "\\%c", c);
    else if (c == '\n')
        kit_add(text, "\\n");
    else if (c == '\t')
        kit_add(text, "\\t");
    else if (c < 0x20 || c == 0x7f)
        kit_addf(text, "\\u%04x", c);
    else
        kit_add_n(text, (const char *)&c, 1);
}

void kit_add_json(struct kit_text *text, const char *data, size_t size)
{
    kit_add(text, "\"");
    for (size_t i = 0; i < size;) {
        const size_t n = utf8_size((const unsigned char *)data + i, size - i);
        if (n == 1)
            add_json_ascii(text, (unsigned char)data[i]);
        else if (n)
            kit_add_n(text, data + i, n);
        else
            kit_add(text, "\xef\xbf\xbd");
        i += n ? n : 1;
    }
    kit_add(text, "\"");
}

/* Days since 1970-01-01 to a date and back, by counting from 1 March of year 0 (proleptic Gregorian). */
static void civil_of_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t doe = days - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

static int64_t days_of_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t yoe = year - era * 400;
    const int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void kit_add_time(struct kit_text *text, int64_t ns)
{
    int64_t seconds = ns / NS_PER_S;
    int64_t rest = ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t in_day = seconds % 86400;
    if (in_day < 0) {
        in_day += 86400;
        days--;
    }
    int64_t year;
    int64_t month;
    int64_t day;
    civil_of_days(days, &year, &month, &day);
    kit_addf(text, "\"%04d-%02d-%02dT%02d:%02d:%02d", (int)year, (int)month, (int)day,
             (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60));
    if (rest) {
        kit_addf(text, ".%09d", (int)rest);
        while (text->data[text->size - 1] == '0')
            text->data[--text->size] = '\0';
    }
    kit_add(text, "Z\"");
}

void kit_add_double(struct kit_text *text, double value)
{
    char buf[40];
    if (isnan(value) || isinf(value)) {
        kit_add(text, isnan(value) ? "\"NaN\"" : value > 0 ? "\"+Inf\"" : "\"-Inf\"");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        const int n = snprintf(buf, sizeof(buf), "%.*g", digits, value);
        if (sonde_parse_double(buf, (size_t)n, &back) == 0 && back == value)
            break;
    }
    kit_add(text, buf);
}

void kit_text_free(struct kit_text *text)
{
    free(text->data);
    text->data = NULL;
    text->size = 0;
    text->capacity = 0;
}

/* Digits at text[at .. at+n), or -1. */
static int64_t number_at(const char *text, size_t at, size_t n)
{
    int64_t value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

int kit_parse_time(const char *text, size_t size, int64_t *ret_ns)
{
    if (size < 20 || text[4] != '-')
        return sonde_parse_seconds_ns(text, size, ret_ns);
    if (text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
        text[size - 1] != 'Z')
        return -1;
    const int64_t year = number_at(text, 0, 4);
    const int64_t month = number_at(text, 5, 2);
    const int64_t day = number_at(text, 8, 2);
    const int64_t hour = number_at(text, 11, 2);
    const int64_t minute = number_at(text, 14, 2);
    int64_t second_ns;
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || minute < 0)
        return -1;
    if (sonde_parse_seconds_ns(text + 17, size - 18, &second_ns))
        return -1;
    const int64_t days = days_of_civil(year, month, day);
    *ret_ns = (days * 86400 + hour * 3600 + minute * 60) * NS_PER_S + second_ns;
    return 0;
}

int kit_parse_duration_ms(const char *text, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    uint64_t total = 0;
    if (!*text)
        return -1;
    while (*text) {
        uint64_t value = 0;
        size_t n = 0;
        for (; text[n] >= '0' && text[n] <= '9' && n < 12; n++)
            value = value * 10 + (uint64_t)(text[n] - '0');
        if (!n)
            return -1;
        text += n;
        if (!*text && total == 0) {
            total = value * 1000;
            break;
        }
        size_t i = 0;
        while (i < sizeof(units) / sizeof(units[0]) &&
               strncmp(text, units[i].unit, strlen(units[i].unit)) != 0)
            i++;
        if (i == sizeof(units) / sizeof(units[0]))
            return -1;
        text += strlen(units[i].unit);
        total += value * units[i].ms;
    }
    *ret_ms = total;
    return 0;
}

char *kit_read_file(struct kit_pool *pool, const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        kit_die("%s: %s", path, strerror(errno));
    struct kit_text text = {0};
    char buf[16384];
    size_t n = fread(buf, 1, sizeof(buf), file);
    while (n) {
        kit_add_n(&text, buf, n);
        n = fread(buf, 1, sizeof(buf), file);
    }
    if (ferror(file))
        kit_die("%s: %s", path, strerror(errno));
    fclose(file);
    char *data = kit_copy(pool, text.data, text.size);
    *ret_size = text.size;
    kit_text_free(&text);
    return data;
}

int kit_is_utf8(const char *data, size_t size)
{
    for (size_t i = 0; i < size;) {
        const size_t n = utf8_size((const unsigned char *)data + i, size - i);
        if (!n)
            return 0;
        i += n;
    }
    return 1;
}
