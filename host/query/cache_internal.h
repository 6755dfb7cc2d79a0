/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cache.c (memory) and cache_table.c (the store's table) share.
 *
 * Ownership: the cache owns its table part. Threads: all safe.
 */
#ifndef QUERY_CACHE_INTERNAL_H
#define QUERY_CACHE_INTERNAL_H

#include "query/cache.h"

enum cache_layer { CACHE_MEMORY, CACHE_TABLE };
enum cache_reason { CACHE_SIZE, CACHE_AGE, CACHE_REPLACED, CACHE_BUDGET, CACHE_CONNECTION };

void cache_count_lookup(enum cache_layer layer, bool hit);
void cache_count_stored(enum cache_layer layer);
/* The oldest go until about so many bytes are free. user: the cache. */
void cache_give_way(void *user, size_t bytes);

struct cache_table {
    struct store *store; /* may be NULL */
    struct cache_store rows;
    atomic_int_fast64_t
        not_before_ns; /* clock_mono_ns; the store failed, and nothing is read from it until then */
};

void cache_table_init(struct cache_table *table, const struct cache_settings *settings);
/* Reads and decodes; NULL: not there, not readable. It may wait for the store. */
struct result *cache_table_get(struct cache_table *table, const struct query_key *key,
                               int64_t now_ns, struct budget *budget);
/* Encodes and queues. 0, or ERR_LIMIT when it is too large, ERR_*. */
int cache_table_put(struct cache_table *table, const struct sonde_query *query,
                    const struct query_key *key, const struct result *result, int64_t keep_ns);
void cache_table_hits(struct cache_table *table, const struct query_key *key, uint32_t hits);

#endif
