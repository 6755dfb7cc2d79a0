/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file: endpoint answers to one request: a head, then pieces.
 *
 * Ownership: writes into the exchange, whose fd is closed by the worker. Threads: the worker's.
 */
#ifndef IO_FILE_ANSWER_H
#define IO_FILE_ANSWER_H

#include "io/exchange.h"

/* The head. 0, or -1 with exchange_fail done. */
int file_answer_open(struct exchange *exchange);
/* One piece, or none when the window is full (window_paused). 0 more to come, 1 complete, -1 failed. */
int file_answer_piece(struct exchange *exchange);

#endif
