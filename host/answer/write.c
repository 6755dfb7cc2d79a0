/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* Longer values are no use for reading, and one of them must not eat the budget. */
#define LABEL_MAX 160

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* value / 10^decimals without trailing zeros. Answers hold thousands of numbers: printf is a third of their cost. */
static size_t decimal_text(char out[32], bool negative, uint64_t value, int decimals)
{
    while (decimals > 0 && value % 10 == 0) {
        value /= 10;
        decimals--;
    }
    char reversed[32];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
        if (decimals > 0 && --decimals == 0) {
            reversed[n++] = '.';
            if (!value)
                reversed[n++] = '0';
        }
    } while (value || decimals > 0);
    size_t size = 0;
    if (negative)
        out[size++] = '-';
    while (n > 0)
        out[size++] = reversed[--n];
    out[size] = '\0';
    return size;
}

size_t number_text(char out[32], double value, int digits)
{
    if (isnan(value))
        return (size_t)snprintf(out, 32, "NaN");
    if (isinf(value))
        return (size_t)snprintf(out, 32, value > 0 ? "+Inf" : "-Inf");
    double size = fabs(value);
    bool negative = value < 0;
    if (size < 1e15 && (size == floor(size) || size >= powers[digits]))
        return decimal_text(out, negative && size >= 0.5, (uint64_t)(size + 0.5), 0);
    if (size < 1e-4 || size >= powers[digits])
        return format_double(out, value, digits);
    int decimals = digits;
    if (size >= 1) {
        for (int whole = 1; whole <= digits && size >= powers[whole - 1]; whole++)
            decimals = digits - whole;
    } else {
        for (double first = 0.1; size < first; first /= 10)
            decimals++;
    }
    return decimal_text(out, negative, (uint64_t)(size * powers[decimals] + 0.5), decimals);
}

void write_number(struct buf *buf, double value, int digits)
{
    char text[32];
    size_t size = number_text(text, value, digits);
    if (isfinite(value)) {
        buf_add_n(buf, text, size);
        return;
    }
    buf_add_char(buf, '"');
    buf_add_n(buf, text, size);
    buf_add_char(buf, '"');
}

void write_seconds(struct buf *buf, int64_t unix_ns)
{
    int64_t seconds = unix_ns / NS_PER_S;
    int64_t part = unix_ns % NS_PER_S;
    if (part < 0 && seconds == 0)
        buf_add_char(buf, '-');
    buf_json_int(buf, seconds);
    if (!part)
        return;
    char text[16];
    int size = snprintf(text, sizeof text, ".%09d", (int)(part < 0 ? -part : part));
    while (size > 0 && text[size - 1] == '0')
        size--;
    buf_add_n(buf, text, (size_t)size);
}

/* At most max bytes, whole characters. */
static size_t cut_size(const char *data, size_t size, size_t max)
{
    if (size <= max)
        return size;
    size_t n = max;
    while (n > 0 && ((unsigned char)data[n] & 0xc0) == 0x80)
        n--;
    return n;
}

void write_line(struct buf *buf, const char *data, size_t size, size_t max)
{
    size_t end = cut_size(data, size, max);
    buf_add_shown(buf, data, end, true);
    if (end < size)
        buf_add(buf, "...");
}

void write_json_cut(struct buf *buf, const char *data, size_t size, size_t max)
{
    size_t end = cut_size(data, size, max);
    buf_json_string(buf, data, end);
    if (end < size && !buf->failed) {
        buf_truncate(buf, buf->size - 1);
        buf_add(buf, "...\"");
    }
}

void write_labels_json(struct buf *buf, const struct sonde_label *labels, size_t n,
                       const bool *skip)
{
    buf_add_char(buf, '{');
    for (size_t i = 0; i < n; i++) {
        if (skip && skip[i])
            continue;
        buf_json_sep(buf);
        write_json_cut(buf, labels[i].name, labels[i].name_size, LABEL_MAX);
        buf_add_char(buf, ':');
        write_json_cut(buf, labels[i].value, labels[i].value_size, LABEL_MAX);
    }
    buf_add_char(buf, '}');
}

void write_labels_text(struct buf *buf, const struct sonde_label *labels, size_t n,
                       const bool *skip)
{
    static const char name_label[] = "__name__";
    size_t shown = 0;
    bool named = false;
    for (size_t i = 0; i < n; i++) {
        if (skip && skip[i])
            continue;
        if (labels[i].name_size == sizeof name_label - 1 &&
            memcmp(labels[i].name, name_label, sizeof name_label - 1) == 0) {
            write_line(buf, labels[i].value, labels[i].value_size, LABEL_MAX);
            named = true;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if ((skip && skip[i]) || (labels[i].name_size == sizeof name_label - 1 &&
                                  memcmp(labels[i].name, name_label, sizeof name_label - 1) == 0))
            continue;
        buf_add(buf, shown++ ? "," : "{");
        write_line(buf, labels[i].name, labels[i].name_size, LABEL_MAX);
        buf_add(buf, "=\"");
        write_line(buf, labels[i].value, labels[i].value_size, LABEL_MAX);
        buf_add_char(buf, '"');
    }
    if (shown)
        buf_add_char(buf, '}');
    else if (!named)
        buf_add(buf, "{}");
}
