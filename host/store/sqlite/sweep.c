/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include "base/clock.h"

#define BATCH 1000 /* of each kind: some ten milliseconds under the lock */
#define REPLICA_MS (7 * 24 * 3600 * INT64_C(1000))

/* One DELETE with up to two times; how many went is added. */
static int delete_some(struct lane *lane, const char *sql, int64_t time_ms, size_t *deleted,
                       struct err *err)
{
    int changed = 0;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_int(statement, 1, time_ms);
    lane_bind_int(statement, 2, BATCH);
    int r = lane_run(lane, statement, &changed, err);
    if (!r)
        *deleted += (size_t)changed;
    return r;
}

int sqlite_sweep(struct driver *driver, int64_t now_ms, int64_t history_before_ms,
                 size_t *ret_deleted, struct err *err)
{
    static const char cache_sql[] =
        "DELETE FROM observability_query_cache WHERE rowid IN "
        "(SELECT rowid FROM observability_query_cache WHERE expires_at <= ? LIMIT ?)";
    static const char history_sql[] =
        "DELETE FROM observability_query_history WHERE rowid IN "
        "(SELECT rowid FROM observability_query_history WHERE queried_at < ? LIMIT ?)";
    static const char connection_sql[] =
        "DELETE FROM observability_connections WHERE id IN "
        "(SELECT id FROM observability_connections c WHERE deleted_at IS NOT NULL "
        "AND deleted_at < ? AND NOT EXISTS (SELECT 1 FROM observability_query_history h "
        "WHERE h.connection_id = c.id) LIMIT ?)";
    static const char session_sql[] =
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions s WHERE last_seen_at < ? "
        "AND NOT EXISTS (SELECT 1 FROM observability_query_history h WHERE h.session_id = s.id) "
        "LIMIT ?)";
    static const char replica_sql[] =
        "DELETE FROM replicas WHERE id IN (SELECT id FROM replicas WHERE last_seen_at < ? LIMIT ?)";
    /* Sessions outlive what was asked in them by as long again. */
    int64_t session_before = history_before_ms - (now_ms - history_before_ms);
    size_t deleted = 0;
    struct lane *lane;
    int r = sqlite_begin_write(driver, false, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = delete_some(lane, cache_sql, now_ms, &deleted, err);
    if (!r)
        r = delete_some(lane, history_sql, history_before_ms, &deleted, err);
    if (!r)
        r = delete_some(lane, connection_sql, now_ms, &deleted, err);
    if (!r)
        r = delete_some(lane, session_sql, session_before, &deleted, err);
    if (!r)
        r = delete_some(lane, replica_sql, now_ms - REPLICA_MS, &deleted, err);
    r = sqlite_end_write(driver, r, false, err);
    if (!r)
        *ret_deleted = deleted;
    return r;
}
