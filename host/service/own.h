/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's own connections out of the store, opened: rows become connections through the one reader, their secrets unsealed.
 *
 * Ownership: reference-counted; refers to connections and backends. Threads: immutable once made; own_load waits for the store.
 */
#ifndef SERVICE_OWN_H
#define SERVICE_OWN_H

#include "model/principal.h"
#include "service/set.h"
#include "store/store.h"

#define OWN_MAX 100 /* connections of one user */

struct own {
    atomic_uint references;
    struct slot *slots;
    size_t count;
};

struct own_parts {
    const struct registry *registry;
    struct engine *engine;
    struct keyring *keyring;
    struct store *store;
    int64_t timeout_ns;
    const struct own *before; /* those of the same id and revision are taken from it; may be NULL */
};

/*
 * All of them by name. One that cannot be read or opened stays with its reason, a disabled one is not opened. 0, or the store's error.
 */
int own_load(const struct own_parts *parts, const struct principal *principal, struct own **ret_own,
             struct err *err);
struct own *own_ref(struct own *own);
void own_unref(struct own *own);
DEFINE_CLEANUP(struct own *, own_unref);

/*
 * One row as a connection, not opened. On a mistake NULL and ERR_INVALID with the first one; mistakes may be NULL, else it has room for
 * CONFIG_MAX_MISTAKES.
 */
struct connection *own_read(const struct own_parts *parts, const struct connection_row *row,
                            bool local, struct config_mistake *mistakes, size_t *ret_mistake_count,
                            struct err *err);

#endif
