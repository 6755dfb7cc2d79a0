/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A misbehaving server, and exchanges with it in one call, for the tests of host/io.
 *
 * Ownership: got_free frees an answer. Threads: the test's.
 */
#ifndef TESTS_IO_HARNESS_H
#define TESTS_IO_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/io.h"

struct server {
    pid_t pid;
    int input; /* closing it ends the server */
    int port;
};

/* Skips the whole program (exit 77) when python3 is missing. extra: arguments, NULL-terminated, or NULL. */
void server_start(struct server *server, const char *const *extra);
/* Another one of tests/support, which prints its port and ends with its standard input. */
void server_start_script(struct server *server, const char *name, const char *const *extra);
void server_stop(struct server *server);

struct got {
    uint32_t heads;
    uint32_t status;
    char headers[8192]; /* "name: value\n" ... */
    char *body;
    size_t size;
    size_t capacity;
    uint32_t ends;
    uint32_t outcome;
    uint32_t got_bytes;
    uint64_t body_bytes;
    uint64_t wire_bytes;
    char text[1024];
};

void got_free(struct got *got);

/* A connection of the operator's to http://127.0.0.1:port, or to url. */
struct connection *connection_to(const char *url);
struct io_target *target_of(struct io *io, struct connection *connection);
struct io_target *target_to(struct io *io, int port);
/* Starts a GET of path; tag 7. */
struct exchange *start_get(struct io *io, struct mailbox *mailbox, struct io_target *target,
                           const char *path, void *owner, int64_t timeout_ms);
/* Reads the mailbox until the END of one exchange; every message must be for owner. */
void drain(struct mailbox *mailbox, void *owner, struct got *ret_got);
/* GET in one call, within 20 s. */
void get(struct io *io, struct io_target *target, const char *path, struct got *ret_got);
void ask(struct io *io, struct io_target *target, const struct sonde_request *request,
         int64_t timeout_ms, struct got *ret_got);
/* What badserver.py sends for n bytes. */
bool is_pattern(const char *data, size_t size, size_t at);
int open_fds(void);
/* Resident memory in KiB, now. */
long resident_kib(void);
/* Waits until the server's /_seen holds text; false after 10 s. */
bool seen_holds(struct io *io, struct io_target *target, const char *text);

#endif
