/* SPDX-License-Identifier: Apache-2.0 */
/* Users and their API tokens. */
#include <stdio.h>
#include <string.h>
#include "store/postgres/internal.h"

#define USER_COLUMNS "id, name, external_id, is_disabled, " MS_OUT("created_at")

static void read_user(const PGresult *result, int row, struct arena *arena, struct user_row *user)
{
    pg_column_id(result, row, 0, user->id);
    user->name = pg_column_text(result, row, 1, arena);
    user->external = pg_column_text(result, row, 2, arena);
    user->disabled = pg_column_bool(result, row, 3);
    user->created_ms = pg_column_int(result, row, 4);
}

static int add_user(struct conn *conn, void *context, struct err *err)
{
    const struct user_row *user = context;
    struct params params = {0};
    param_id(&params, user->id);
    param_text(&params, user->name);
    param_text(&params, user->external);
    param_bool(&params, user->disabled);
    param_int(&params, user->created_ms);
    int r = pg_run(conn,
                   "INSERT INTO users (id, name, external_id, is_disabled, created_at) "
                   "VALUES ($1::uuid, $2, $3, $4::boolean, " MS_AT("$5") ")",
                   &params, NULL, err);
    if (r == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT,
                       "a user named %.63s, or one with the same id or external identity, exists "
                       "already; choose another name",
                       user->name);
    return r;
}

int pg_user_add(struct driver *driver, const struct user_row *user, struct err *err)
{
    struct user_row copy = *user;
    return pg_transact(driver, true, add_user, &copy, err);
}

struct user_list {
    struct arena *arena;
    struct user_row *rows;
    size_t count;
};

static int list_users(struct conn *conn, void *context, struct err *err)
{
    struct user_list *list = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = pg_run(conn, "SELECT " USER_COLUMNS " FROM users ORDER BY name COLLATE \"C\"", NULL,
                   &result, err);
    if (r != 0)
        return r;
    size_t n = (size_t)PQntuples(result);
    list->rows = arena_alloc_array(list->arena, n ? n : 1, sizeof *list->rows);
    for (size_t i = 0; list->rows && i < n; i++)
        read_user(result, (int)i, list->arena, &list->rows[i]);
    list->count = n;
    return list->arena->failed ? err_set(err, ERR_MEMORY, "too many users to list") : 0;
}

int pg_users(struct driver *driver, struct arena *arena, struct user_row **ret_users,
             size_t *ret_count, struct err *err)
{
    struct user_list list = {.arena = arena};
    int r = pg_operate(driver, READS, list_users, &list, err);
    if (r == 0) {
        *ret_users = list.rows;
        *ret_count = list.count;
    }
    return r;
}

struct user_search {
    const char *sql, *value;
    struct arena *arena;
    struct user_row user;
};

static int find_user(struct conn *conn, void *context, struct err *err)
{
    struct user_search *search = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_text(&params, search->value);
    int r = pg_run(conn, search->sql, &params, &result, err);
    if (r != 0)
        return r;
    if (PQntuples(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no user %.200s", search->value);
    read_user(result, 0, search->arena, &search->user);
    return search->arena->failed ? err_set(err, ERR_MEMORY, "out of memory") : 0;
}

int pg_user_find(struct driver *driver, const char *id, const char *name, const char *external,
                 struct arena *arena, struct user_row *ret_user, struct err *err)
{
    static const char by_id[] = "SELECT " USER_COLUMNS " FROM users WHERE id = $1::uuid";
    static const char by_name[] = "SELECT " USER_COLUMNS " FROM users WHERE name = $1";
    static const char by_external[] = "SELECT " USER_COLUMNS " FROM users WHERE external_id = $1";
    struct user_search search = {.arena = arena};
    search.sql = id ? by_id : name ? by_name : by_external;
    search.value = id ? id : name ? name : external;
    if (id && !is_row_id(id))
        return err_set(err, ERR_NOT_FOUND, "there is no such user");
    int r = pg_operate(driver, READS, find_user, &search, err);
    if (r == 0)
        *ret_user = search.user;
    return r;
}

struct user_switch {
    const char *id;
    bool disabled;
};

static int switch_user(struct conn *conn, void *context, struct err *err)
{
    const struct user_switch *change = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, change->id);
    param_bool(&params, change->disabled);
    int r = pg_run(conn, "UPDATE users SET is_disabled = $2::boolean WHERE id = $1::uuid", &params,
                   &result, err);
    if (r == 0 && pg_affected(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such user");
    return r;
}

int pg_user_disable(struct driver *driver, const char *id, bool disabled, struct err *err)
{
    struct user_switch change = {id, disabled};
    if (!is_row_id(id))
        return err_set(err, ERR_NOT_FOUND, "there is no such user");
    return pg_transact(driver, true, switch_user, &change, err);
}

static int add_token(struct conn *conn, void *context, struct err *err)
{
    const struct token_row *token = context;
    struct params params = {0};
    param_id(&params, token->id);
    param_id(&params, token->user_id);
    param_text(&params, token->name);
    param_text(&params, token->prefix);
    param_bytes(&params, token->hash, sizeof token->hash);
    param_int(&params, token->rights);
    param_text(&params, token->connections);
    param_int(&params, token->created_ms);
    param_int(&params, token->expires_ms);
    param_int(&params, token->used_ms);
    param_int(&params, token->revoked_ms);
    int r = pg_run(
        conn,
        "INSERT INTO api_tokens (id, user_id, name, prefix, token_hash, rights, connections, "
        "created_at, expires_at, last_used_at, revoked_at) VALUES ($1::uuid, $2::uuid, $3, $4, "
        "$5::bytea, $6::bigint, $7::jsonb, " MS_AT("$8") ", " MS_IN("$9") ", " MS_IN(
            "$10") ", " MS_IN("$11") ")",
        &params, NULL, err);
    if (r == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT, "there is such a token already");
    if (r == ERR_INVALID && strcmp(conn->sqlstate, "23503") == 0)
        return err_set(err, ERR_INVALID, "the token's user does not exist");
    return r;
}

int pg_token_add(struct driver *driver, const struct token_row *token, struct err *err)
{
    struct token_row copy = *token;
    return pg_transact(driver, true, add_token, &copy, err);
}

struct token_list {
    const char *user_id;
    struct arena *arena;
    struct token_row *rows;
    size_t count;
};

static void read_token(const PGresult *result, int row, struct arena *arena,
                       struct token_row *token)
{
    pg_column_id(result, row, 0, token->id);
    pg_column_id(result, row, 1, token->user_id);
    token->user_name = pg_column_text(result, row, 2, arena);
    token->user_disabled = pg_column_bool(result, row, 3);
    token->name = pg_column_text(result, row, 4, arena);
    token->prefix = pg_column_text(result, row, 5, arena);
    size_t size = 0;
    const void *hash = pg_column_bytes(result, row, 6, arena, &size);
    if (hash && size == sizeof token->hash)
        memcpy(token->hash, hash, size);
    token->rights = (unsigned)pg_column_int(result, row, 7);
    token->connections = pg_column_text(result, row, 8, arena);
    token->created_ms = pg_column_int(result, row, 9);
    token->expires_ms = pg_column_int(result, row, 10);
    token->used_ms = pg_column_int(result, row, 11);
    token->revoked_ms = pg_column_int(result, row, 12);
}

static int list_tokens(struct conn *conn, void *context, struct err *err)
{
    static const char sql[] =
        "SELECT t.id, t.user_id, u.name, u.is_disabled, t.name, t.prefix, t.token_hash, t.rights, "
        "t.connections, " MS_OUT("t.created_at") ", " MS_OUT("t.expires_at") ", " MS_OUT(
            "t.last_used_at") ", " MS_OUT("t.revoked_at") " FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE $1::uuid IS NULL OR t.user_id = "
                                                          "$1::uuid ORDER BY t.created_at, t.id";
    struct token_list *list = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, list->user_id);
    int r = pg_run(conn, sql, &params, &result, err);
    if (r != 0)
        return r;
    size_t n = (size_t)PQntuples(result);
    list->rows = arena_alloc_array(list->arena, n ? n : 1, sizeof *list->rows);
    for (size_t i = 0; list->rows && i < n; i++)
        read_token(result, (int)i, list->arena, &list->rows[i]);
    list->count = n;
    return list->arena->failed ? err_set(err, ERR_MEMORY, "too many tokens to list") : 0;
}

int pg_tokens(struct driver *driver, const char *user_id, struct arena *arena,
              struct token_row **ret_tokens, size_t *ret_count, struct err *err)
{
    struct token_list list = {.user_id = user_id, .arena = arena};
    if (user_id && !is_row_id(user_id)) {
        *ret_tokens = NULL;
        *ret_count = 0;
        return 0;
    }
    int r = pg_operate(driver, READS, list_tokens, &list, err);
    if (r == 0) {
        *ret_tokens = list.rows;
        *ret_count = list.count;
    }
    return r;
}

struct revocation {
    const char *id;
    int64_t now_ms;
};

static int revoke_token(struct conn *conn, void *context, struct err *err)
{
    const struct revocation *revocation = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, revocation->id);
    param_int(&params, revocation->now_ms);
    int r = pg_run(conn,
                   "UPDATE api_tokens SET revoked_at = coalesce(revoked_at, " MS_IN(
                       "$2") ") WHERE id = $1::uuid",
                   &params, &result, err);
    if (r == 0 && pg_affected(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such token");
    return r;
}

int pg_token_revoke(struct driver *driver, const char *id, int64_t now_ms, struct err *err)
{
    struct revocation revocation = {id, now_ms};
    if (!is_row_id(id))
        return err_set(err, ERR_NOT_FOUND, "there is no such token");
    return pg_transact(driver, true, revoke_token, &revocation, err);
}
