/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include "base/clock.h"

static void read_value(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    *(const char **)ret_row = lane_text(statement, 0, arena);
}

static int get(struct lane *lane, const char *name, struct arena *arena, const char **ret_value,
               struct err *err)
{
    static const char sql[] = "SELECT value FROM settings WHERE name = ?";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, name);
    int r = lane_find(lane, statement, read_value, arena, ret_value, err);
    return r == ERR_NOT_FOUND ? err_set(err, r, "no setting %s is stored", name) : r;
}

int sqlite_setting_get(struct driver *driver, const char *name, struct arena *arena,
                       const char **ret_value, struct err *err)
{
    const char *value = NULL;
    int r = get(sqlite_begin_read(driver), name, arena, &value, err);
    sqlite_end_read(driver);
    if (!r)
        *ret_value = value;
    return r;
}

int sqlite_setting_init(struct driver *driver, const char *name, const char *value,
                        struct arena *arena, const char **ret_value, struct err *err)
{
    static const char sql[] =
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
    struct lane *lane;
    const char *standing = NULL;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, name);
        lane_bind_text(statement, 2, value);
        r = lane_run(lane, statement, NULL, err);
    }
    if (!r)
        r = get(lane, name, arena, &standing, err);
    r = sqlite_end_write(driver, r, false, err);
    if (!r)
        *ret_value = standing;
    return r;
}

int sqlite_setting_swap(struct driver *driver, const char *name, const char *before,
                        const char *after, bool *ret_swapped, struct err *err)
{
    static const char sql[] = "UPDATE settings SET value = ? WHERE name = ? AND value = ?";
    struct lane *lane;
    int changed = 0;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, after);
        lane_bind_text(statement, 2, name);
        lane_bind_text(statement, 3, before);
        r = lane_run(lane, statement, &changed, err);
    }
    r = sqlite_end_write(driver, r, false, err);
    if (!r)
        *ret_swapped = changed > 0;
    return r;
}

int sqlite_replica_beat(struct driver *driver, const struct replica_row *replica, struct err *err)
{
    static const char sql[] =
        "INSERT INTO replicas (id, host, key_ids, started_at, last_seen_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET host = excluded.host, key_ids = excluded.key_ids, "
        "last_seen_at = excluded.last_seen_at";
    struct lane *lane;
    /* Who rotates keys counts on what stands here. */
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = lane_check_json(lane, "key_ids", replica->key_ids, err);
    sqlite3_stmt *statement = r ? NULL : lane_statement(lane, sql, err);
    if (!r)
        r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, replica->id);
        lane_bind_text(statement, 2, replica->host);
        lane_bind_text(statement, 3, replica->key_ids);
        lane_bind_int(statement, 4, replica->started_ms);
        lane_bind_int(statement, 5, replica->seen_ms);
        r = lane_run(lane, statement, NULL, err);
    }
    return sqlite_end_write(driver, r, false, err);
}

int sqlite_replica_gone(struct driver *driver, const char *id, struct err *err)
{
    static const char sql[] = "DELETE FROM replicas WHERE id = ?";
    struct lane *lane;
    int r = sqlite_begin_write(driver, false, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, id);
        r = lane_run(lane, statement, NULL, err);
    }
    return sqlite_end_write(driver, r, false, err);
}

static void read_replica(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct replica_row *replica = ret_row;
    lane_id(statement, 0, replica->id);
    replica->host = lane_text(statement, 1, arena);
    replica->key_ids = lane_text(statement, 2, arena);
    replica->started_ms = sqlite3_column_int64(statement, 3);
    replica->seen_ms = sqlite3_column_int64(statement, 4);
}

int sqlite_replicas(struct driver *driver, int64_t since_ms, struct arena *arena,
                    struct replica_row **ret_rows, size_t *ret_count, struct err *err)
{
    static const char sql[] = "SELECT id, host, key_ids, started_at, last_seen_at FROM replicas "
                              "WHERE last_seen_at >= ? ORDER BY started_at, id";
    void *rows = NULL;
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_int(statement, 1, since_ms);
        r = lane_collect(lane, statement, sizeof **ret_rows, read_replica, arena, &rows, ret_count,
                         err);
    }
    sqlite_end_read(driver);
    if (!r)
        *ret_rows = rows;
    return r;
}
