/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite driver's own parts: three connections to one file, and the lock that lets one process write at a time.
 *
 * Two connections that write or checkpoint at the same moment can damage a WAL database in the SQLite of Debian 12 and 13. So every write
 * transaction and every checkpoint of every process happens under an exclusive flock on PATH.lock, held for that batch only; nothing is
 * checkpointed by SQLite on its own, not even on close.
 *
 * An err is never NULL here: the store sees to it.
 *
 * Ownership: driver_close frees all. Threads: a lane is one thread's between its begin and its end; the rest is safe from any thread.
 */
#ifndef STORE_SQLITE_INTERNAL_H
#define STORE_SQLITE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/driver.h"

#define LOCK_WAIT_NS (2 * NS_PER_S)     /* for a write */
#define MIGRATE_WAIT_NS (60 * NS_PER_S) /* for another's migration */
#define MAX_KEPT 48                     /* prepared statements of a lane */

/* One connection with its prepared statements. */
struct lane {
    sqlite3 *db;
    const char *path; /* for messages */
    size_t count;
    struct {
        const char *sql; /* compared by address: a literal each */
        sqlite3_stmt *statement;
    } kept[MAX_KEPT];
};

struct driver {
    char *path;
    int lock_fd;

    /* gate guards what follows: a mutex alone could not be waited for with a deadline. */
    pthread_mutex_t gate;
    pthread_cond_t freed;
    bool taken;
    bool handed; /* to one of those who wait; taken stays set */
    size_t waiting;
    struct lane writing; /* whoever set taken */
    int full;            /* synchronous as it is set: 1 FULL, 0 NORMAL, -1 not yet */
    int wal_pages;       /* after the last commit */

    pthread_mutex_t read_lock;
    struct lane reading;

    /* A lane of its own, so that asking for the generation never waits for somebody's long read. */
    pthread_mutex_t watch_lock;
    struct lane watching;
    int64_t data_version;
    atomic_uint_fast64_t generation;

    pthread_mutex_t wait_lock;
    pthread_cond_t changed;
    uint64_t waited; /* the generation wait_change told last */
    bool stop;
};

/* --- open.c, create.c --- */
/* create false: ERR_NOT_FOUND where there is no file. */
int sqlite_open(const char *path, bool create, struct driver **ret_driver, struct err *err);
int sqlite_open_driver(const char *location, struct driver **ret_driver, struct err *err);
void sqlite_close_driver(struct driver *driver);
DEFINE_CLEANUP(struct driver *, sqlite_close_driver);
#define SQLITE_APPLICATION 0x736f6e64 /* "sond" */
/* Makes the folders (0700) and an empty database (0600) under another name, and links it into place: who comes second uses the first's. */
int sqlite_create(const char *path, struct err *err);

/* --- lock.c --- */
int sqlite_lock_open(const char *path, int *ret_fd, struct err *err);
/* Until clock_mono_ns is deadline_ns. 0, ERR_BUSY, ERR_SYSTEM. */
int sqlite_lock(int fd, int64_t deadline_ns, const char *path, struct err *err);
void sqlite_unlock(int fd);

/* --- lane.c --- */
int lane_open(struct lane *lane, const char *path, int flags, struct err *err);
void lane_close(struct lane *lane);
/* Runs texts without results. */
int lane_exec(struct lane *lane, const char *sql, struct err *err);
/* The statement, prepared once, unbound; NULL and an error. Give it back with sqlite3_reset. */
sqlite3_stmt *lane_statement(struct lane *lane, const char *sql, struct err *err);
/* The code and text of what just failed in the lane. */
int lane_failed(struct lane *lane, struct err *err);
/* Steps a statement that gives no row and resets it. ret_changed may be NULL: rows it touched. */
int lane_run(struct lane *lane, sqlite3_stmt *statement, int *ret_changed, struct err *err);
/* One step: 1 a row, 0 no more (and reset), or an error (and reset). */
int lane_step(struct lane *lane, sqlite3_stmt *statement, struct err *err);
/* 0 where it is NULL or JSON, else ERR_INVALID. */
int lane_check_json(struct lane *lane, const char *what, const char *text, struct err *err);
/* NULL binds NULL; texts must live until the reset. */
void lane_bind_text(sqlite3_stmt *statement, int at, const char *text);
void lane_bind_text_or_null(sqlite3_stmt *statement, int at,
                            const char *text); /* "" binds NULL too */
void lane_bind_int(sqlite3_stmt *statement, int at, int64_t value);
void lane_bind_time(sqlite3_stmt *statement, int at, int64_t ms); /* 0 binds NULL */
/* "" for NULL. NULL and nothing else when memory is out. */
const char *lane_text(sqlite3_stmt *statement, int at, struct arena *arena);
const char *lane_text_or_null(sqlite3_stmt *statement, int at, struct arena *arena);
void lane_id(sqlite3_stmt *statement, int at, char ret_id[ROW_ID]);
int lane_no_memory(struct err *err);
/*
 * All rows of a bound statement, which is reset then: each of size bytes, filled by read, whose copies go into arena (what does not fit is
 * found out here).
 */
int lane_collect(struct lane *lane, sqlite3_stmt *statement, size_t size,
                 void (*read)(sqlite3_stmt *statement, struct arena *arena, void *ret_row),
                 struct arena *arena, void **ret_rows, size_t *ret_count, struct err *err);
/* The first one; ERR_NOT_FOUND without a text where there is none. */
int lane_find(struct lane *lane, sqlite3_stmt *statement,
              void (*read)(sqlite3_stmt *statement, struct arena *arena, void *ret_row),
              struct arena *arena, void *ret_row, struct err *err);

/*
 * Reads one row: a statement with one or two texts (b NULL: bound as NULL where the statement has a second one). ret_row may be filled in part
 * on failure. ERR_NOT_FOUND without a text where there is none.
 */
int sqlite_find(struct driver *driver, const char *sql, const char *a, const char *b,
                void (*read)(sqlite3_stmt *statement, struct arena *arena, void *ret_row),
                struct arena *arena, void *ret_row, struct err *err);

/* The lane to read with. Never fails; one thread at a time. */
struct lane *sqlite_begin_read(struct driver *driver);
void sqlite_end_read(struct driver *driver);
/* The lane to write with: transaction begun, both locks held. full: a commit that outlives a power cut. */
int sqlite_begin_write(struct driver *driver, bool full, int64_t wait_ns, struct lane **ret_lane,
                       struct err *err);
/*
 * Commits where r is 0, else rolls back, and lets go. changed: users, tokens or connections are other ones now. Returns r, or why the commit
 * failed.
 */
int sqlite_end_write(struct driver *driver, int r, bool changed, struct err *err);

/* --- schema.c --- */
int sqlite_migrations(const char *location, struct arena *arena,
                      struct store_migration **ret_migrations, size_t *ret_count, struct err *err);
int sqlite_migrate(const char *location, size_t *ret_applied, struct err *err);
int sqlite_check_schema(struct driver *driver, bool *ret_missing, struct err *err);
int sqlite_facts(const char *location, struct arena *arena, struct store_facts *ret_facts,
                 struct err *err);

/* --- changes.c --- */
int sqlite_raise_generation(struct lane *lane, struct err *err);
void sqlite_tell_changed(struct driver *driver);
uint64_t sqlite_generation(struct driver *driver);
bool sqlite_wait_change(struct driver *driver, int64_t wait_ms);
void sqlite_stop_waiting(struct driver *driver);

/* --- the operations of driver.h --- */
int sqlite_user_add(struct driver *driver, const struct user_row *user, struct err *err);
int sqlite_users(struct driver *driver, struct arena *arena, struct user_row **ret_users,
                 size_t *ret_count, struct err *err);
int sqlite_user_find(struct driver *driver, const char *id, const char *name, const char *external,
                     struct arena *arena, struct user_row *ret_user, struct err *err);
int sqlite_user_disable(struct driver *driver, const char *id, bool disabled, struct err *err);
int sqlite_token_add(struct driver *driver, const struct token_row *token, struct err *err);
int sqlite_tokens(struct driver *driver, const char *user_id, struct arena *arena,
                  struct token_row **ret_tokens, size_t *ret_count, struct err *err);
int sqlite_token_revoke(struct driver *driver, const char *id, int64_t now_ms, struct err *err);
int sqlite_connection_add(struct driver *driver, const struct connection_row *row, struct err *err);
int sqlite_connections(struct driver *driver, const char *user_id, const char *after_name,
                       size_t limit, struct arena *arena, struct connection_row **ret_rows,
                       size_t *ret_count, struct err *err);
int sqlite_connection_get(struct driver *driver, const char *user_id, const char *id,
                          struct arena *arena, struct connection_row *ret_row, struct err *err);
int sqlite_connection_update(struct driver *driver, const struct connection_row *row,
                             struct err *err);
int sqlite_connection_delete(struct driver *driver, const char *user_id, const char *id,
                             uint64_t revision, int64_t now_ms, struct err *err);
int sqlite_connection_health(struct driver *driver, const char *id, enum connection_health health,
                             const char *error, int64_t now_ms, struct err *err);
int sqlite_connections_sync(struct driver *driver, const struct connection_row *rows, size_t n,
                            bool whole, int64_t now_ms, struct err *err);
int sqlite_connections_scan(struct driver *driver, const char *after_id, size_t limit,
                            struct arena *arena, struct connection_row **ret_rows,
                            size_t *ret_count, struct err *err);
int sqlite_connection_rewrap(struct driver *driver, const char *id, const char *before,
                             const char *after, bool *ret_swapped, struct err *err);
int sqlite_setting_get(struct driver *driver, const char *name, struct arena *arena,
                       const char **ret_value, struct err *err);
int sqlite_setting_init(struct driver *driver, const char *name, const char *value,
                        struct arena *arena, const char **ret_value, struct err *err);
int sqlite_setting_swap(struct driver *driver, const char *name, const char *before,
                        const char *after, bool *ret_swapped, struct err *err);
int sqlite_replica_beat(struct driver *driver, const struct replica_row *replica, struct err *err);
int sqlite_replica_gone(struct driver *driver, const char *id, struct err *err);
int sqlite_replicas(struct driver *driver, int64_t since_ms, struct arena *arena,
                    struct replica_row **ret_rows, size_t *ret_count, struct err *err);
int sqlite_history(struct driver *driver, const struct history_filter *filter, struct arena *arena,
                   struct history_row **ret_rows, size_t *ret_count, struct err *err);
int sqlite_history_get(struct driver *driver, const char *user_id, const char *id,
                       struct arena *arena, struct history_row *ret_row, struct err *err);
int sqlite_get_cache(struct driver *driver, const char *connection_id, const char *hash,
                     int64_t now_ms, struct arena *arena, struct cache_row *ret_row,
                     struct err *err);
int sqlite_write_batch(struct driver *driver, struct queued *const *rows, size_t n,
                       struct err *err);
int sqlite_sweep(struct driver *driver, int64_t now_ms, int64_t history_before_ms,
                 size_t *ret_deleted, struct err *err);

/* The JSON of a row that is to be written. */
int sqlite_check_connection(struct lane *lane, const struct connection_row *row, struct err *err);
/* The name of a health state. */
const char *sqlite_health_name(enum connection_health health);

#endif
