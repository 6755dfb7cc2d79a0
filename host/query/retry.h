/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a request is sent again. The adapter says what happened, the host decides.
 *
 * Ownership: none. Threads: pure but for the jitter.
 */
#ifndef QUERY_RETRY_H
#define QUERY_RETRY_H

#include <stdbool.h>
#include <sonde/plugin.h>

#define RETRY_TRIES 3u /* in all */

/* Whether code (an error class) lets a request with flags be sent again after attempt tries and rows emitted by it. */
bool retry_class(int32_t code, uint32_t flags, unsigned attempt, uint64_t rows);
/* Before the next try: wait_ms when the backend said, else 200 ms, then 800 ms, each give or take a quarter. In ns. */
int64_t retry_wait_ns(unsigned attempt, int64_t wait_ms);

#endif
