/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What curl calls with an answer's headers and body.
 *
 * Ownership: writes into the exchange. Threads: the loop's only.
 */
#ifndef IO_ANSWER_H
#define IO_ANSWER_H

#include "io/exchange.h"

size_t answer_on_header(char *data, size_t unit, size_t size, void *exchange);
size_t answer_on_body(char *data, size_t unit, size_t size, void *exchange);
/* After a good end: a compressed body may still be cut. Calls exchange_fail. */
void answer_check_whole(struct exchange *exchange);
/* Forgets head and body: the request is sent again. */
void answer_start_over(struct exchange *exchange);

#endif
