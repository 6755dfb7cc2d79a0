/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/internal.h"

static const char applied_sql[] =
    "SELECT version, name, sha256, applied_at FROM schema_migrations ORDER BY version";

/* What was applied, compared with what this program knows. times: one for each known migration, may be NULL. */
static int compare(struct lane *lane, size_t *ret_applied, int64_t *times, struct err *err)
{
    static const char there_sql[] =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'";
    sqlite3_stmt *statement = lane_statement(lane, there_sql, err);
    int r = statement ? lane_step(lane, statement, err) : err->code;
    if (r < 0)
        return r;
    bool there = r > 0 && sqlite3_column_int(statement, 0);
    sqlite3_reset(statement);
    size_t applied = 0;
    if (!there) {
        *ret_applied = 0;
        return 0;
    }
    statement = lane_statement(lane, applied_sql, err);
    if (!statement)
        return err->code;
    while ((r = lane_step(lane, statement, err)) > 0) {
        r = migration_compare(lane->path, applied, sqlite3_column_int(statement, 0),
                              (const char *)sqlite3_column_text(statement, 1),
                              (const char *)sqlite3_column_text(statement, 2), false, err);
        if (r)
            break;
        if (times)
            times[applied] = sqlite3_column_int64(statement, 3);
        applied++;
    }
    sqlite3_reset(statement);
    if (r)
        return r;
    *ret_applied = applied;
    return 0;
}

static int apply(struct lane *lane, const struct migration *migration, struct err *err)
{
    static const char note_sql[] =
        "INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)";
    char sum[65];
    int r = migration_sum(migration->sqlite, sum, err);
    if (!r)
        r = lane_exec(lane, migration->sqlite, err);
    if (r) {
        err_prefix(err, "migration %s: ", migration->name);
        return r;
    }
    sqlite3_stmt *statement = lane_statement(lane, note_sql, err);
    if (!statement)
        return err->code;
    lane_bind_int(statement, 1, migration->version);
    lane_bind_text(statement, 2, migration->name);
    lane_bind_text(statement, 3, sum);
    lane_bind_int(statement, 4, clock_unix_ns() / NS_PER_MS);
    return lane_run(lane, statement, NULL, err);
}

int sqlite_migrate(const char *location, size_t *ret_applied, struct err *err)
{
    CLEANUP(sqlite_close_driverp) struct driver *driver = NULL;
    struct lane *lane = NULL;
    struct err own = {0};
    err = err ? err : &own;
    int r = sqlite_open(location, true, &driver, err);
    if (r)
        return r;
    size_t before = 0;
    /* Looked at first without the lock: a newer database is not touched. */
    r = compare(&driver->writing, &before, NULL, err);
    if (!r && before == migration_count) {
        *ret_applied = 0;
        return 0;
    }
    if (!r)
        r = sqlite_begin_write(driver, true, MIGRATE_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = compare(lane, &before, NULL, err);
    for (size_t i = before; !r && i < migration_count; i++)
        r = apply(lane, &migrations[i], err);
    r = sqlite_end_write(driver, r, !r, err);
    if (!r)
        *ret_applied = migration_count - before;
    return r;
}

int sqlite_check_schema(struct driver *driver, bool *ret_missing, struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    size_t applied = 0;
    int r = compare(sqlite_begin_read(driver), &applied, NULL, err);
    sqlite_end_read(driver);
    if (r) {
        *ret_missing = false;
        return r;
    }
    *ret_missing = applied < migration_count;
    return *ret_missing ? migration_missing(driver->path, applied, err) : 0;
}

int sqlite_migrations(const char *location, struct arena *arena,
                      struct store_migration **ret_migrations, size_t *ret_count, struct err *err)
{
    CLEANUP(sqlite_close_driverp) struct driver *driver = NULL;
    struct err own = {0};
    err = err ? err : &own;
    int64_t *times = arena_alloc_array(arena, migration_count, sizeof *times);
    if (!times)
        return lane_no_memory(err);
    size_t applied = 0;
    int r = sqlite_open(location, false, &driver, err);
    if (!r)
        r = compare(&driver->reading, &applied, times, err);
    if (r && r != ERR_NOT_FOUND)
        return r;
    return migration_list(applied, times, arena, ret_migrations, ret_count, err);
}

static int read_table(struct lane *lane, const char *name, const char *time, struct arena *arena,
                      struct store_table *ret_table, struct err *err)
{
    char sql[160];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, "SELECT count(*), coalesce(max(%s), 0) FROM %s", time, name);
    if (sqlite3_prepare_v2(lane->db, sql, -1, &statement, NULL))
        return lane_failed(lane, err);
    int r = lane_step(lane, statement, err);
    if (r > 0) {
        *ret_table = (struct store_table){.name = arena_strdup(arena, name),
                                          .rows = sqlite3_column_int64(statement, 0),
                                          .newest_ms = sqlite3_column_int64(statement, 1)};
        r = ret_table->name ? 0 : lane_no_memory(err);
    }
    sqlite3_finalize(statement);
    return r;
}

int sqlite_facts(const char *location, struct arena *arena, struct store_facts *ret_facts,
                 struct err *err)
{
    static const char size_sql[] = "SELECT page_count * page_size FROM pragma_page_count, "
                                   "pragma_page_size";
    static const char *const names[][2] = {
        {"users", "created_at"},
        {"api_tokens", "created_at"},
        {"observability_connections", "updated_at"},
        {"sessions", "last_seen_at"},
        {"observability_query_history", "queried_at"},
        {"observability_query_cache", "cached_at"},
    };
    CLEANUP(sqlite_close_driverp) struct driver *driver = NULL;
    struct err own = {0};
    err = err ? err : &own;
    size_t applied = 0;
    struct store_facts facts = {0};
    int r = sqlite_open(location, false, &driver, err);
    if (!r)
        r = compare(&driver->reading, &applied, NULL, err);
    if (r)
        return r;
    struct lane *lane = &driver->reading;
    struct store_table *tables = arena_alloc_array(arena, ARRAY_SIZE(names), sizeof *tables);
    facts.engine = arena_printf(arena, "SQLite %s", sqlite3_libversion());
    sqlite3_stmt *statement = lane_statement(lane, size_sql, err);
    if (!statement)
        return err->code;
    if (!tables || !facts.engine)
        return lane_no_memory(err);
    r = lane_step(lane, statement, err);
    if (r > 0) {
        facts.size = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
        r = 0;
    }
    for (size_t i = 0; !r && applied && i < ARRAY_SIZE(names); i++) {
        r = read_table(lane, names[i][0], names[i][1], arena, &tables[i], err);
        facts.table_count = i + 1;
    }
    facts.tables = tables;
    if (!r)
        *ret_facts = facts;
    return r;
}
