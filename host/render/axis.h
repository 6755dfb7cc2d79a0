/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks at round values and round local times. Internal to render/.
 *
 * Ownership: the structs hold their text. Threads: pure functions.
 */
#ifndef RENDER_AXIS_H
#define RENDER_AXIS_H

#include "base/timeinput.h"
#include "base/zone.h"

#define AXIS_TICKS_MAX 12

struct axis {
    double low;
    double high;
    size_t tick_count;
    double ticks[AXIS_TICKS_MAX];
    char labels[AXIS_TICKS_MAX][24];
};

/* An axis that holds low to high (finite) and begins and ends at ticks. */
void axis_make(struct axis *axis, double low, double high, const char *unit);

#define TIME_TICKS_MAX 40

struct time_ticks {
    size_t count;
    int64_t ns[TIME_TICKS_MAX];
    char labels[TIME_TICKS_MAX][16];
};

/* About one tick per 12 columns. */
void time_ticks_make(struct time_ticks *ticks, const struct time_window *window,
                     const struct zone *zone, size_t columns);

#endif
