/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cache.c (memory) and cache_table.c (the store's table) share.
 *
 * Ownership: the cache owns its table part. Threads: all safe.
 */
#ifndef QUERY_CACHE_INTERNAL_H
#define QUERY_CACHE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include "query/cache.h"

enum cache_layer { CACHE_MEMORY, CACHE_TABLE };
enum cache_reason { CACHE_SIZE, CACHE_AGE, CACHE_REPLACED, CACHE_BUDGET, CACHE_CONNECTION };

void cache_count_lookup(enum cache_layer layer, bool hit);
void cache_count_stored(enum cache_layer layer);
/* The oldest go until about so many bytes are free. user: the cache. */
void cache_give_way(void *user, size_t bytes);

/* One to be written; cache_table.c makes and frees them. */
struct cache_job;

struct cache_table {
    struct store *store; /* may be NULL */
    struct cache_store rows;
    void (*written)(void *user, const struct query_key *key, const struct result *result);
    void *user;
    atomic_int_fast64_t
        not_before_ns; /* clock_mono_ns; the store failed, and nothing is read from it until then */
    pthread_mutex_t lock;
    pthread_cond_t work; /* jobs came, or it stops */
    pthread_t thread;
    /* under lock */
    struct cache_job *first;
    struct cache_job *last;
    size_t jobs;
    bool started;
    bool stopping;
};

/* written: told on the table's thread of each result that was handed to the store. 0 or ERR_SYSTEM. */
int cache_table_init(struct cache_table *table, const struct cache_settings *settings,
                     void (*written)(void *user, const struct query_key *key,
                                     const struct result *result),
                     void *user);
/* Writes what waits, for a moment at most. */
void cache_table_finish(struct cache_table *table);
/* Reads and decodes; NULL: not there, not readable. It may wait for the store. */
struct result *cache_table_get(struct cache_table *table, const struct query_key *key,
                               int64_t now_ns, struct budget *budget);
/* Leaves it to a thread that encodes and hands to the store; what is too large, or too much at once, is not. */
void cache_table_put(struct cache_table *table, const struct sonde_query *query,
                     const struct query_key *key, struct result *result, int64_t keep_ns);
void cache_table_hits(struct cache_table *table, const struct query_key *key, uint32_t hits);

#endif
