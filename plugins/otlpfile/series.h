/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The series that one selector found, with their samples.
 *
 * Ownership: the operation's memory. Threads: one.
 */
#ifndef OTLPFILE_SERIES_H
#define OTLPFILE_SERIES_H

#include "hist.h"

#define MAX_SERIES 20000
#define MAX_SAMPLES 4000000

struct sample {
    int64_t t;
    double v;
    struct hist *h; /* of histogram series; v is then not used */
};

struct series {
    size_t index; /* in its set */
    struct labels labels;
    const char *metric; /* as in the file */
    const char *unit;
    uint32_t type; /* SONDE_TYPE_* */
    bool histogram;
    bool delta;   /* samples are differences; summed up by series_set_finish */
    bool touched; /* since the last series_set_metric_end */
    size_t count;
    size_t capacity;
    struct sample *samples;
};

struct series_set {
    struct memory *memory;
    struct series **all;
    size_t count;
    size_t capacity;
    uint32_t *table; /* index into all + 1, open addressing */
    size_t table_size;
    struct series **touched;
    size_t touched_count;
    size_t touched_capacity;
};

/* A sample that says: no value from here on. The bits differ from every NaN in data. */
double absent_value(void);
bool is_absent(double v);

struct series_set *series_set_create(struct memory *memory);
/* The series of labels and metric, made when new (labels are copied); NULL when memory is full. */
struct series *series_set_get(struct series_set *set, const char *metric,
                              const struct labels *labels);
int series_add(struct series_set *set, struct series *series, int64_t t, double v,
               const struct hist *h);
/* What a metric tells only after its points. */
void series_set_metric_end(struct series_set *set, bool counter, bool delta);
/* Sorts by time, drops doubles, turns deltas into running totals. */
int series_set_finish(struct series_set *set);

#endif
