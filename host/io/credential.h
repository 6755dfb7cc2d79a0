/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login of a connection: where each secret comes from, and where it goes in a request.
 *
 * Ownership: login_finish frees and wipes; the connection must outlive it. Threads: safe, one lock
 * inside; values leave it only into a request's own memory.
 */
#ifndef IO_CREDENTIAL_H
#define IO_CREDENTIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sonde/param.h>
#include "base/buf.h"
#include "base/err.h"
#include "model/connection.h"

#define LOGIN_PLACEMENTS 40
#define LOGIN_SECRETS 40
#define SECRET_MAX 16384

/* One secret, with what was seen when its file was last read. */
struct login_secret {
    const char *key; /* as the user wrote it: "auth.token" */
    struct secret_ref ref;
    struct secret *value;
    struct timespec changed;
    unsigned long long inode;
    long long size;
};

/* A piece of the request made of a template with {holes}. */
struct login_placement {
    unsigned place; /* SONDE_PLACE_HEADER, _QUERY or _BASIC */
    const char *name;
    const char *template_; /* "Bearer {auth.token}" */
};

struct login {
    pthread_mutex_t lock;
    const struct connection *connection;
    struct login_secret secrets[LOGIN_SECRETS];
    size_t secret_count;
    struct login_placement placements[LOGIN_PLACEMENTS];
    size_t placement_count;
    unsigned generation; /* counts new values; under the lock */
    bool reads_files;    /* some secret comes from a file: a 401 is a reason to read it again */
};

/* The connection's own auth and secret headers. 0, ERR_INVALID or ERR_SYSTEM. */
int login_init(struct login *login, const struct connection *connection, struct err *err);
void login_finish(struct login *login);
/* Adds an adapter's scheme; its holes are the connection's parameters. 0, ERR_INVALID or ERR_LIMIT. */
int login_add_scheme(struct login *login, const struct sonde_auth_scheme *scheme, struct err *err);
/*
 * Writes the i-th placement's text (the whole header value, or the encoded query value) into out. Files
 * are read again when they changed. The caller wipes out.
 * 0, or ERR_INVALID or ERR_SYSTEM naming the key.
 */
int login_write(struct login *login, size_t i, struct buf *out, struct err *err);
/* Reads every file again; a value that differs from before makes a new generation. */
void login_reread(struct login *login);
unsigned login_generation(struct login *login);

#endif
