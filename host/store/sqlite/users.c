/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite/internal.h"

#include "base/clock.h"

#define COLUMNS "id, name, external_id, is_disabled, created_at"

static void read_user(sqlite3_stmt *statement, struct arena *arena, void *ret_row)
{
    struct user_row *user = ret_row;
    lane_id(statement, 0, user->id);
    user->name = lane_text(statement, 1, arena);
    user->external = lane_text_or_null(statement, 2, arena);
    user->disabled = sqlite3_column_int(statement, 3);
    user->created_ms = sqlite3_column_int64(statement, 4);
}

int sqlite_user_add(struct driver *driver, const struct user_row *user, struct err *err)
{
    static const char sql[] = "INSERT INTO users (" COLUMNS ") VALUES (?, ?, ?, ?, ?)";
    struct lane *lane;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_text(statement, 1, user->id);
        lane_bind_text(statement, 2, user->name);
        lane_bind_text(statement, 3, user->external);
        lane_bind_int(statement, 4, user->disabled);
        lane_bind_int(statement, 5, user->created_ms);
        r = lane_run(lane, statement, NULL, err);
    }
    if (r == ERR_CONFLICT)
        err_set(err, r, "a user with the name \"%s\"%s is there already; choose another name",
                user->name, user->external ? ", or with that external id," : "");
    return sqlite_end_write(driver, r, true, err);
}

int sqlite_users(struct driver *driver, struct arena *arena, struct user_row **ret_users,
                 size_t *ret_count, struct err *err)
{
    static const char sql[] = "SELECT " COLUMNS " FROM users ORDER BY name";
    void *users = NULL;
    struct lane *lane = sqlite_begin_read(driver);
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    int r = statement ? lane_collect(lane, statement, sizeof **ret_users, read_user, arena, &users,
                                     ret_count, err)
                      : err->code;
    sqlite_end_read(driver);
    if (!r)
        *ret_users = users;
    return r;
}

int sqlite_user_find(struct driver *driver, const char *id, const char *name, const char *external,
                     struct arena *arena, struct user_row *ret_user, struct err *err)
{
    static const char by_id[] = "SELECT " COLUMNS " FROM users WHERE id = ?";
    static const char by_name[] = "SELECT " COLUMNS " FROM users WHERE name = ?";
    static const char by_external[] = "SELECT " COLUMNS " FROM users WHERE external_id = ?";
    struct user_row user = {0};
    int r = sqlite_find(driver,
                        id     ? by_id
                        : name ? by_name
                               : by_external,
                        id     ? id
                        : name ? name
                               : external,
                        NULL, read_user, arena, &user, err);
    if (r == ERR_NOT_FOUND)
        return err_set(err, r, "no user %s", name ? name : id ? id : external);
    if (!r)
        *ret_user = user;
    return r;
}

int sqlite_user_disable(struct driver *driver, const char *id, bool disabled, struct err *err)
{
    static const char sql[] = "UPDATE users SET is_disabled = ? WHERE id = ?";
    struct lane *lane;
    int changed = 0;
    int r = sqlite_begin_write(driver, true, LOCK_WAIT_NS, &lane, err);
    if (r)
        return r;
    sqlite3_stmt *statement = lane_statement(lane, sql, err);
    r = statement ? 0 : err->code;
    if (statement) {
        lane_bind_int(statement, 1, disabled);
        lane_bind_text(statement, 2, id);
        r = lane_run(lane, statement, &changed, err);
    }
    if (!r && !changed)
        r = err_set(err, ERR_NOT_FOUND, "no user %s", id);
    return sqlite_end_write(driver, r, true, err);
}
