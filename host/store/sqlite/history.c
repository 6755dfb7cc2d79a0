/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <string.h>

#include "base/buf.h"

/* The row with these columns, as they follow in read_row. */
#define SELECT                                                                               \
    "SELECT id, call_id, session_id, connection_id, user_id, connection_name, tool, scope, " \
    "query_type, query_text, query_params, result_sample, error_message, result_count, "     \
    "execution_time_ms, queried_at, was_cached FROM observability_query_history "

static void read_row(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct history_row *row = ret_row;
    lane_id(statement, 0, row->id);
    lane_id(statement, 1, row->call_id);
    lane_id(statement, 2, row->session_id);
    lane_id(statement, 3, row->connection_id);
    lane_id(statement, 4, row->user_id);
    row->connection_name = lane_text(statement, 5, arena);
    row->tool = lane_text(statement, 6, arena);
    row->scope = lane_text(statement, 7, arena);
    row->query_type = lane_text(statement, 8, arena);
    row->query_text = lane_text(statement, 9, arena);
    row->query_params = lane_text(statement, 10, arena);
    row->result_sample = lane_text(statement, 11, arena);
    row->error_message = lane_text(statement, 12, arena);
    row->result_count = sqlite3_column_int64(statement, 13);
    row->execution_ms = sqlite3_column_int64(statement, 14);
    row->queried_ms = sqlite3_column_int64(statement, 15);
    row->was_cached = sqlite3_column_int(statement, 16);
}

/* Only the conditions that are asked for stand in the text, or none of the indexes would be used. */
static void write_conditions(struct buf *sql, const struct history_filter *filter)
{
    buf_add(sql, SELECT "WHERE 1");
    if (filter->user_id)
        buf_add(sql, " AND user_id = ?1");
    if (filter->session_id)
        buf_add(sql, " AND session_id = ?2");
    if (filter->connection_id)
        buf_add(sql, " AND connection_id = ?3");
    if (filter->tool)
        buf_add(sql, " AND tool = ?4");
    if (filter->call_id)
        buf_add(sql, " AND call_id = ?5");
    if (filter->from_ms)
        buf_add(sql, " AND queried_at >= ?6");
    if (filter->to_ms)
        buf_add(sql, " AND queried_at < ?7");
    if (filter->failed >= 0)
        buf_add(sql, filter->failed ? " AND error_message <> ''" : " AND error_message = ''");
    if (filter->before_id)
        buf_add(sql, " AND id < ?8");
    buf_add(sql, " ORDER BY id DESC LIMIT ?9");
}

int sqlite_history(struct driver *driver, const struct history_filter *filter, struct arena *arena,
                   struct history_row **ret_rows, size_t *ret_count, struct err *err)
{
    CLEANUP(buf_finish) struct buf sql = BUF(4096);
    sqlite3_stmt *statement = NULL;
    void *rows = NULL;
    write_conditions(&sql, filter);
    if (sql.failed)
        return lane_no_memory(err);
    struct lane *lane = sqlite_begin_read(driver);
    int r =
        sqlite3_prepare_v2(lane->db, sql.data, -1, &statement, NULL) ? lane_failed(lane, err) : 0;
    if (!r) {
        lane_bind_text(statement, 1, filter->user_id);
        lane_bind_text(statement, 2, filter->session_id);
        lane_bind_text(statement, 3, filter->connection_id);
        lane_bind_text(statement, 4, filter->tool);
        lane_bind_text(statement, 5, filter->call_id);
        lane_bind_int(statement, 6, filter->from_ms);
        lane_bind_int(statement, 7, filter->to_ms);
        lane_bind_text(statement, 8, filter->before_id);
        lane_bind_int(statement, 9, (int64_t)filter->limit);
        r = lane_collect(lane, statement, sizeof **ret_rows, read_row, arena, &rows, ret_count,
                         err);
        sqlite3_finalize(statement);
    }
    sqlite_end_read(driver);
    if (!r)
        *ret_rows = rows;
    return r;
}

int sqlite_history_get(struct driver *driver, const char *user_id, const char *id,
                       struct arena *arena, struct history_row *ret_row, struct err *err)
{
    static const char sql[] = SELECT "WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)";
    struct history_row row = {0};
    int r = sqlite_find(driver, sql, id, user_id, read_row, arena, &row, err);
    if (r == ERR_NOT_FOUND)
        return err_set(err, r, "no query %s in the history", id);
    if (!r)
        *ret_row = row;
    return r;
}

static void read_cache(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct cache_row *row = ret_row;
    const void *data = sqlite3_column_blob(statement, 6);
    lane_id(statement, 0, row->connection_id);
    const unsigned char *hash = sqlite3_column_text(statement, 1);
    if (hash && sqlite3_column_bytes(statement, 1) == (int)sizeof row->hash - 1)
        memcpy(row->hash, hash, sizeof row->hash);
    row->scope = lane_text(statement, 2, arena);
    row->query_type = lane_text(statement, 3, arena);
    row->query_text = lane_text(statement, 4, arena);
    row->query_params = lane_text(statement, 5, arena);
    row->size = (size_t)sqlite3_column_bytes(statement, 6);
    void *copy = arena_alloc(arena, row->size ? row->size : 1);
    if (copy && data)
        memcpy(copy, data, row->size);
    row->data = copy;
    row->result_count = sqlite3_column_int64(statement, 7);
    row->cached_ms = sqlite3_column_int64(statement, 8);
    row->expires_ms = sqlite3_column_int64(statement, 9);
    row->hit_count = sqlite3_column_int64(statement, 10);
}

int sqlite_get_cache(struct driver *driver, const char *connection_id, const char *hash,
                     int64_t now_ms, struct arena *arena, struct cache_row *ret_row,
                     struct err *err)
{
    static const char sql[] =
        "SELECT connection_id, query_hash, scope, query_type, query_text, query_params, "
        "result_data, result_count, cached_at, expires_at, hit_count FROM observability_query_cache "
        "WHERE connection_id = ? AND query_hash = ? AND expires_at > ?";
    struct cache_row row = {0};
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, connection_id);
        lane_bind_text(statement, 2, hash);
        lane_bind_int(statement, 3, now_ms);
        r = lane_find(lane, statement, read_cache, arena, &row, err);
    }
    sqlite_end_read(driver);
    if (r == ERR_NOT_FOUND)
        return err_set(err, r, "no such result is stored");
    if (!r)
        *ret_row = row;
    return r;
}
