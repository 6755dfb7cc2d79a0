/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers kept for those who ask the same again: whole results, unshaped, first in memory, those of windows that are past in the
 * store's table as well.
 *
 * Who may get one: what connections of the operator answered is anybody's who may ask them, all else its owner's alone (query_key.h).
 * How old it may be: a window that ends now is served by one that ends up to 20 s before, never by one that ended more than 30 s ago;
 * a window that is past for cache.keep; others for 20 s; a partial result for 15 s. Errors are never kept.
 *
 * Ownership: it refers to results; cache_get gives a reference. Threads: all safe; cache_get and cache_keep may wait for the store, so
 * they are for call threads.
 */
#ifndef QUERY_CACHE_H
#define QUERY_CACHE_H

#include "model/result.h"
#include "query/query_key.h"

struct cache;
struct store;
struct cache_row;

/* The store's functions of the same names, whose contract they have. */
struct cache_store {
    void (*put)(struct store *store, const struct cache_row *row);
    int (*get)(struct store *store, const char *connection_id, const char *hash, int64_t now_ms,
               struct arena *arena, struct cache_row *ret_row, struct err *err);
    void (*hit)(struct store *store, const char *connection_id, const char *hash, int64_t hits);
};

struct cache_settings {
    struct budget *budget;   /* gives way when it is short; may be NULL */
    struct store *store;     /* NULL: memory only */
    struct cache_store rows; /* of it */
    uint64_t max_bytes;      /* 0: nothing is kept */
    int64_t keep_ns;         /* results of windows that are past; default a day */
    bool table;              /* results up to 256 KiB in the store too */
    bool logs;               /* log bodies as well */
};

int cache_create(const struct cache_settings *settings, struct cache **ret_cache, struct err *err);
/* After all calls ended. */
void cache_destroy(struct cache *cache);
/* Its maximum, times and switches from now on; budget and store stay. */
void cache_configure(struct cache *cache, const struct cache_settings *settings);

/* Whether results of such a query are worth keeping at all. */
bool cache_takes(const struct sonde_query *query);
/* A result that may be given for what is asked at now_ns, or NULL. cache may be NULL. */
struct result *cache_get(struct cache *cache, struct backend *backend,
                         const struct sonde_query *query, const struct query_key *key,
                         int64_t now_ns);
/* Keeps a result that was just fetched, in memory: cheap. cache may be NULL. */
void cache_put(struct cache *cache, const struct backend *backend, const struct query_key *key,
               struct result *result);
/* The same, in the table, for what belongs there; a thread encodes it. */
void cache_put_table(struct cache *cache, const struct backend *backend,
                     const struct sonde_query *query, const struct query_key *key,
                     struct result *result);
/* Lets go of all that this backend brought, in memory. cache may be NULL. */
void cache_forget(struct cache *cache, uint64_t backend_serial);

struct cache_state {
    size_t entries, bytes, max_bytes;
};
void cache_state(struct cache *cache, struct cache_state *ret_state);

#endif
