/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in the making: labels, points, histograms and exemplars gathered from the reader's events and
 * handed to the sink in batches, with memory that does not grow with the answer.
 *
 * Ownership: memory is the op's, reused from row to row. Threads: one reader, one thread.
 */
#ifndef SONDE_PROMQL_ROWS_H
#define SONDE_PROMQL_ROWS_H

#include <sonde/plugin.h>
#include <sonde/text.h>

#include <stdbool.h>

#define PROMQL_BATCH 512
/* Points that may come before the labels of their series (a proxy that sorts keys). */
#define PROMQL_MAX_EARLY 16384
#define PROMQL_MAX_LABELS 1024
#define PROMQL_MAX_LABEL_BYTES ((size_t)1024 * 1024)
#define PROMQL_MAX_BUCKETS 8192

/* Results of the functions below. */
#define PROMQL_ROW_OK 0
#define PROMQL_ROW_STOP 1 /* the sink wants no more */
#define PROMQL_ROW_FAULT \
    (-100) /* rows.fault says what is wrong with the answer; no SONDE_JSON_E_* */

struct promql_label_span {
    size_t name;
    size_t name_size;
    size_t value;
    size_t value_size;
};

struct promql_rows {
    const struct sonde_host *host;
    struct sonde_ctx *ctx;
    const struct sonde_sink *sink;
    const char *fault; /* static */
    uint64_t series;   /* announced; the next id */
    uint64_t points;
    /* labels of the row being read */
    char *bytes;
    size_t byte_size;
    size_t byte_capacity;
    struct promql_label_span *spans;
    struct sonde_label *labels;
    size_t label_count;
    size_t label_capacity;
    bool announced;
    /* points not yet handed over */
    int64_t *times;
    double *values;
    size_t batch;
    size_t batch_capacity;
    /* one histogram */
    double *lower;
    double *upper;
    double *counts;
    uint32_t bucket_count;
    uint32_t bucket_capacity;
    double count;
    double sum;
    int64_t time_ns;
};

void promql_rows_init(struct promql_rows *rows, const struct sonde_host *host,
                      struct sonde_ctx *ctx, const struct sonde_sink *sink);
/* Forgets the labels. */
void promql_rows_clear(struct promql_rows *rows);
int promql_rows_label_name(struct promql_rows *rows, const char *name, size_t size);
int promql_rows_label_value(struct promql_rows *rows, const char *value, size_t size);
/* Hands the series to the sink, once, with the labels read so far. */
int promql_rows_announce(struct promql_rows *rows);
int promql_rows_point(struct promql_rows *rows, int64_t time_ns, double value);
int promql_rows_bucket(struct promql_rows *rows, double lower, double upper, double count);
int promql_rows_histogram(struct promql_rows *rows);
/* The labels are the exemplar's own; its series was announced. */
int promql_rows_exemplar(struct promql_rows *rows, int64_t time_ns, double value);
/* The series is complete. */
int promql_rows_end_series(struct promql_rows *rows);

#endif
