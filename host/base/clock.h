/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time now: wall clock and monotonic, both injectable for tests.
 *
 * Ownership: none. Threads: safe; clock_set_test before threads start.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MIN (60 * NS_PER_S)
#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY (86400 * NS_PER_S)

int64_t clock_unix_ns(void);
int64_t clock_mono_ns(void);
/* Freezes the wall clock at ns (0: real again). Tests and the `now` of a demo only. */
void clock_set_test(int64_t unix_ns);

#endif
