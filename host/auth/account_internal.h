/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of accounts share.
 *
 * Concurrency and locking: `lock` guards which book is in use; a look holds it while it looks. `reading` is held by the one thread that
 * reads the store; those that wait for it find what it read.
 *
 * Ownership: accounts_free. Threads: as said with each member.
 */
#ifndef AUTH_ACCOUNT_INTERNAL_H
#define AUTH_ACCOUNT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/jwks.h"
#include "auth/verified.h"

#define STATUS_UNKNOWN 401
#define STATUS_FORBIDDEN 403
#define STATUS_LATER_ON 503

struct accounts {
    struct store *store;
    struct tokens *tokens;
    char *issuer;
    char *audience;
    struct jwks *jwks; /* NULL: no authorization server */
    struct verified verified;
    pthread_mutex_t lock;
    struct book *book; /* under lock; NULL: never read */
    pthread_mutex_t reading;
    int64_t read_begun_ns; /* under reading; clock_mono_ns, of the last that succeeded; 0 none */
    uint64_t generation;   /* under reading; of the store, at that */
    atomic_bool stopping;
    atomic_uint waiting; /* checks that may wait */
};

/* Reads the store if nobody began to since; at most four times a second where it says that nothing changed. */
int accounts_read_since(struct accounts *accounts, int64_t since_ns, struct err *err);
/* 0 or a status with err; the principal's user becomes one of the store. For names of an authorization server external is not NULL. */
int accounts_take_user(struct accounts *accounts, const char *external, const char *wanted_name,
                       struct principal *principal, struct err *err);

/* account_jwt.c: what accounts_check and accounts_check_waiting do for tokens of the authorization server. */
int accounts_look_jwt(struct accounts *accounts, const char *token, struct principal *ret_principal,
                      struct err *err);
int accounts_check_jwt(struct accounts *accounts, const char *token,
                       struct principal *ret_principal, struct err *err);

#endif
