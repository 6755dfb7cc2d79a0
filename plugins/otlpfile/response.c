/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in, rows out. */
#include "operation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256

int32_t response_head(struct operation *op, uint32_t tag, const struct sonde_response_head *head)
{
    op->status = head->status;
    op->body_size = 0;
    if (op->status != 200)
        return 0;
    if (tag == TAG_LIST)
        return listing_begin(op);
    if (!op->reader) {
        struct reader_handler handler = collect_handler;

        handler.user = op;
        op->reader = reader_create(&op->memory, &handler);
        if (!op->reader)
            return fail_memory(op);
    }
    reader_begin(op->reader);
    return 0;
}

int32_t response_data(struct operation *op, uint32_t tag, const void *data, size_t size)
{
    if (op->status != 200) {
        size_t room = sizeof(op->body) - op->body_size;
        size_t n = size < room ? size : room;

        memcpy(op->body + op->body_size, data, n);
        op->body_size += n;
        return 0;
    }
    if (tag == TAG_LIST)
        return listing_feed(op, data, size);
    return reader_feed(op->reader, data, size);
}

static int32_t fail_status(struct operation *op, const char *what)
{
    char words[256];

    sonde_describe_body(op->body, op->body_size, words, sizeof(words));
    return sonde_failf(otlpfile_host, op->memory.ctx, sonde_class_of_status(op->status), -1,
                       "%s could not be read (status %u): %s", what, op->status, words);
}

static int32_t list_end(struct operation *op, const struct sonde_outcome *outcome)
{
    if (outcome->outcome != SONDE_OUTCOME_OK)
        return sonde_failf(otlpfile_host, op->memory.ctx,
                           outcome->outcome == SONDE_OUTCOME_TIMED_OUT ? SONDE_E_TIMEOUT
                                                                       : SONDE_E_BUSY,
                           -1, "the list of files could not be read: %s", outcome->text);
    if (op->status == 404)
        return otlpfile_host->fail(op->memory.ctx, SONDE_E_NOT_FOUND, -1,
                                   "the folder does not exist; the connection's url names it, "
                                   "below the folder that `files` allows");
    return op->status == 200 ? listing_end(op) : fail_status(op, "the folder");
}

/* What was read of the file stays; the answer says that there was more. */
static int32_t cut_short(struct operation *op, const struct file *file,
                         const struct sonde_outcome *outcome)
{
    char text[400];

    snprintf(text, sizeof(text), "%.100s was read only in part, its newest lines are missing: %s",
             file->name, outcome->text);
    op->sink->partial(op->memory.ctx,
                      outcome->outcome == SONDE_OUTCOME_TOO_LARGE   ? SONDE_PARTIAL_LIMIT
                      : outcome->outcome == SONDE_OUTCOME_TIMED_OUT ? SONDE_PARTIAL_TIMEOUT
                                                                    : SONDE_PARTIAL_LOST,
                      text);
    return 0;
}

static int32_t file_end(struct operation *op, size_t index, const struct sonde_outcome *outcome)
{
    const struct file *file = &op->files[index];
    char text[200];
    int32_t rc;

    op->next_file = index + 1;
    if (outcome->outcome != SONDE_OUTCOME_OK) {
        if (!outcome->body_bytes)
            return sonde_failf(otlpfile_host, op->memory.ctx, SONDE_E_BUSY, -1,
                               "%.100s could not be read: %s", file->name, outcome->text);
        cut_short(op, file, outcome);
    } else if (op->status == 404) {
        snprintf(text, sizeof(text), "%.100s vanished while the folder was read (rotation?)",
                 file->name);
        op->good_files++;
        op->sink->partial(op->memory.ctx, SONDE_PARTIAL_LOST, text);
        return 0;
    } else if (op->status != 200) {
        return fail_status(op, file->name);
    }
    if (op->status != 200)
        return 0;
    rc = reader_end(op->reader);
    return rc < 0 ? rc : collect_file_end(op, file);
}

int32_t response_end(struct operation *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    op->in_flight = false;
    if (tag == TAG_LIST)
        return list_end(op, outcome);
    return file_end(op, tag - TAG_FILE, outcome);
}

/* ---- rows ---- */

static int announce(struct operation *op, uint64_t id, const struct labels *labels,
                    const char *metric, const char *unit, uint32_t type)
{
    struct sonde_label row[MAX_POINT_LABELS + 2];
    struct sonde_series series = {.struct_size = sizeof(series), .type = type, .id = id};
    size_t n = 0;

    if (metric)
        row[n++] = (struct sonde_label){"__name__", 8, metric, strlen(metric)};
    for (size_t i = 0; i < labels->count; i++)
        row[n++] = (struct sonde_label){labels->at[i].name, strlen(labels->at[i].name),
                                        labels->at[i].value, strlen(labels->at[i].value)};
    series.labels = row;
    series.label_count = n;
    series.unit = unit && unit[0] ? unit : NULL;
    return op->sink->series(op->memory.ctx, &series);
}

static int emit_values(struct operation *op, const struct grid *grid, uint64_t id,
                       const struct row *row)
{
    int64_t t[BATCH];
    double v[BATCH];
    size_t n = 0;

    for (size_t k = 0; k < grid->count; k++) {
        if (!is_absent(row->v[k])) {
            t[n] = grid_time(grid, k);
            v[n++] = row->v[k];
        }
        if (n == BATCH || (n && k + 1 == grid->count)) {
            if (op->sink->points(op->memory.ctx, id, n, t, v) == SONDE_STOP)
                return SONDE_STOP;
            n = 0;
        }
    }
    return SONDE_GO_ON;
}

static int emit_hists(struct operation *op, const struct grid *grid, uint64_t id,
                      const struct row *row)
{
    for (size_t k = 0; k < grid->count; k++) {
        const struct hist *h = row->h[k];
        struct sonde_histogram_point point = {.struct_size = sizeof(point), .series_id = id};

        if (!h)
            continue;
        point.bucket_count = (uint32_t)h->n;
        point.time_ns = grid_time(grid, k);
        point.count = h->count;
        point.sum = h->sum;
        point.lower = h->lower;
        point.upper = h->upper;
        point.counts = h->counts;
        if (op->sink->histogram(op->memory.ctx, &point) == SONDE_STOP)
            return SONDE_STOP;
    }
    return SONDE_GO_ON;
}

static bool row_empty(const struct grid *grid, const struct row *row)
{
    for (size_t k = 0; k < grid->count; k++)
        if (row->h ? row->h[k] != NULL : !is_absent(row->v[k]))
            return false;
    return true;
}

static int emit_matrix(struct operation *op, const struct grid *grid, const struct matrix *matrix,
                       uint64_t *id)
{
    uint64_t limit = op->query->limit ? op->query->limit : UINT64_MAX;

    for (size_t i = 0; i < matrix->count; i++) {
        const struct row *row = &matrix->rows[i];

        if (row_empty(grid, row) || (*id)++ >= limit)
            continue;
        if (announce(op, *id, &row->labels, row->metric, row->unit, row->type) == SONDE_STOP ||
            (row->h ? emit_hists(op, grid, *id, row) : emit_values(op, grid, *id, row)) ==
                SONDE_STOP)
            return SONDE_STOP;
    }
    return SONDE_GO_ON;
}

static void note_unknown_names(struct operation *op)
{
    for (size_t i = 0; i < op->ast.selector_count; i++) {
        char text[300];

        if (op->name_seen[i] || !op->ast.selectors[i]->name)
            continue;
        snprintf(text, sizeof(text),
                 "no metric in the files is named %.150s; names are as OpenTelemetry writes them "
                 "(dots or underscores)",
                 op->ast.selectors[i]->name);
        op->sink->note(op->memory.ctx, "unknown_metric", text);
    }
}

static int32_t finish_metrics(struct operation *op)
{
    const struct sonde_query *q = op->query;
    struct evaluation e = {.memory = &op->memory};
    uint64_t id = 0;

    e.grid = (struct grid){q->end_ns, 0, 1};
    if (q->step_ns)
        e.grid = (struct grid){q->start_ns, q->step_ns,
                               (size_t)((q->end_ns - q->start_ns) / q->step_ns) + 1};
    for (size_t i = 0; i < op->ast.selector_count; i++)
        if (series_set_finish(op->ast.selectors[i]->set) < 0)
            return fail_memory(op);
    for (size_t i = 0; i < op->ast.root_count; i++) {
        struct matrix matrix;

        if (evaluate(&e, op->ast.roots[i], &matrix) < 0)
            return fail_memory(op);
        if (emit_matrix(op, &e.grid, &matrix, &id) == SONDE_STOP)
            return SONDE_DONE;
    }
    note_unknown_names(op);
    if (e.mixed)
        op->sink->note(op->memory.ctx, "kinds_mixed",
                       "series of the wrong kind for a function were left out: a histogram takes "
                       "rate, increase, delta, sum, avg and histogram_quantile");
    op->sink->total(op->memory.ctx, id, SONDE_TOTAL_EXACT);
    if (q->limit && id > q->limit)
        op->sink->partial(op->memory.ctx, SONDE_PARTIAL_LIMIT, "more series than were asked for");
    return SONDE_DONE;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->text, ((const struct entry *)b)->text);
}

static int32_t finish_names(struct operation *op)
{
    uint64_t limit = op->query->limit ? op->query->limit : UINT64_MAX;

    if (op->entry_count)
        qsort(op->entries, op->entry_count, sizeof(struct entry), by_text);
    for (size_t i = 0; i < op->entry_count && i < limit; i++) {
        const struct entry *entry = &op->entries[i];
        struct sonde_name row = {.struct_size = sizeof(row), .type = entry->type};

        row.name = entry->text;
        row.name_size = strlen(entry->text);
        row.unit = entry->unit && entry->unit[0] ? entry->unit : NULL;
        row.help = entry->help && entry->help[0] ? entry->help : NULL;
        row.count = entry->count;
        if (op->sink->name(op->memory.ctx, &row) == SONDE_STOP)
            return SONDE_DONE;
    }
    op->sink->total(op->memory.ctx, op->entry_count, SONDE_TOTAL_EXACT);
    if (op->entry_count > limit)
        op->sink->partial(op->memory.ctx, SONDE_PARTIAL_LIMIT, "more names than were asked for");
    return SONDE_DONE;
}

static int newest_first(const void *a, const void *b)
{
    const struct found_exemplar *x = a;
    const struct found_exemplar *y = b;

    if (x->exemplar.time_ns != y->exemplar.time_ns)
        return x->exemplar.time_ns > y->exemplar.time_ns ? -1 : 1;
    return strcmp(x->exemplar.span_id, y->exemplar.span_id);
}

static int32_t finish_exemplars(struct operation *op)
{
    size_t limit = op->query->limit ? op->query->limit : SIZE_MAX;

    if (op->exemplar_count)
        qsort(op->exemplars, op->exemplar_count, sizeof(op->exemplars[0]), newest_first);
    op->seen_count = op->seen_size = 0; /* now: which series were announced */
    for (size_t i = 0; i < op->exemplar_count && i < limit; i++) {
        const struct found_exemplar *found = &op->exemplars[i];
        const struct series *s = found->series;
        struct sonde_exemplar row = {.struct_size = sizeof(row), .series_id = found->series_id};

        if (collect_is_new(op, (found->series_id + 1) * UINT64_C(0x9e3779b97f4a7c16)) &&
            announce(op, found->series_id, &s->labels, s->metric, s->unit, s->type) == SONDE_STOP)
            return SONDE_DONE;
        row.time_ns = found->exemplar.time_ns;
        row.value = found->exemplar.value;
        row.trace_id = found->exemplar.trace_id[0] ? found->exemplar.trace_id : NULL;
        row.span_id = found->exemplar.span_id[0] ? found->exemplar.span_id : NULL;
        if (op->sink->exemplar(op->memory.ctx, &row) == SONDE_STOP)
            return SONDE_DONE;
    }
    note_unknown_names(op);
    op->sink->total(op->memory.ctx, op->exemplar_count, SONDE_TOTAL_EXACT);
    if (op->exemplar_count > limit)
        op->sink->partial(op->memory.ctx, SONDE_PARTIAL_LIMIT,
                          "more exemplars than were asked for; the newest are here");
    return op->memory.full ? fail_memory(op) : SONDE_DONE;
}

int32_t response_finish(struct operation *op)
{
    uint32_t kind = op->query->kind;

    if (op->finished || kind == SONDE_KIND_EXPLAIN)
        return SONDE_DONE;
    op->finished = true;
    if (kind == SONDE_KIND_PROBE || kind == SONDE_KIND_HEALTH) {
        listing_emit_backend(op);
        return SONDE_DONE;
    }
    if (op->first_fault[0] && !op->good_files)
        return otlpfile_host->fail(op->memory.ctx, SONDE_E_BAD_ANSWER, -1, op->first_fault);
    if (op->first_fault[0])
        op->sink->partial(op->memory.ctx, SONDE_PARTIAL_BACKEND, op->first_fault);
    if (kind == SONDE_KIND_METRICS)
        return finish_metrics(op);
    return kind == SONDE_KIND_EXEMPLARS ? finish_exemplars(op) : finish_names(op);
}
