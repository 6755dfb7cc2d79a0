/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes two queries the same one.
 *
 * Ownership: writes to the caller's buffer. Threads: pure.
 */
#ifndef QUERY_FLIGHT_KEY_H
#define QUERY_FLIGHT_KEY_H

#include <sonde/plugin.h>
#include "base/buf.h"

/* Every member that changes the answer, in one byte string; equal strings, equal questions. */
void flight_key(struct buf *buf, uint64_t backend_serial, const struct sonde_query *query);

#endif
