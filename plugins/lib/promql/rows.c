/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "name.h"

#include <string.h>

static int fault(struct promql_rows *rows, const char *text)
{
    rows->fault = text;
    return PROMQL_ROW_FAULT;
}

static int from_sink(int32_t result)
{
    return result == SONDE_STOP ? PROMQL_ROW_STOP : PROMQL_ROW_OK;
}

/* A larger copy of an array, or NULL: the op's memory only grows, so sizes double. */
static void *enlarge(const struct promql_rows *rows, const void *old, size_t used, size_t wanted)
{
    void *data = rows->host->alloc(rows->ctx, wanted);
    if (data != NULL && used > 0)
        memcpy(data, old, used);
    return data;
}

void promql_rows_init(struct promql_rows *rows, const struct sonde_host *host,
                      struct sonde_ctx *ctx, const struct sonde_sink *sink)
{
    memset(rows, 0, sizeof *rows);
    rows->host = host;
    rows->ctx = ctx;
    rows->sink = sink;
}

void promql_rows_clear(struct promql_rows *rows)
{
    rows->byte_size = 0;
    rows->label_count = 0;
}

static int add_bytes(struct promql_rows *rows, const char *data, size_t size)
{
    size_t needed = rows->byte_size + size + 1;
    if (needed > PROMQL_MAX_LABEL_BYTES)
        return fault(rows, "a series has more than 1 MiB of labels");
    if (needed > rows->byte_capacity) {
        size_t capacity = rows->byte_capacity == 0 ? 1024 : rows->byte_capacity;
        while (capacity < needed)
            capacity *= 2;
        char *bytes = enlarge(rows, rows->bytes, rows->byte_size, capacity);
        if (bytes == NULL)
            return fault(rows, "there is no memory left for the labels of a series");
        rows->bytes = bytes;
        rows->byte_capacity = capacity;
    }
    memcpy(rows->bytes + rows->byte_size, data, size);
    rows->bytes[rows->byte_size + size] = '\0';
    rows->byte_size = needed;
    return PROMQL_ROW_OK;
}

static int grow_labels(struct promql_rows *rows)
{
    size_t capacity = rows->label_capacity == 0 ? 32 : rows->label_capacity * 2;
    if (capacity > PROMQL_MAX_LABELS)
        return fault(rows, "a series has more than 1,024 labels");
    struct promql_label_span *spans =
        enlarge(rows, rows->spans, rows->label_count * sizeof *spans, capacity * sizeof *spans);
    struct sonde_label *labels = rows->host->alloc(rows->ctx, capacity * sizeof *labels);
    if (spans == NULL || labels == NULL)
        return fault(rows, "there is no memory left for the labels of a series");
    rows->spans = spans;
    rows->labels = labels;
    rows->label_capacity = capacity;
    return PROMQL_ROW_OK;
}

int promql_rows_label_name(struct promql_rows *rows, const char *name, size_t size)
{
    if (rows->label_count == rows->label_capacity) {
        int result = grow_labels(rows);
        if (result != PROMQL_ROW_OK)
            return result;
    }
    struct promql_label_span *span = &rows->spans[rows->label_count];
    *span = (struct promql_label_span){.name = rows->byte_size, .name_size = size};
    return add_bytes(rows, name, size);
}

int promql_rows_label_value(struct promql_rows *rows, const char *value, size_t size)
{
    struct promql_label_span *span = &rows->spans[rows->label_count];
    span->value = rows->byte_size;
    span->value_size = size;
    rows->label_count++;
    return add_bytes(rows, value, size);
}

static void bind_labels(struct promql_rows *rows)
{
    for (size_t i = 0; i < rows->label_count; i++) {
        const struct promql_label_span *span = &rows->spans[i];
        rows->labels[i] = (struct sonde_label){.name = rows->bytes + span->name,
                                               .name_size = span->name_size,
                                               .value = rows->bytes + span->value,
                                               .value_size = span->value_size};
    }
}

int promql_rows_announce(struct promql_rows *rows)
{
    if (rows->announced)
        return PROMQL_ROW_OK;
    bind_labels(rows);
    struct sonde_series row = {.struct_size = sizeof row,
                               .id = rows->series++,
                               .labels = rows->labels,
                               .label_count = rows->label_count};
    for (size_t i = 0; i < rows->label_count; i++) {
        const struct sonde_label *label = &rows->labels[i];
        if (label->name_size != 8 || memcmp(label->name, "__name__", 8) != 0)
            continue;
        /* Only a bare selector keeps the name, so the unit is still that of the metric. */
        row.unit = promql_guess_name(label->value, label->value_size).unit;
    }
    rows->announced = true;
    return from_sink(rows->sink->series(rows->ctx, &row));
}

static int flush(struct promql_rows *rows)
{
    size_t n = rows->batch;
    rows->batch = 0;
    if (n == 0)
        return PROMQL_ROW_OK;
    rows->points += n;
    return from_sink(rows->sink->points(rows->ctx, rows->series - 1, n, rows->times, rows->values));
}

static int grow_batch(struct promql_rows *rows)
{
    size_t capacity = rows->batch_capacity == 0 ? PROMQL_BATCH : rows->batch_capacity * 2;
    if (capacity > PROMQL_MAX_EARLY)
        return fault(rows, "the labels of a series come after more than 16,384 points");
    int64_t *times =
        enlarge(rows, rows->times, rows->batch * sizeof *times, capacity * sizeof *times);
    double *values =
        enlarge(rows, rows->values, rows->batch * sizeof *values, capacity * sizeof *values);
    if (times == NULL || values == NULL)
        return fault(rows, "there is no memory left for the points of a series");
    rows->times = times;
    rows->values = values;
    rows->batch_capacity = capacity;
    return PROMQL_ROW_OK;
}

int promql_rows_point(struct promql_rows *rows, int64_t time_ns, double value)
{
    int result = PROMQL_ROW_OK;
    if (rows->announced && rows->batch >= PROMQL_BATCH)
        result = flush(rows);
    else if (rows->batch == rows->batch_capacity)
        result = grow_batch(rows);
    if (result != PROMQL_ROW_OK)
        return result;
    rows->times[rows->batch] = time_ns;
    rows->values[rows->batch++] = value;
    return PROMQL_ROW_OK;
}

int promql_rows_bucket(struct promql_rows *rows, double lower, double upper, double count)
{
    if (rows->bucket_count == rows->bucket_capacity) {
        uint32_t capacity = rows->bucket_capacity == 0 ? 128 : rows->bucket_capacity * 2;
        size_t used = rows->bucket_count * sizeof(double);
        size_t wanted = capacity * sizeof(double);
        if (capacity > PROMQL_MAX_BUCKETS)
            return fault(rows, "a histogram has more than 8,192 buckets");
        double *lowers = enlarge(rows, rows->lower, used, wanted);
        double *uppers = enlarge(rows, rows->upper, used, wanted);
        double *counts = enlarge(rows, rows->counts, used, wanted);
        if (lowers == NULL || uppers == NULL || counts == NULL)
            return fault(rows, "there is no memory left for a histogram");
        rows->lower = lowers;
        rows->upper = uppers;
        rows->counts = counts;
        rows->bucket_capacity = capacity;
    }
    rows->lower[rows->bucket_count] = lower;
    rows->upper[rows->bucket_count] = upper;
    rows->counts[rows->bucket_count++] = count;
    return PROMQL_ROW_OK;
}

int promql_rows_histogram(struct promql_rows *rows)
{
    if (!rows->announced)
        return fault(rows, "a histogram comes before the labels of its series");
    struct sonde_histogram_point row = {.struct_size = sizeof row,
                                        .bucket_count = rows->bucket_count,
                                        .series_id = rows->series - 1,
                                        .time_ns = rows->time_ns,
                                        .count = rows->count,
                                        .sum = rows->sum,
                                        .lower = rows->lower,
                                        .upper = rows->upper,
                                        .counts = rows->counts};
    rows->points++;
    return from_sink(rows->sink->histogram(rows->ctx, &row));
}

static const char *find_label(const struct promql_rows *rows, const char *const *names)
{
    for (; *names != NULL; names++)
        for (size_t i = 0; i < rows->label_count; i++)
            if (rows->labels[i].name_size == strlen(*names) &&
                memcmp(rows->labels[i].name, *names, rows->labels[i].name_size) == 0)
                return rows->labels[i].value;
    return NULL;
}

int promql_rows_exemplar(struct promql_rows *rows, int64_t time_ns, double value)
{
    static const char *const traces[] = {"trace_id", "traceID",  "traceId",
                                         "TraceID",  "trace.id", NULL};
    static const char *const spans[] = {"span_id", "spanID", "spanId", "SpanID", "span.id", NULL};
    if (!rows->announced)
        return fault(rows, "an exemplar comes before the labels of its series");
    bind_labels(rows);
    struct sonde_exemplar row = {.struct_size = sizeof row,
                                 .series_id = rows->series - 1,
                                 .time_ns = time_ns,
                                 .value = value,
                                 .trace_id = find_label(rows, traces),
                                 .span_id = find_label(rows, spans),
                                 .labels = rows->labels,
                                 .label_count = rows->label_count};
    rows->points++;
    return from_sink(rows->sink->exemplar(rows->ctx, &row));
}

int promql_rows_end_series(struct promql_rows *rows)
{
    int result = promql_rows_announce(rows);
    if (result == PROMQL_ROW_OK)
        result = flush(rows);
    rows->announced = false;
    rows->batch = 0;
    promql_rows_clear(rows);
    return result;
}
