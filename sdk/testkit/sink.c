/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define FACTS_MAX 32u
#define FACT_SIZE_MAX ((size_t)1024)
#define RESUME_MAX ((size_t)4096)
#define REF_MAX ((size_t)512)
/* Where rows are only counted, this many series are remembered all the same. */
#define SERIES_KEPT ((size_t)1000)

static const char *const TYPES[] = {"unknown", "gauge", "counter", "histogram",
                                    "summary", "info",  "stateset"};
static const char *const SEVERITIES[] = {"unknown", "trace", "debug", "info",
                                         "warn",    "error", "fatal"};
static const char *const SIDES[] = {"", "before", "after"};
static const char *const STATUSES[] = {"", "ok", "error"};
static const char *const LINK_TYPES[] = {"", "child_of", "follows_from"};
static const char *const TOTALS[] = {"", "exact", "at_least"};
static const char *const PARTIALS[] = {"", "limit", "lost", "shards", "timeout", "backend"};
static const char *const UNAPPLIED[] = {"", "filter", "match"};

#define NAME_OF(record, names, value) \
    name_of(record, names, sizeof(names) / sizeof(*(names)), value)

static const char *name_of(struct kit_record *record, const char *const *names, size_t count,
                           uint32_t value)
{
    if (value < count)
        return names[value];
    kit_problem(record, "%u is none of the values that end in %s", value, names[count - 1]);
    return "?";
}

/* A row being written: members go into its text. */
struct row {
    struct kit_record *record;
    struct kit_text *text;
};

static void put_key(struct row *row, const char *name)
{
    const char last = row->text->data[row->text->size - 1];
    kit_add(row->text, last == '{' ? "" : ", ");
    kit_add_json(row->text, name, strlen(name));
    kit_add(row->text, ": ");
}

static void put_bytes(struct row *row, const char *name, const void *data, size_t size)
{
    if (!size)
        return;
    if (!data) {
        kit_problem(row->record, "%s is NULL but has a size", name);
        return;
    }
    if (!kit_is_utf8(data, size))
        kit_problem(row->record, "%s is no valid UTF-8", name);
    put_key(row, name);
    kit_add_json(row->text, data, size);
}

static void put_text(struct row *row, const char *name, const char *value)
{
    if (value)
        put_bytes(row, name, value, strlen(value));
}

static void put_time(struct row *row, const char *name, int64_t ns)
{
    put_key(row, name);
    kit_add_time(row->text, ns);
}

static void put_seconds(struct row *row, const char *name, int64_t ns)
{
    put_key(row, name);
    kit_addf(row->text, "%lld", (long long)ns);
}

static void put_double(struct row *row, const char *name, double value)
{
    put_key(row, name);
    kit_add_double(row->text, value);
}

static void put_number(struct row *row, const char *name, uint64_t value)
{
    if (!value)
        return;
    put_key(row, name);
    kit_addf(row->text, "%llu", (unsigned long long)value);
}

static void put_doubles(struct row *row, const char *name, const double *values, size_t n)
{
    put_key(row, name);
    kit_add(row->text, "[");
    for (size_t i = 0; i < n; i++) {
        kit_add(row->text, i ? ", " : "");
        kit_add_double(row->text, values[i]);
    }
    kit_add(row->text, "]");
}

static void write_labels(struct kit_record *record, struct kit_text *text,
                         const struct sonde_label *labels, size_t n)
{
    kit_add(text, "{");
    for (size_t i = 0; i < n; i++) {
        if (!kit_is_utf8(labels[i].name, labels[i].name_size) ||
            !kit_is_utf8(labels[i].value, labels[i].value_size))
            kit_problem(record, "a label is no valid UTF-8");
        kit_add(text, i ? ", " : "");
        kit_add_json(text, labels[i].name, labels[i].name_size);
        kit_add(text, ": ");
        kit_add_json(text, labels[i].value, labels[i].value_size);
    }
    kit_add(text, "}");
}

static void put_labels(struct row *row, const char *name, const struct sonde_label *labels,
                       size_t n)
{
    if (!n)
        return;
    put_key(row, name);
    write_labels(row->record, row->text, labels, n);
}

static struct kit_row *new_row(struct kit_record *record)
{
    if (record->row_count == record->row_capacity) {
        const size_t capacity = record->row_capacity ? record->row_capacity * 2 : 64;
        struct kit_row *rows = realloc(record->rows, capacity * sizeof(*rows));
        if (!rows)
            kit_die("out of memory");
        record->rows = rows;
        record->row_capacity = capacity;
    }
    struct kit_row *row = &record->rows[record->row_count++];
    memset(row, 0, sizeof(*row));
    return row;
}

static int32_t verdict(const struct kit_record *record)
{
    return record->stop_after && record->seen >= record->stop_after ? SONDE_STOP : SONDE_GO_ON;
}

/* Opens a row of the sort; 0: it is not wanted any more. */
static int begin_row(struct sonde_ctx *ctx, const char *sort, uint32_t struct_size, size_t size,
                     struct row *ret_row)
{
    struct kit_record *record = kit_record_of(ctx);
    if (struct_size != size)
        kit_problem(record, "struct_size of a %s is %u instead of %zu", sort, struct_size, size);
    if (record->stop_after && record->seen >= record->stop_after)
        return 0;
    record->seen++;
    if (record->counts_only || struct_size != size)
        return 0;
    struct kit_row *kept = new_row(record);
    kit_addf(&kept->text, "{\"row\": \"%s\"", sort);
    ret_row->record = record;
    ret_row->text = &kept->text;
    return 1;
}

#define BEGIN_ROW(ctx, sort, given, ret_row) \
    begin_row(ctx, sort, (given)->struct_size, sizeof(*(given)), ret_row)

static struct kit_row *find_series(struct kit_record *record, uint64_t id)
{
    for (size_t i = record->row_count; i > 0; i--) {
        if (record->rows[i - 1].is_series && record->rows[i - 1].id == id)
            return &record->rows[i - 1];
    }
    return NULL;
}

/* The labels of a series announced before stand for it, because its number means nothing to a reader. */
static void put_series(struct row *row, uint64_t id)
{
    const struct kit_row *series = find_series(row->record, id);
    if (!series) {
        kit_problem(row->record, "series %llu was not announced", (unsigned long long)id);
        return;
    }
    put_key(row, "series");
    kit_add_n(row->text, series->labels.data, series->labels.size);
}

static int32_t on_series(struct sonde_ctx *ctx, const struct sonde_series *given)
{
    struct kit_record *record = kit_record_of(ctx);
    struct kit_text labels = {0};
    write_labels(record, &labels, given->labels, given->label_count);
    struct kit_row *known = find_series(record, given->id);
    if (known) {
        if (strcmp(known->labels.data, labels.data) != 0)
            kit_problem(record, "series %llu is announced again with other labels",
                        (unsigned long long)given->id);
        kit_text_free(&labels);
        return verdict(record);
    }
    struct row row;
    if (record->counts_only && record->row_count < SERIES_KEPT) {
        *new_row(record) = (struct kit_row){.labels = labels, .id = given->id, .is_series = 1};
        record->seen++;
        return verdict(record);
    }
    if (!BEGIN_ROW(ctx, "series", given, &row)) {
        kit_text_free(&labels);
        return verdict(record);
    }
    struct kit_row *kept = &record->rows[record->row_count - 1];
    kept->is_series = 1;
    kept->id = given->id;
    kept->labels = labels;
    if (given->type)
        put_text(&row, "type", NAME_OF(record, TYPES, given->type));
    put_text(&row, "unit", given->unit);
    put_labels(&row, "labels", given->labels, given->label_count);
    return verdict(record);
}

static int32_t on_points(struct sonde_ctx *ctx, uint64_t series_id, size_t n, const int64_t *t,
                         const double *v)
{
    struct kit_record *record = kit_record_of(ctx);
    struct kit_row *series = find_series(record, series_id);
    if (!series) {
        if (verdict(record) == SONDE_GO_ON && record->row_count < SERIES_KEPT)
            kit_problem(record, "points of series %llu before it was announced",
                        (unsigned long long)series_id);
        return verdict(record);
    }
    for (size_t i = 0; i < n && verdict(record) == SONDE_GO_ON; i++) {
        record->seen++;
        if (record->counts_only)
            continue;
        kit_add(&series->points, series->points.size ? ", [" : "[");
        kit_add_time(&series->points, t[i]);
        kit_add(&series->points, ", ");
        kit_add_double(&series->points, v[i]);
        kit_add(&series->points, "]");
    }
    return verdict(record);
}

static int32_t on_histogram(struct sonde_ctx *ctx, const struct sonde_histogram_point *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "histogram", given, &row)) {
        put_series(&row, given->series_id);
        put_time(&row, "time", given->time_ns);
        put_double(&row, "count", given->count);
        put_double(&row, "sum", given->sum);
        put_doubles(&row, "lower", given->lower, given->bucket_count);
        put_doubles(&row, "upper", given->upper, given->bucket_count);
        put_doubles(&row, "counts", given->counts, given->bucket_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_exemplar(struct sonde_ctx *ctx, const struct sonde_exemplar *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "exemplar", given, &row)) {
        put_series(&row, given->series_id);
        put_time(&row, "time", given->time_ns);
        put_double(&row, "value", given->value);
        put_text(&row, "trace_id", given->trace_id);
        put_text(&row, "span_id", given->span_id);
        put_labels(&row, "labels", given->labels, given->label_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_log(struct sonde_ctx *ctx, const struct sonde_log *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "log", given, &row)) {
        if (given->ref_size > REF_MAX)
            kit_problem(row.record, "the ref of a log row has more than 512 bytes");
        put_time(&row, "time", given->time_ns);
        if (given->severity)
            put_text(&row, "severity", NAME_OF(row.record, SEVERITIES, given->severity));
        put_text(&row, "severity_source", given->severity_source);
        put_bytes(&row, "message", given->message, given->message_size);
        put_labels(&row, "stream", given->stream, given->stream_count);
        put_labels(&row, "metadata", given->metadata, given->metadata_count);
        put_labels(&row, "parsed", given->parsed, given->parsed_count);
        put_text(&row, "trace_id", given->trace_id);
        put_text(&row, "span_id", given->span_id);
        if (given->ref_size) {
            put_key(&row, "ref");
            kit_add_json(row.text, given->ref, given->ref_size);
        }
        put_number(&row, "anchor", given->anchor);
        put_text(&row, "side", NAME_OF(row.record, SIDES, given->side));
    }
    return verdict(kit_record_of(ctx));
}

static void put_span_lists(struct row *row, const struct sonde_span *given)
{
    if (given->event_count)
        put_key(row, "events");
    for (size_t i = 0; i < given->event_count; i++) {
        const struct sonde_span_event *event = given->events[i];
        kit_add(row->text, i ? ", {" : "[{");
        put_time(row, "time", event->time_ns);
        put_text(row, "name", event->name);
        put_labels(row, "attributes", event->attributes, event->attribute_count);
        kit_add(row->text, i + 1 < given->event_count ? "}" : "}]");
    }
    if (given->link_count)
        put_key(row, "links");
    for (size_t i = 0; i < given->link_count; i++) {
        const struct sonde_span_link *link = given->links[i];
        kit_add(row->text, i ? ", {" : "[{");
        put_text(row, "trace_id", link->trace_id);
        put_text(row, "span_id", link->span_id);
        put_text(row, "type", NAME_OF(row->record, LINK_TYPES, link->type));
        kit_add(row->text, i + 1 < given->link_count ? "}" : "}]");
    }
}

static int32_t on_span(struct sonde_ctx *ctx, const struct sonde_span *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "span", given, &row)) {
        put_text(&row, "trace_id", given->trace_id);
        put_text(&row, "span_id", given->span_id);
        put_text(&row, "parent_id", given->parent_id);
        put_text(&row, "operation", given->operation);
        put_text(&row, "service", given->service);
        put_text(&row, "kind", given->kind);
        put_text(&row, "status", NAME_OF(row.record, STATUSES, given->status));
        put_text(&row, "status_text", given->status_text);
        put_time(&row, "start", given->start_ns);
        put_seconds(&row, "duration_ns", given->duration_ns);
        put_labels(&row, "attributes", given->attributes, given->attribute_count);
        put_labels(&row, "resource", given->resource, given->resource_count);
        put_span_lists(&row, given);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_trace_summary(struct sonde_ctx *ctx, const struct sonde_trace_summary *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "trace_summary", given, &row)) {
        put_text(&row, "trace_id", given->trace_id);
        put_text(&row, "root_service", given->root_service);
        put_text(&row, "root_operation", given->root_operation);
        put_time(&row, "start", given->start_ns);
        put_seconds(&row, "duration_ns", given->duration_ns);
        put_number(&row, "has_error", given->has_error);
        put_number(&row, "span_count", given->span_count);
        put_number(&row, "service_count", given->service_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_name(struct sonde_ctx *ctx, const struct sonde_name *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "name", given, &row)) {
        put_bytes(&row, "name", given->name, given->name_size);
        if (given->type)
            put_text(&row, "type", NAME_OF(row.record, TYPES, given->type));
        put_number(&row, "guessed", given->guessed);
        put_text(&row, "unit", given->unit);
        put_text(&row, "help", given->help);
        put_text(&row, "parent", given->parent);
        put_number(&row, "count", given->count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_edge(struct sonde_ctx *ctx, const struct sonde_edge *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "edge", given, &row)) {
        put_text(&row, "caller", given->caller);
        put_text(&row, "callee", given->callee);
        put_number(&row, "calls", given->calls);
        put_number(&row, "errors", given->errors);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_event(struct sonde_ctx *ctx, const struct sonde_event *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "event", given, &row)) {
        put_time(&row, "time", given->time_ns);
        put_text(&row, "kind", given->kind);
        put_text(&row, "service", given->service);
        put_text(&row, "from", given->from);
        put_text(&row, "to", given->to);
        put_text(&row, "source", given->source);
        put_text(&row, "text", given->text);
        put_labels(&row, "labels", given->labels, given->label_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_alert(struct sonde_ctx *ctx, const struct sonde_alert *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "alert", given, &row)) {
        put_text(&row, "rule", given->rule);
        put_text(&row, "state", given->state);
        put_time(&row, "since", given->since_ns);
        put_double(&row, "value", given->value);
        put_double(&row, "threshold", given->threshold);
        put_number(&row, "silenced", given->silenced);
        put_text(&row, "query", given->query);
        put_labels(&row, "labels", given->labels, given->label_count);
        put_labels(&row, "annotations", given->annotations, given->annotation_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_pattern(struct sonde_ctx *ctx, const struct sonde_pattern *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "pattern", given, &row)) {
        put_text(&row, "pattern", given->pattern);
        put_text(&row, "example", given->example);
        if (given->severity)
            put_text(&row, "severity", NAME_OF(row.record, SEVERITIES, given->severity));
        put_number(&row, "count", given->count);
        put_time(&row, "first", given->first_ns);
        put_time(&row, "last", given->last_ns);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_count(struct sonde_ctx *ctx, const struct sonde_count *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "count", given, &row)) {
        put_time(&row, "time", given->time_ns);
        put_double(&row, "count", given->count);
        put_double(&row, "bytes", given->bytes);
        put_labels(&row, "labels", given->labels, given->label_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_span_stat(struct sonde_ctx *ctx, const struct sonde_span_stat *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "span_stat", given, &row)) {
        put_double(&row, "count", given->count);
        put_double(&row, "errors", given->errors);
        put_doubles(&row, "quantiles", given->quantiles, given->quantile_count);
        put_doubles(&row, "durations_ns", given->durations_ns, given->quantile_count);
        put_labels(&row, "labels", given->labels, given->label_count);
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_backend(struct sonde_ctx *ctx, const struct sonde_backend *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "backend", given, &row)) {
        put_text(&row, "product", given->product);
        put_text(&row, "version", given->version);
        put_text(&row, "status", given->status);
        if (given->feature_count)
            put_key(&row, "features");
        for (size_t i = 0; i < given->feature_count; i++) {
            kit_add(row.text, i ? ", " : "[");
            kit_add_json(row.text, given->features[i], strlen(given->features[i]));
            kit_add(row.text, i + 1 < given->feature_count ? "" : "]");
        }
    }
    return verdict(kit_record_of(ctx));
}

static int32_t on_scope(struct sonde_ctx *ctx, const struct sonde_scope *given)
{
    struct row row;
    if (BEGIN_ROW(ctx, "scope", given, &row)) {
        put_text(&row, "id", given->id);
        put_text(&row, "name", given->name);
        put_text(&row, "sort", given->sort);
        put_text(&row, "backend", given->backend);
        put_text(&row, "path_prefix", given->path_prefix);
        put_number(&row, "default", given->is_default);
        if (given->header_count) {
            put_key(&row, "headers");
            kit_add(row.text, "{");
            for (size_t i = 0; i < given->header_count; i++)
                put_text(&row, given->headers[i].key, given->headers[i].value);
            kit_add(row.text, "}");
        }
    }
    return verdict(kit_record_of(ctx));
}

/* A comma before everything but the first of a list. */
static void next_of(struct kit_text *list, const char *open)
{
    kit_addf(list, "%s%s", list->size ? ", " : "", open);
}

static int32_t on_total(struct sonde_ctx *ctx, uint64_t total, uint32_t kind)
{
    struct kit_record *record = kit_record_of(ctx);
    record->total.size = 0;
    kit_addf(&record->total, "{\"count\": %llu, \"kind\": \"%s\"}", (unsigned long long)total,
             NAME_OF(record, TOTALS, kind));
    return verdict(record);
}

static int32_t on_partial(struct sonde_ctx *ctx, uint32_t reason, const char *text)
{
    struct kit_record *record = kit_record_of(ctx);
    next_of(&record->partial, "{\"reason\": ");
    kit_addf(&record->partial, "\"%s\", \"text\": ", NAME_OF(record, PARTIALS, reason));
    kit_add_json(&record->partial, text, strlen(text));
    kit_add(&record->partial, "}");
    return verdict(record);
}

static int32_t on_note(struct sonde_ctx *ctx, const char *code, const char *text)
{
    struct kit_record *record = kit_record_of(ctx);
    next_of(&record->notes, "{\"code\": ");
    kit_add_json(&record->notes, code, strlen(code));
    kit_add(&record->notes, ", \"text\": ");
    kit_add_json(&record->notes, text, strlen(text));
    kit_add(&record->notes, "}");
    return verdict(record);
}

static int32_t on_executed(struct sonde_ctx *ctx, const char *text, size_t size)
{
    struct kit_record *record = kit_record_of(ctx);
    if (record->requests)
        kit_problem(record, "executed must be emitted before the first request");
    record->executed.size = 0;
    kit_add_n(&record->executed, text, size);
    return verdict(record);
}

static int32_t on_resume(struct sonde_ctx *ctx, const void *token, size_t size)
{
    struct kit_record *record = kit_record_of(ctx);
    if (size > RESUME_MAX)
        kit_problem(record, "a resume token has more than 4 KiB");
    record->resume.size = 0;
    kit_add_json(&record->resume, token, size);
    return verdict(record);
}

static int32_t on_unapplied(struct sonde_ctx *ctx, uint32_t what, size_t index)
{
    struct kit_record *record = kit_record_of(ctx);
    next_of(&record->unapplied, "{");
    kit_addf(&record->unapplied, "\"%s\": %zu}", NAME_OF(record, UNAPPLIED, what), index);
    return verdict(record);
}

static int32_t on_fact(struct sonde_ctx *ctx, const char *key, const char *value, uint64_t ttl_ms)
{
    struct kit_record *record = kit_record_of(ctx);
    if (++record->fact_count > FACTS_MAX)
        kit_problem(record, "more than 32 facts");
    if (strlen(key) + strlen(value) > FACT_SIZE_MAX)
        kit_problem(record, "fact %s has more than 1 KiB", key);
    next_of(&record->facts, "{\"key\": ");
    kit_add_json(&record->facts, key, strlen(key));
    kit_add(&record->facts, ", \"value\": ");
    kit_add_json(&record->facts, value, strlen(value));
    if (ttl_ms)
        kit_addf(&record->facts, ", \"ttl_ms\": %llu", (unsigned long long)ttl_ms);
    kit_add(&record->facts, "}");
    kit_keep_fact(ctx, key, value);
    return verdict(record);
}

static int32_t on_rate(struct sonde_ctx *ctx, const char *rate_key, uint64_t remaining,
                       uint64_t reset_ms)
{
    struct kit_record *record = kit_record_of(ctx);
    next_of(&record->rates, "{\"key\": ");
    kit_add_json(&record->rates, rate_key, strlen(rate_key));
    kit_addf(&record->rates, ", \"remaining\": %llu, \"reset_ms\": %llu}",
             (unsigned long long)remaining, (unsigned long long)reset_ms);
    return verdict(record);
}

static int32_t on_at_end(struct sonde_ctx *ctx, uint32_t slot, const struct sonde_request *request)
{
    struct kit_record *record = kit_record_of(ctx);
    if (slot >= KIT_AT_END_SLOTS) {
        kit_problem(record, "at_end has slots 0 to 7, not %u", slot);
        return verdict(record);
    }
    record->at_end[slot].size = 0;
    if (!request)
        return verdict(record);
    if (request->struct_size != sizeof(*request))
        kit_problem(record, "struct_size of an at_end request is %u instead of %zu",
                    request->struct_size, sizeof(*request));
    kit_check_request(ctx, request);
    kit_write_request(&record->at_end[slot], request, 0);
    return verdict(record);
}

const struct sonde_sink KIT_SINK = {
    .struct_size = sizeof(KIT_SINK),
    .series = on_series,
    .points = on_points,
    .histogram = on_histogram,
    .exemplar = on_exemplar,
    .log = on_log,
    .span = on_span,
    .trace_summary = on_trace_summary,
    .name = on_name,
    .edge = on_edge,
    .event = on_event,
    .alert = on_alert,
    .pattern = on_pattern,
    .count = on_count,
    .span_stat = on_span_stat,
    .backend = on_backend,
    .scope = on_scope,
    .total = on_total,
    .partial = on_partial,
    .note = on_note,
    .executed = on_executed,
    .resume = on_resume,
    .unapplied = on_unapplied,
    .fact = on_fact,
    .rate = on_rate,
    .at_end = on_at_end,
};
