/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <string.h>

#include "base/clock.h"

/* The row with these columns, as they follow in read_connection. */
#define SELECT                                                                               \
    "SELECT id, user_id, name, description, backend_type, connection_config, tags, source, " \
    "is_enabled, is_default, revision, health_status, health_error, last_health_check_at, "  \
    "created_at, updated_at FROM observability_connections WHERE deleted_at IS NULL "

static const char *const health_names[] = {"unknown", "healthy", "degraded", "unhealthy"};

const char *sqlite_health_name(enum connection_health health)
{
    return health_names[health];
}

static void read_connection(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct connection_row *row = ret_row;
    const char *health = (const char *)sqlite3_column_text(statement, 11);
    lane_id(statement, 0, row->id);
    lane_id(statement, 1, row->user_id);
    row->name = lane_text(statement, 2, arena);
    row->description = lane_text(statement, 3, arena);
    row->backend_type = lane_text(statement, 4, arena);
    row->config = lane_text(statement, 5, arena);
    row->tags = lane_text(statement, 6, arena);
    row->source = lane_text(statement, 7, arena);
    row->enabled = sqlite3_column_int(statement, 8);
    row->is_default = sqlite3_column_int(statement, 9);
    row->revision = (uint64_t)sqlite3_column_int64(statement, 10);
    row->health = HEALTH_UNKNOWN;
    for (size_t i = 0; health && i < ARRAY_SIZE(health_names); i++)
        if (strcmp(health, health_names[i]) == 0)
            row->health = (enum connection_health)i;
    row->health_error = lane_text(statement, 12, arena);
    row->checked_ms = sqlite3_column_int64(statement, 13);
    row->created_ms = sqlite3_column_int64(statement, 14);
    row->updated_ms = sqlite3_column_int64(statement, 15);
}

int sqlite_check_connection(struct lane *lane, const struct connection_row *row, struct err *err)
{
    int r = lane_check_json(lane, "connection_config", row->config, err);
    return r ? r : lane_check_json(lane, "tags", row->tags, err);
}

int sqlite_connections(struct driver *driver, const char *user_id, const char *after_name,
                       size_t limit, struct arena *arena, struct connection_row **ret_rows,
                       size_t *ret_count, struct err *err)
{
    static const char sql[] =
        SELECT "AND user_id = ?1 AND (?2 IS NULL OR name > ?2) ORDER BY name LIMIT ?3";
    void *rows = NULL;
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, user_id);
        lane_bind_text(statement, 2, after_name);
        lane_bind_int(statement, 3, limit ? (int64_t)limit : -1);
        r = lane_collect(lane, statement, sizeof **ret_rows, read_connection, arena, &rows,
                         ret_count, err);
    }
    sqlite_end_read(driver);
    if (!r)
        *ret_rows = rows;
    return r;
}

int sqlite_connections_scan(struct driver *driver, const char *after_id, size_t limit,
                            struct arena *arena, struct connection_row **ret_rows,
                            size_t *ret_count, struct err *err)
{
    static const char sql[] = SELECT "AND id > ?1 ORDER BY id LIMIT ?2";
    void *rows = NULL;
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, after_id ? after_id : "");
        lane_bind_int(statement, 2, (int64_t)limit);
        r = lane_collect(lane, statement, sizeof **ret_rows, read_connection, arena, &rows,
                         ret_count, err);
    }
    sqlite_end_read(driver);
    if (!r)
        *ret_rows = rows;
    return r;
}

int sqlite_connection_get(struct driver *driver, const char *user_id, const char *id,
                          struct arena *arena, struct connection_row *ret_row, struct err *err)
{
    static const char sql[] = SELECT "AND id = ?1 AND (?2 IS NULL OR user_id = ?2)";
    struct connection_row row = {0};
    int r = sqlite_find(driver, sql, id, user_id, read_connection, arena, &row, err);
    if (r == ERR_NOT_FOUND)
        return err_set(err, r, "no connection %s", id);
    if (!r)
        *ret_row = row;
    return r;
}

int sqlite_connection_health(struct driver *driver, const char *id, enum connection_health health,
                             const char *error, int64_t now_ms, struct err *err)
{
    static const char sql[] =
        "UPDATE observability_connections SET health_status = ?, health_error = ?, "
        "last_health_check_at = ? WHERE id = ? AND deleted_at IS NULL";
    struct lane *lane;
    int changed = 0;
    int r = sqlite_begin_write(driver, false, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, sqlite_health_name(health));
        lane_bind_text(statement, 2, error ? error : "");
        lane_bind_int(statement, 3, now_ms);
        lane_bind_text(statement, 4, id);
        r = lane_run(lane, statement, &changed, err);
    }
    if (!r && !changed)
        r = err_set(err, ERR_NOT_FOUND, "no connection %s", id);
    return sqlite_end_write(driver, r, false, err);
}

int sqlite_connection_rewrap(struct driver *driver, const char *id, const char *before,
                             const char *after, bool *ret_swapped, struct err *err)
{
    static const char sql[] = "UPDATE observability_connections SET connection_config = ? "
                              "WHERE id = ? AND connection_config = ? AND deleted_at IS NULL";
    struct lane *lane;
    int changed = 0;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = lane_check_json(lane, "connection_config", after, err);
    sqlite3_stmt *statement = r ? NULL : lane_statement(lane, sql, err);
    if (!r)
        r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, after);
        lane_bind_text(statement, 2, id);
        lane_bind_text(statement, 3, before);
        r = lane_run(lane, statement, &changed, err);
    }
    r = sqlite_end_write(driver, r, changed > 0, err);
    if (!r)
        *ret_swapped = changed > 0;
    return r;
}
