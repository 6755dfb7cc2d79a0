/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/histogram.h"

#include <math.h>

/* The value at a share (0 to 1) of one bucket. */
static double inside(double lower, double upper, double share)
{
    if (isinf(upper))
        return lower;
    if (isinf(lower))
        return upper;
    /* Buckets of native histograms grow by a factor, so observations spread evenly over the exponent. */
    if (lower > 0)
        return lower * pow(upper / lower, share);
    if (upper < 0)
        return upper * pow(lower / upper, 1 - share);
    return lower + (upper - lower) * share;
}

double histogram_quantile(const struct histogram_point *point, double quantile)
{
    double total = 0;
    for (uint32_t i = 0; i < point->bucket_count; i++)
        total += point->counts[i] > 0 ? point->counts[i] : 0;
    if (!(total > 0))
        return NAN;
    double rank = quantile * total;
    double below = 0;
    double value = NAN;
    for (uint32_t i = 0; i < point->bucket_count; i++) {
        double count = point->counts[i];
        if (!(count > 0))
            continue;
        double share = (rank - below) / count;
        value = inside(point->lower[i], point->upper[i], share > 1 ? 1 : share < 0 ? 0 : share);
        below += count;
        if (below >= rank)
            break;
    }
    return value;
}

int histogram_p95_series(const struct series *series, struct arena *arena,
                         struct series *ret_series)
{
    double *values = arena_alloc_array(arena, series->histogram_count, sizeof *values);
    int64_t *times = arena_alloc_array(arena, series->histogram_count, sizeof *times);
    if (!values || !times)
        return ERR_MEMORY;
    for (size_t i = 0; i < series->histogram_count; i++) {
        values[i] = histogram_quantile(&series->histograms[i], 0.95);
        times[i] = series->histograms[i].time_ns;
    }
    *ret_series = *series;
    ret_series->values = values;
    ret_series->times = times;
    ret_series->sample_count = series->histogram_count;
    ret_series->type = SONDE_TYPE_GAUGE;
    return 0;
}
