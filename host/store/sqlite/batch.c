/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/rand.h"

/* The sessions a batch has brought up to date: most of its rows are of a few. */
struct written {
    const struct session_row *rows[32];
    size_t count;
};

#define SEEN_MS 1000 /* so exact is when a session was seen last */

static bool is_written(struct written *written, const struct session_row *session)
{
    for (size_t i = 0; i < written->count; i++)
        if (memcmp(written->rows[i]->id, session->id, ROW_ID) == 0 &&
            strcmp(written->rows[i]->client, session->client) == 0 &&
            session->seen_ms < written->rows[i]->seen_ms + SEEN_MS)
            return true;
    if (written->count < ARRAY_SIZE(written->rows))
        written->rows[written->count++] = session;
    return false;
}

static int write_session(struct lane *lane, const struct session_row *session, struct err *err)
{
    static const char sql[] =
        "INSERT INTO sessions (id, user_id, kind, client, started_at, last_seen_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "last_seen_at = max(last_seen_at, excluded.last_seen_at), "
        "client = CASE excluded.client WHEN '' THEN client ELSE excluded.client END";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, session->id);
    lane_bind_text(statement, 2, session->user_id);
    lane_bind_text(statement, 3, session->kind);
    lane_bind_text(statement, 4, session->client);
    lane_bind_int(statement, 5, session->started_ms);
    lane_bind_int(statement, 6, session->seen_ms);
    return lane_run(lane, statement, NULL, err);
}

/* The same row again is no mistake: it may have been written before an answer was lost. */
static int write_history(struct lane *lane, const struct history_row *row, struct err *err)
{
    static const char sql[] =
        "INSERT INTO observability_query_history (id, call_id, session_id, connection_id, user_id, "
        "connection_name, tool, scope, query_type, query_text, query_params, result_sample, "
        "error_message, result_count, execution_time_ms, queried_at, was_cached) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    int r = lane_check_json(lane, "query_params", row->query_params, err);
    if (!r && row->result_sample[0])
        r = lane_check_json(lane, "result_sample", row->result_sample, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, row->id);
    lane_bind_text(statement, 2, row->call_id);
    lane_bind_text(statement, 3, row->session_id);
    lane_bind_text_or_null(statement, 4, row->connection_id);
    lane_bind_text(statement, 5, row->user_id);
    lane_bind_text(statement, 6, row->connection_name);
    lane_bind_text(statement, 7, row->tool);
    lane_bind_text(statement, 8, row->scope);
    lane_bind_text(statement, 9, row->query_type);
    lane_bind_text(statement, 10, row->query_text);
    lane_bind_text(statement, 11, row->query_params);
    lane_bind_text_or_null(statement, 12, row->result_sample);
    lane_bind_text(statement, 13, row->error_message);
    lane_bind_int(statement, 14, row->result_count);
    lane_bind_int(statement, 15, row->execution_ms);
    lane_bind_int(statement, 16, row->queried_ms);
    lane_bind_int(statement, 17, row->was_cached);
    return lane_run(lane, statement, NULL, err);
}

/* A connection that went away in the meantime, or never had a row, gets none. */
static int write_cache(struct lane *lane, const struct cache_row *row, struct err *err)
{
    static const char sql[] =
        "INSERT INTO observability_query_cache (id, connection_id, query_hash, scope, query_type, "
        "query_text, query_params, result_data, result_count, cached_at, expires_at) "
        "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 "
        "WHERE EXISTS (SELECT 1 FROM observability_connections WHERE id = ?2 "
        "AND deleted_at IS NULL) "
        "ON CONFLICT (connection_id, query_hash) DO UPDATE SET result_data = excluded.result_data, "
        "query_text = excluded.query_text, query_params = excluded.query_params, "
        "result_count = excluded.result_count, cached_at = excluded.cached_at, "
        "expires_at = excluded.expires_at";
    char id[ROW_ID];
    int r = lane_check_json(lane, "query_params", row->query_params, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    uuid7(id);
    lane_bind_text(statement, 1, id);
    lane_bind_text(statement, 2, row->connection_id);
    lane_bind_text(statement, 3, row->hash);
    lane_bind_text(statement, 4, row->scope);
    lane_bind_text(statement, 5, row->query_type);
    lane_bind_text(statement, 6, row->query_text);
    lane_bind_text(statement, 7, row->query_params);
    sqlite3_bind_blob64(statement, 8, row->size ? row->data : "", row->size, SQLITE_STATIC);
    lane_bind_int(statement, 9, row->result_count);
    lane_bind_int(statement, 10, row->cached_ms);
    lane_bind_int(statement, 11, row->expires_ms);
    return lane_run(lane, statement, NULL, err);
}

static int write_hit(struct lane *lane, const struct queued *queued, struct err *err)
{
    static const char sql[] = "UPDATE observability_query_cache SET hit_count = hit_count + ? "
                              "WHERE connection_id = ? AND query_hash = ?";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_int(statement, 1, queued->hit.hits);
    lane_bind_text(statement, 2, queued->hit.connection_id);
    lane_bind_text(statement, 3, queued->hit.hash);
    return lane_run(lane, statement, NULL, err);
}

static int write_used(struct lane *lane, const struct queued *queued, struct err *err)
{
    static const char sql[] =
        "UPDATE api_tokens SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_int(statement, 1, queued->used.now_ms);
    lane_bind_text(statement, 2, queued->used.id);
    return lane_run(lane, statement, NULL, err);
}

static int write_one(struct lane *lane, const struct queued *queued, struct written *written,
                     struct err *err)
{
    switch (queued->type) {
    case QUEUED_HISTORY: {
        const struct session_row *session = &queued->history.session;
        bool needed = session->id[0] && !is_written(written, session);
        int r = needed ? write_session(lane, session, err) : 0;
        return r ? r : write_history(lane, &queued->history.row, err);
    }
    case QUEUED_CACHE:
        return write_cache(lane, &queued->cache, err);
    case QUEUED_HIT:
        return write_hit(lane, queued, err);
    case QUEUED_TOKEN_USED:
        return write_used(lane, queued, err);
    }
    return err_set(err, ERR_INVALID, "a row of no known type");
}

int sqlite_write_batch(struct driver *driver, struct queued *const *rows, size_t n, struct err *err)
{
    struct written written = {.count = 0};
    struct lane *lane;
    int r = sqlite_begin_write(driver, false, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    for (size_t i = 0; !r && i < n; i++)
        r = write_one(lane, rows[i], &written, err);
    /* A row that is at odds with another will be so the next time. */
    if (r == ERR_CONFLICT || r == ERR_LIMIT)
        r = err->code = ERR_INVALID;
    return sqlite_end_write(driver, r, false, err);
}
