/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What adapters learnt about a connection (dialect, version), and the backend's own rate limits.
 *
 * Ownership: copies; snapshots live in the arena given. Threads: safe.
 */
#ifndef QUERY_FACTS_H
#define QUERY_FACTS_H

#include <pthread.h>
#include <stdbool.h>
#include <sonde/plugin.h>
#include "base/arena.h"

#define FACTS_MAX 32u
#define FACT_MAX_SIZE 1024u
#define RATES_MAX 16u

struct fact {
    char *key;
    char *value;
    int64_t until_ns; /* clock_mono_ns; INT64_MAX for ever */
};

struct rate {
    char key[64];
    uint64_t remaining;
    int64_t reset_ns; /* clock_mono_ns */
};

struct facts {
    pthread_mutex_t lock;
    struct fact facts[FACTS_MAX];
    size_t count;
    struct rate rates[RATES_MAX];
    size_t rate_count;
};

void facts_init(struct facts *facts);
void facts_finish(struct facts *facts);
/* Sets or overwrites. ttl_ms 0: no end. 0 or ERR_LIMIT: more than 32, key and value beyond 1 KiB, or no memory. */
int facts_set(struct facts *facts, const char *key, const char *value, uint64_t ttl_ms);
/* Those in force. NULL without memory; never for none. */
const struct sonde_pair *facts_snapshot(struct facts *facts, struct arena *arena,
                                        uint32_t *ret_count);
/* When the first of them ends (clock_mono_ns), or INT64_MAX. */
int64_t facts_until(struct facts *facts);

void rate_set(struct facts *facts, const char *key, uint64_t remaining, uint64_t reset_ms);
/* Takes one request: 0 when it may go now, else the clock_mono_ns from which on it may. */
int64_t rate_take(struct facts *facts, const char *key);

#endif
