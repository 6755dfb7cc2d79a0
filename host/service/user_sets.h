/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which connections each user sees: the operator's that access lets them see, and their own out of the store. Made when a user first asks,
 * kept for the 1,000 who asked last, made anew when either side changes; what did not change stays open.
 *
 * Concurrency & Locking: one lock over the map; a set is made outside it, by one thread a user, the others of that user wait. Sets
 * handed out are immutable and live as long as somebody holds them.
 *
 * Ownership: user_sets_free; the service outlives it. Threads: any; user_sets_get may wait for the store, user_sets_peek never does.
 */
#ifndef SERVICE_USER_SETS_H
#define SERVICE_USER_SETS_H

#include "model/principal.h"
#include "service/set.h"

struct user_sets;
struct service;

#define USERS_KEPT 1000

int user_sets_create(struct service *service, struct user_sets **ret_sets, struct err *err);
/* Backends of users' own connections are given back; calls must have ended. */
void user_sets_free(struct user_sets *sets);

/*
 * A reference to what the principal sees now; NULL: no memory. Where the store cannot be read the connections known before stand in, and
 * set->missing says so.
 */
struct connection_set *user_sets_get(struct user_sets *sets, const struct principal *principal);
/* The same without waiting: what was last known of the user's own, which is nothing before they asked. */
struct connection_set *user_sets_peek(struct user_sets *sets, const struct principal *principal);
/* The operator's set was replaced: nobody's refers to the old one from here on. reread: own connections depend on what changed. */
void user_sets_rebase(struct user_sets *sets, bool reread);
/* How many are kept, and the own connections that are open. */
void user_sets_count(struct user_sets *sets, size_t *ret_users, size_t *ret_open);

#endif
