/* SPDX-License-Identifier: Apache-2.0 */
#include "query/sink.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/host.h"
#include "query/text.h"

#define MAX_NAMES 1000000u
#define MAX_SCOPES 4096u
#define MAX_NOTES 64u
#define MAX_FEATURES 256u
#define MAX_RESUME 4096u
#define MAX_EXECUTED (64u * 1024u)

int sink_init(struct sink *sink, const struct sink_settings *settings,
              const struct sonde_query *query)
{
    memset(sink, 0, sizeof *sink);
    sink->settings = settings;
    sink->result = result_new(query->kind, settings->max_bytes, settings->budget);
    if (!sink->result)
        return ERR_MEMORY;
    samples_init(&sink->samples, sink->result, query, settings->max_points, settings->max_series);
    return 0;
}

void sink_finish(struct sink *sink)
{
    at_end_drop(&sink->at_end);
    samples_finish(&sink->samples);
    if (sink->result) {
        result_resize(sink->result, sink->names, sink->name_capacity * sizeof *sink->names, 0);
        result_resize(sink->result, sink->scopes, sink->scope_capacity * sizeof *sink->scopes, 0);
        result_resize(sink->result, sink->notes, sink->note_capacity * sizeof *sink->notes, 0);
    }
    sink->names = NULL;
    sink->scopes = NULL;
    sink->notes = NULL;
    sink->name_capacity = sink->scope_capacity = sink->note_capacity = 0;
    result_unref(sink->result);
    sink->result = NULL;
}

void sink_partial(struct sink *sink, uint32_t reason, const char *format, ...)
{
    struct result *result = sink->result;
    if (!result || result->partial_reason)
        return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    result->partial_reason = reason;
    const char *copy = text_keep(result, text);
    result->partial_text = copy ? copy : "";
}

/* The array as part of the result. */
static int settle(struct result *result, void *rows, size_t count, size_t size, void *ret_rows)
{
    void *copy = result_alloc(result, count, size);
    if (!copy)
        return ERR_MEMORY;
    if (count)
        memcpy(copy, rows, count * size);
    memcpy(ret_rows, &copy, sizeof copy);
    return 0;
}

int sink_seal(struct sink *sink, struct result **ret_result)
{
    struct result *result = sink->result;
    /* The limit was for reading; what sorts and cuts needs a little beside it. */
    result->max_bytes += result->max_bytes / 2;
    int r = samples_seal(&sink->samples);
    if (!r)
        r = settle(result, sink->scopes, sink->scope_count, sizeof *sink->scopes, &result->scopes);
    if (!r)
        r = settle(result, sink->notes, sink->note_count, sizeof *sink->notes, &result->notes);
    if (!r && sink->name_count)
        r = result_keep(result, sink->names);
    if (r)
        return r;
    result->names = sink->names;
    result->name_count = sink->name_count;
    sink->names = NULL;
    sink->name_capacity = 0;
    result->scope_count = sink->scope_count;
    result->note_count = sink->note_count;
    sink->result = NULL;
    /* The builder's own arrays; the result stays. */
    struct result *kept = result_ref(result);
    sink->result = kept;
    sink_finish(sink);
    *ret_result = result;
    return 0;
}

static struct sink *sink_of(struct sonde_ctx *ctx)
{
    return ctx->owner;
}

static int32_t stop(struct sink *sink)
{
    sink->full = true;
    return SONDE_STOP;
}

static int32_t fault(struct sonde_ctx *ctx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int32_t fault(struct sonde_ctx *ctx, const char *format, ...)
{
    struct sink *sink = sink_of(ctx);
    if (!sink->error.code) {
        char text[512];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        err_set(&sink->error, SONDE_E_INTERNAL, "plugin %s %s", sink->settings->table->name, text);
    }
    return SONDE_STOP;
}

/* Rows that come when the operation is over, or can take no more, are dropped. */
static bool deaf(const struct sink *sink)
{
    return sink->closed || sink->full || sink->error.code;
}

/*
 * A row as this host knows it: an older adapter's is shorter, a newer one's longer, so only what both know is read.
 * given is the plugin's row, with struct_size first.
 */
static void take_row(void *copy, size_t size, const void *given)
{
    uint32_t given_size;
    memcpy(&given_size, given, sizeof given_size);
    memset(copy, 0, size);
    memcpy(copy, given, given_size < size ? given_size : size);
}
#define TAKE_ROW(type)                             \
    struct type taken_row;                         \
    take_row(&taken_row, sizeof taken_row, given); \
    const struct type *row = &taken_row

static int32_t no_memory(struct sink *sink)
{
    sink_partial(sink, SONDE_PARTIAL_LIMIT,
                 "the answer takes more memory than one operation may use (%zu MiB); the rest was "
                 "left out: ask for fewer "
                 "series, a shorter window or a larger step",
                 sink->settings->max_bytes >> 20);
    return stop(sink);
}

static int32_t row_series(struct sonde_ctx *ctx, const struct sonde_series *given)
{
    TAKE_ROW(sonde_series);
    struct sink *sink = sink_of(ctx);
    if (deaf(sink))
        return SONDE_STOP;
    if (row->label_count && !row->labels)
        return fault(ctx, "emitted a series with %zu labels at NULL", row->label_count);
    if (!samples_announce(&sink->samples, row)) {
        sink->rows++;
        return SONDE_GO_ON;
    }
    if (sink->samples.count < sink->settings->max_series)
        return no_memory(sink);
    sink_partial(sink, SONDE_PARTIAL_LIMIT,
                 "more than %u series (the limit of one answer); the rest was left out: add "
                 "filters, or aggregate in the "
                 "query",
                 sink->settings->max_series);
    return stop(sink);
}

/* What a samples_ function said of a row of series id. */
static int32_t taken(struct sonde_ctx *ctx, int r, const char *what, uint64_t id)
{
    struct sink *sink = sink_of(ctx);
    if (r == SAMPLES_UNKNOWN)
        return fault(ctx, "emitted %s of series %llu before the series itself", what,
                     (unsigned long long)id);
    if (r)
        return no_memory(sink);
    sink->rows++;
    return SONDE_GO_ON;
}

static int32_t row_points(struct sonde_ctx *ctx, uint64_t id, size_t n, const int64_t *t,
                          const double *v)
{
    struct sink *sink = sink_of(ctx);
    if (deaf(sink))
        return SONDE_STOP;
    return taken(ctx, samples_add(&sink->samples, id, n, t, v), "points", id);
}

static int32_t row_histogram(struct sonde_ctx *ctx, const struct sonde_histogram_point *given)
{
    TAKE_ROW(sonde_histogram_point);
    struct sink *sink = sink_of(ctx);
    if (deaf(sink))
        return SONDE_STOP;
    if (row->bucket_count && (!row->lower || !row->upper || !row->counts))
        return fault(ctx, "emitted a histogram with %u buckets at NULL", row->bucket_count);
    return taken(ctx, samples_add_histogram(&sink->samples, row), "a histogram", row->series_id);
}

static int32_t row_exemplar(struct sonde_ctx *ctx, const struct sonde_exemplar *given)
{
    TAKE_ROW(sonde_exemplar);
    struct sink *sink = sink_of(ctx);
    if (deaf(sink))
        return SONDE_STOP;
    return taken(ctx, samples_add_exemplar(&sink->samples, row), "an exemplar", row->series_id);
}

/* Kinds of rows that no result of this host holds. */
#define UNHELD(function, type, what)                                                            \
    static int32_t function(struct sonde_ctx *ctx, const struct type *row)                      \
    {                                                                                           \
        (void)row;                                                                              \
        return fault(ctx, "emitted a row of the kind " what ", which this host does not keep"); \
    }
UNHELD(row_log, sonde_log, "log")
UNHELD(row_span, sonde_span, "span")
UNHELD(row_trace_summary, sonde_trace_summary, "trace_summary")
UNHELD(row_edge, sonde_edge, "edge")
UNHELD(row_event, sonde_event, "event")
UNHELD(row_alert, sonde_alert, "alert")
UNHELD(row_pattern, sonde_pattern, "pattern")
UNHELD(row_count, sonde_count, "count")
UNHELD(row_span_stat, sonde_span_stat, "span_stat")

/* Room for one more row in a block of the result's; 0 or -1. */
static int make_room(struct result *result, void *rows_pointer, size_t count, size_t *capacity,
                     size_t size)
{
    if (count < *capacity)
        return 0;
    void *rows;
    memcpy(&rows, rows_pointer, sizeof rows);
    size_t more = *capacity + *capacity / 2 + 16;
    rows = result_resize(result, rows, *capacity * size, more * size);
    if (!rows)
        return -1;
    memcpy(rows_pointer, &rows, sizeof rows);
    *capacity = more;
    return 0;
}

static int32_t row_name(struct sonde_ctx *ctx, const struct sonde_name *given)
{
    TAKE_ROW(sonde_name);
    struct sink *sink = sink_of(ctx);
    if (deaf(sink))
        return SONDE_STOP;
    if (row->name_size && !row->name)
        return fault(ctx, "emitted a name of %zu bytes at NULL", row->name_size);
    size_t unused;
    struct intern *intern = &sink->samples.intern;
    struct name_row copy = {
        .name = text_keep_n(sink->result, row->name, row->name_size),
        .unit = intern_text(intern, row->unit, row->unit ? strlen(row->unit) : 0, &unused),
        .help = intern_text(intern, row->help, row->help ? strlen(row->help) : 0, &unused),
        .parent = intern_text(intern, row->parent, row->parent ? strlen(row->parent) : 0, &unused),
        .count = row->count,
        .type = row->type,
        .guessed = row->guessed == 1};
    if (!copy.name || !copy.unit || !copy.help || !copy.parent || sink->name_count >= MAX_NAMES ||
        make_room(sink->result, &sink->names, sink->name_count, &sink->name_capacity, sizeof copy))
        return no_memory(sink);
    sink->names[sink->name_count++] = copy;
    sink->rows++;
    return SONDE_GO_ON;
}

static int32_t row_backend(struct sonde_ctx *ctx, const struct sonde_backend *given)
{
    TAKE_ROW(sonde_backend);
    struct sink *sink = sink_of(ctx);
    struct result *result = sink->result;
    if (deaf(sink))
        return SONDE_STOP;
    if (row->feature_count > MAX_FEATURES || (row->feature_count && !row->features))
        return fault(ctx, "emitted a backend with %zu features", row->feature_count);
    const char *product = text_keep(result, row->product);
    const char *version = text_keep(result, row->version);
    const char *status = row->status ? text_keep(result, row->status) : NULL;
    const char **features = result_alloc(result, row->feature_count, sizeof *features);
    for (size_t i = 0; features && i < row->feature_count; i++) {
        features[i] = text_keep(result, row->features[i]);
        if (!features[i])
            features = NULL;
    }
    if (!product || !version || !features || (row->status && !status))
        return no_memory(sink);
    result->product = product;
    result->version = version;
    result->status = status;
    result->features = features;
    result->feature_count = row->feature_count;
    sink->rows++;
    return SONDE_GO_ON;
}

static int32_t row_scope(struct sonde_ctx *ctx, const struct sonde_scope *given)
{
    TAKE_ROW(sonde_scope);
    struct sink *sink = sink_of(ctx);
    struct result *result = sink->result;
    if (deaf(sink))
        return SONDE_STOP;
    if (row->header_count > 16 || (row->header_count && !row->headers))
        return fault(ctx, "emitted a scope with %zu headers", row->header_count);
    struct sonde_pair *headers = result_alloc(result, row->header_count, sizeof *headers);
    struct scope_row copy = {.id = text_keep(result, row->id),
                             .name = text_keep(result, row->name),
                             .sort = text_keep(result, row->sort),
                             .backend = text_keep(result, row->backend),
                             .path_prefix = text_keep(result, row->path_prefix),
                             .headers = headers,
                             .header_count = row->header_count,
                             .is_default = row->is_default != 0};
    bool whole = copy.id && copy.name && copy.sort && copy.backend && copy.path_prefix && headers;
    for (size_t i = 0; whole && i < row->header_count; i++) {
        headers[i].key = text_keep(result, row->headers[i].key);
        headers[i].value = text_keep(result, row->headers[i].value);
        whole = headers[i].key && headers[i].value;
    }
    if (!whole || sink->scope_count >= MAX_SCOPES ||
        make_room(result, &sink->scopes, sink->scope_count, &sink->scope_capacity, sizeof copy))
        return no_memory(sink);
    sink->scopes[sink->scope_count++] = copy;
    sink->rows++;
    return SONDE_GO_ON;
}

static int32_t row_total(struct sonde_ctx *ctx, uint64_t total, uint32_t kind)
{
    struct sink *sink = sink_of(ctx);
    if (sink->closed)
        return SONDE_STOP;
    if (kind != SONDE_TOTAL_EXACT && kind != SONDE_TOTAL_AT_LEAST)
        return fault(ctx, "emitted a total of the unknown kind %u", kind);
    sink->result->total = total;
    sink->result->total_kind = kind;
    return sink->full ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_partial(struct sonde_ctx *ctx, uint32_t reason, const char *text)
{
    struct sink *sink = sink_of(ctx);
    if (sink->closed)
        return SONDE_STOP;
    if (reason < SONDE_PARTIAL_LIMIT || reason > SONDE_PARTIAL_BACKEND)
        return fault(ctx, "emitted partial with the unknown reason %u", reason);
    sink_partial(sink, reason, "%s", text ? text : "");
    return sink->full ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_note(struct sonde_ctx *ctx, const char *code, const char *text)
{
    struct sink *sink = sink_of(ctx);
    if (sink->closed)
        return SONDE_STOP;
    code = code ? code : "";
    text = text ? text : "";
    bool known = sink->note_count >= MAX_NOTES;
    for (size_t i = 0; i < sink->note_count && !known; i++)
        known = str_eq(sink->notes[i].code, code) && str_eq(sink->notes[i].text, text);
    if (!known) {
        struct note_row copy = {text_keep(sink->result, code), text_keep(sink->result, text)};
        if (!copy.code || !copy.text ||
            make_room(sink->result, &sink->notes, sink->note_count, &sink->note_capacity,
                      sizeof copy))
            return no_memory(sink);
        sink->notes[sink->note_count++] = copy;
    }
    return sink->full ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_executed(struct sonde_ctx *ctx, const char *text, size_t size)
{
    struct sink *sink = sink_of(ctx);
    if (sink->closed)
        return SONDE_STOP;
    const char *copy =
        text ? text_keep_n(sink->result, text, size < MAX_EXECUTED ? size : MAX_EXECUTED) : "";
    if (!copy)
        return no_memory(sink);
    sink->result->executed = copy;
    return sink->full ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_resume(struct sonde_ctx *ctx, const void *token, size_t size)
{
    struct sink *sink = sink_of(ctx);
    if (sink->closed)
        return SONDE_STOP;
    if (size > MAX_RESUME || (size && !token))
        return fault(ctx, "emitted a resume token of %zu bytes, at most %u are accepted", size,
                     MAX_RESUME);
    void *copy = result_alloc(sink->result, size, 1);
    if (!copy)
        return no_memory(sink);
    if (size)
        memcpy(copy, token, size);
    sink->result->resume = size ? copy : NULL;
    sink->result->resume_size = size;
    return sink->full ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_unapplied(struct sonde_ctx *ctx, uint32_t what, size_t index)
{
    return fault(ctx, "left %s %zu to the host, which cannot apply it to rows of this kind",
                 what == SONDE_UNAPPLIED_MATCH ? "match node" : "filter", index);
}

static int32_t row_fact(struct sonde_ctx *ctx, const char *key, const char *value, uint64_t ttl_ms)
{
    struct sink *sink = sink_of(ctx);
    if (!key || !value)
        return fault(ctx, "emitted a fact without key or value");
    if (facts_set(sink->settings->facts, key, value, ttl_ms))
        log_line(LOG_WARN, "plugin", "%s: fact %.64s not kept: at most %u facts of %u bytes are",
                 ctx->adapter->table.name, key, FACTS_MAX, FACT_MAX_SIZE);
    return sink->full || sink->closed ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_rate(struct sonde_ctx *ctx, const char *rate_key, uint64_t remaining,
                        uint64_t reset_ms)
{
    struct sink *sink = sink_of(ctx);
    rate_set(sink->settings->facts, rate_key ? rate_key : "", remaining, reset_ms);
    return sink->full || sink->closed ? SONDE_STOP : SONDE_GO_ON;
}

static int32_t row_at_end(struct sonde_ctx *ctx, uint32_t slot, const struct sonde_request *request)
{
    struct sink *sink = sink_of(ctx);
    struct err err = {0};
    struct sonde_request copy;
    if (request)
        take_row(&copy, sizeof copy, request);
    if (at_end_set(&sink->at_end, sink->settings->table, slot, request ? &copy : NULL,
                   sink->settings->budget, &err))
        return fault(ctx, "left a request for the end that is not sent: %s", err.text);
    return sink->full || sink->closed ? SONDE_STOP : SONDE_GO_ON;
}

const struct sonde_sink *sink_table(void)
{
    static const struct sonde_sink table = {.struct_size = sizeof table,
                                            .series = row_series,
                                            .points = row_points,
                                            .histogram = row_histogram,
                                            .exemplar = row_exemplar,
                                            .log = row_log,
                                            .span = row_span,
                                            .trace_summary = row_trace_summary,
                                            .name = row_name,
                                            .edge = row_edge,
                                            .event = row_event,
                                            .alert = row_alert,
                                            .pattern = row_pattern,
                                            .count = row_count,
                                            .span_stat = row_span_stat,
                                            .backend = row_backend,
                                            .scope = row_scope,
                                            .total = row_total,
                                            .partial = row_partial,
                                            .note = row_note,
                                            .executed = row_executed,
                                            .resume = row_resume,
                                            .unapplied = row_unapplied,
                                            .fact = row_fact,
                                            .rate = row_rate,
                                            .at_end = row_at_end};
    return &table;
}
