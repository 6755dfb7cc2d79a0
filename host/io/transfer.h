/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange over curl: from its delay through the look-up of its name to its end.
 *
 * Ownership: an exchange that ends here loses the loop's reference. Threads: the loop's only.
 */
#ifndef IO_TRANSFER_H
#define IO_TRANSFER_H

#include <stdbool.h>
#include "io/exchange.h"
#include "io/resolve.h"

/* The delay is over: look the name up, then send. */
void transfer_begin(struct exchange *exchange);
/* The name is known, or is not. */
void transfer_resolved(struct exchange *exchange, struct resolution *resolution);
/* Curl is through with it. */
void transfer_done(struct exchange *exchange, CURLcode code);
/* Goes on after a pause. */
void transfer_resume(struct exchange *exchange);
/* The login's files were read again after a 401; changed: send once more. */
void transfer_login(struct exchange *exchange, bool changed);
void transfer_cancel(struct exchange *exchange);
void transfer_deadline(struct exchange *exchange);

#endif
