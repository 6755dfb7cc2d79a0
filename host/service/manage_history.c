/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "service/internal.h"

#define ARENA_MAX ((size_t)32 << 20)
#define FIRST_ROWS 200u /* looked through for the call whose answer a cached one repeated */
#define FIRST_PAGES 5

/* RFC 3339 in UTC, with milliseconds; null where it is not known. */
static void add_time(struct buf *out, const char *key, int64_t ms)
{
    char text[40];
    buf_json_key(out, key);
    if (!ms) {
        buf_add(out, "null");
        return;
    }
    buf_json_string(out, text, time_format(text, sizeof text, ms * NS_PER_MS, zone_utc(), 3));
}

static void add_text(struct buf *out, const char *key, const char *text)
{
    buf_json_key(out, key);
    if (text && *text)
        buf_json_string(out, text, strlen(text));
    else
        buf_add(out, "null");
}

static void add_json(struct buf *out, const char *key, const char *json, const char *none)
{
    buf_json_key(out, key);
    buf_add(out, json && *json ? json : none);
}

static void add_row(struct buf *out, const struct history_row *row, const char *sample)
{
    buf_json_sep(out);
    buf_add_char(out, '{');
    add_text(out, "id", row->id);
    add_text(out, "call_id", row->call_id);
    add_text(out, "session_id", row->session_id);
    add_text(out, "connection_id", row->connection_id);
    add_text(out, "connection_name", row->connection_name);
    add_text(out, "tool", row->tool);
    add_text(out, "scope", row->scope);
    add_text(out, "query_type", row->query_type);
    add_text(out, "query_text", row->query_text);
    add_json(out, "query_params", row->query_params, "{}");
    add_text(out, "status", *row->error_message ? "error" : "ok");
    add_text(out, "error_message", row->error_message);
    buf_json_key(out, "result_count");
    buf_json_int(out, row->result_count);
    add_json(out, "result_sample", sample, "null");
    buf_json_key(out, "execution_time_ms");
    buf_json_int(out, row->execution_ms);
    buf_json_key(out, "was_cached");
    buf_add(out, row->was_cached ? "true" : "false");
    add_time(out, "queried_at", row->queried_ms);
    buf_add_char(out, '}');
}

static bool is_uuid(const char *text)
{
    size_t n = strlen(text);
    if (n != ROW_ID - 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    }
    return true;
}

static int need_store(struct service *service, struct err *err)
{
    return service->kept.store ? 0
                               : err_set(err, ERR_UNAVAILABLE,
                                         "nothing is stored here, so there is no history: the "
                                         "configuration says store: none, or the store could not "
                                         "be opened (see the log)");
}

static int check_uuid(const char *key, const char *text, struct err *err)
{
    return !text || is_uuid(text)
               ? 0
               : err_set(err, ERR_INVALID, "%s: \"%.64s\" is not a UUID", key, text);
}

/* Whose rows: the caller's own, or for an admin those of the user named, "all" for everybody's. *ret_id lives in arena. */
static int whose(struct service *service, const struct principal *principal, const char *user,
                 struct arena *arena, const char **ret_id, struct err *err)
{
    *ret_id = principal->id;
    if (!user || str_eq(user, principal->name))
        return 0;
    if (!(principal->rights & RIGHT_ADMIN))
        return err_set(err, ERR_FORBIDDEN,
                       "user: another user's history needs a token with the right admin");
    if (str_eq(user, "all")) {
        *ret_id = NULL;
        return 0;
    }
    struct user_row row;
    int r = store_user_find(service->kept.store, NULL, user, NULL, arena, &row, err);
    if (r)
        return r == ERR_NOT_FOUND ? err_set(err, r, "user: there is no user \"%.64s\"", user) : r;
    *ret_id = arena_strdup(arena, row.id);
    return *ret_id ? 0 : err_set(err, ERR_MEMORY, "no memory for the history");
}

static int read_status(const char *status, int *ret_failed, struct err *err)
{
    *ret_failed = -1;
    if (!status)
        return 0;
    if (!str_eq(status, "ok") && !str_eq(status, "error"))
        return err_set(err, ERR_INVALID, "status: expected ok or error, got \"%.32s\"", status);
    *ret_failed = str_eq(status, "error");
    return 0;
}

static int read_window(struct service *service, const struct manage_history_filter *filter,
                       struct history_filter *out, struct err *err)
{
    if (!filter->from && !filter->to)
        return 0;
    CLEANUP(set_unrefp) struct connection_set *set = service_set(service);
    struct time_window window;
    int64_t now_ns = clock_unix_ns();
    int r = time_window_parse(filter->from, filter->to, set->zone, now_ns, 366 * NS_PER_DAY,
                              &window, err);
    if (r)
        return r;
    out->from_ms = filter->from ? window.start_ns / NS_PER_MS : 0;
    out->to_ms = filter->to ? window.end_ns / NS_PER_MS : 0;
    return 0;
}

static int read_filter(struct service *service, const struct principal *principal,
                       const struct manage_history_filter *filter, struct arena *arena,
                       struct history_filter *out, struct err *err)
{
    *out = (struct history_filter){.session_id = filter->session_id,
                                   .connection_id = filter->connection_id,
                                   .tool = filter->tool,
                                   .before_id = filter->cursor,
                                   .limit = filter->limit};
    if (!filter->limit || filter->limit > 200)
        return err_set(err, ERR_INVALID, "limit: expected a number from 1 to 200, got %zu",
                       filter->limit);
    int r = check_uuid("session_id", filter->session_id, err);
    if (!r)
        r = check_uuid("connection_id", filter->connection_id, err);
    if (!r)
        r = check_uuid("cursor", filter->cursor, err);
    if (!r)
        r = read_status(filter->status, &out->failed, err);
    if (!r)
        r = read_window(service, filter, out, err);
    return r ? r : whose(service, principal, filter->user, arena, &out->user_id, err);
}

int manage_history(struct service *service, const struct principal *principal,
                   const struct manage_history_filter *filter, struct buf *out, struct err *err)
{
    struct arena arena;
    struct history_filter wanted;
    struct history_row *rows = NULL;
    size_t n = 0;
    arena_init(&arena, ARENA_MAX, &service->budget);
    int r = need_store(service, err);
    if (!r)
        r = read_filter(service, principal, filter, &arena, &wanted, err);
    if (!r) {
        wanted.limit++; /* one more tells whether there is a next page */
        r = store_history(service->kept.store, &wanted, &arena, &rows, &n, err);
    }
    if (!r) {
        bool more = n > filter->limit;
        n = more ? filter->limit : n;
        buf_add(out, "{\"queries\":[");
        for (size_t i = 0; i < n; i++)
            add_row(out, &rows[i], rows[i].result_sample);
        buf_add_char(out, ']');
        add_text(out, "next_cursor", more ? rows[n - 1].id : NULL);
        buf_add_char(out, '}');
        if (out->failed)
            r = err_set(err, ERR_MEMORY, "no memory for the history");
    }
    arena_finish(&arena);
    return r;
}

/* The sample of the call whose answer a cached row repeated; "" where it is gone. Arena text. */
static int first_sample(struct service *service, const struct history_row *row, struct arena *arena,
                        const char **ret_sample, struct err *err)
{
    struct history_filter wanted = {.user_id = row->user_id,
                                    .connection_id = row->connection_id,
                                    .tool = row->tool,
                                    .failed = 0,
                                    .before_id = row->id,
                                    .limit = FIRST_ROWS};
    *ret_sample = "";
    for (int page = 0; page < FIRST_PAGES; page++) {
        struct history_row *rows = NULL;
        size_t n = 0;
        int r = store_history(service->kept.store, &wanted, arena, &rows, &n, err);
        if (r)
            return r;
        for (size_t i = 0; i < n; i++) {
            if (rows[i].was_cached || !str_eq(rows[i].query_text, row->query_text))
                continue;
            *ret_sample = rows[i].result_sample;
            return 0;
        }
        if (n < FIRST_ROWS)
            return 0;
        wanted.before_id = rows[n - 1].id;
    }
    return 0;
}

int manage_history_show(struct service *service, const struct principal *principal, const char *id,
                        struct buf *out, struct err *err)
{
    struct arena arena;
    struct history_row row;
    const char *sample = "";
    arena_init(&arena, ARENA_MAX, &service->budget);
    int r = need_store(service, err);
    if (!r && !is_uuid(id))
        r = err_set(err, ERR_NOT_FOUND, "there is no query \"%.64s\" in the history", id);
    bool all = (principal->rights & RIGHT_ADMIN) != 0;
    if (!r)
        r = store_history_get(service->kept.store, all ? NULL : principal->id, id, &arena, &row,
                              err);
    if (!r) {
        sample = row.result_sample;
        if (row.was_cached && !*sample && *row.connection_id)
            r = first_sample(service, &row, &arena, &sample, err);
    }
    if (!r) {
        add_row(out, &row, sample);
        if (out->failed)
            r = err_set(err, ERR_MEMORY, "no memory for the history");
    }
    arena_finish(&arena);
    return r;
}
