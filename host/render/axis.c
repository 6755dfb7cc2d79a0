/* SPDX-License-Identifier: Apache-2.0 */
#include "render/axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "render/render.h"

#define INTERVALS 5 /* wanted between ticks */
#define COLUMNS_PER_TICK 12

static bool is_bytes(const char *unit)
{
    return unit && (str_starts(unit, "By") || str_starts(unit, "byte") || str_eq(unit, "B"));
}

/* 1, 2 or 5 times a power of ten (a power of two, where bytes are counted) at or above least. */
static double round_step(double least, const char *unit)
{
    if (is_bytes(unit))
        return exp2(ceil(log2(least)));
    double power = pow(10, floor(log10(least)));
    double first = least / power;
    double step = first <= 1.0000001 ? 1 : first <= 2.0000001 ? 2 : first <= 5.0000001 ? 5 : 10;
    return step * power;
}

static void label(char out[24], double value, const char *unit)
{
    struct buf buf = BUF(256);
    /* Words as units belong into the legend; prefixes and durations into the label. */
    bool scaled = unit && (is_bytes(unit) || str_eq(unit, "s") || str_eq(unit, "seconds") ||
                           str_eq(unit, "ms") || str_eq(unit, "%") || str_eq(unit, "percent"));
    render_value(&buf, value, scaled ? unit : "");
    snprintf(out, 24, "%s", buf_text(&buf));
    buf_finish(&buf);
}

void axis_make(struct axis *axis, double low, double high, const char *unit)
{
    *axis = (struct axis){0};
    /* Half of the range at least, so that the zero line is seen where it is near. */
    if (low > 0 && low < high / 2)
        low = 0;
    if (high < 0 && high > low / 2)
        high = 0;
    double width = high - low;
    double size = fabs(high) > fabs(low) ? fabs(high) : fabs(low);
    if (!(width > size * 1e-12) || !isfinite(width)) {
        /* One value, or a range that doubles cannot divide. */
        double pad = size > 0 && size < 1e300 ? size / 10 : 1;
        low = isfinite(width) ? low - pad : low / 2;
        high = isfinite(width) ? high + pad : high / 2;
        width = high - low;
    }
    double step = round_step(width / INTERVALS, unit);
    axis->low = floor(low / step + 1e-9) * step;
    axis->high = ceil(high / step - 1e-9) * step;
    double intervals = round((axis->high - axis->low) / step);
    for (double i = 0; i <= intervals && axis->tick_count < AXIS_TICKS_MAX; i++) {
        double value = axis->low + i * step;
        if (fabs(value) < step / 1000)
            value = 0;
        axis->ticks[axis->tick_count] = value;
        label(axis->labels[axis->tick_count++], value, unit);
    }
    /* Three digits do not tell 1000.1 from 1000.2: then all are written out. */
    bool same = false;
    for (size_t i = 1; i < axis->tick_count; i++)
        same = same || strcmp(axis->labels[i], axis->labels[i - 1]) == 0;
    for (size_t i = 0; i < axis->tick_count && same; i++)
        snprintf(axis->labels[i], sizeof axis->labels[i], "%.10g", axis->ticks[i]);
}

static int64_t offset_ns(const struct zone *zone, int64_t ns)
{
    struct civil civil;
    zone_civil(zone, ns, &civil);
    return civil.offset_s * NS_PER_S;
}

/* The first instant at or after ns whose local time is a multiple of interval. */
static int64_t next_round(const struct zone *zone, int64_t ns, int64_t interval)
{
    int64_t local = ns + offset_ns(zone, ns);
    int64_t rest = local % interval;
    if (rest < 0)
        rest += interval;
    if (!rest)
        return ns;
    int64_t next = ns + interval - rest;
    /* Across a change of offset the sum is an hour off. */
    return next - (offset_ns(zone, next) - offset_ns(zone, ns));
}

void time_ticks_make(struct time_ticks *ticks, const struct time_window *window,
                     const struct zone *zone, size_t columns)
{
    static const int64_t seconds[] = {
        1,    2,    5,     10,    15,    30,    60,     120,    300,     600,     900,     1800,
        3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000};
    *ticks = (struct time_ticks){0};
    int64_t width = window->end_ns - window->start_ns;
    int64_t most = (int64_t)(columns / COLUMNS_PER_TICK);
    if (most < 2)
        most = 2;
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(seconds) && width / (seconds[i] * NS_PER_S) > most)
        i++;
    int64_t interval = seconds[i] * NS_PER_S;
    int64_t at = next_round(zone, window->start_ns, interval);
    while (at <= window->end_ns && ticks->count < TIME_TICKS_MAX) {
        struct civil civil;
        zone_civil(zone, at, &civil);
        char *text = ticks->labels[ticks->count];
        size_t size = sizeof ticks->labels[0];
        if (interval >= 86400 * NS_PER_S ||
            (civil.hour == 0 && civil.minute == 0 && width > 43200 * NS_PER_S))
            snprintf(text, size, "%02d-%02d", civil.month, civil.day);
        else if (interval < NS_PER_MIN)
            snprintf(text, size, "%02d:%02d:%02d", civil.hour, civil.minute, civil.second);
        else
            snprintf(text, size, "%02d:%02d", civil.hour, civil.minute);
        ticks->ns[ticks->count++] = at;
        int64_t next = next_round(zone, at + interval / 2, interval);
        at = next > at ? next : at + interval;
    }
}
