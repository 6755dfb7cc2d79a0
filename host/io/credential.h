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
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sonde/param.h>
#include "base/buf.h"
#include "base/err.h"
#include "model/connection.h"

#define LOGIN_PLACEMENTS 40
#define LOGIN_SECRETS 40
#define SECRET_MAX 16384

struct io;
struct provider;

/* One secret, with what was seen when its file was last read. */
struct login_secret {
    const char *key; /* as the user wrote it: "auth.token" */
    struct secret_ref ref;
    struct secret *value;
    struct provider *provider; /* what fetches it; NULL: it need not be fetched */
    unsigned provided;         /* generation of the provider's value in value */
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
/* Those secrets that are fetched get their providers: once, before the first exchange. 0 or ERR_MEMORY. */
int login_use_providers(struct login *login, struct io *io, struct connection *connection,
                        struct err *err);
/* Whether nothing has to be fetched before login_write. */
bool login_is_ready(const struct login *login);
/* Makes what providers have the login's own. */
void login_take_fetched(struct login *login);
bool login_has_providers(const struct login *login);
/* Whether some secret may be another one when it is asked for again, so that a 401 is a reason to. */
bool login_may_change(const struct login *login);
/* A backend refused what was sent under this generation: what was fetched before since_ns is fetched again. */
void login_refuse(struct login *login, unsigned generation, int64_t since_ns);
/* Adds an adapter's scheme; its holes are the connection's parameters. 0, ERR_INVALID or ERR_LIMIT. */
int login_add_scheme(struct login *login, const struct sonde_auth_scheme *scheme, struct err *err);
/*
 * Writes the i-th placement's text (the whole header value, or the encoded query value) into out. Files
 * are read again when they changed; what must be fetched has to be there. The caller wipes out.
 * 0, or ERR_INVALID or ERR_SYSTEM naming the key.
 */
int login_write(struct login *login, size_t i, struct buf *out, struct err *err);
/* A secret as it is now, whatever its kind; a program is run and waited for unless stop says so. 0 or as login_write. */
int secret_fetch(const struct secret_ref *ref, const char *key, const atomic_bool *stop,
                 struct secret **ret_secret, struct err *err);
/* Reads every file again, takes what was fetched; a value that differs from before makes a new generation. */
void login_reread(struct login *login);
unsigned login_generation(struct login *login);

#endif
