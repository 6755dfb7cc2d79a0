/* SPDX-License-Identifier: Apache-2.0 */
/* One line a scrape, as the Collector's file exporter writes a batch. */
#include "metrics.h"
#include "out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define CUMULATIVE 2
#define NO_RECORDED_VALUE 1 /* the flag of a series that has ended */

static void write_point_head(FILE *file, const struct story *story, const struct series *s, int k,
                             struct totals *totals)
{
    bool first = true;

    fputs("{\"attributes\":[", file);
    for (size_t i = 0; i < 5 && s->attributes[i].key; i++) {
        if (strcmp(s->attributes[i].key, "http.response.status_code") == 0)
            out_attribute_int(file, &first, s->attributes[i].key,
                              s->attributes[i].value[0] == '2'   ? 200
                              : s->attributes[i].value[2] == '0' ? 500
                                                                 : 503);
        else
            out_attribute(file, &first, s->attributes[i].key, s->attributes[i].value);
    }
    fputs("],", file);
    if (s->kind != KIND_GAUGE) {
        out_time(file, "startTimeUnixNano", story->t0 + metrics_start(s, k));
        putc(',', file);
    }
    out_time(file, "timeUnixNano", story->t0 + sample_time(k));
    totals->metric_points += k <= s->last;
}

static void write_exemplar(FILE *file, const struct story *story, const struct series *s,
                           size_t index, struct totals *totals)
{
    const struct request *r = &story->requests[index];
    int64_t duration = s->source == SOURCE_GATEWAY    ? r->duration
                       : s->source == SOURCE_PAYMENTS ? r->payment
                                                      : r->web;
    unsigned span = SPAN_ENTRY;
    char trace[33];
    char id[17];

    if (s->source == SOURCE_WEB_OLD || s->source == SOURCE_WEB_NEW)
        span = SPAN_WEB;
    else if (s->source == SOURCE_PAYMENTS)
        span = SPAN_PAYMENT;
    request_trace_id(r, trace);
    request_span_id(r, span, id);
    fputs(",\"exemplars\":[{", file);
    out_time(file, "timeUnixNano", story->t0 + r->start + duration);
    fprintf(file, ",\"asDouble\":%.9g,\"spanId\":\"%s\",\"traceId\":\"%s\"}]",
            (double)duration / 1e9, id, trace);
    totals->exemplars++;
}

static void write_counts(FILE *file, const char *name, const uint64_t *counts, size_t n)
{
    fprintf(file, "\"%s\":[", name);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%s\"%" PRIu64 "\"", i ? "," : "", counts[i]);
    putc(']', file);
}

static void write_histogram(FILE *file, const struct story *story, const struct series *s, int k,
                            struct totals *totals)
{
    const struct cell *cell = metrics_cell(s, k);

    fprintf(file, ",\"count\":\"%" PRIu64 "\",\"sum\":%.9g,", cell->count, cell->sum);
    write_counts(file, "bucketCounts", cell->buckets, BOUND_COUNT + 1);
    fputs(",\"explicitBounds\":[", file);
    for (size_t b = 0; b < BOUND_COUNT; b++)
        fprintf(file, "%s%g", b ? "," : "", metric_bounds[b]);
    putc(']', file);
    if (cell->exemplar)
        write_exemplar(file, story, s, cell->exemplar - 1, totals);
}

static void write_exponential(FILE *file, int k)
{
    double sum;
    const uint64_t *counts = metrics_exponential(k, &sum);
    uint64_t total = 0;
    size_t first = 0;
    size_t end = EXPONENT_COUNT;

    for (size_t b = 0; b < EXPONENT_COUNT; b++)
        total += counts[b];
    while (first < end && !counts[first])
        first++;
    while (end > first && !counts[end - 1])
        end--;
    fprintf(file, ",\"count\":\"%" PRIu64 "\",\"sum\":%.9g,\"scale\":%d,\"zeroCount\":\"0\",",
            total, sum, EXPONENT_SCALE);
    fprintf(file, "\"positive\":{\"offset\":%d,", total ? (int)first + EXPONENT_LOW : 0);
    write_counts(file, "bucketCounts", counts + first, end - first);
    fputs("},\"negative\":{\"bucketCounts\":[]}", file);
}

static void write_point(FILE *file, const struct story *story, const struct series *s, int k,
                        struct totals *totals)
{
    write_point_head(file, story, s, k, totals);
    if (k > s->last)
        fprintf(file, ",\"flags\":%d", NO_RECORDED_VALUE);
    else if (s->kind == KIND_HISTOGRAM)
        write_histogram(file, story, s, k, totals);
    else if (s->kind == KIND_EXPONENTIAL)
        write_exponential(file, k);
    else if (s->integer)
        fprintf(file, ",\"asInt\":\"%.0f\"", s->values[k]);
    else if (isnan(s->values[k]))
        fputs(",\"asDouble\":\"NaN\"", file);
    else
        fprintf(file, ",\"asDouble\":%.9g", s->values[k]);
    putc('}', file);
}

static const char *scope_of(const struct series *s)
{
    return s->scope ? s->scope : source_info(s->source)->scope;
}

/* A series that ends before the data do is closed by one point without a value. */
static bool present(const struct series *s, int k)
{
    return k >= s->first && k <= s->last + 1;
}

/* The next series of the source and scope that has this sample, NULL: none. */
static const struct series *next_series(size_t *index, enum source source, const char *scope, int k)
{
    while (*index < metrics_count()) {
        const struct series *s = metrics_series((*index)++);

        if (s->source == source && present(s, k) && (!scope || strcmp(scope_of(s), scope) == 0))
            return s;
    }
    return NULL;
}

static void write_metric(FILE *file, const struct story *story, const struct series *head,
                         size_t index, const char *scope, int k, struct totals *totals)
{
    static const char *const kinds[] = {[KIND_GAUGE] = "gauge",
                                        [KIND_COUNTER] = "sum",
                                        [KIND_UPDOWN] = "sum",
                                        [KIND_HISTOGRAM] = "histogram",
                                        [KIND_EXPONENTIAL] = "exponentialHistogram"};
    const struct series *s = head;
    bool first = true;

    fputs("{\"name\":", file);
    out_json_string(file, head->name);
    fputs(",\"description\":", file);
    out_json_string(file, head->help);
    fputs(",\"unit\":", file);
    out_json_string(file, head->unit);
    fprintf(file, ",\"%s\":{\"dataPoints\":[", kinds[head->kind]);
    do {
        if (strcmp(s->name, head->name) != 0)
            continue;
        if (!first)
            putc(',', file);
        first = false;
        write_point(file, story, s, k, totals);
    } while ((s = next_series(&index, head->source, scope, k)) != NULL);
    putc(']', file);
    if (head->kind != KIND_GAUGE)
        fprintf(file, ",\"aggregationTemporality\":%d", CUMULATIVE);
    if (head->kind == KIND_COUNTER)
        fputs(",\"isMonotonic\":true", file);
    fputs("}}", file);
}

/* True when no series before this one has its name, source and scope. */
static bool first_of_name(size_t index, int k)
{
    const struct series *s = metrics_series(index);

    for (size_t i = 0; i < index; i++) {
        const struct series *other = metrics_series(i);

        if (other->source == s->source && present(other, k) && strcmp(other->name, s->name) == 0 &&
            strcmp(scope_of(other), scope_of(s)) == 0)
            return false;
    }
    return true;
}

static void write_scope(FILE *file, const struct story *story, enum source source,
                        const char *scope, int k, struct totals *totals)
{
    size_t index = 0;
    const struct series *s;
    bool first = true;

    fprintf(file, "{\"scope\":{\"name\":\"%s\"},\"metrics\":[", scope);
    while ((s = next_series(&index, source, scope, k)) != NULL) {
        if (!first_of_name(index - 1, k))
            continue;
        if (!first)
            putc(',', file);
        first = false;
        write_metric(file, story, s, index, scope, k, totals);
    }
    fputs("]}", file);
}

static void write_source(FILE *file, const struct story *story, enum source source, int k,
                         bool *first_source, struct totals *totals)
{
    const char *done[4] = {NULL};
    size_t done_count = 0;
    size_t index = 0;
    const struct series *s;

    while ((s = next_series(&index, source, NULL, k)) != NULL) {
        const char *scope = scope_of(s);
        bool seen = false;

        for (size_t i = 0; i < done_count; i++)
            seen |= strcmp(done[i], scope) == 0;
        if (seen || done_count == 4)
            continue;
        if (!done_count) {
            fputs(*first_source ? "{" : ",{", file);
            *first_source = false;
            out_resource(file, source);
            fputs(",\"scopeMetrics\":[", file);
        } else {
            putc(',', file);
        }
        done[done_count++] = scope;
        write_scope(file, story, source, scope, k, totals);
    }
    if (done_count)
        fputs("]}", file);
}

int metrics_write_otlp(const struct story *story, const char *dir, struct totals *totals)
{
    FILE *file = out_open(dir, "metrics.jsonl");

    if (!file)
        return -1;
    metrics_build(story);
    totals->metric_streams = metrics_count();
    for (int k = 0; k < STORY_SAMPLES; k++) {
        bool first = true;

        fputs("{\"resourceMetrics\":[", file);
        for (unsigned source = 0; source < SOURCE_COUNT; source++)
            write_source(file, story, (enum source)source, k, &first, totals);
        fputs("]}\n", file);
    }
    return out_close(file, dir, "metrics.jsonl");
}
