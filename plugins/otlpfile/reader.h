/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads OTLP/JSON metrics: lines of bytes in, data points out, one at a time. Fields may come in any
 * order, but a resource must come before its metrics and a metric's name before its data, as every
 * exporter writes them; what does not is counted.
 *
 * Ownership: a point and all in it is lifetime call. Threads: one.
 */
#ifndef OTLPFILE_READER_H
#define OTLPFILE_READER_H

#include "common.h"
#include "hist.h"

#include <sonde/json.h>

enum metric_kind {
    METRIC_NONE,
    METRIC_GAUGE,
    METRIC_SUM,
    METRIC_HISTOGRAM,
    METRIC_EXPONENTIAL,
    METRIC_SUMMARY
};

#define MAX_POINT_LABELS 128
#define MAX_EXEMPLARS 64
#define MAX_QUANTILES 32

struct metric_info {
    const char *name; /* as in the file */
    const char *norm;
    const char *unit;
    const char *help;
    enum metric_kind kind;
};

struct point_exemplar {
    int64_t time_ns;
    double value;
    char trace_id[40];
    char span_id[24];
};

struct point {
    const struct metric_info *metric;
    struct labels labels;
    int64_t time_ns;
    bool ended; /* the series has no value from here on */
    bool has_value;
    double value;
    struct hist hist; /* of histograms; count and sum of summaries too */
    size_t quantile_count;
    double quantiles[MAX_QUANTILES];
    double quantile_values[MAX_QUANTILES];
    size_t exemplar_count;
    const struct point_exemplar *exemplars;
};

struct reader_handler {
    void *user;
    /* Whether the points of this metric are of interest. */
    bool (*wanted)(void *user, const struct metric_info *metric);
    /* 0, or an error class that stops reading. */
    int32_t (*point)(void *user, const struct point *point);
    /* After the last point of a metric: what is known only now. */
    void (*metric_end)(void *user, const struct metric_info *metric, bool monotonic, bool delta);
};

struct reader_counts {
    uint64_t lines;      /* not empty */
    uint64_t otlp_lines; /* of any signal */
    uint64_t metric_lines;
    uint64_t bad_lines;
    uint64_t first_bad_line;
    const char *first_bad_reason; /* static */
    uint64_t bad_points;          /* without a time, or with too many labels or buckets */
    uint64_t misplaced;           /* metrics before their resource or data before their name */
    char first_key[40];           /* of the first line that is not OTLP */
};

struct reader;

/* NULL: out of memory. */
struct reader *reader_create(struct memory *memory, const struct reader_handler *handler);
/* A new file begins: counts start over. */
void reader_begin(struct reader *reader);
/* 0 or what a handler returned. A line that is no JSON is counted and skipped. */
int32_t reader_feed(struct reader *reader, const char *data, size_t size);
/* The file is complete; a last line cut short is still being written and no fault. */
int32_t reader_end(struct reader *reader);
const struct reader_counts *reader_counts(const struct reader *reader);
void reader_free(struct reader *reader);

#endif
