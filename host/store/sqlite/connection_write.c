/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include <inttypes.h>

#include "base/clock.h"

static int name_taken(const struct connection_row *row, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "a connection with the name \"%s\" is there already; choose another name",
                   row->name);
}

/* The user's default of that backend type, if it is another one, is none any more. */
static int clear_default(struct lane *lane, const char *id, const char *user_id,
                         const char *backend_type, int64_t now_ms, struct err *err)
{
    static const char sql[] =
        "UPDATE observability_connections SET is_default = 0, revision = revision + 1, "
        "updated_at = ?1 WHERE user_id = ?2 AND backend_type = ?3 AND id <> ?4 AND is_default = 1 "
        "AND deleted_at IS NULL";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_int(statement, 1, now_ms);
    lane_bind_text(statement, 2, user_id);
    lane_bind_text(statement, 3, backend_type);
    lane_bind_text(statement, 4, id);
    return lane_run(lane, statement, NULL, err);
}

static int insert(struct lane *lane, const struct connection_row *row, struct err *err)
{
    static const char sql[] =
        "INSERT INTO observability_connections (id, user_id, name, description, backend_type, "
        "connection_config, is_enabled, is_default, tags, source, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
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
    lane_bind_int(statement, 11, row->created_ms);
    lane_bind_int(statement, 12, row->updated_ms);
    return lane_run(lane, statement, NULL, err);
}

int sqlite_connection_add(struct driver *driver, const struct connection_row *row, struct err *err)
{
    struct lane *lane;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = sqlite_check_connection(lane, row, err);
    if (!r && row->is_default)
        r = clear_default(lane, row->id, row->user_id, row->backend_type, row->updated_ms, err);
    if (!r)
        r = insert(lane, row, err);
    if (r == ERR_CONFLICT)
        r = name_taken(row, err);
    return sqlite_end_write(driver, r, true, err);
}

/* The live row with this id of this user (NULL: whoever's): its revision, user and backend type into arena. */
struct standing {
    uint64_t revision;
    char user_id[ROW_ID];
    const char *backend_type;
};

static void read_standing(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct standing *standing = ret_row;
    standing->revision = (uint64_t)sqlite3_column_int64(statement, 0);
    lane_id(statement, 1, standing->user_id);
    standing->backend_type = lane_text(statement, 2, arena);
}

/* revision 0: whichever. */
static int find_standing(struct lane *lane, const char *user_id, const char *id, uint64_t revision,
                         struct arena *arena, struct standing *ret_standing, struct err *err)
{
    static const char sql[] =
        "SELECT revision, user_id, backend_type FROM observability_connections "
        "WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) AND deleted_at IS NULL";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, id);
    lane_bind_text(statement, 2, user_id);
    int r = lane_find(lane, statement, read_standing, arena, ret_standing, err);
    if (r == ERR_NOT_FOUND)
        return err_set(err, r, "no connection %s", id);
    if (!r && revision && ret_standing->revision != revision)
        return err_set(err, ERR_CONFLICT,
                       "somebody else changed it: it has revision %" PRIu64 ", not %" PRIu64
                       " any more; read it again and repeat the change",
                       ret_standing->revision, revision);
    return r;
}

static int update(struct lane *lane, const struct connection_row *row, struct err *err)
{
    static const char sql[] =
        "UPDATE observability_connections SET name = ?, description = ?, connection_config = ?, "
        "tags = ?, is_enabled = ?, is_default = ?, updated_at = ?, revision = revision + 1 "
        "WHERE id = ?";
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    if (!statement)
        return err->code;
    lane_bind_text(statement, 1, row->name);
    lane_bind_text(statement, 2, row->description);
    lane_bind_text(statement, 3, row->config);
    lane_bind_text(statement, 4, row->tags);
    lane_bind_int(statement, 5, row->enabled);
    lane_bind_int(statement, 6, row->is_default);
    lane_bind_int(statement, 7, row->updated_ms);
    lane_bind_text(statement, 8, row->id);
    return lane_run(lane, statement, NULL, err);
}

int sqlite_connection_update(struct driver *driver, const struct connection_row *row,
                             struct err *err)
{
    struct lane *lane;
    CLEANUP(arena_finish) struct arena arena;
    struct standing standing = {0};
    arena_init(&arena, 1u << 16, NULL);
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = find_standing(lane, row->user_id, row->id, row->revision, &arena, &standing, err);
    if (!r)
        r = sqlite_check_connection(lane, row, err);
    if (!r && row->is_default)
        r = clear_default(lane, row->id, standing.user_id, standing.backend_type, row->updated_ms,
                          err);
    if (!r) {
        r = update(lane, row, err);
        if (r == ERR_CONFLICT)
            r = name_taken(row, err);
    }
    return sqlite_end_write(driver, r, true, err);
}

/* The row stays for its history; what it knew does not, nor do the answers it was given. */
int sqlite_connection_delete(struct driver *driver, const char *user_id, const char *id,
                             uint64_t revision, int64_t now_ms, struct err *err)
{
    static const char hide_sql[] =
        "UPDATE observability_connections SET connection_config = '{}', is_enabled = 0, "
        "is_default = 0, health_error = '', revision = revision + 1, updated_at = ?1, "
        "deleted_at = ?1 WHERE id = ?2";
    static const char cache_sql[] = "DELETE FROM observability_query_cache WHERE connection_id = ?";
    CLEANUP(arena_finish) struct arena arena;
    struct standing standing = {0};
    struct lane *lane;
    arena_init(&arena, 1u << 16, NULL);
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    r = find_standing(lane, user_id, id, revision, &arena, &standing, err);
    sqlite3_stmt *hide = r ? NULL : lane_statement(lane, hide_sql, err);
    sqlite3_stmt *cache = hide ? lane_statement(lane, cache_sql, err) : NULL;
    if (!r)
        r = cache ? 0 : err->code;
    if (!r) {
        lane_bind_int(hide, 1, now_ms);
        lane_bind_text(hide, 2, id);
        lane_bind_text(cache, 1, id);
        r = lane_run(lane, hide, NULL, err);
        if (!r)
            r = lane_run(lane, cache, NULL, err);
    }
    return sqlite_end_write(driver, r, true, err);
}
