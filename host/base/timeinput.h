/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users write for time: ISO 8601, epochs by digits (10 s, 13 ms, 16 us, 19 ns; fractions of seconds),
 * "now", "now-1h", "1h" (that long ago), "yesterday 10:00", "today", "10:20".
 *
 * Ownership: nothing kept. Threads: pure functions.
 */
#ifndef BASE_TIMEINPUT_H
#define BASE_TIMEINPUT_H

#include "base/err.h"
#include "base/zone.h"

struct time_window {
    int64_t start_ns;
    int64_t end_ns;
    int64_t now_ns;
    char note
        [256]; /* what was assumed: an end in the future cut to now, a local time in a gap; "" nothing */
};

/*
 * start and end as written, NULL or "" where left out (end: now; start: default_ns before end). A clock time
 * without date: as start its most recent occurrence, as end the first one after the start. An end in the
 * future is cut to now and noted; start >= end is an error that names both. 0 or ERR_INVALID, which says what
 * is accepted.
 */
int time_window_parse(const char *start, const char *end, const struct zone *zone, int64_t now_ns,
                      int64_t default_ns, struct time_window *ret_window, struct err *err);

#endif
