/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "query/samples.h"
#include "query/samples_internal.h"

void samples_trim(struct samples *samples, struct building *b)
{
    if (b->count == b->capacity || !b->count)
        return;
    size_t unit = b->list ? sizeof *b->pairs : sizeof *b->values;
    void *cut = result_resize(samples->result, b->list ? (void *)b->pairs : (void *)b->values,
                              b->capacity * unit, b->count * unit);
    if (!cut)
        return;
    if (b->list)
        b->pairs = cut;
    else
        b->values = cut;
    b->capacity = b->count;
}

int samples_sort(struct samples *samples, struct building *b)
{
    if (!b->unsorted)
        return 0;
    size_t bytes = b->count * sizeof *b->pairs;
    struct sample_pair *scratch = result_resize(samples->result, NULL, 0, bytes);
    if (!scratch)
        return -1;
    size_t kept = pairs_sort(b->pairs, b->count, scratch);
    result_resize(samples->result, scratch, bytes, 0);
    samples->kept -= b->count - kept;
    b->count = kept;
    b->unsorted = false;
    return 0;
}

/* From the grid straight to what stays, without a pair for every point in between. */
static int reduce_grid(struct samples *samples, struct building *b)
{
    size_t present = b->count - b->missing;
    uint64_t span = (uint64_t)b->step_ns * b->count;
    uint64_t most = 2 * (span / (uint64_t)samples->bucket_ns + 2) + 4;
    size_t capacity = most < present ? (size_t)most : present;
    struct sample_pair *pairs = result_resize(samples->result, NULL, 0, capacity * sizeof *pairs);
    if (!pairs)
        return -1;
    struct reducer reducer;
    reducer_init(&reducer, pairs, samples->bucket_ns);
    for (size_t i = 0; i < b->count; i++)
        if (!sample_is_missing(b->values[i]))
            reducer_add(&reducer, b->start_ns + (int64_t)i * b->step_ns, b->values[i]);
    size_t kept = reducer_end(&reducer);
    result_resize(samples->result, b->values, b->capacity * sizeof *b->values, 0);
    samples->kept -= b->count - kept;
    b->values = NULL;
    b->pairs = pairs;
    b->capacity = capacity;
    b->count = kept;
    b->missing = 0;
    b->reduced = kept;
    b->list = true;
    samples_trim(samples, b);
    return 0;
}

int samples_reduce_one(struct samples *samples, struct building *b)
{
    if (!b->list && b->count)
        return reduce_grid(samples, b);
    b->list = true;
    if (b->reduced >= b->count)
        return 0;
    if (samples_sort(samples, b))
        return -1;
    struct reducer reducer;
    reducer_init(&reducer, b->pairs, samples->bucket_ns);
    for (size_t i = 0; i < b->count; i++)
        reducer_add(&reducer, b->pairs[i].time_ns, b->pairs[i].value);
    size_t kept = reducer_end(&reducer);
    samples->kept -= b->count - kept;
    b->count = kept;
    b->reduced = kept;
    samples_trim(samples, b);
    return 0;
}

/* The distance all times are multiples of, when the grid it makes is dense enough to be worth it; 0 none. */
static int64_t grid_step(const struct samples *samples, const struct building *b)
{
    if (b->count < 2 || samples->bucket_ns)
        return 0;
    int64_t step = samples->step_ns;
    for (size_t i = 1; !samples->step_ns && i < b->count; i++) {
        int64_t delta;
        if (__builtin_sub_overflow(b->pairs[i].time_ns, b->pairs[i - 1].time_ns, &delta))
            return 0;
        step = !step || delta < step ? delta : step;
    }
    int64_t span;
    if (step <= 0 ||
        __builtin_sub_overflow(b->pairs[b->count - 1].time_ns, b->pairs[0].time_ns, &span) ||
        (uint64_t)span / (uint64_t)step >= 2 * (uint64_t)b->count)
        return 0;
    for (size_t i = 1; i < b->count; i++)
        if ((b->pairs[i].time_ns - b->pairs[0].time_ns) % step)
            return 0;
    return step;
}

static int seal_grid(struct samples *samples, struct building *b, int64_t step)
{
    struct series *out = &b->out;
    int64_t start = b->pairs[0].time_ns;
    size_t n = (size_t)((b->pairs[b->count - 1].time_ns - start) / step) + 1;
    double *values = result_resize(samples->result, NULL, 0, n * sizeof *values);
    if (!values)
        return -1;
    for (size_t i = 0; i < n; i++)
        values[i] = sample_missing();
    for (size_t i = 0; i < b->count; i++)
        values[(b->pairs[i].time_ns - start) / step] = b->pairs[i].value;
    result_resize(samples->result, b->pairs, b->capacity * sizeof *b->pairs, 0);
    b->pairs = NULL;
    b->list = false;
    b->values = values;
    b->capacity = n;
    b->count = n;
    out->start_ns = start;
    out->step_ns = step;
    return 0;
}

/* Times and values apart, in one block: values first. */
static int seal_times(struct samples *samples, struct building *b)
{
    size_t n = b->count;
    double *block = result_resize(samples->result, NULL, 0, n * (sizeof(double) + sizeof(int64_t)));
    if (!block)
        return -1;
    int64_t *times = (int64_t *)(void *)(block + n);
    for (size_t i = 0; i < n; i++) {
        block[i] = b->pairs[i].value;
        times[i] = b->pairs[i].time_ns;
    }
    result_resize(samples->result, b->pairs, b->capacity * sizeof *b->pairs, 0);
    b->pairs = NULL;
    b->list = false;
    b->values = block;
    b->capacity = 2 * n; /* in units of a value, for whoever frees it */
    b->out.times = times;
    b->out.start_ns = times[0];
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct histogram_point *left = a;
    const struct histogram_point *right = b;
    return (left->time_ns > right->time_ns) - (left->time_ns < right->time_ns);
}

static int exemplar_by_time(const void *a, const void *b)
{
    const struct exemplar *left = a;
    const struct exemplar *right = b;
    return (left->time_ns > right->time_ns) - (left->time_ns < right->time_ns);
}

static void seal_rows(struct building *b)
{
    if (b->histogram_count)
        qsort(b->histograms, b->histogram_count, sizeof *b->histograms, by_time);
    if (b->exemplar_count)
        qsort(b->exemplars, b->exemplar_count, sizeof *b->exemplars, exemplar_by_time);
    size_t kept = 0;
    for (size_t i = 0; i < b->histogram_count; i++)
        if (!kept || b->histograms[kept - 1].time_ns != b->histograms[i].time_ns)
            b->histograms[kept++] = b->histograms[i];
    b->out.histograms = b->histograms;
    b->out.histogram_count = kept;
    b->out.exemplars = b->exemplars;
    b->out.exemplar_count = b->exemplar_count;
}

static int seal_one(struct samples *samples, struct building *b)
{
    seal_rows(b);
    if (!b->count)
        return 0;
    if (b->list) {
        if (samples_sort(samples, b) || (samples->bucket_ns && samples_reduce_one(samples, b)))
            return -1;
        int64_t step = b->count == 1 ? samples->step_ns : grid_step(samples, b);
        bool grid = b->count == 1 || step;
        if (grid ? seal_grid(samples, b, step ? step : 1) : seal_times(samples, b))
            return -1;
        if (b->count == 1)
            b->out.step_ns = samples->step_ns;
    } else {
        samples_trim(samples, b);
        b->out.start_ns = b->start_ns;
        b->out.step_ns = b->step_ns;
    }
    if (result_keep(samples->result, b->values))
        return -1;
    b->out.values = b->values;
    b->out.sample_count = b->count;
    /* The block stays charged; it is the result's now. */
    b->values = NULL;
    b->capacity = 0;
    return 0;
}

int samples_seal(struct samples *samples)
{
    struct result *result = samples->result;
    intern_finish(&samples->intern);
    for (size_t i = 0; i < samples->count; i++)
        if (seal_one(samples, &samples->series[i]))
            return ERR_MEMORY;
    struct series *series = result_alloc(result, samples->count, sizeof *series);
    if (!series)
        return ERR_MEMORY;
    for (size_t i = 0; i < samples->count; i++)
        series[i] = samples->series[i].out;
    result->series = series;
    result->series_count = samples->count;
    result->samples_read = samples->read;
    result->reduced = samples->bucket_ns != 0;
    result->newest_sample_ns = samples->newest_ns;
    return 0;
}
