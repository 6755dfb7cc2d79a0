/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <string.h>

#include "base/clock.h"

int sqlite_token_add(struct driver *driver, const struct token_row *token, struct err *err)
{
    static const char sql[] =
        "INSERT INTO api_tokens (id, user_id, name, prefix, token_hash, rights, connections, "
        "created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    struct lane *lane;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = lane_check_json(lane, "connections", token->connections, err);
    sqlite3_stmt *statement = r ? NULL : lane_statement(lane, sql, err);
    if (!r)
        r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, token->id);
        lane_bind_text(statement, 2, token->user_id);
        lane_bind_text(statement, 3, token->name);
        lane_bind_text(statement, 4, token->prefix);
        sqlite3_bind_blob(statement, 5, token->hash, sizeof token->hash, SQLITE_STATIC);
        lane_bind_int(statement, 6, token->rights);
        lane_bind_text(statement, 7, token->connections);
        lane_bind_int(statement, 8, token->created_ms);
        lane_bind_time(statement, 9, token->expires_ms);
        r = lane_run(lane, statement, NULL, err);
    }
    if (r == ERR_CONFLICT)
        err_set(err, r, "this token is there already");
    return sqlite_end_write(driver, r, true, err);
}

static void read_token(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct token_row *token = ret_row;
    const void *hash = sqlite3_column_blob(statement, 4);
    lane_id(statement, 0, token->id);
    lane_id(statement, 1, token->user_id);
    token->name = lane_text(statement, 2, arena);
    token->prefix = lane_text(statement, 3, arena);
    if (hash && sqlite3_column_bytes(statement, 4) == (int)sizeof token->hash)
        memcpy(token->hash, hash, sizeof token->hash);
    token->rights = (unsigned)sqlite3_column_int(statement, 5);
    token->connections = lane_text_or_null(statement, 6, arena);
    token->created_ms = sqlite3_column_int64(statement, 7);
    token->expires_ms = sqlite3_column_int64(statement, 8);
    token->used_ms = sqlite3_column_int64(statement, 9);
    token->revoked_ms = sqlite3_column_int64(statement, 10);
    token->user_name = lane_text(statement, 11, arena);
    token->user_disabled = sqlite3_column_int(statement, 12);
}

int sqlite_tokens(struct driver *driver, const char *user_id, struct arena *arena,
                  struct token_row **ret_tokens, size_t *ret_count, struct err *err)
{
#define SELECT                                                                          \
    "SELECT t.id, t.user_id, t.name, t.prefix, t.token_hash, t.rights, t.connections, " \
    "t.created_at, t.expires_at, t.last_used_at, t.revoked_at, u.name, u.is_disabled "  \
    "FROM api_tokens t JOIN users u ON u.id = t.user_id "
    static const char all[] = SELECT "ORDER BY t.created_at, t.id";
    static const char own[] = SELECT "WHERE t.user_id = ? ORDER BY t.created_at, t.id";
#undef SELECT
    void *tokens = NULL;
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, user_id ? own : all, err);
    int r = statement ? 0 : err->code;
    if (statement) {
        if (user_id)
            lane_bind_text(statement, 1, user_id);
        r = lane_collect(lane, statement, sizeof **ret_tokens, read_token, arena, &tokens,
                         ret_count, err);
    }
    sqlite_end_read(driver);
    if (!r)
        *ret_tokens = tokens;
    return r;
}

int sqlite_token_revoke(struct driver *driver, const char *id, int64_t now_ms, struct err *err)
{
    static const char sql[] =
        "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?";
    struct lane *lane;
    int changed = 0;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_int(statement, 1, now_ms);
        lane_bind_text(statement, 2, id);
        r = lane_run(lane, statement, &changed, err);
    }
    if (!r && !changed)
        r = err_set(err, ERR_NOT_FOUND, "no token %s", id);
    return sqlite_end_write(driver, r, true, err);
}
