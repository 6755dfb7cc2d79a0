/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the PostgreSQL driver share: where the database is, one connection, the pool, statements and their results.
 *
 * Concurrency & Locking: driver.lock guards which connections of the pool are taken and what is known of an outage; whoever took a connection
 * has it alone until it gives it back. The listening connection belongs to the one thread in wait_change. generation is atomic.
 *
 * Ownership: the driver owns all connections and the address; results are the caller's (CLEANUP(pg_clearp)). Threads: as said above.
 */
#ifndef STORE_POSTGRES_INTERNAL_H
#define STORE_POSTGRES_INTERNAL_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/clock.h"
#include "store/driver.h"

#define POOL_SIZE 4
#define PREPARED_MAX 64 /* statements a connection keeps; there are about 40 */
#define PARAMS_MAX 140  /* eight rows of history */
#define CHANNEL "sonde_changes"
#define OWN_MAX 32

/* The server gives up a lock and a statement before we give up the server. */
#define LOCK_WAIT_MS 2000
#define STATEMENT_MS 10000
#define PATIENCE_NS (13 * NS_PER_S)

/* --- address.c: where the database is --- */
struct address {
    PQconninfoOption *options; /* holds the password: wiped when freed */
    char direct[256];          /* host beside a pooler's, "" none */
    char direct_port[16];
    bool quiet;      /* no LISTEN and no NOTIFY: polling alone */
    char where[512]; /* for people: host and database */
};
/* Takes postgresql://... apart. ERR_INVALID with a text that repeats nothing of the address that might belong to the password. */
int pg_address_parse(const char *location, struct address *ret_address, struct err *err);
void pg_address_finish(struct address *address);
/* The value of a libpq option, NULL when it is not given. */
const char *pg_address_option(const struct address *address, const char *keyword);

/* --- connect.c: one connection --- */
struct conn {
    const struct address *address;
    PGconn *pq; /* NULL: not connected */
    bool in_transaction;
    bool unprepared; /* prepared statements do not last here: do without in this attempt */
    /* What became of the operation under way: */
    bool lost;     /* the connection is gone */
    bool stale;    /* a prepared statement was not there any more */
    bool clash;    /* two transactions were in each other's way: the same again may go well */
    bool sent;     /* something that changes data by itself has left */
    bool conflict; /* a unique index refused it */
    char sqlstate[6];
    int64_t patience_ns;
    const char *prepared[PREPARED_MAX];
    char names[PREPARED_MAX][24];
    size_t prepared_count;
};
/* direct: past a pooler where the address names a way. ERR_UNAVAILABLE; names user, host and database, never the password. */
int pg_connect(const struct address *address, bool direct, struct conn *conn, struct err *err);
void pg_disconnect(struct conn *conn);
/* Whether an idle connection still stands, found out without asking the server. */
bool pg_alive(struct conn *conn);
/* Sends what waits and returns once a result can be taken without waiting. 0, or -1: lost or beyond its patience, and disconnected. */
int pg_await(struct conn *conn, struct err *err);

/* --- error.c --- */
/* Sets err (and lost, stale, clash, conflict) from a failed result, or from the connection when result is NULL; returns the code. */
int pg_fail(struct conn *conn, const PGresult *result, struct err *err);
/* Text of libpq's on one line, should the password be in it, without it. */
void pg_one_line(const struct address *address, const char *text, char *out, size_t size);

/* --- statement.c: parameters, statements, values --- */
struct params {
    int n;
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
    char numbers[PARAMS_MAX][24];
};
void param_text(struct params *params, const char *text); /* NULL: NULL */
void param_id(struct params *params, const char *id);     /* NULL or "": NULL */
void param_int(struct params *params, int64_t value);
void param_bool(struct params *params, bool value);
void param_bytes(struct params *params, const void *data, size_t size);

/*
 * Runs one statement, prepared on first use (sql is told apart by its address: a static text). ret_result may be NULL. 0, or what pg_fail
 * says; nothing is left to read on the connection.
 */
int pg_run(struct conn *conn, const char *sql, const struct params *params, PGresult **ret_result,
           struct err *err);
/* The same without preparing: for texts made for once. */
int pg_run_once(struct conn *conn, const char *sql, const struct params *params,
                PGresult **ret_result, struct err *err);
/* Several statements without parameters, in PostgreSQL's simple protocol. */
int pg_script(struct conn *conn, const char *sql, struct err *err);
/* Makes sure that sql is prepared, under a name that belongs to its text. */
int pg_prepare(struct conn *conn, const char *sql, const char **ret_name, struct err *err);
static inline void pg_clearp(PGresult **result)
{
    PQclear(*result);
}
int64_t pg_affected(PGresult *result);

/* A time of rows.h as a parameter and as a column. */
#define MS_IN(n) "to_timestamp(nullif(" n "::bigint, 0)::double precision / 1000)"
/* The same for a column that is never NULL: 0 is 1970, as anywhere. */
#define MS_AT(n) "to_timestamp(" n "::bigint::double precision / 1000)"
#define MS_OUT(column) "coalesce((extract(epoch FROM " column ") * 1000)::bigint, 0)"

bool pg_column_null(const PGresult *result, int row, int column);
int64_t pg_column_int(const PGresult *result, int row, int column);
bool pg_column_bool(const PGresult *result, int row, int column);
void pg_column_id(const PGresult *result, int row, int column, char id[ROW_ID]); /* NULL: "" */
/* In the arena; NULL when the column is NULL (or the arena failed). */
const char *pg_column_text(const PGresult *result, int row, int column, struct arena *arena);
/* What PostgreSQL shows of a BYTEA ("\x..."), as bytes in the arena; NULL when it is none or the arena failed. */
void *pg_column_bytes(const PGresult *result, int row, int column, struct arena *arena,
                      size_t *ret_size);
/* 36 characters, lower case: what the store's ids look like. Anything else names no row. */
bool is_row_id(const char *id);

/* --- pool.c: the pool and what runs on it --- */
struct notices {
    struct conn conn;
    int wake[2]; /* a pipe: from stop_waiting and own changes to the waiting thread */
    atomic_bool stopping;
    atomic_bool watched; /* somebody waits for changes: asking for the generation need not look */
    atomic_int_least64_t look_at_ns;
    int64_t connect_at_ns, pause_ns;
    uint64_t told;
    bool was_connected;
    pthread_mutex_t lock;
    /* Under lock: what the table's row said last, and own changes beyond it, which are no news. */
    int64_t seen;
    int64_t own[OWN_MAX];
};

struct driver {
    struct address address;
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    struct conn conns[POOL_SIZE];
    bool taken[POOL_SIZE];
    /* After a failed connect others do not try for a moment: what they would be told is this. */
    int64_t down_until_ns, down_pause_ns;
    char down_text[1536];
    atomic_uint_least64_t generation;
    atomic_bool can_notify;
    struct notices notices;
};

enum effect { READS, WRITES };
/* 0 or an error code; may run more than once, so it sets results only when all went well. */
typedef int (*pg_operation)(struct conn *conn, void *context, struct err *err);
/*
 * Runs an operation on a connection of the pool. It runs once more when the connection was lost and that is safe (it only reads, or nothing
 * that takes effect was sent), when a prepared statement had gone, and when two transactions were in each other's way.
 */
int pg_operate(struct driver *driver, enum effect effect, pg_operation operation, void *context,
               struct err *err);
/*
 * The same inside a transaction that is committed when operation returns 0. It returns PG_UNCHANGED when there was nothing to do (success, rolled
 * back). With announces the generation is raised in the same transaction and others are told afterwards.
 */
#define PG_UNCHANGED 1
int pg_transact(struct driver *driver, bool announces, pg_operation operation, void *context,
                struct err *err);

/* --- notice.c --- */
int pg_notices_init(struct driver *driver, struct err *err);
void pg_notices_finish(struct driver *driver);
/* This process changed something, which made the table's generation what it is. */
void pg_notices_own(struct driver *driver, int64_t generation);
/* Reads the row where there is one: how it is now is how it was always. An operation for pg_operate. */
int pg_notices_begin(struct conn *conn, void *driver, struct err *err);
uint64_t pg_generation(struct driver *driver);
bool pg_wait_change(struct driver *driver, int64_t wait_ms);
void pg_stop_waiting(struct driver *driver);

/* --- migrate.c --- */
int pg_migrations(const char *location, struct arena *arena,
                  struct store_migration **ret_migrations, size_t *ret_count, struct err *err);
int pg_migrate(const char *location, size_t *ret_applied, struct err *err);
int pg_check_schema(struct driver *driver, bool *ret_missing, struct err *err);
/* What was applied, compared with what this program knows. times: one for each known migration; may be NULL. */
int pg_applied(struct conn *conn, size_t *ret_applied, int64_t *times, struct err *err);
/* A connection for long work: statements may take as long as they like. */
int pg_connect_patient(const struct address *address, struct conn *conn, struct err *err);

/* --- facts.c --- */
int pg_facts(const char *location, struct arena *arena, struct store_facts *ret_facts,
             struct err *err);

/* --- users.c --- */
int pg_user_add(struct driver *driver, const struct user_row *user, struct err *err);
int pg_users(struct driver *driver, struct arena *arena, struct user_row **ret_users,
             size_t *ret_count, struct err *err);
int pg_user_find(struct driver *driver, const char *id, const char *name, const char *external,
                 struct arena *arena, struct user_row *ret_user, struct err *err);
int pg_user_disable(struct driver *driver, const char *id, bool disabled, struct err *err);
int pg_token_add(struct driver *driver, const struct token_row *token, struct err *err);
int pg_tokens(struct driver *driver, const char *user_id, struct arena *arena,
              struct token_row **ret_tokens, size_t *ret_count, struct err *err);
int pg_token_revoke(struct driver *driver, const char *id, int64_t now_ms, struct err *err);

/* --- connections.c (reading), connections_write.c --- */
int pg_connections(struct driver *driver, const char *user_id, const char *after_name, size_t limit,
                   struct arena *arena, struct connection_row **ret_rows, size_t *ret_count,
                   struct err *err);
int pg_connection_get(struct driver *driver, const char *user_id, const char *id,
                      struct arena *arena, struct connection_row *ret_row, struct err *err);
int pg_connections_scan(struct driver *driver, const char *after_id, size_t limit,
                        struct arena *arena, struct connection_row **ret_rows, size_t *ret_count,
                        struct err *err);
int pg_connection_add(struct driver *driver, const struct connection_row *row, struct err *err);
int pg_connection_update(struct driver *driver, const struct connection_row *row, struct err *err);
int pg_connection_delete(struct driver *driver, const char *user_id, const char *id,
                         uint64_t revision, int64_t now_ms, struct err *err);
int pg_connection_health(struct driver *driver, const char *id, enum connection_health health,
                         const char *error, int64_t now_ms, struct err *err);
int pg_connections_sync(struct driver *driver, const struct connection_row *rows, size_t n,
                        bool whole, int64_t now_ms, struct err *err);
int pg_connection_rewrap(struct driver *driver, const char *id, const char *before,
                         const char *after, bool *ret_swapped, struct err *err);
const char *pg_health_word(enum connection_health health);

/* --- settings.c: settings and replicas --- */
int pg_setting_get(struct driver *driver, const char *name, struct arena *arena,
                   const char **ret_value, struct err *err);
int pg_setting_init(struct driver *driver, const char *name, const char *value, struct arena *arena,
                    const char **ret_value, struct err *err);
int pg_setting_swap(struct driver *driver, const char *name, const char *before, const char *after,
                    bool *ret_swapped, struct err *err);
int pg_replica_beat(struct driver *driver, const struct replica_row *replica, struct err *err);
int pg_replica_gone(struct driver *driver, const char *id, struct err *err);
int pg_replicas(struct driver *driver, int64_t since_ms, struct arena *arena,
                struct replica_row **ret_rows, size_t *ret_count, struct err *err);

/* --- history.c: history and cache, read and swept; batch.c: written --- */
int pg_history(struct driver *driver, const struct history_filter *filter, struct arena *arena,
               struct history_row **ret_rows, size_t *ret_count, struct err *err);
int pg_history_get(struct driver *driver, const char *user_id, const char *id, struct arena *arena,
                   struct history_row *ret_row, struct err *err);
int pg_get_cache(struct driver *driver, const char *connection_id, const char *hash, int64_t now_ms,
                 struct arena *arena, struct cache_row *ret_row, struct err *err);
int pg_sweep(struct driver *driver, int64_t now_ms, int64_t history_before_ms, size_t *ret_deleted,
             struct err *err);
int pg_write_batch(struct driver *driver, struct queued *const *rows, size_t n, struct err *err);

#endif
