/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns a failure into one sentence: where, what happened, which setting mends it. Never a secret, and
 * never more of the URL than host and port.
 *
 * Ownership: writes through exchange_fail. Threads: the producer's.
 */
#ifndef IO_DESCRIBE_H
#define IO_DESCRIBE_H

#include "io/exchange.h"

/* Curl's result, after which the handle is still there to be asked. */
void describe_failure(struct exchange *exchange, CURLcode code);
void describe_deadline(struct exchange *exchange);
/* error: of getaddrinfo, or 0 when there was no address. */
void describe_resolve(struct exchange *exchange, int error);
/* exchange->refused and refused_address say why. */
void describe_refused(struct exchange *exchange);

#endif
