/* SPDX-License-Identifier: Apache-2.0 */
/* History and cached results: read, and swept when their time is over. */
#include <string.h>
#include "base/buf.h"
#include "store/postgres/internal.h"

#define COLUMNS                                                                                   \
    "id, call_id, session_id, connection_id, user_id, connection_name, tool, scope, query_type, " \
    "query_text, query_params, coalesce(result_sample::text, ''), error_message, result_count, "  \
    "execution_time_ms, was_cached, " MS_OUT("queried_at")

static void read_row(const PGresult *result, int i, struct arena *arena, struct history_row *row)
{
    pg_column_id(result, i, 0, row->id);
    pg_column_id(result, i, 1, row->call_id);
    pg_column_id(result, i, 2, row->session_id);
    pg_column_id(result, i, 3, row->connection_id);
    pg_column_id(result, i, 4, row->user_id);
    row->connection_name = pg_column_text(result, i, 5, arena);
    row->tool = pg_column_text(result, i, 6, arena);
    row->scope = pg_column_text(result, i, 7, arena);
    row->query_type = pg_column_text(result, i, 8, arena);
    row->query_text = pg_column_text(result, i, 9, arena);
    row->query_params = pg_column_text(result, i, 10, arena);
    row->result_sample = pg_column_text(result, i, 11, arena);
    row->error_message = pg_column_text(result, i, 12, arena);
    row->result_count = pg_column_int(result, i, 13);
    row->execution_ms = pg_column_int(result, i, 14);
    row->was_cached = pg_column_bool(result, i, 15);
    row->queried_ms = pg_column_int(result, i, 16);
}

struct reading {
    struct buf sql;
    struct params params;
    struct arena *arena;
    struct history_row *rows;
    size_t count;
};

static int read_rows(struct conn *conn, void *context, struct err *err)
{
    struct reading *reading = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = pg_run_once(conn, buf_text(&reading->sql), &reading->params, &result, err);
    if (r != 0)
        return r;
    size_t n = (size_t)PQntuples(result);
    reading->rows = arena_alloc_array(reading->arena, n ? n : 1, sizeof *reading->rows);
    for (size_t i = 0; reading->rows && i < n; i++)
        read_row(result, (int)i, reading->arena, &reading->rows[i]);
    reading->count = n;
    return reading->arena->failed ? err_set(err, ERR_MEMORY, "too much history to read at once")
                                  : 0;
}

static void where(struct reading *reading, const char *condition)
{
    buf_printf(&reading->sql, " AND %s", condition);
}

/* One condition on an id; an id that is none matches nothing. */
static void where_id(struct reading *reading, const char *column, const char *compared,
                     const char *id)
{
    if (!id)
        return;
    if (!is_row_id(id)) {
        where(reading, "FALSE");
        return;
    }
    param_id(&reading->params, id);
    buf_printf(&reading->sql, " AND %s %s $%d::uuid", column, compared, reading->params.n);
}

static void where_time(struct reading *reading, const char *compared, int64_t ms)
{
    if (ms == 0)
        return;
    param_int(&reading->params, ms);
    buf_printf(&reading->sql, " AND queried_at %s " MS_AT("$%d"), compared, reading->params.n);
}

/* Made for the filter, not prepared: the plan then knows which index serves it. */
static void make_query(struct reading *reading, const struct history_filter *filter)
{
    buf_add(&reading->sql, "SELECT " COLUMNS " FROM observability_query_history WHERE TRUE");
    where_id(reading, "user_id", "=", filter->user_id);
    where_id(reading, "session_id", "=", filter->session_id);
    where_id(reading, "connection_id", "=", filter->connection_id);
    where_id(reading, "call_id", "=", filter->call_id);
    where_id(reading, "id", "<", filter->before_id);
    if (filter->tool) {
        param_text(&reading->params, filter->tool);
        buf_printf(&reading->sql, " AND tool = $%d", reading->params.n);
    }
    where_time(reading, ">=", filter->from_ms);
    where_time(reading, "<", filter->to_ms);
    if (filter->failed >= 0)
        where(reading, filter->failed ? "error_message <> ''" : "error_message = ''");
    param_int(&reading->params, (int64_t)filter->limit);
    buf_printf(&reading->sql, " ORDER BY id DESC LIMIT $%d::bigint", reading->params.n);
}

static int run_reading(struct driver *driver, struct reading *reading, struct err *err)
{
    int r = reading->sql.failed ? err_set(err, ERR_MEMORY, "out of memory")
                                : pg_operate(driver, READS, read_rows, reading, err);
    buf_finish(&reading->sql);
    return r;
}

int pg_history(struct driver *driver, const struct history_filter *filter, struct arena *arena,
               struct history_row **ret_rows, size_t *ret_count, struct err *err)
{
    struct reading reading = {.sql = BUF(8192), .arena = arena};
    make_query(&reading, filter);
    int r = run_reading(driver, &reading, err);
    if (r == 0) {
        *ret_rows = reading.rows;
        *ret_count = reading.count;
    }
    return r;
}

int pg_history_get(struct driver *driver, const char *user_id, const char *id, struct arena *arena,
                   struct history_row *ret_row, struct err *err)
{
    struct reading reading = {.sql = BUF(8192), .arena = arena};
    buf_add(&reading.sql, "SELECT " COLUMNS " FROM observability_query_history WHERE TRUE");
    where_id(&reading, "id", "=", id);
    where_id(&reading, "user_id", "=", user_id);
    int r = run_reading(driver, &reading, err);
    if (r != 0)
        return r;
    if (reading.count == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such query in the history");
    *ret_row = reading.rows[0];
    return 0;
}

struct lookup {
    const char *connection_id, *hash;
    int64_t now_ms;
    struct arena *arena;
    struct cache_row row;
};

static int look_up(struct conn *conn, void *context, struct err *err)
{
    struct lookup *lookup = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, lookup->connection_id);
    param_text(&params, lookup->hash);
    param_int(&params, lookup->now_ms);
    int r = pg_run(conn,
                   "SELECT connection_id, query_hash, scope, query_type, query_text, query_params, "
                   "result_data, result_count, " MS_OUT("cached_at") ", " MS_OUT(
                       "expires_at") ", hit_count FROM observability_query_cache WHERE "
                                     "connection_id = $1::uuid AND query_hash = $2 AND expires_at "
                                     "> " MS_AT("$3"),
                   &params, &result, err);
    if (r != 0)
        return r;
    if (PQntuples(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "that result is not in the cache");
    struct cache_row *row = &lookup->row;
    struct arena *arena = lookup->arena;
    pg_column_id(result, 0, 0, row->connection_id);
    const char *hash = PQgetvalue(result, 0, 1);
    if (strlen(hash) < sizeof row->hash)
        memcpy(row->hash, hash, strlen(hash) + 1);
    row->scope = pg_column_text(result, 0, 2, arena);
    row->query_type = pg_column_text(result, 0, 3, arena);
    row->query_text = pg_column_text(result, 0, 4, arena);
    row->query_params = pg_column_text(result, 0, 5, arena);
    row->data = pg_column_bytes(result, 0, 6, arena, &row->size);
    row->result_count = pg_column_int(result, 0, 7);
    row->cached_ms = pg_column_int(result, 0, 8);
    row->expires_ms = pg_column_int(result, 0, 9);
    row->hit_count = pg_column_int(result, 0, 10);
    return arena->failed || !row->data ? err_set(err, ERR_MEMORY, "out of memory") : 0;
}

int pg_get_cache(struct driver *driver, const char *connection_id, const char *hash, int64_t now_ms,
                 struct arena *arena, struct cache_row *ret_row, struct err *err)
{
    struct lookup lookup = {connection_id, hash, now_ms, arena, {.hash = ""}};
    if (!is_row_id(connection_id))
        return err_set(err, ERR_NOT_FOUND, "that result is not in the cache");
    int r = pg_operate(driver, READS, look_up, &lookup, err);
    if (r == 0)
        *ret_row = lookup.row;
    return r;
}

struct sweeping {
    int64_t now_ms, before_ms;
    size_t deleted;
};

/* A bounded batch each, so that nothing is held for long; the next sweep takes the rest. */
#define SWEEP_LIMIT "1000"

static int sweep(struct conn *conn, void *context, struct err *err)
{
    static const char cache[] =
        "DELETE FROM observability_query_cache WHERE id IN (SELECT id FROM "
        "observability_query_cache WHERE expires_at <= " MS_AT("$1") " LIMIT " SWEEP_LIMIT ")";
    static const char history[] =
        "DELETE FROM observability_query_history WHERE id IN (SELECT id FROM "
        "observability_query_history WHERE queried_at < " MS_AT("$1") " LIMIT " SWEEP_LIMIT ")";
    static const char sessions[] =
        "DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s WHERE s.last_seen_at < " MS_AT(
            "$1") " AND NOT EXISTS (SELECT 1 FROM observability_query_history h WHERE h.session_id "
                  "= s.id) LIMIT " SWEEP_LIMIT ")";
    static const char connections[] =
        "DELETE FROM observability_connections WHERE id IN (SELECT c.id FROM "
        "observability_connections c WHERE c.deleted_at < " MS_AT(
            "$1") " AND NOT EXISTS (SELECT 1 FROM observability_query_history h WHERE "
                  "h.connection_id = c.id) LIMIT " SWEEP_LIMIT ")";
    static const char replicas[] =
        "DELETE FROM replicas WHERE last_seen_at < " MS_AT("$1") " - interval '1 day'";
    struct sweeping *sweeping = context;
    /* Sessions outlive what was asked in them by as long again. */
    int64_t session_before_ms = sweeping->before_ms - (sweeping->now_ms - sweeping->before_ms);
    const struct {
        const char *sql;
        int64_t before_ms;
    } steps[] = {{cache, sweeping->now_ms},
                 {history, sweeping->before_ms},
                 {sessions, session_before_ms},
                 {connections, sweeping->now_ms},
                 {replicas, sweeping->now_ms}};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        PGresult *result CLEANUP(pg_clearp) = NULL;
        struct params params = {0};
        param_int(&params, steps[i].before_ms);
        int r = pg_run(conn, steps[i].sql, &params, &result, err);
        if (r != 0)
            return r;
        sweeping->deleted += (size_t)pg_affected(result);
    }
    return 0;
}

int pg_sweep(struct driver *driver, int64_t now_ms, int64_t history_before_ms, size_t *ret_deleted,
             struct err *err)
{
    struct sweeping sweeping = {now_ms, history_before_ms, 0};
    /* What was deleted once is not there the second time: it may be repeated like a read. */
    int r = pg_operate(driver, READS, sweep, &sweeping, err);
    if (r == 0)
        *ret_deleted = sweeping.deleted;
    return r;
}
