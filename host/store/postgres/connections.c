/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, read. Deleted ones are not there for anybody. */
#include <string.h>
#include "store/postgres/internal.h"

#define COLUMNS                                                                                   \
    "id, user_id, name, description, backend_type, connection_config, tags, source, is_enabled, " \
    "is_default, revision, health_status, health_error, " MS_OUT(                                 \
        "last_health_check_at") ", " MS_OUT("created_at") ", " MS_OUT("updated_at")

static const char *const health_words[] = {[HEALTH_UNKNOWN] = "unknown",
                                           [HEALTH_HEALTHY] = "healthy",
                                           [HEALTH_DEGRADED] = "degraded",
                                           [HEALTH_UNHEALTHY] = "unhealthy"};

const char *pg_health_word(enum connection_health health)
{
    return health_words[health];
}

static enum connection_health health_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(health_words); i++) {
        if (strcmp(word, health_words[i]) == 0)
            return (enum connection_health)i;
    }
    return HEALTH_UNKNOWN;
}

static void read_row(const PGresult *result, int i, struct arena *arena, struct connection_row *row)
{
    pg_column_id(result, i, 0, row->id);
    pg_column_id(result, i, 1, row->user_id);
    row->name = pg_column_text(result, i, 2, arena);
    row->description = pg_column_text(result, i, 3, arena);
    row->backend_type = pg_column_text(result, i, 4, arena);
    row->config = pg_column_text(result, i, 5, arena);
    row->tags = pg_column_text(result, i, 6, arena);
    row->source = pg_column_text(result, i, 7, arena);
    row->enabled = pg_column_bool(result, i, 8);
    row->is_default = pg_column_bool(result, i, 9);
    row->revision = (uint64_t)pg_column_int(result, i, 10);
    row->health = health_of(PQgetvalue(result, i, 11));
    row->health_error = pg_column_text(result, i, 12, arena);
    row->checked_ms = pg_column_int(result, i, 13);
    row->created_ms = pg_column_int(result, i, 14);
    row->updated_ms = pg_column_int(result, i, 15);
}

struct reading {
    const char *sql;
    const char *first, *second; /* texts $1 and $2 */
    bool paged;                 /* $3 is the limit */
    size_t limit;
    struct arena *arena;
    struct connection_row *rows;
    size_t count;
};

static int read_rows(struct conn *conn, void *context, struct err *err)
{
    struct reading *reading = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_text(&params, reading->first);
    param_text(&params, reading->second);
    if (reading->paged)
        param_int(&params, reading->limit ? (int64_t)reading->limit : INT64_MAX);
    int r = pg_run(conn, reading->sql, &params, &result, err);
    if (r != 0)
        return r;
    size_t n = (size_t)PQntuples(result);
    reading->rows = arena_alloc_array(reading->arena, n ? n : 1, sizeof *reading->rows);
    for (size_t i = 0; reading->rows && i < n; i++)
        read_row(result, (int)i, reading->arena, &reading->rows[i]);
    reading->count = n;
    return reading->arena->failed ? err_set(err, ERR_MEMORY, "too many connections to read at once")
                                  : 0;
}

static int read_list(struct driver *driver, struct reading *reading,
                     struct connection_row **ret_rows, size_t *ret_count, struct err *err)
{
    int r = pg_operate(driver, READS, read_rows, reading, err);
    if (r == 0) {
        *ret_rows = reading->rows;
        *ret_count = reading->count;
    }
    return r;
}

int pg_connections(struct driver *driver, const char *user_id, const char *after_name, size_t limit,
                   struct arena *arena, struct connection_row **ret_rows, size_t *ret_count,
                   struct err *err)
{
    /* By bytes, as everywhere, whatever the database's own order is. */
    static const char sql[] =
        "SELECT " COLUMNS
        " FROM observability_connections WHERE user_id = $1::uuid AND deleted_at IS NULL AND "
        "($2::text IS NULL OR name COLLATE \"C\" > $2::text COLLATE \"C\") ORDER BY name COLLATE "
        "\"C\" LIMIT $3::bigint";
    struct reading reading = {.sql = sql,
                              .first = user_id,
                              .second = after_name,
                              .paged = true,
                              .limit = limit,
                              .arena = arena};
    if (!is_row_id(user_id)) {
        *ret_rows = NULL;
        *ret_count = 0;
        return 0;
    }
    return read_list(driver, &reading, ret_rows, ret_count, err);
}

int pg_connection_get(struct driver *driver, const char *user_id, const char *id,
                      struct arena *arena, struct connection_row *ret_row, struct err *err)
{
    static const char sql[] =
        "SELECT " COLUMNS
        " FROM observability_connections WHERE id = $1::uuid AND deleted_at IS NULL AND ($2::uuid "
        "IS NULL OR user_id = $2::uuid)";
    struct reading reading = {.sql = sql, .first = id, .second = user_id, .arena = arena};
    struct connection_row *rows = NULL;
    size_t n = 0;
    int r = 0;
    if (is_row_id(id) && (!user_id || is_row_id(user_id)))
        r = read_list(driver, &reading, &rows, &n, err);
    if (r != 0)
        return r;
    if (n == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such connection");
    *ret_row = rows[0];
    return 0;
}

int pg_connections_scan(struct driver *driver, const char *after_id, size_t limit,
                        struct arena *arena, struct connection_row **ret_rows, size_t *ret_count,
                        struct err *err)
{
    static const char sql[] =
        "SELECT " COLUMNS
        " FROM observability_connections WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > "
        "$1::uuid) AND $2::text IS NULL ORDER BY id LIMIT $3::bigint";
    struct reading reading = {
        .sql = sql, .first = after_id, .paged = true, .limit = limit, .arena = arena};
    if (after_id && !is_row_id(after_id))
        return err_set(err, ERR_INVALID, "%.64s is not the id of a connection", after_id);
    return read_list(driver, &reading, ret_rows, ret_count, err);
}
