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

#define PROBE_UNBEGUN (-1)
#define PROBE_NAME 0
#define PROBE_POLICY 1
#define PROBE_PROXY 2
#define PROBE_TCP 3
#define PROBE_TLS 4
#define PROBE_HTTP 5
#define PROBE_DONE 6

/* Which setting mends what just failed; a text of static or longer life is not needed. */
void probe_blame(struct exchange *exchange, const char *setting, size_t size);
/*
 * The exchange ended by itself: its target now shows how far it came. One that is still under way shows nothing, so that it does not hide
 * what another beside it has met.
 */
void probe_tell(struct exchange *exchange);
/*
 * Whether the certificate must be looked at: it is unknown, or what is known of it is old. It is told with a handshake alone, and asking for
 * it costs, so that the exchange then takes a connection of its own.
 */
bool probe_wants_tls(struct io_target *target);
/* Whether the connection stands, TLS or not. */
bool probe_connected(CURL *easy);
/* Takes times and addresses out of the handle, before it is reset. */
void probe_take(struct exchange *exchange);

#endif
