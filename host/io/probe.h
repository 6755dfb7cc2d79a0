/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the last exchange of a target met, for `connection test`.
 *
 * Ownership: kept in the target, under its lock. Threads: the loop's; io_target_probe from any.
 */
#ifndef IO_PROBE_H
#define IO_PROBE_H

#include <stdbool.h>
#include "io/exchange.h"

#define PROBE_NAME 0
#define PROBE_POLICY 1
#define PROBE_PROXY 2
#define PROBE_TCP 3
#define PROBE_TLS 4
#define PROBE_HTTP 5
#define PROBE_DONE 6

/* A new attempt reached this stage. */
void probe_stage(struct io_target *target, int stage);
/* Whether the certificate is still unknown: asking curl for it costs with every handshake. */
bool probe_wants_tls(struct io_target *target);
/* Takes times and addresses out of the handle, before it is reset. */
void probe_take(struct exchange *exchange);

#endif
