/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver is: the operations of store.h as one table, done at once on the calling thread. store.c adds the queue, its writer and the
 * notices on top; SQL lives in drivers and sql/ only.
 *
 * Ownership: a driver belongs to its store. Threads: every function may be called from several threads at once; a driver locks for itself.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/store.h"

struct driver;

/* One row that waited in the queue. */
struct queued {
    struct queued *next;
    size_t size;       /* what it is charged with: the block with all its texts */
    int64_t queued_ms; /* since when it waits */
    enum { QUEUED_HISTORY, QUEUED_CACHE, QUEUED_HIT, QUEUED_TOKEN_USED } type;
    union {
        struct {
            struct history_row row;
            struct session_row session;
        } history;
        struct cache_row cache;
        struct {
            char connection_id[ROW_ID];
            char hash[65];
            int64_t hits;
        } hit;
        struct {
            char id[ROW_ID];
            int64_t now_ms;
        } used;
    };
};

struct driver_table {
    /* Opens without looking at the schema. */
    int (*open)(const char *location, struct driver **ret_driver, struct err *err);
    void (*close)(struct driver *driver);
    int (*migrations)(const char *location, struct arena *arena,
                      struct store_migration **ret_migrations, size_t *ret_count, struct err *err);
    int (*migrate)(const char *location, size_t *ret_applied, struct err *err);
    /* As store_facts. */
    int (*facts)(const char *location, struct arena *arena, struct store_facts *ret_facts,
                 struct err *err);
    /* 0 when every migration this program knows, and no other, is applied; else ERR_INVALID; ret_missing: it is only older. */
    int (*check_schema)(struct driver *driver, bool *ret_missing, struct err *err);
    uint64_t (*generation)(struct driver *driver);
    /* Returns when something changed, at the latest after wait_ms; true when something may have changed. One thread. */
    bool (*wait_change)(struct driver *driver, int64_t wait_ms);
    void (*stop_waiting)(struct driver *driver);

    int (*user_add)(struct driver *driver, const struct user_row *user, struct err *err);
    int (*users)(struct driver *driver, struct arena *arena, struct user_row **ret_users,
                 size_t *ret_count, struct err *err);
    int (*user_find)(struct driver *driver, const char *id, const char *name, const char *external,
                     struct arena *arena, struct user_row *ret_user, struct err *err);
    int (*user_disable)(struct driver *driver, const char *id, bool disabled, struct err *err);
    int (*token_add)(struct driver *driver, const struct token_row *token, struct err *err);
    int (*tokens)(struct driver *driver, const char *user_id, struct arena *arena,
                  struct token_row **ret_tokens, size_t *ret_count, struct err *err);
    int (*token_revoke)(struct driver *driver, const char *id, int64_t now_ms, struct err *err);
    int (*connection_add)(struct driver *driver, const struct connection_row *row, struct err *err);
    int (*connections)(struct driver *driver, const char *user_id, const char *after_name,
                       size_t limit, struct arena *arena, struct connection_row **ret_rows,
                       size_t *ret_count, struct err *err);
    int (*connection_get)(struct driver *driver, const char *user_id, const char *id,
                          struct arena *arena, struct connection_row *ret_row, struct err *err);
    int (*connection_update)(struct driver *driver, const struct connection_row *row,
                             struct err *err);
    int (*connection_delete)(struct driver *driver, const char *user_id, const char *id,
                             uint64_t revision, int64_t now_ms, struct err *err);
    int (*connection_health)(struct driver *driver, const char *id, enum connection_health health,
                             const char *error, int64_t now_ms, struct err *err);
    int (*connections_sync)(struct driver *driver, const struct connection_row *rows, size_t n,
                            bool whole, int64_t now_ms, struct err *err);
    int (*connections_scan)(struct driver *driver, const char *after_id, size_t limit,
                            struct arena *arena, struct connection_row **ret_rows,
                            size_t *ret_count, struct err *err);
    int (*connection_rewrap)(struct driver *driver, const char *id, const char *before,
                             const char *after, bool *ret_swapped, struct err *err);
    int (*setting_get)(struct driver *driver, const char *name, struct arena *arena,
                       const char **ret_value, struct err *err);
    int (*setting_init)(struct driver *driver, const char *name, const char *value,
                        struct arena *arena, const char **ret_value, struct err *err);
    int (*setting_swap)(struct driver *driver, const char *name, const char *before,
                        const char *after, bool *ret_swapped, struct err *err);
    int (*replica_beat)(struct driver *driver, const struct replica_row *replica, struct err *err);
    int (*replica_gone)(struct driver *driver, const char *id, struct err *err);
    int (*replicas)(struct driver *driver, int64_t since_ms, struct arena *arena,
                    struct replica_row **ret_rows, size_t *ret_count, struct err *err);
    int (*history)(struct driver *driver, const struct history_filter *filter, struct arena *arena,
                   struct history_row **ret_rows, size_t *ret_count, struct err *err);
    int (*history_get)(struct driver *driver, const char *user_id, const char *id,
                       struct arena *arena, struct history_row *ret_row, struct err *err);
    int (*get_cache)(struct driver *driver, const char *connection_id, const char *hash,
                     int64_t now_ms, struct arena *arena, struct cache_row *ret_row,
                     struct err *err);
    int (*sweep)(struct driver *driver, int64_t now_ms, int64_t history_before_ms,
                 size_t *ret_deleted, struct err *err);
    /*
     * Writes all in one transaction. ERR_INVALID: one of them is bad (the batch was rolled back; the caller goes row by row); others: nothing
     * was written, it may succeed later.
     */
    int (*write_batch)(struct driver *driver, struct queued *const *rows, size_t n,
                       struct err *err);
};

extern const struct driver_table driver_sqlite;
extern const struct driver_table driver_postgres;

/* The texts of sql/, embedded: one a migration, in order. sha256 is of the text, hexadecimal. */
struct migration {
    int version;
    const char *name; /* "0001_init" */
    const char *sqlite, *postgres;
};
extern const struct migration migrations[];
extern const size_t migration_count;

#endif
