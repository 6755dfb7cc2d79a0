/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's thread: takes commands from its inbox and drives curl by socket and timer events.
 *
 * Ownership: part of struct io. Threads: loop_command, loop_wake and loop_stop from any but the loop's
 * own; the rest on the loop.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "io/exchange.h"

/* Queues a command; the first START starts the thread. 0 or ERR_SYSTEM, ERR_BUSY (stopping). */
int loop_command(struct exchange *exchange, unsigned command, struct err *err);
/* Makes the loop look at its inbox and at finished resolutions. The caller holds what keeps io alive. */
void loop_wake(struct io *io);
/* Ends every exchange and joins the thread. */
void loop_stop(struct io *io);
/* Last of all: nobody can wake it any more. */
void loop_close(struct io *io);
/* The pool for a target, made at its first use; NULL without memory. */
struct pool *loop_pool(struct io *io, const struct io_target *target);
/*
 * Closes a socket of curl's, but not before it is forgotten here: as soon as it is closed, another thread's may have its number.
 */
void loop_close_socket(struct io *io, curl_socket_t fd);
/*
 * A new socket of curl's. One whose connection failed was closed without a word, and the new one may have its number: what curl has watched
 * under that number and believes to be watched still is watched anew.
 */
void loop_opened_socket(struct io *io, curl_socket_t fd);
/* Resumes the exchanges in io->paused in the next turn. */
void loop_next_turn(struct io *io);
/* Puts what arrived in this turn into the mailboxes. */
void loop_flush(struct io *io);
void loop_set_timer(struct exchange *exchange, int64_t at_ns);

#endif
