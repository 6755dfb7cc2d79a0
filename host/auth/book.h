/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and API tokens as they stood in the store when it was last read, in memory: of tokens the hashes only.
 *
 * Ownership: book_free; what a look gives is the book's. Threads: immutable but for when a use was last told, which is atomic.
 */
#ifndef AUTH_BOOK_H
#define AUTH_BOOK_H

#include <stdatomic.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/map.h"
#include "store/store.h"

struct book_user {
    char id[ROW_ID];
    const char *name;
    const char *external; /* NULL none */
    bool disabled;
};

struct book_token {
    unsigned char hash[SHA256_BYTES];
    char id[ROW_ID];
    const struct book_user *user;
    unsigned rights;
    bool bound;
    const char *const *connections; /* bound: to these ids */
    size_t connection_count;
    int64_t expires_ms, revoked_ms;
    atomic_int_least64_t told_ms; /* the store was told of a use */
};

struct book {
    struct arena arena;
    struct map users;     /* by id */
    struct map names;     /* users by name */
    struct map externals; /* users by external */
    struct map tokens;    /* by hash */
    struct map token_ids; /* tokens by id */
};

/* before may be NULL: what was told of uses is taken over from it. 0 or the store's error, ERR_MEMORY. */
int book_read(struct store *store, const struct book *before, int64_t now_ms,
              struct book **ret_book, struct err *err);
void book_free(struct book *book);
DEFINE_CLEANUP(struct book *, book_free);
const struct book_user *book_user(const struct map *by, const char *key);
struct book_token *book_token(const struct book *book, const unsigned char hash[SHA256_BYTES]);
bool book_token_lets_see(const struct book_token *token, const char *connection_id);

#endif
