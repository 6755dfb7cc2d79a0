/* SPDX-License-Identifier: Apache-2.0 */
/* Functions over the samples of a window; samples hold no absent ones. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * How far the difference of first and last is stretched towards the window's ends, as Prometheus does
 * it: to the end when a sample is near it, else by half the usual distance; a counter never below zero.
 */
static double extrapolation(const struct sample *samples, size_t n, int64_t begin, int64_t end,
                            bool counter, double first, double change)
{
    double sampled = (double)(samples[n - 1].t - samples[0].t);
    double average = sampled / (double)(n - 1);
    double to_begin = (double)(samples[0].t - begin);
    double to_end = (double)(end - samples[n - 1].t);

    if (to_begin >= average * 1.1)
        to_begin = average / 2;
    if (counter && change > 0 && first >= 0) {
        double to_zero = sampled * (first / change);

        if (to_zero < to_begin)
            to_begin = to_zero;
    }
    if (to_end >= average * 1.1)
        to_end = average / 2;
    return (sampled + to_begin + to_end) / sampled;
}

static double change_of(unsigned function, const struct sample *samples, size_t n, int64_t begin,
                        int64_t end)
{
    bool counter = function != FUNCTION_DELTA;
    double change;

    if (n < 2)
        return absent_value();
    change = samples[n - 1].v - samples[0].v;
    for (size_t i = 1; counter && i < n; i++)
        if (samples[i].v < samples[i - 1].v)
            change += samples[i - 1].v;
    change *= extrapolation(samples, n, begin, end, counter, samples[0].v, change);
    if (function == FUNCTION_RATE)
        change /= (double)(end - begin) / 1e9;
    return change;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return isnan(x) ? (isnan(y) ? 0 : -1) : 1;
    return x < y ? -1 : x > y;
}

double values_quantile(double *v, size_t n, double q)
{
    double rank;
    double low;
    size_t i;

    if (!n || isnan(q))
        return (double)NAN;
    if (q < 0)
        return (double)-INFINITY;
    if (q > 1)
        return (double)INFINITY;
    qsort(v, n, sizeof(*v), ascending);
    rank = q * (double)(n - 1);
    low = floor(rank);
    i = (size_t)low;
    if (i + 1 >= n)
        return v[n - 1];
    return v[i] * (1 - (rank - low)) + v[i + 1] * (rank - low);
}

static double sum_of(const struct sample *samples, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += samples[i].v;
    return sum;
}

/* NaN gives way to any number. */
static double extreme_of(const struct sample *samples, size_t n, bool greatest)
{
    double best = samples[0].v;

    for (size_t i = 1; i < n; i++)
        if (isnan(best) || (greatest ? samples[i].v > best : samples[i].v < best))
            best = samples[i].v;
    return best;
}

static double quantile_of(const struct sample *samples, size_t n, double q)
{
    double few[256];
    size_t count = n < 256 ? n : 256;

    /* A window of more samples is thinned evenly. */
    for (size_t i = 0; i < count; i++)
        few[i] = samples[n <= 256 ? i : i * (n - 1) / (count - 1)].v;
    return values_quantile(few, count, q);
}

double window_value(unsigned function, double q, const struct sample *samples, size_t n,
                    int64_t begin, int64_t end)
{
    if (!n)
        return absent_value();
    switch (function) {
    case FUNCTION_RATE:
    case FUNCTION_INCREASE:
    case FUNCTION_DELTA:
        return change_of(function, samples, n, begin, end);
    case FUNCTION_AVG:
        return sum_of(samples, n) / (double)n;
    case FUNCTION_SUM:
        return sum_of(samples, n);
    case FUNCTION_MIN:
        return extreme_of(samples, n, false);
    case FUNCTION_MAX:
        return extreme_of(samples, n, true);
    case FUNCTION_COUNT:
        return (double)n;
    case FUNCTION_QUANTILE:
        return quantile_of(samples, n, q);
    default:
        return samples[n - 1].v;
    }
}

static struct hist *hist_change(struct memory *memory, unsigned function,
                                const struct sample *samples, size_t n, int64_t begin, int64_t end)
{
    struct hist *h;
    double factor;

    if (n < 2)
        return NULL;
    h = hist_copy(memory, samples[n - 1].h);
    if (!h || hist_add(memory, h, samples[0].h, -1) < 0)
        return NULL;
    for (size_t i = 1; function != FUNCTION_DELTA && i < n; i++)
        if (samples[i].h->count < samples[i - 1].h->count &&
            hist_add(memory, h, samples[i - 1].h, 1) < 0)
            return NULL;
    factor = extrapolation(samples, n, begin, end, function != FUNCTION_DELTA, samples[0].h->count,
                           h->count);
    if (function == FUNCTION_RATE)
        factor /= (double)(end - begin) / 1e9;
    hist_scale(h, factor);
    return h;
}

struct hist *window_hist(struct memory *memory, unsigned function, const struct sample *samples,
                         size_t n, int64_t begin, int64_t end)
{
    struct hist *h;

    if (!n)
        return NULL;
    if (function <= FUNCTION_DELTA)
        return hist_change(memory, function, samples, n, begin, end);
    h = hist_copy(memory, samples[n - 1].h);
    if (function == FUNCTION_LAST || !h)
        return h;
    for (size_t i = 0; i + 1 < n; i++)
        if (hist_add(memory, h, samples[i].h, 1) < 0)
            return NULL;
    if (function == FUNCTION_AVG)
        hist_scale(h, 1.0 / (double)n);
    return h;
}
