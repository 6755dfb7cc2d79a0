/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask over HTTP: API tokens of the store's users, the tokens of the operator's file, and tokens of an authorization server. What the
 * store holds is kept in memory (hashes only) and follows its changes; a look there takes no lock for long.
 *
 * Ownership: accounts_free; store and tokens must outlive it. Threads: accounts_check from any thread, the event loop's too; the rest may wait
 * for the store or the network.
 */
#ifndef AUTH_ACCOUNTS_H
#define AUTH_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include "auth/tokens.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/principal.h"
#include "store/store.h"

struct accounts;
struct io;

struct accounts_settings {
    struct store *store;   /* NULL: only the file's tokens */
    struct tokens *tokens; /* of the file; NULL none */
    /* Of config_oauth, copied; issuer NULL: no authorization server. io fetches its keys. */
    const char *issuer, *audience, *jwks;
    struct io *io;
};

/* The scopes of an authorization server's tokens; each has those before it in it. */
#define SCOPE_READ "sonde:read"
#define SCOPE_MANAGE "sonde:manage"
#define SCOPE_ADMIN "sonde:admin"

/* Nothing is read or fetched yet: accounts_refresh does the first. 0 or ERR_MEMORY. */
int accounts_create(const struct accounts_settings *settings, struct accounts **ret_accounts,
                    struct err *err);
/* Ends the checks that wait, and takes no more of them; while store and io are still there. NULL is nobody. */
void accounts_stop(struct accounts *accounts);
void accounts_free(struct accounts *accounts);
/*
 * Something changed in the store or the token file: users and tokens are read again, users the file names are made where there are none. 0, or
 * the store's error: what was known stays.
 */
int accounts_refresh(struct accounts *accounts, struct err *err);

/* Tokens that would be let in now: the file's and the store's. */
size_t accounts_count(struct accounts *accounts);
/* From here on accounts_refresh follows the store's changes by itself, until accounts_stop; takes the store's one store_on_change. */
void accounts_follow(struct accounts *accounts);

#define ACCOUNTS_LATER \
    1 /* it may be good, but the store or the issuer's keys must be asked: accounts_check_waiting */
/* 0 and who it is; ACCOUNTS_LATER; 401 or 403 with one sentence without secrets in err. Never waits. */
int accounts_check(struct accounts *accounts, const char *token, struct principal *ret_principal,
                   struct err *err);
/* The same, and may wait; never ACCOUNTS_LATER, but 503 where store or issuer cannot be asked. */
int accounts_check_waiting(struct accounts *accounts, const char *token,
                           struct principal *ret_principal, struct err *err);
/* Whether a principal's token lets it see the connection; true where the token is bound to none. */
bool accounts_lets_see(struct accounts *accounts, const struct principal *principal,
                       const char *connection_id);

/* --- what the command line does; straight on the store --- */
#define API_TOKEN_MAX 80
/* A new user; name 1 to 63 of letters, digits, '.', '-', '_', '@'. ERR_INVALID, ERR_CONFLICT. */
int account_add_user(struct store *store, const char *name, struct user_row *ret_user,
                     struct err *err);
/* One of sonde's own users (the local one, the operator, the keeper): nobody gives tokens to them or takes their rights away. */
bool account_is_built_in(const struct user_row *user);
/* "sonde_" + 43 base62 characters + checksum, written to ret_token, which the caller wipes; only its hash is stored. ret_row->prefix is NULL: the first 14 characters. */
int account_create_token(struct store *store, const struct user_row *user, const char *name,
                         unsigned rights, int64_t expires_ms, const char *connections_json,
                         char ret_token[API_TOKEN_MAX], struct token_row *ret_row, struct err *err);
/* "read", "manage", "admin", each with those below it; ERR_INVALID. */
int rights_parse(const char *text, unsigned *ret_rights, struct err *err);
const char *rights_text(unsigned rights);

#endif
