/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: endpoints, answered like HTTP by a worker thread of their own: GET of "/name" gives a file of the
 * endpoint's folder, of a path ending in "/" a JSON array of its files. Also reads logins' files again,
 * so that the loop never waits for a disk.
 *
 * Ownership: the worker is io's, started at its first use. Threads: file_target_init on any; the worker
 * has its own lock.
 */
#ifndef IO_FILE_ENDPOINT_H
#define IO_FILE_ENDPOINT_H

#include "io/exchange.h"

struct file_worker;

/* Makes the settings' folder absolute. 0 or ERR_INVALID. */
int file_root(struct io *io, const char *folder, struct err *err);
/* Takes a file: URL apart and checks that it lies under the folder. 0 or ERR_INVALID. */
int file_target_init(struct io_target *target, const char *url, struct err *err);
/* 0, or ERR_SYSTEM, ERR_BUSY. */
int file_worker_command(struct exchange *exchange, unsigned command, struct err *err);
/* Has the login's files read again; COMMAND_LOGIN_NEW or _SAME comes back. 0 or a negative code. */
int file_worker_reread(struct exchange *exchange);
/* Ends every file exchange and joins the worker, which then refuses commands. */
void file_worker_stop(struct io *io);
/* Once nothing can send it a command. NULL is fine. */
void file_worker_free(struct file_worker *worker);

#endif
