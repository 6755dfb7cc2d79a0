/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The story's series with every sample, before anyone writes them in a format.
 *
 * Ownership: static, built once by metrics_build. Threads: one.
 */
#ifndef DEMO_METRICS_H
#define DEMO_METRICS_H

#include "story.h"

enum series_kind { KIND_GAUGE, KIND_COUNTER, KIND_UPDOWN, KIND_HISTOGRAM, KIND_EXPONENTIAL };

#define MAX_SERIES 160
#define MAX_HISTOGRAMS 64
#define BOUND_COUNT 14
#define EXPONENT_SCALE 3
#define EXPONENT_LOW (-64) /* index of the first bucket */
#define EXPONENT_COUNT 128

struct series {
    const char *name; /* as OpenTelemetry spells it */
    const char *unit; /* UCUM */
    const char *help;
    const char *scope; /* NULL: the source's own */
    enum series_kind kind;
    enum source source;
    bool integer;
    int first; /* samples it has */
    int last;
    size_t histogram; /* index into the cells */
    struct attribute attributes[5];
    double values[STORY_SAMPLES];
};

/* Cumulative state of a histogram at one sample. */
struct cell {
    uint64_t count;
    double sum;
    uint64_t buckets[BOUND_COUNT + 1];
    size_t exemplar; /* index of a request + 1; 0 none */
};

extern const double metric_bounds[BOUND_COUNT];

void metrics_build(const struct story *story);
size_t metrics_count(void);
const struct series *metrics_series(size_t index);
const struct cell *metrics_cell(const struct series *series, int sample);
/* The one exponential histogram: cumulative counts of its EXPONENT_COUNT buckets, and their sum. */
const uint64_t *metrics_exponential(int sample, double *ret_sum);
/* When the counter last began at zero. */
int64_t metrics_start(const struct series *series, int sample);
int64_t sample_time(int sample);

#endif
