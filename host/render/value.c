/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "render/clean.h"
#include "render/render.h"

/* Three significant digits, never an exponent for what a prefix covers. */
static void short_number(struct buf *buf, double value)
{
    double size = fabs(value);
    if (value == floor(value) && size < 10000)
        buf_printf(buf, "%.0f", value);
    else if (size >= 99.95 && size < 1e6)
        buf_printf(buf, "%.0f", value);
    else
        buf_printf(buf, "%.3g", value);
}

/* Scales by the first step that leaves less than limit, and writes number, gap, prefix. */
static void scaled(struct buf *buf, double value, double base, const char *const *prefixes,
                   size_t n, const char *gap)
{
    size_t i = 0;
    while (i + 1 < n && fabs(value) >= base * 0.9995) {
        value /= base;
        i++;
    }
    short_number(buf, value);
    buf_add(buf, gap);
    buf_add(buf, prefixes[i]);
}

static void plain(struct buf *buf, double value)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    if (value == floor(value) && fabs(value) < 10000)
        short_number(buf, value);
    else
        scaled(buf, value, 1000, prefixes, ARRAY_SIZE(prefixes), "");
}

static void duration(struct buf *buf, double seconds)
{
    static const struct {
        double below;
        double factor;
        const char *unit;
    } steps[] = {{0.9995e-6, 1e9, "ns"},      {0.9995e-3, 1e6, "us"},
                 {0.9995, 1e3, "ms"},         {120, 1, "s"},
                 {7200, 1.0 / 60, "min"},     {172800, 1.0 / 3600, "h"},
                 {INFINITY, 1.0 / 86400, "d"}};
    size_t i = 0;
    double size = fabs(seconds);
    if (size == 0)
        i = 3;
    else
        while (size >= steps[i].below)
            i++;
    short_number(buf, seconds * steps[i].factor);
    buf_add_char(buf, ' ');
    buf_add(buf, steps[i].unit);
}

/* "By/s" is "By" with "/s" after it. */
static bool unit_is(const char *unit, const char *const *names, size_t n, const char **ret_rest)
{
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(names[i]);
        if (strncmp(unit, names[i], size) == 0 && (!unit[size] || unit[size] == '/')) {
            *ret_rest = unit + size;
            return true;
        }
    }
    return false;
}

void render_value(struct buf *buf, double value, const char *unit)
{
    static const char *const bytes[] = {"By", "bytes", "byte", "B"};
    static const char *const seconds[] = {"seconds", "second", "sec", "s"};
    static const char *const millis[] = {"milliseconds", "ms"};
    static const char *const binary[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    const char *rest = "";
    if (!unit)
        unit = "";
    if (isnan(value)) {
        buf_add(buf, "NaN");
    } else if (isinf(value)) {
        buf_add(buf, value > 0 ? "+Inf" : "-Inf");
    } else if (unit_is(unit, bytes, ARRAY_SIZE(bytes), &rest)) {
        scaled(buf, value, 1024, binary, ARRAY_SIZE(binary), " ");
        buf_add_shown(buf, rest, strlen(rest), true);
    } else if (unit_is(unit, seconds, ARRAY_SIZE(seconds), &rest) && !*rest) {
        duration(buf, value);
    } else if (unit_is(unit, millis, ARRAY_SIZE(millis), &rest) && !*rest) {
        duration(buf, value / 1000);
    } else if (str_eq(unit, "%") || str_eq(unit, "percent")) {
        short_number(buf, value);
        buf_add_char(buf, '%');
    } else {
        plain(buf, value);
        if (*unit && !str_eq(unit, "1") && !str_eq(unit, "ratio")) {
            buf_add_char(buf, ' ');
            /* UCUM writes words of its user's in braces: "{requests}/s". */
            for (const char *p = unit; *p; p++)
                if (*p == '{' || *p == '}') {
                    buf_add_shown(buf, unit, (size_t)(p - unit), true);
                    unit = p + 1;
                }
            buf_add_shown(buf, unit, strlen(unit), true);
        }
    }
}
