/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, written. Whoever may move a default first locks the row of the user, so that of two at once neither meets the other's
 * half-done work.
 *
 * JSONB keeps the meaning of a config, not its bytes (order of members, spaces, the spelling of numbers), so whatever compares a config
 * compares it as jsonb: what was read is equal to what stands there.
 */
#include <inttypes.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "model/principal.h"
#include "store/postgres/internal.h"

static int lock_user(struct conn *conn, const char *user_id, struct err *err)
{
    struct params params = {0};
    param_id(&params, user_id);
    return pg_run(conn, "SELECT 1 FROM users WHERE id = $1::uuid FOR NO KEY UPDATE", &params, NULL,
                  err);
}

/* The user's other default of that type is none any more; its revision moves on, since the row its editor knows is another now. */
static int clear_default(struct conn *conn, const struct connection_row *row, struct err *err)
{
    struct params params = {0};
    param_id(&params, row->user_id);
    param_id(&params, row->id);
    param_int(&params, row->updated_ms);
    /* The type of a row that is there already never changes: an update need not know it. */
    param_text(&params, row->backend_type);
    return pg_run(
        conn,
        "UPDATE observability_connections SET is_default = FALSE, revision = revision + 1, "
        "updated_at = " MS_AT(
            "$3") " WHERE user_id = $1::uuid AND id <> $2::uuid AND "
                  "is_default AND deleted_at IS NULL AND backend_type = coalesce((SELECT "
                  "backend_type FROM observability_connections WHERE id = $2::uuid), $4)",
        &params, NULL, err);
}

static int make_way(struct conn *conn, const struct connection_row *row, struct err *err)
{
    int r = row->is_default ? lock_user(conn, row->user_id, err) : 0;
    return r == 0 && row->is_default ? clear_default(conn, row, err) : r;
}

static int say_taken(const struct connection_row *row, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "there is a connection named %.255s already; choose another name", row->name);
}

static const char *or_empty(const char *json)
{
    return json && *json ? json : "{}";
}

static int add(struct conn *conn, void *context, struct err *err)
{
    const struct connection_row *row = context;
    int r = make_way(conn, row, err);
    if (r != 0)
        return r;
    struct params params = {0};
    param_id(&params, row->id);
    param_id(&params, row->user_id);
    param_text(&params, row->name);
    param_text(&params, row->description ? row->description : "");
    param_text(&params, row->backend_type);
    param_text(&params, or_empty(row->config));
    param_text(&params, or_empty(row->tags));
    param_text(&params, row->source);
    param_bool(&params, row->enabled);
    param_bool(&params, row->is_default);
    param_int(&params, row->created_ms);
    param_int(&params, row->updated_ms);
    param_text(&params, pg_health_word(row->health));
    param_text(&params, row->health_error ? row->health_error : "");
    param_int(&params, row->checked_ms);
    r = pg_run(
        conn,
        "INSERT INTO observability_connections (id, user_id, name, description, backend_type, "
        "connection_config, tags, source, is_enabled, is_default, revision, created_at, "
        "updated_at, health_status, health_error, last_health_check_at) VALUES ($1::uuid, "
        "$2::uuid, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9::boolean, $10::boolean, 1, " MS_AT(
            "$11") ", " MS_AT("$12") ", $13, $14, " MS_IN("$15") ")",
        &params, NULL, err);
    if (r == ERR_CONFLICT)
        return say_taken(row, err);
    if (r == ERR_INVALID && strcmp(conn->sqlstate, "23503") == 0)
        return err_set(err, ERR_INVALID, "the connection's user does not exist");
    return r;
}

int pg_connection_add(struct driver *driver, const struct connection_row *row, struct err *err)
{
    struct connection_row copy = *row;
    return pg_transact(driver, true, add, &copy, err);
}

/* Nothing matched: is it the revision, or is there no such row? */
static int explain(struct conn *conn, const char *user_id, const char *id, struct err *err)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, id);
    param_id(&params, user_id);
    int r = pg_run(conn,
                   "SELECT revision FROM observability_connections WHERE id = $1::uuid AND "
                   "deleted_at IS NULL AND ($2::uuid IS NULL OR user_id = $2::uuid)",
                   &params, &result, err);
    if (r != 0)
        return r;
    if (PQntuples(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such connection");
    return err_set(err, ERR_CONFLICT,
                   "somebody else changed the connection: it is at revision %" PRId64
                   " by now; read it again",
                   pg_column_int(result, 0, 0));
}

static int update(struct conn *conn, void *context, struct err *err)
{
    const struct connection_row *row = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    int r = make_way(conn, row, err);
    if (r != 0)
        return r;
    struct params params = {0};
    param_id(&params, row->id);
    param_id(&params, row->user_id);
    param_int(&params, (int64_t)row->revision);
    param_text(&params, row->name);
    param_text(&params, row->description ? row->description : "");
    param_text(&params, or_empty(row->config));
    param_text(&params, or_empty(row->tags));
    param_bool(&params, row->enabled);
    param_bool(&params, row->is_default);
    param_int(&params, row->updated_ms);
    r = pg_run(
        conn,
        "UPDATE observability_connections SET name = $4, description = $5, connection_config = "
        "$6::jsonb, tags = $7::jsonb, is_enabled = $8::boolean, is_default = $9::boolean, "
        "updated_at = " MS_AT(
            "$10") ", revision = revision + 1 WHERE id = $1::uuid AND user_id "
                   "= $2::uuid AND deleted_at IS NULL AND ($3::bigint = 0 OR revision = $3::bigint)",
        &params, &result, err);
    if (r == ERR_CONFLICT)
        return say_taken(row, err);
    if (r == 0 && pg_affected(result) == 0)
        return explain(conn, row->user_id, row->id, err);
    return r;
}

int pg_connection_update(struct driver *driver, const struct connection_row *row, struct err *err)
{
    struct connection_row copy = *row;
    if (!is_row_id(row->id) || !is_row_id(row->user_id))
        return err_set(err, ERR_NOT_FOUND, "there is no such connection");
    return pg_transact(driver, true, update, &copy, err);
}

struct deletion {
    const char *user_id, *id;
    uint64_t revision;
    int64_t now_ms;
};

static int erase(struct conn *conn, void *context, struct err *err)
{
    static const char hide[] =
        "UPDATE observability_connections SET connection_config = '{}', is_default = FALSE, "
        "is_enabled = FALSE, health_error = '', revision = revision + 1, deleted_at = " MS_AT(
            "$4") ", updated_at = " MS_AT("$4") " WHERE id = $1::uuid AND ($2::uuid IS NULL OR user_id = "
                                                "$2::uuid) AND deleted_at IS NULL AND ($3::bigint = 0 OR revision = $3::bigint)";
    const struct deletion *deletion = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, deletion->id);
    param_id(&params, deletion->user_id);
    param_int(&params, (int64_t)deletion->revision);
    param_int(&params, deletion->now_ms);
    int r = pg_run(conn, hide, &params, &result, err);
    if (r == 0 && pg_affected(result) == 0)
        return explain(conn, deletion->user_id, deletion->id, err);
    struct params cache = {0};
    param_id(&cache, deletion->id);
    if (r == 0)
        r = pg_run(conn, "DELETE FROM observability_query_cache WHERE connection_id = $1::uuid",
                   &cache, NULL, err);
    return r;
}

int pg_connection_delete(struct driver *driver, const char *user_id, const char *id,
                         uint64_t revision, int64_t now_ms, struct err *err)
{
    struct deletion deletion = {user_id, id, revision, now_ms};
    if (!is_row_id(id) || (user_id && !is_row_id(user_id)))
        return err_set(err, ERR_NOT_FOUND, "there is no such connection");
    return pg_transact(driver, true, erase, &deletion, err);
}

struct health_note {
    const char *id, *error;
    enum connection_health health;
    int64_t now_ms;
};

static int note_health(struct conn *conn, void *context, struct err *err)
{
    const struct health_note *note = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, note->id);
    param_text(&params, pg_health_word(note->health));
    param_text(&params, note->error ? note->error : "");
    param_int(&params, note->now_ms);
    int r =
        pg_run(conn,
               "UPDATE observability_connections SET health_status = $2, health_error = $3, "
               "last_health_check_at = " MS_IN("$4") " WHERE id = $1::uuid AND deleted_at IS NULL",
               &params, &result, err);
    if (r == 0 && pg_affected(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such connection");
    return r;
}

int pg_connection_health(struct driver *driver, const char *id, enum connection_health health,
                         const char *error, int64_t now_ms, struct err *err)
{
    struct health_note note = {id, error, health, now_ms};
    if (!is_row_id(id))
        return err_set(err, ERR_NOT_FOUND, "there is no such connection");
    /* The same twice is harmless, so it may be repeated like a read. */
    return pg_operate(driver, READS, note_health, &note, err);
}

struct sync {
    const struct connection_row *rows;
    size_t n;
    bool whole;
    int64_t now_ms;
    const char *ids; /* "{ID,ID}" */
    bool changed;
};

/* Those the file named once and does not any more. */
static int sync_others(struct conn *conn, struct sync *sync, struct err *err)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_text(&params, sync->ids);
    param_int(&params, sync->now_ms);
    int r =
        pg_run(conn,
               "UPDATE observability_connections SET is_enabled = FALSE, is_default = FALSE, "
               "revision = revision + 1, updated_at = " MS_AT(
                   "$2") " WHERE source = 'yaml' "
                         "AND deleted_at IS NULL AND NOT (id = ANY($1::uuid[])) AND (is_enabled OR "
                         "is_default)",
               &params, &result, err);
    if (r == 0 && pg_affected(result) > 0)
        sync->changed = true;
    return r;
}

/* Whose place as default another of the list takes lets go of it first, whatever the order of the list. */
static int release_default(struct conn *conn, struct sync *sync, const struct connection_row *row,
                           struct err *err)
{
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, row->id);
    param_bool(&params, row->is_default);
    param_text(&params, row->backend_type);
    param_int(&params, sync->now_ms);
    int r = pg_run(conn,
                   "UPDATE observability_connections SET is_default = FALSE, revision = revision + "
                   "1, updated_at = " MS_AT("$4") " WHERE id = $1::uuid AND is_default AND (NOT "
                                                  "$2::boolean OR backend_type <> $3)",
                   &params, &result, err);
    if (r == 0 && pg_affected(result) > 0)
        sync->changed = true;
    return r;
}

static int sync_row(struct conn *conn, struct sync *sync, const struct connection_row *row,
                    struct err *err)
{
    static const char upsert[] =
        "INSERT INTO observability_connections AS c (id, user_id, name, description, backend_type, "
        "connection_config, tags, source, is_enabled, is_default, created_at, updated_at) VALUES "
        "($1::uuid, $2::uuid, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9::boolean, $10::boolean, " MS_AT("$11") ", " MS_AT(
            "$11") ") ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
                   "description = excluded.description, backend_type = excluded.backend_type, "
                   "connection_config = excluded.connection_config, tags = excluded.tags, source = "
                   "excluded.source, is_enabled = excluded.is_enabled, is_default = excluded.is_default, "
                   "revision = c.revision + 1, updated_at = excluded.updated_at, deleted_at = NULL WHERE "
                   "c.user_id = excluded.user_id AND (c.deleted_at IS NOT NULL OR c.name <> excluded.name OR "
                   "c.description <> excluded.description OR c.backend_type <> excluded.backend_type OR "
                   "c.connection_config <> excluded.connection_config OR c.tags <> excluded.tags OR c.source "
                   "<> excluded.source OR c.is_enabled <> excluded.is_enabled OR c.is_default <> "
                   "excluded.is_default)";
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, row->id);
    param_id(&params, row->user_id);
    param_text(&params, row->name);
    param_text(&params, row->description ? row->description : "");
    param_text(&params, row->backend_type);
    param_text(&params, or_empty(row->config));
    param_text(&params, or_empty(row->tags));
    param_text(&params, row->source);
    param_bool(&params, row->enabled);
    param_bool(&params, row->is_default);
    param_int(&params, sync->now_ms);
    int r = pg_run(conn, upsert, &params, &result, err);
    if (r == ERR_CONFLICT)
        return err_set(err, r,
                       "connection \"%s\" of the configuration file: its name, or its place as "
                       "default for %s, is another's",
                       row->name, row->backend_type);
    if (r == 0 && pg_affected(result) > 0)
        sync->changed = true;
    return r;
}

static int sync_all(struct conn *conn, void *context, struct err *err)
{
    struct sync *sync = context;
    sync->changed = false;
    int r = lock_user(conn, USER_OPERATOR_ID, err);
    if (r == 0 && sync->whole)
        r = sync_others(conn, sync, err);
    for (size_t i = 0; r == 0 && i < sync->n; i++)
        r = release_default(conn, sync, &sync->rows[i], err);
    for (size_t i = 0; r == 0 && i < sync->n; i++)
        r = sync_row(conn, sync, &sync->rows[i], err);
    return r == 0 && !sync->changed ? PG_UNCHANGED : r;
}

int pg_connections_sync(struct driver *driver, const struct connection_row *rows, size_t n,
                        bool whole, int64_t now_ms, struct err *err)
{
    struct buf ids = BUF((size_t)16 << 20);
    buf_add(&ids, "{");
    for (size_t i = 0; i < n; i++)
        buf_printf(&ids, "%s%s", i ? "," : "", rows[i].id);
    buf_add(&ids, "}");
    struct sync sync = {
        .rows = rows, .n = n, .whole = whole, .now_ms = now_ms, .ids = buf_text(&ids)};
    int r = ids.failed ? err_set(err, ERR_MEMORY, "too many connections")
                       : pg_transact(driver, true, sync_all, &sync, err);
    buf_finish(&ids);
    return r;
}

struct rewrap {
    const char *id, *before, *after;
    bool swapped;
};

static int rewrap(struct conn *conn, void *context, struct err *err)
{
    struct rewrap *rewrap = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_id(&params, rewrap->id);
    param_text(&params, rewrap->before);
    param_text(&params, rewrap->after);
    int r = pg_run(conn,
                   "UPDATE observability_connections SET connection_config = $3::jsonb WHERE id = "
                   "$1::uuid AND deleted_at IS NULL AND connection_config = $2::jsonb",
                   &params, &result, err);
    if (r != 0)
        return r;
    rewrap->swapped = pg_affected(result) > 0;
    return rewrap->swapped ? 0 : PG_UNCHANGED;
}

int pg_connection_rewrap(struct driver *driver, const char *id, const char *before,
                         const char *after, bool *ret_swapped, struct err *err)
{
    struct rewrap context = {.id = id, .before = before, .after = after};
    if (!is_row_id(id)) {
        *ret_swapped = false;
        return 0;
    }
    int r = pg_transact(driver, true, rewrap, &context, err);
    if (r == 0)
        *ret_swapped = context.swapped;
    return r;
}
