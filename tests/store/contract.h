/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract suite: what store.h promises, asked of whichever database a location names.
 *
 * Ownership: each part makes what it needs under fresh ids. Threads: the parts run one after another.
 */
#ifndef TESTS_STORE_CONTRACT_H
#define TESTS_STORE_CONTRACT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"
#include "model/principal.h"
#include "store/store.h"

/* Ends the program: what follows stands on what came before. */
#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition); \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)
/* Same, for what returns 0 and tells why not in err. */
#define FINE(expression)                                                                 \
    do {                                                                                 \
        int fine_ = (expression);                                                        \
        if (fine_) {                                                                     \
            fprintf(stderr, "%s:%d: %s: %s gave %d: %s\n", __FILE__, __LINE__, __func__, \
                    #expression, fine_, err.text);                                       \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)
#define GIVES(code, expression)                                                                  \
    do {                                                                                         \
        int got_ = (expression);                                                                 \
        if (got_ != (code)) {                                                                    \
            fprintf(stderr, "%s:%d: %s: %s gave %d, not %d: %s\n", __FILE__, __LINE__, __func__, \
                    #expression, got_, (code), err.text);                                        \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

#define ARENA(name)                          \
    CLEANUP(arena_finish) struct arena name; \
    arena_init(&name, (size_t)64 << 20, NULL)
#define NOW_MS INT64_C(1790000000000)
#define DAY_MS INT64_C(86400000)

/* Opens with migration allowed and 30 days of history. */
struct store *open_store(const char *location);
/* A new user; its id. */
void make_user(struct store *store, char ret_id[ROW_ID]);
/* The number when no notice of an earlier change is on its way any more; and whether it becomes another one in time. */
uint64_t settled_generation(struct store *store);
bool generation_moves(struct store *store, uint64_t from);
void sleep_ms(int64_t ms);
/* Writes what waits in the store's queue. */
void flush(struct store *store);
/* A connection of the user, complete and valid; the caller changes what it likes and adds it. */
struct connection_row sample_connection(const char *user_id, const char *name);
/* A row of history and its session, complete and valid. */
struct history_row sample_history(const char *user_id, const struct session_row *session);
struct session_row sample_session(const char *user_id);

void contract_schema(const char *location);
void contract_users(struct store *store);
void contract_tokens(struct store *store);
void contract_connections(struct store *store);
void contract_sync(struct store *store);
void contract_settings(struct store *store);
void contract_history(struct store *store);
void contract_history_pages(struct store *store);
void contract_cache(struct store *store);
void contract_sweep(struct store *store);
void contract_bad_input(struct store *store);
void contract_changes(const char *location);
void contract_queue(const char *location);
void contract_threads(const char *location);

#endif
