/* SPDX-License-Identifier: Apache-2.0 */
#include "service/history.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"

/* What all rows of one call share. */
struct noting {
    struct service *service;
    const struct principal *principal;
    const char *tool;
    const char *params;
    char call_id[ROW_ID];
    struct session_row session;
    int64_t now_ms;
    int64_t took_ms;
    struct buf sample;
};

static const char *query_type(const struct ask *ask, const char *tool)
{
    if (str_eq(tool, "list_metrics"))
        return ask && ask->args.label && *ask->args.label ? "label_values" : "metric_names";
    if (str_eq(tool, "query_metrics"))
        return "metrics";
    return tool;
}

static void copy_id(char to[ROW_ID], const char *from)
{
    snprintf(to, ROW_ID, "%.36s", from);
}

static void begin(struct noting *noting, struct service *service, const struct principal *principal,
                  const char *tool, struct json_object *arguments, struct buf *params)
{
    *noting = (struct noting){.service = service, .principal = principal, .tool = tool};
    noting->now_ms = clock_unix_ns() / NS_PER_MS;
    noting->sample = BUF(HISTORY_SAMPLE_MAX);
    uuid7(noting->call_id);
    if (json_object_is_type(arguments, json_type_object))
        buf_json_object(params, arguments);
    noting->params = params->failed || !params->size ? "{}" : buf_text(params);
    copy_id(noting->session.id, principal->session);
    copy_id(noting->session.user_id, principal->id);
    noting->session.kind = principal->front;
    noting->session.client = principal->client;
    noting->session.started_ms = noting->session.seen_ms = noting->now_ms;
}

static void add_labels(struct buf *buf, const struct series *series)
{
    buf_json_key(buf, "labels");
    buf_add_char(buf, '{');
    for (size_t i = 0; i < series->label_count; i++) {
        const struct sonde_label *label = &series->labels[i];
        buf_json_sep(buf);
        buf_json_string(buf, label->name, label->name_size);
        buf_add_char(buf, ':');
        buf_json_string(buf, label->value, label->value_size);
    }
    buf_add_char(buf, '}');
}

static void add_series(struct buf *buf, const struct series *series)
{
    buf_add_char(buf, '{');
    add_labels(buf, series);
    if (series->sample_count) {
        size_t last = series->sample_count - 1;
        buf_json_key(buf, "time_ms");
        buf_json_int(buf, series_time(series, last) / NS_PER_MS);
        buf_json_key(buf, "value");
        buf_json_double(buf, series->values[last]);
    }
    buf_add_char(buf, '}');
}

static void add_name(struct buf *buf, const struct name_row *row)
{
    buf_add_char(buf, '{');
    buf_json_key(buf, "name");
    buf_json_string(buf, row->name, strlen(row->name));
    buf_add_char(buf, '}');
}

/* The first rows, as many as fit. */
static const char *sample_of(struct noting *noting, const struct result *result)
{
    struct buf *buf = &noting->sample;
    buf_clear(buf);
    buf_add_char(buf, '[');
    size_t shown = 0;
    for (size_t i = 0; i < result->series_count + result->name_count && shown < HISTORY_SAMPLE_ROWS;
         i++, shown++) {
        size_t before = buf->size;
        buf_json_sep(buf);
        if (i < result->series_count)
            add_series(buf, &result->series[i]);
        else
            add_name(buf, &result->names[i - result->series_count]);
        if (buf->failed || buf->size + 1 >= HISTORY_SAMPLE_MAX) {
            buf_truncate(buf, before);
            buf->failed = 0;
            break;
        }
    }
    buf_add_char(buf, ']');
    return shown ? buf_text(buf) : "";
}

static const char *cut_text(const char *text, struct arena *arena)
{
    if (!text)
        return "";
    size_t size = strlen(text);
    if (size <= HISTORY_TEXT_MAX)
        return text;
    size = HISTORY_TEXT_MAX;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    const char *cut = arena ? arena_strndup(arena, text, size) : NULL;
    return cut ? cut : "";
}

static void append(struct noting *noting, struct history_row *row)
{
    uuid7(row->id);
    memcpy(row->call_id, noting->call_id, sizeof row->call_id);
    copy_id(row->session_id, noting->session.id);
    copy_id(row->user_id, noting->session.user_id);
    row->tool = noting->tool;
    row->scope = "";
    row->query_params = noting->params;
    row->queried_ms = noting->now_ms;
    store_append_history(noting->service->kept.store, row, &noting->session);
}

static void append_asked(struct noting *noting, struct ask *ask, struct asked *asked)
{
    const struct result *result = asked->result;
    const struct connection *connection = asked->slot->connection;
    struct history_row row = {.connection_name = connection->name,
                              .query_type = query_type(ask, noting->tool),
                              .error_message = asked->err.code ? asked->err.text : "",
                              .was_cached = asked->cached_ns != 0,
                              .execution_ms = noting->took_ms,
                              .result_sample = ""};
    copy_id(row.connection_id, connection->id);
    row.query_text = cut_text(result && result->executed && *result->executed ? result->executed
                                                                              : ask->args.query,
                              &ask->call->arena);
    if (result) {
        row.result_count = (int64_t)(result->series_count + result->name_count);
        row.execution_ms = row.was_cached ? 0 : result->elapsed_ns / NS_PER_MS;
        if (!row.was_cached && ask->set->config->keep.history_samples)
            row.result_sample = sample_of(noting, result);
    }
    if (asked->returned)
        row.result_count = (int64_t)asked->returned;
    append(noting, &row);
}

static bool wanted(const struct service *service, const struct principal *principal)
{
    return service->kept.store && *principal->session;
}

static void append_unasked(struct noting *noting, const struct ask *ask, const char *text,
                           const char *error)
{
    struct history_row row = {.connection_name = "",
                              .query_type = query_type(ask, noting->tool),
                              .query_text = text,
                              .error_message = error,
                              .execution_ms = noting->took_ms,
                              .result_sample = ""};
    append(noting, &row);
}

void history_note(struct ask *ask, struct json_object *arguments, const struct answer *answer,
                  const struct err *failure)
{
    struct service *service = ask->service;
    const struct principal *principal = &ask->call->principal;
    bool failed = failure->code || answer->is_error;
    if (!wanted(service, principal) || (!ask->asked_count && !failed))
        return;
    struct buf params = BUF(HISTORY_TEXT_MAX);
    struct noting noting;
    begin(&noting, service, principal, ask->tool->name, arguments, &params);
    noting.took_ms = (clock_mono_ns() - ask->started_ns) / NS_PER_MS;
    for (size_t i = 0; i < ask->asked_count; i++) {
        struct asked *asked = &ask->asked[i];
        if (failure->code && !asked->err.code)
            asked->err = *failure;
        append_asked(&noting, ask, asked);
    }
    if (!ask->asked_count)
        append_unasked(&noting, ask, cut_text(ask->args.query, &ask->call->arena),
                       failure->code ? failure->text : answer->text);
    buf_finish(&noting.sample);
    buf_finish(&params);
}

void history_note_refused(struct service *service, const struct principal *principal,
                          const char *tool, struct json_object *arguments,
                          const struct err *failure)
{
    if (!wanted(service, principal))
        return;
    struct buf params = BUF(HISTORY_TEXT_MAX);
    struct noting noting;
    begin(&noting, service, principal, tool, arguments, &params);
    const char *query = json_string_of(arguments, "query");
    append_unasked(&noting, NULL, query && strlen(query) <= HISTORY_TEXT_MAX ? query : "",
                   failure->text);
    buf_finish(&noting.sample);
    buf_finish(&params);
}
