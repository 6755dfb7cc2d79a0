/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_manage.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"
#include "fake_calls.h"

#define ROWS_MAX 1000u

struct row {
    char id[37];
    char user[40];
    char owner_name[64];
    uint64_t revision;
    struct json_object *body; /* as it was posted, secrets still in it */
    bool failed;              /* history */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct row rows[ROWS_MAX], history[ROWS_MAX];
static size_t row_count, history_count;
static int fail_code, enter_code;
static int64_t enter_wait_ms;

void fake_manage_fail(int code)
{
    pthread_mutex_lock(&lock);
    fail_code = code;
    pthread_mutex_unlock(&lock);
}

void fake_enter_fail(int code, int64_t wait_ms)
{
    pthread_mutex_lock(&lock);
    enter_code = code;
    enter_wait_ms = wait_ms;
    pthread_mutex_unlock(&lock);
}

void fake_manage_finish(void)
{
    for (size_t i = 0; i < row_count; i++)
        json_object_put(rows[i].body);
    row_count = history_count = 0;
}

int service_enter(struct service *service, const struct principal *principal, struct err *err)
{
    (void)service;
    (void)principal;
    pthread_mutex_lock(&lock);
    int code = enter_code;
    int64_t wait_ms = enter_wait_ms;
    pthread_mutex_unlock(&lock);
    if (!code)
        return 0;
    err_set(err, code, "limits.calls_per_minute, 120, is used up");
    err->wait_ms = wait_ms;
    return code;
}

void service_leave(struct service *service, const struct principal *principal)
{
    (void)service;
    (void)principal;
}

/* Under lock. */
static int begin(struct err *err)
{
    pthread_mutex_lock(&lock);
    return fail_code ? err_set(err, fail_code, "the store is gone: disk full") : 0;
}

static int end(int r)
{
    pthread_mutex_unlock(&lock);
    return r;
}

static const char *name_of(const struct row *row)
{
    return json_string_of(row->body, "name");
}

static struct row *find(const struct principal *principal, const char *id, struct err *err)
{
    for (size_t i = 0; i < row_count; i++) {
        struct row *row = &rows[i];
        bool mine = str_eq(row->user, principal->id) || str_starts(name_of(row), "operator-");
        if (mine && (str_eq(row->id, id) || str_eq(name_of(row), id)))
            return row;
    }
    err_set(err, ERR_NOT_FOUND, "you have no connection \"%s\"", id);
    return NULL;
}

/* A copy of the configuration in which every token is masked. */
static void write_config(struct buf *out, struct json_object *config)
{
    buf_add_char(out, '{');
    struct json_object_iterator at;
    json_each(at, config)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *value = json_object_iter_peek_value(&at);
        buf_json_key(out, key);
        if (str_eq(key, "token") || str_eq(key, "password"))
            buf_add(out, "{\"masked\":true,\"changed_at\":\"2026-01-01T00:00:00Z\"}");
        else if (json_object_is_type(value, json_type_object))
            write_config(out, value);
        else
            buf_json_object(out, value);
    }
    buf_add_char(out, '}');
}

static void write_text(struct buf *out, const char *key, const char *value)
{
    buf_json_key(out, key);
    buf_json_string(out, value, strlen(value));
}

static void write_row(struct buf *out, const struct row *row)
{
    static const char *const copied[] = {"description", "is_enabled", "is_default", "tags"};
    static const char *const otherwise[] = {"\"\"", "true", "false", "{}"};
    buf_json_sep(out);
    buf_add_char(out, '{');
    write_text(out, "id", row->id);
    write_text(out, "name", name_of(row));
    write_text(out, "backend_type", json_string_of(row->body, "backend_type"));
    buf_json_key(out, "connection_config");
    write_config(out, json_member(row->body, "connection_config"));
    for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
        struct json_object *value = json_member(row->body, copied[i]);
        buf_json_key(out, copied[i]);
        if (value)
            buf_json_object(out, value);
        else
            buf_add(out, otherwise[i]);
    }
    write_text(out, "owner", str_starts(name_of(row), "operator-") ? "operator" : "you");
    write_text(out, "source", "rest");
    buf_printf(out,
               ",\"revision\":%" PRIu64 ",\"health\":{\"status\":\"unknown\",\"reason\":null,"
               "\"checked_at\":null,\"uptime_24h\":null},\"created_at\":\"2026-01-01T00:00:00Z\","
               "\"updated_at\":\"2026-01-01T00:00:00.123Z\"}",
               row->revision);
}

/* Pages go by position: "c12". */
static int read_cursor(const char *cursor, size_t *ret_at, struct err *err)
{
    int64_t at = 0;
    if (cursor && (cursor[0] != 'c' || str_to_int(cursor + 1, 0, ROWS_MAX, &at)))
        return err_set(err, ERR_INVALID, "this cursor was not given out here");
    *ret_at = (size_t)at;
    return 0;
}

static bool fits(const struct row *row, const struct principal *principal,
                 const struct manage_filter *filter)
{
    if (!str_eq(row->user, principal->id) && !str_starts(name_of(row), "operator-"))
        return false;
    if (filter->backend_type &&
        !str_eq(filter->backend_type, json_string_of(row->body, "backend_type")))
        return false;
    const char *equals = filter->tag ? strchr(filter->tag, '=') : NULL;
    if (!equals)
        return true;
    char key[80];
    snprintf(key, sizeof key, "%.*s", (int)(equals - filter->tag), filter->tag);
    const char *value = json_string_of(json_member(row->body, "tags"), key);
    return value && str_eq(value, equals + 1);
}

int manage_list(struct service *service, const struct principal *principal,
                const struct manage_filter *filter, struct buf *out, struct err *err)
{
    (void)service;
    size_t at, shown = 0;
    int r = begin(err);
    if (!r)
        r = read_cursor(filter->cursor, &at, err);
    if (r)
        return end(r);
    buf_add(out, "{\"connections\":[");
    for (; at < row_count && shown < filter->limit; at++)
        if (fits(&rows[at], principal, filter)) {
            write_row(out, &rows[at]);
            shown++;
        }
    buf_add_char(out, ']');
    while (at < row_count && !fits(&rows[at], principal, filter))
        at++;
    if (at < row_count)
        buf_printf(out, ",\"next_cursor\":\"c%zu\"", at);
    buf_add_char(out, '}');
    return end(0);
}

int manage_show(struct service *service, const struct principal *principal, const char *id,
                struct buf *out, uint64_t *ret_revision, struct err *err)
{
    (void)service;
    int r = begin(err);
    struct row *row = r ? NULL : find(principal, id, err);
    if (!row)
        return end(r ? r : ERR_NOT_FOUND);
    write_row(out, row);
    *ret_revision = row->revision;
    return end(0);
}

static int check_body(struct json_object *body, const char *old_name,
                      const struct principal *principal, struct manage_mistakes *mistakes,
                      struct err *err)
{
    const char *name = json_string_of(body, "name");
    struct err ignored;
    struct json_object *auth = json_member(json_member(body, "connection_config"), "auth");
    if (auth && !json_string_of(auth, "type")) {
        snprintf(mistakes->list[mistakes->count++].text, sizeof mistakes->list[0].text,
                 "connection_config.auth.type: expected one of none, bearer, basic");
        return err_set(err, ERR_INVALID, "the connection is not right: see errors");
    }
    if (name && str_eq(name, "large"))
        return err_set(err, ERR_LIMIT, "connection_config: 70000 bytes, at most 65536 are kept");
    if (name && str_eq(name, "full"))
        return err_set(err, ERR_CONFLICT, "you have 500 connections, as many as there may be");
    if (name && (!old_name || !str_eq(name, old_name)) &&
        (str_eq(name, "taken") || find(principal, name, &ignored)))
        return err_set(err, ERR_CONFLICT, "you have a connection \"%s\" already", name);
    return 0;
}

int manage_add(struct service *service, const struct principal *principal, const char *body,
               size_t size, const char *source, struct buf *out, char ret_id[37],
               struct manage_mistakes *mistakes, struct err *err)
{
    (void)service;
    if (!str_eq(source, "rest"))
        abort();
    int r = begin(err);
    struct json_object *parsed = NULL;
    if (!r && json_parse(body, size, 64, &parsed, err))
        abort();
    if (!r)
        r = check_body(parsed, NULL, principal, mistakes, err);
    if (!r && row_count == ROWS_MAX)
        abort();
    if (r) {
        json_object_put(parsed);
        return end(r);
    }
    struct row *row = &rows[row_count++];
    *row = (struct row){.revision = 1, .body = parsed};
    uuid7(row->id);
    memcpy(row->user, principal->id, sizeof row->user);
    memcpy(ret_id, row->id, 37);
    write_row(out, row);
    return end(0);
}

/* A conflict of revisions, or a row of the operator's. */
static int may_change(const struct row *row, uint64_t revision, struct err *err)
{
    if (str_starts(name_of(row), "operator-"))
        return err_set(err, ERR_FORBIDDEN, "it is the operator's: it is changed in the YAML file");
    if (revision && revision != row->revision)
        return err_set(err, ERR_CONFLICT, "it has revision %" PRIu64 " now", row->revision);
    return 0;
}

static void merge(struct json_object *to, struct json_object *from)
{
    struct json_object_iterator at;
    json_each(at, from)
    {
        json_object_object_add(to, json_object_iter_peek_name(&at),
                               json_object_get(json_object_iter_peek_value(&at)));
    }
}

int manage_edit(struct service *service, const struct principal *principal, const char *id,
                const char *body, size_t size, uint64_t revision, struct buf *out,
                uint64_t *ret_revision, struct manage_mistakes *mistakes, struct err *err)
{
    (void)service;
    int r = begin(err);
    struct row *row = r ? NULL : find(principal, id, err);
    struct json_object *parsed = NULL;
    if (!row)
        return end(r ? r : ERR_NOT_FOUND);
    if (json_parse(body, size, 64, &parsed, err) || json_member(parsed, "revision"))
        abort(); /* what is read only does not come so far */
    r = may_change(row, revision, err);
    if (!r)
        r = check_body(parsed, name_of(row), principal, mistakes, err);
    if (!r) {
        merge(row->body, parsed);
        *ret_revision = ++row->revision;
        write_row(out, row);
    }
    json_object_put(parsed);
    return end(r);
}

int manage_remove(struct service *service, const struct principal *principal, const char *id,
                  uint64_t revision, struct err *err)
{
    (void)service;
    int r = begin(err);
    struct row *row = r ? NULL : find(principal, id, err);
    if (!row)
        return end(r ? r : ERR_NOT_FOUND);
    r = may_change(row, revision, err);
    if (!r) {
        json_object_put(row->body);
        *row = rows[--row_count];
    }
    return end(r);
}

int manage_test(struct service *service, struct call *call, const char *id, struct buf *out,
                struct err *err)
{
    (void)service;
    int r = begin(err);
    struct row *row = r ? NULL : find(&call->principal, id, err);
    if (!row)
        return end(r ? r : ERR_NOT_FOUND);
    bool slow = str_eq(name_of(row), "slow"), broken = str_eq(name_of(row), "broken");
    end(0);
    if (slow) {
        fake_sleep(call, call->deadline_ns);
        return atomic_load(&call->cancelled) ? err_set(err, SONDE_E_CANCELLED, "cancelled")
                                             : err_set(err, SONDE_E_DEADLINE, "the time is up");
    }
    if (broken)
        buf_add(out, "{\"ok\":false,\"stages\":[{\"stage\":\"name\",\"ok\":true,\"detail\":\"\"},"
                     "{\"stage\":\"tcp\",\"ok\":false,\"detail\":\"refused\",\"setting\":\"url\"},"
                     "{\"stage\":\"http\",\"ok\":null}]}");
    else
        buf_add(out, "{\"ok\":true,\"stages\":[{\"stage\":\"name\",\"ok\":true,\"detail\":\"\"}]}");
    return 0;
}

int manage_backends(struct service *service, struct buf *out, struct err *err)
{
    (void)service;
    int r = begin(err);
    if (!r)
        buf_add(out, "{\"backends\":[{\"name\":\"prometheus\",\"version\":\"1.0\",\"signals\":"
                     "[\"metrics\"],\"parameters\":{\"type\":\"object\"}}]}");
    return end(r);
}

void fake_history_fill(const struct principal *principal, unsigned n)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n && history_count < ROWS_MAX; i++) {
        struct row *row = &history[history_count++];
        *row = (struct row){.failed = i % 3 == 2};
        uuid7(row->id);
        memcpy(row->user, principal->id, sizeof row->user);
        memcpy(row->owner_name, principal->name, sizeof row->owner_name);
    }
    pthread_mutex_unlock(&lock);
}

static void write_query(struct buf *out, const struct row *row)
{
    buf_json_sep(out);
    buf_printf(out,
               "{\"id\":\"%s\",\"call_id\":\"%s\",\"tool\":\"query_metrics\",\"session_id\":null,"
               "\"connection_id\":null,\"connection_name\":null,\"scope\":null,\"query_type\":"
               "\"metrics\",\"query_text\":\"up\",\"query_params\":{},\"result_count\":1,"
               "\"result_sample\":[1],\"error_message\":%s,\"execution_time_ms\":3,"
               "\"was_cached\":false,\"status\":\"%s\",\"queried_at\":\"2026-01-01T00:00:00.5Z\"}",
               row->id, row->id, row->failed ? "\"it did not work\"" : "null",
               row->failed ? "error" : "ok");
}

static bool asked(const struct row *row, const struct principal *principal,
                  const struct manage_history_filter *filter)
{
    bool mine =
        filter->user ? str_eq(filter->user, row->owner_name) : str_eq(row->user, principal->id);
    if (!mine || filter->session_id || filter->connection_id)
        return false;
    if (filter->tool && !str_eq(filter->tool, "query_metrics"))
        return false;
    return !filter->status || str_eq(filter->status, "error") == row->failed;
}

int manage_history(struct service *service, const struct principal *principal,
                   const struct manage_history_filter *filter, struct buf *out, struct err *err)
{
    (void)service;
    size_t at, shown = 0;
    int r = begin(err);
    if (!r)
        r = read_cursor(filter->cursor, &at, err);
    if (!r && filter->from && str_eq(filter->from, "never"))
        r = err_set(err, ERR_INVALID, "from: expected a time, got \"never\"");
    if (r)
        return end(r);
    buf_add(out, "{\"queries\":[");
    for (; at < history_count && shown < filter->limit; at++)
        if (asked(&history[at], principal, filter)) {
            write_query(out, &history[at]);
            shown++;
        }
    buf_add_char(out, ']');
    if (at < history_count)
        buf_printf(out, ",\"next_cursor\":\"c%zu\"", at);
    buf_add_char(out, '}');
    return end(0);
}

int manage_history_show(struct service *service, const struct principal *principal, const char *id,
                        struct buf *out, struct err *err)
{
    (void)service;
    int r = begin(err);
    for (size_t i = 0; !r && i < history_count; i++)
        if (str_eq(history[i].id, id) && str_eq(history[i].user, principal->id)) {
            write_query(out, &history[i]);
            return end(0);
        }
    return end(r ? r : err_set(err, ERR_NOT_FOUND, "you have no query \"%s\"", id));
}
