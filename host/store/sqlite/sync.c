/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static bool listed(const char *id, const struct connection_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].id, id))
            return true;
    return false;
}

static void read_id(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    (void)arena;
    lane_id(statement, 0, ret_row);
}

/* Those the file named once and does not any more. */
static int disable_others(struct lane *lane, const struct connection_row *rows, size_t n,
                          int64_t now_ms, bool *ret_changed, struct err *err)
{
    static const char list_sql[] = "SELECT id FROM observability_connections WHERE source = 'yaml' "
                                   "AND (is_enabled = 1 OR is_default = 1) AND deleted_at IS NULL";
    static const char off_sql[] =
        "UPDATE observability_connections SET is_enabled = 0, is_default = 0, "
        "revision = revision + 1, updated_at = ? WHERE id = ?";
    CLEANUP(arena_finish) struct arena arena;
    arena_init(&arena, 64u << 20, NULL);
    void *found = NULL;
    size_t count = 0;
    sqlite3_stmt *statement = lane_statement(lane, list_sql, err);
    int r = statement ? lane_collect(lane, statement, ROW_ID, read_id, &arena, &found, &count, err)
                      : err->code;
    for (size_t i = 0; !r && i < count; i++) {
        const char *id = (const char *)found + i * ROW_ID;
        if (listed(id, rows, n))
            continue;
        statement = lane_statement(lane, off_sql, err);
        if (!statement)
            return err->code;
        lane_bind_int(statement, 1, now_ms);
        lane_bind_text(statement, 2, id);
        r = lane_run(lane, statement, NULL, err);
        *ret_changed = true;
    }
    return r;
}

static int run_with_row(struct lane *lane, const char *sql, const struct connection_row *row,
                        int64_t now_ms, bool *ret_changed, struct err *err)
{
    int changed = 0;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, row->id);
    lane_bind_text(statement, 2, row->user_id);
    lane_bind_text(statement, 3, row->name);
    lane_bind_text(statement, 4, row->description);
    lane_bind_text(statement, 5, row->backend_type);
    lane_bind_text(statement, 6, row->config);
    lane_bind_int(statement, 7, row->enabled);
    lane_bind_int(statement, 8, row->is_default);
    lane_bind_text(statement, 9, row->tags);
    lane_bind_text(statement, 10, row->source);
    lane_bind_int(statement, 11, now_ms);
    int r = lane_run(lane, statement, &changed, err);
    if (changed)
        *ret_changed = true;
    return r;
}

/* Whose place as default another of the list takes must let go of it first, whatever the order of the list. */
static const char release_sql[] =
    "UPDATE observability_connections SET is_default = 0, revision = revision + 1, "
    "updated_at = ?11 WHERE id = ?1 AND is_default = 1 AND ?8 = 0";
static const char upsert_sql[] =
    "INSERT INTO observability_connections (id, user_id, name, description, backend_type, "
    "connection_config, is_enabled, is_default, tags, source, created_at, updated_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11) "
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, "
    "backend_type = excluded.backend_type, connection_config = excluded.connection_config, "
    "is_enabled = excluded.is_enabled, is_default = excluded.is_default, tags = excluded.tags, "
    "source = excluded.source, updated_at = excluded.updated_at, revision = revision + 1, "
    "deleted_at = NULL "
    "WHERE name <> excluded.name OR description <> excluded.description "
    "OR backend_type <> excluded.backend_type "
    "OR connection_config <> excluded.connection_config OR is_enabled <> excluded.is_enabled "
    "OR is_default <> excluded.is_default OR tags <> excluded.tags OR source <> excluded.source "
    "OR deleted_at IS NOT NULL";

int sqlite_connections_sync(struct driver *driver, const struct connection_row *rows, size_t n,
                            bool whole, int64_t now_ms, struct err *err)
{
    struct lane *lane;
    bool changed = false;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    if (whole)
        r = disable_others(lane, rows, n, now_ms, &changed, err);
    for (size_t i = 0; !r && i < n; i++) {
        r = sqlite_check_connection(lane, &rows[i], err);
        if (!r)
            r = run_with_row(lane, release_sql, &rows[i], now_ms, &changed, err);
    }
    for (size_t i = 0; !r && i < n; i++) {
        r = run_with_row(lane, upsert_sql, &rows[i], now_ms, &changed, err);
        if (r == ERR_CONFLICT)
            err_set(
                err, r,
                "connection \"%s\" of the configuration file: its name, or its place as default "
                "for %s, is another's",
                rows[i].name, rows[i].backend_type);
    }
    /* Most starts find all as it is: nothing was written then, and nobody need read again. */
    return sqlite_end_write(driver, r, changed, err);
}
