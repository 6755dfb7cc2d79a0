/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's own parts, for its files and the drivers.
 *
 * Ownership: the store owns its driver, queue and threads. Threads: as store.h; each function says what differs.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/driver.h"
#include "store/queue.h"

#define STORE_MAX_TEXT (1u << 20)
#define STORE_MAX_PAGE 1000u
#define STORE_MAX_CACHED (256u << 10)

struct store {
    const struct driver_table *table;
    struct driver *driver;
    char shown[512];
    int64_t history_ns;
    struct queue queue;
    pthread_t writer;
    bool writes;

    pthread_t notices;
    bool notifies;
    atomic_bool stop;
    void (*changed)(void *user);
    void *changed_user;

    atomic_bool ill; /* read without the lock, so that what goes well costs nothing */
    pthread_mutex_t state_lock;
    char error[256];
};

/* Which driver a location is for. */
const struct driver_table *store_driver(const char *location);

/* --- migration.c, for the drivers: the same words for both --- */
/* SHA-256 of a migration's text, hexadecimal. */
int migration_sum(const char *text, char ret_sum[65], struct err *err);
/* One row of schema_migrations, the at-th by version (from 0): ERR_INVALID when this program does not know it, or knows another text. */
int migration_compare(const char *shown, size_t at, int version, const char *name, const char *sum,
                      bool postgres, struct err *err);
/* ERR_INVALID that says what to do. */
int migration_missing(const char *shown, size_t applied, struct err *err);
/* All that are known; the first applied ones with their times. */
int migration_list(size_t applied, const int64_t *times, struct arena *arena,
                   struct store_migration **ret_migrations, size_t *ret_count, struct err *err);

/* --- store.c --- */
/* Remembers how an operation went and returns r. Errors of the caller's own leave the store well. */
int store_noted(struct store *store, int r, const struct err *err);

/* --- writer.c, notices.c --- */
int store_start_writer(struct store *store, struct err *err);
void store_stop_notices(struct store *store);

/* --- copy.c --- */
/* One block with all texts in it; NULL and errno-less when memory is out or a text is too long. */
struct queued *copy_history(const struct history_row *row, const struct session_row *session,
                            bool with_sample);
struct queued *copy_cache(const struct cache_row *row);
struct queued *copy_hit(const char *connection_id, const char *hash, int64_t hits);
struct queued *copy_token_used(const char *id, int64_t now_ms);

#endif
