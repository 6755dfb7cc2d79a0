/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the installation, and the replicas with the keys they hold. */
#include <string.h>
#include "store/postgres/internal.h"

struct setting {
    const char *name, *before, *after;
    struct arena *arena;
    const char *value;
    bool swapped;
};

static int get_setting(struct conn *conn, void *context, struct err *err)
{
    struct setting *setting = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_text(&params, setting->name);
    int r = pg_run(conn, "SELECT value FROM settings WHERE name = $1", &params, &result, err);
    if (r != 0)
        return r;
    if (PQntuples(result) == 0)
        return err_set(err, ERR_NOT_FOUND, "the store has no setting %s", setting->name);
    setting->value = pg_column_text(result, 0, 0, setting->arena);
    return setting->value ? 0 : err_set(err, ERR_MEMORY, "out of memory");
}

int pg_setting_get(struct driver *driver, const char *name, struct arena *arena,
                   const char **ret_value, struct err *err)
{
    struct setting setting = {.name = name, .arena = arena};
    int r = pg_operate(driver, READS, get_setting, &setting, err);
    if (r == 0)
        *ret_value = setting.value;
    return r;
}

/* Twice is as good as once: it may be repeated like a read. */
static int init_setting(struct conn *conn, void *context, struct err *err)
{
    struct setting *setting = context;
    struct params params = {0};
    param_text(&params, setting->name);
    param_text(&params, setting->after);
    int r = pg_run(conn,
                   "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO "
                   "NOTHING",
                   &params, NULL, err);
    return r != 0 ? r : get_setting(conn, context, err);
}

int pg_setting_init(struct driver *driver, const char *name, const char *value, struct arena *arena,
                    const char **ret_value, struct err *err)
{
    struct setting setting = {.name = name, .after = value, .arena = arena};
    int r = pg_operate(driver, READS, init_setting, &setting, err);
    if (r == 0)
        *ret_value = setting.value;
    return r;
}

static int swap_setting(struct conn *conn, void *context, struct err *err)
{
    struct setting *setting = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_text(&params, setting->name);
    param_text(&params, setting->before);
    param_text(&params, setting->after);
    int r = pg_run(conn, "UPDATE settings SET value = $3 WHERE name = $1 AND value = $2", &params,
                   &result, err);
    if (r == 0)
        setting->swapped = pg_affected(result) > 0;
    return r;
}

int pg_setting_swap(struct driver *driver, const char *name, const char *before, const char *after,
                    bool *ret_swapped, struct err *err)
{
    struct setting setting = {.name = name, .before = before, .after = after};
    int r = pg_operate(driver, WRITES, swap_setting, &setting, err);
    if (r == 0)
        *ret_swapped = setting.swapped;
    return r;
}

static int beat(struct conn *conn, void *context, struct err *err)
{
    const struct replica_row *replica = context;
    struct params params = {0};
    param_id(&params, replica->id);
    param_text(&params, replica->host);
    param_text(&params, replica->key_ids);
    param_int(&params, replica->started_ms);
    param_int(&params, replica->seen_ms);
    return pg_run(
        conn,
        "INSERT INTO replicas (id, host, key_ids, started_at, last_seen_at) VALUES ($1::uuid, $2, "
        "$3::jsonb, " MS_AT("$4") ", " MS_AT(
            "$5") ") ON CONFLICT (id) DO UPDATE SET host = excluded.host, key_ids = "
                  "excluded.key_ids, last_seen_at = excluded.last_seen_at",
        &params, NULL, err);
}

int pg_replica_beat(struct driver *driver, const struct replica_row *replica, struct err *err)
{
    struct replica_row copy = *replica;
    return pg_operate(driver, READS, beat, &copy, err); /* the same twice is harmless */
}

static int leave(struct conn *conn, void *context, struct err *err)
{
    struct params params = {0};
    param_id(&params, context);
    return pg_run(conn, "DELETE FROM replicas WHERE id = $1::uuid", &params, NULL, err);
}

int pg_replica_gone(struct driver *driver, const char *id, struct err *err)
{
    char copy[ROW_ID];
    if (!is_row_id(id))
        return 0;
    memcpy(copy, id, sizeof copy);
    return pg_operate(driver, READS, leave, copy, err);
}

struct replica_list {
    int64_t since_ms;
    struct arena *arena;
    struct replica_row *rows;
    size_t count;
};

static int list_replicas(struct conn *conn, void *context, struct err *err)
{
    struct replica_list *list = context;
    PGresult *result CLEANUP(pg_clearp) = NULL;
    struct params params = {0};
    param_int(&params, list->since_ms);
    int r =
        pg_run(conn,
               "SELECT id, host, key_ids, " MS_OUT("started_at") ", " MS_OUT(
                   "last_seen_at") " FROM replicas WHERE last_seen_at >= " MS_AT("$1") " ORDER BY "
                                                                                       "id",
               &params, &result, err);
    if (r != 0)
        return r;
    size_t n = (size_t)PQntuples(result);
    list->rows = arena_alloc_array(list->arena, n ? n : 1, sizeof *list->rows);
    for (size_t i = 0; list->rows && i < n; i++) {
        struct replica_row *replica = &list->rows[i];
        pg_column_id(result, (int)i, 0, replica->id);
        replica->host = pg_column_text(result, (int)i, 1, list->arena);
        replica->key_ids = pg_column_text(result, (int)i, 2, list->arena);
        replica->started_ms = pg_column_int(result, (int)i, 3);
        replica->seen_ms = pg_column_int(result, (int)i, 4);
    }
    list->count = n;
    return list->arena->failed ? err_set(err, ERR_MEMORY, "too many replicas to list") : 0;
}

int pg_replicas(struct driver *driver, int64_t since_ms, struct arena *arena,
                struct replica_row **ret_rows, size_t *ret_count, struct err *err)
{
    struct replica_list list = {.since_ms = since_ms, .arena = arena};
    int r = pg_operate(driver, READS, list_replicas, &list, err);
    if (r == 0) {
        *ret_rows = list.rows;
        *ret_count = list.count;
    }
    return r;
}
