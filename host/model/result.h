/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one operation brought: rows as they came through the sink, unshaped. Built by one thread, then
 * immutable; shaping reads it, caches and flights share it.
 *
 * Ownership: reference-counted; memory is in its arena, samples in blocks it keeps beside it. Threads: one
 * thread builds it, immutable once it was handed out.
 */
#ifndef MODEL_RESULT_H
#define MODEL_RESULT_H

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sonde/plugin.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"

/* A hole in a regular grid is one particular NaN (Prometheus' staleness marker), so that real NaN survive. */
#define SAMPLE_MISSING_BITS UINT64_C(0x7ff0000000000002)
static inline double sample_missing(void)
{
    uint64_t bits = SAMPLE_MISSING_BITS;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static inline bool sample_is_missing(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == SAMPLE_MISSING_BITS;
}

struct histogram_point {
    int64_t time_ns;
    double count;
    double sum;
    uint32_t bucket_count;
    const double *lower;
    const double *upper;
    const double *counts;
};

struct exemplar {
    int64_t time_ns;
    double value;
    const char *trace_id; /* 32 lower-case hex digits, or "" */
    const char *span_id;
    const struct sonde_label *labels;
    size_t label_count;
};

/* Samples in time order, times unique. On a regular grid times is NULL and sample i lies at start_ns + i * step_ns. */
struct series {
    const struct sonde_label *labels; /* sorted by name; values storable text */
    size_t label_count;
    const char *unit; /* "" unknown */
    uint32_t type;
    int64_t start_ns;
    int64_t step_ns;
    size_t sample_count;
    const double *values;
    const int64_t *times;
    const struct histogram_point *histograms;
    size_t histogram_count;
    const struct exemplar *exemplars;
    size_t exemplar_count;
};

static inline int64_t series_time(const struct series *series, size_t i)
{
    return series->times ? series->times[i] : series->start_ns + (int64_t)i * series->step_ns;
}

struct name_row {
    const char *name;
    const char *unit;
    const char *help;
    const char *parent;
    uint64_t count;
    uint32_t type;
    bool guessed;
};

struct scope_row {
    const char *id;
    const char *name;
    const char *sort;
    const char *backend;
    const char *path_prefix;
    const struct sonde_pair *headers;
    size_t header_count;
    bool is_default;
};

struct note_row {
    const char *code;
    const char *text;
};

struct result {
    atomic_uint references;
    struct arena arena;
    uint32_t kind;
    struct series *series;
    size_t series_count;
    struct name_row *names;
    size_t name_count;
    struct scope_row *scopes;
    size_t scope_count;
    struct note_row *notes; /* equal ones once */
    size_t note_count;
    const char *product; /* of a BACKEND row, "" none */
    const char *version;
    const char *status;
    const char *const *features;
    size_t feature_count;
    const char *executed;    /* "" unknown */
    uint32_t partial_reason; /* 0: whole */
    const char *partial_text;
    uint64_t total;
    uint32_t total_kind; /* 0 unknown */
    const void *resume;
    size_t resume_size;
    uint64_t samples_read;    /* before any reduction */
    bool reduced;             /* min-max reduced while reading: limits.points */
    int64_t newest_sample_ns; /* 0 none */
    int64_t fetched_at_ns;    /* wall clock */
    int64_t elapsed_ns;
    uint64_t wire_bytes;
    size_t max_bytes;   /* arena and blocks together */
    size_t block_bytes; /* charged for blocks */
    void **blocks;
    size_t block_count;
    size_t block_capacity;
    struct result *base; /* whose rows it shows beside its own; NULL none */
};

/* max_bytes bounds all it will hold, drawn from budget (may be NULL). NULL without memory. */
struct result *result_new(uint32_t kind, size_t max_bytes, struct budget *budget);
struct result *result_ref(struct result *result);
void result_unref(struct result *result);
DEFINE_CLEANUP(struct result *, result_unref);

/*
 * A result with the rows of base, to which it refers, but for the array of series, which is a copy the caller may change before handing it
 * out. Results that are shared get decorated this way. NULL without memory.
 */
struct result *result_over(struct result *base);

/*
 * Samples grow outside the arena, where a block can be enlarged and cut without leaving a copy behind. A block
 * is the builder's until result_keep. new_size 0 frees. NULL when max_bytes, budget or memory end: the old block stays.
 */
void *result_resize(struct result *result, void *block, size_t old_size, size_t new_size);
/* The block now goes with the result. 0 or ERR_MEMORY (it is still the builder's). */
int result_keep(struct result *result, void *block);
/* Arena memory of the result, within max_bytes. */
void *result_alloc(struct result *result, size_t n, size_t size);

#endif
