/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"

/* Series up to this size are judged without asking for memory. */
#define SELECT_FEW 16
#define SMALL 512
/* What white noise of a few hundred samples reaches by chance; only what lies above is of interest. */
#define SHIFT_THRESHOLD 5.0
#define SPIKE_THRESHOLD 6.0
#define SPIKE_RUNS 3
#define FEW_SAMPLES 8
/* A change below this share of the usual value is flat to a reader, however smooth the series. */
#define RELATIVE_MIN 0.005

struct shape {
    double median;
    double spread; /* robust standard deviation */
    /* Best split into two levels. */
    double shift;    /* strength against the noise around both levels */
    double shift_r2; /* share of the variance that the two levels explain */
    double shift_by;
    bool shift_sharp;
    size_t shift_at; /* first sample of the second level */
    /* Straight line. */
    double slope; /* strength */
    double slope_r2;
    double slope_by; /* from first to last */
    /* Highest or lowest excursion. */
    double spike;
    double spike_by;
};

static double middle(double a, double b, double c)
{
    double low = a < b ? a : b;
    double high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/*
 * The k-th smallest; reorders v so that what is behind it is not smaller. The partitions have no branch that depends on the values:
 * samples are as good as random, and an answer has millions.
 */
static double select_nth(double *v, size_t n, size_t k)
{
    while (n > SELECT_FEW) {
        double pivot = middle(v[0], v[n / 2], v[n - 1]);
        size_t below = 0;
        for (size_t i = 0; i < n; i++) {
            double x = v[i];
            v[i] = v[below];
            v[below] = x;
            below += x < pivot;
        }
        if (k < below) {
            n = below;
            continue;
        }
        /* Those equal to the pivot, itself at least, so that the rest gets smaller. */
        size_t upto = below;
        for (size_t i = below; i < n; i++) {
            double x = v[i];
            v[i] = v[upto];
            v[upto] = x;
            upto += x <= pivot;
        }
        if (k < upto)
            return v[k];
        v += upto;
        n -= upto;
        k -= upto;
    }
    for (size_t i = 1; i < n; i++) {
        double x = v[i];
        size_t j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
    return v[k];
}

static double strength(double r2, size_t n)
{
    if (!(r2 > 0))
        return 0;
    if (r2 > 0.999999)
        r2 = 0.999999;
    return sqrt(r2 / (1 - r2) * (double)n);
}

static void find_shift(const double *v, size_t n, double mean, double total, struct shape *shape)
{
    size_t margin = n / 20 > 3 ? n / 20 : 3;
    double sum = 0;
    double best = 0;
    size_t at = 0;
    for (size_t k = 1; k < n; k++) {
        sum += v[k - 1] - mean;
        if (k < margin || n - k < margin)
            continue;
        /* Variance explained by two levels; the deviations of both sides sum to zero. */
        double explained = sum * sum * (double)n / ((double)k * (double)(n - k));
        if (explained > best) {
            best = explained;
            at = k;
            shape->shift_by = -sum / (double)(n - k) - sum / (double)k;
        }
    }
    if (!at || !(total > 0))
        return;
    shape->shift_at = at;
    shape->shift_r2 = best / total > 1 ? 1 : best / total;
    shape->shift = strength(shape->shift_r2, n);
    /* A step happens between two samples; a slope goes on to both sides of its middle. */
    size_t width = n / 20 > 2 ? n / 20 : 2;
    double before = 0;
    double after = 0;
    for (size_t i = 0; i < width; i++) {
        before += v[at - 1 - i];
        after += v[at + i];
    }
    shape->shift_sharp = (after - before) / (double)width / shape->shift_by > 0.5;
}

static void find_slope(const double *v, size_t n, double mean, double total, struct shape *shape)
{
    double middle = (double)(n - 1) / 2;
    double xy = 0;
    for (size_t i = 0; i < n; i++)
        xy += ((double)i - middle) * (v[i] - mean);
    double xx = (double)n * ((double)n * (double)n - 1) / 12;
    if (!(xx > 0) || !(total > 0))
        return;
    shape->slope_r2 = xy * xy / xx / total > 1 ? 1 : xy * xy / xx / total;
    shape->slope_by = xy / xx * (double)(n - 1);
    shape->slope = strength(shape->slope_r2, n);
}

/*
 * An excursion counts as a spike when what stands out half as far as its peak is little of the series and lies
 * in few places: noise with a heavy tail reaches as high, but everywhere.
 */
static double spike_strength(const double *v, size_t n, double median, double spread, double by)
{
    double half = fabs(by) / 2;
    size_t out = 0;
    size_t runs = 0;
    bool before = false;
    for (size_t i = 0; i < n; i++) {
        double d = by > 0 ? v[i] - median : median - v[i];
        bool beyond = d > half;
        out += beyond;
        runs += beyond && !before;
        before = beyond;
    }
    if (out > (n / 8 > 2 ? n / 8 : 2) || runs > SPIKE_RUNS)
        return 0;
    return fabs(by) / spread;
}

static void find_spike(const double *v, size_t n, double min, double max, struct shape *shape)
{
    double spread = shape->spread;
    if (!(spread > 0)) {
        /* Mostly one value: the mean deviation tells one jump from a flicker. */
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += fabs(v[i] - shape->median);
        spread = sum / (double)n * 1.2533;
        if (!(spread > 0))
            return;
    }
    double up = spike_strength(v, n, shape->median, spread, max - shape->median);
    double down = spike_strength(v, n, shape->median, spread, min - shape->median);
    shape->spike = up >= down ? up : down;
    shape->spike_by = up >= down ? max - shape->median : min - shape->median;
}

/* 0 to 1: how much a change means beside the usual value. */
static double weight(double by, double usual)
{
    double relative = fabs(by) / (fabs(usual) + 1e-300);
    return isfinite(relative) ? relative / (relative + 0.1) : 1;
}

static double excess(double value, double threshold)
{
    if (!(value > threshold))
        return 0;
    return log1p((value > 1e6 ? 1e6 : value) - threshold);
}

static bool matters(double by, double usual)
{
    return fabs(by) > RELATIVE_MIN * fabs(usual);
}

static void judge(const struct shape *shape, size_t n, uint32_t type,
                  struct series_summary *summary)
{
    bool shifted = shape->shift > SHIFT_THRESHOLD && matters(shape->shift_by, shape->median);
    bool step = shifted && shape->shift_sharp;
    bool spike = shape->spike > SPIKE_THRESHOLD && matters(shape->spike_by, shape->median);
    bool slope = shape->slope > SHIFT_THRESHOLD && matters(shape->slope_by, shape->median) &&
                 shape->slope_r2 > 0.3;
    /* A counter always rises: that is no news. */
    double slope_share = type == SONDE_TYPE_COUNTER ? 0.05 : 0.7;
    double interest = 0;
    if (step && (shape->shift_r2 >= 0.3 || !spike)) {
        summary->trend = shape->shift_by > 0 ? "step up" : "step down";
        interest = excess(shape->shift, SHIFT_THRESHOLD) * weight(shape->shift_by, shape->median);
    }
    if (spike) {
        double of_spike =
            excess(shape->spike, SPIKE_THRESHOLD) * weight(shape->spike_by, shape->median);
        if (interest == 0)
            summary->trend = shape->spike_by > 0 ? "spike" : "drop";
        if (of_spike > interest)
            interest = of_spike;
    }
    if (interest == 0 && (slope || (shifted && shape->shift_r2 > 0.3))) {
        double by = slope ? shape->slope_by : shape->shift_by;
        double z = slope ? shape->slope : shape->shift;
        summary->trend = by > 0 ? "rising" : "falling";
        interest = slope_share * excess(z, SHIFT_THRESHOLD) * weight(by, shape->median);
    }
    if (n < FEW_SAMPLES && summary->first != summary->last && interest == 0 &&
        matters(summary->last - summary->first, summary->first)) {
        summary->trend = summary->last > summary->first ? "rising" : "falling";
        interest = 0.3 * slope_share * weight(summary->last - summary->first, summary->first);
    }
    summary->interest = interest;
}

/* Time of the index-th of the numbers that were judged. */
static int64_t time_of_number(const struct series *series, size_t index)
{
    for (size_t i = 0; i < series->sample_count; i++)
        if (isfinite(series->values[i]) && index-- == 0)
            return series_time(series, i);
    return 0;
}

static void find_time(const struct series *series, const struct shape *shape, size_t stride,
                      struct series_summary *summary)
{
    if (strncmp(summary->trend, "step", 4) == 0)
        summary->changed_ns = time_of_number(series, shape->shift_at * stride);
    else if (strcmp(summary->trend, "spike") == 0)
        summary->changed_ns = summary->max_ns;
    else if (strcmp(summary->trend, "drop") == 0)
        summary->changed_ns = summary->min_ns;
}

/* NaN and infinities among numbers, holes, an early end or a late start: something happened there. */
static double interest_of_holes(const struct series *series, size_t finite, size_t missing)
{
    size_t present = series->sample_count - missing;
    double interest = 0;
    if (finite && present > finite)
        interest += 0.3;
    if (finite && missing)
        interest += 0.2 + 0.3 * (double)missing / (double)series->sample_count;
    if (series->times && present > 4) {
        int64_t whole = series->times[present - 1] - series->times[0];
        int64_t longest = 0;
        for (size_t i = 1; i < series->sample_count; i++)
            if (series->times[i] - series->times[i - 1] > longest)
                longest = series->times[i] - series->times[i - 1];
        if (longest / 4 > whole / (int64_t)present)
            interest += 0.3;
    }
    return interest;
}

static void measure(double *v, double *scratch, size_t n, struct series_summary *summary,
                    struct shape *shape)
{
    memcpy(scratch, v, n * sizeof *v);
    shape->median = select_nth(scratch, n, n / 2);
    /* The upper half lies behind the median already. */
    size_t p95 = (size_t)ceil(0.95 * (double)n) - 1;
    summary->p95 = p95 > n / 2 ? select_nth(scratch + n / 2, n - n / 2, p95 - n / 2)
                               : select_nth(scratch, n, p95);
    for (size_t i = 0; i < n; i++)
        scratch[i] = fabs(v[i] - shape->median);
    shape->spread = select_nth(scratch, n, n / 2) * 1.4826;
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += (v[i] - summary->avg) * (v[i] - summary->avg);
    if (n < FEW_SAMPLES || summary->max == summary->min || !isfinite(total))
        return;
    find_shift(v, n, summary->avg, total, shape);
    find_slope(v, n, summary->avg, total, shape);
    find_spike(v, n, summary->min, summary->max, shape);
}

/* For values so large that their sum overflows. */
static double careful_mean(const struct series *series)
{
    double mean = 0;
    double count = 0;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (!isfinite(series->values[i]))
            continue;
        count += 1;
        mean += series->values[i] / count - mean / count;
    }
    return mean;
}

void series_summarise(const struct series *series, struct series_summary *ret_summary)
{
    struct series_summary summary = {
        .trend = "flat", .min = NAN, .max = NAN, .avg = NAN, .p95 = NAN, .last = NAN, .first = NAN};
    double small[2][SMALL];
    double *memory = NULL;
    double *v = small[0];
    double *scratch = small[1];
    size_t room = SMALL;
    if (series->sample_count > SMALL) {
        memory = mem_alloc_array(series->sample_count, 2 * sizeof *memory);
        if (memory) {
            room = series->sample_count;
            v = memory;
            scratch = memory + room;
        }
    }
    /* Without memory every stride-th number is judged; min, max, avg and last still see all. */
    size_t stride = (series->sample_count + room - 1) / room;
    size_t kept = 0;
    size_t missing = 0;
    double sum = 0;
    for (size_t i = 0; i < series->sample_count; i++) {
        double value = series->values[i];
        if (!isfinite(value)) {
            missing += sample_is_missing(value);
            continue;
        }
        if (!summary.count || value < summary.min) {
            summary.min = value;
            summary.min_ns = series_time(series, i);
        }
        if (!summary.count || value > summary.max) {
            summary.max = value;
            summary.max_ns = series_time(series, i);
        }
        if (!summary.count)
            summary.first = value;
        summary.last = value;
        summary.last_ns = series_time(series, i);
        if (summary.count % stride == 0 && kept < room)
            v[kept++] = value;
        summary.count++;
        sum += value;
    }
    if (summary.count) {
        struct shape shape = {0};
        summary.avg = isfinite(sum) ? sum / (double)summary.count : careful_mean(series);
        measure(v, scratch, kept, &summary, &shape);
        judge(&shape, kept, series->type, &summary);
        find_time(series, &shape, stride, &summary);
    }
    summary.interest += interest_of_holes(series, summary.count, missing);
    mem_free(memory);
    *ret_summary = summary;
}

/* Lowest and highest of samples from .. to (exclusive) that are there; a NaN only where nothing else is. */
static size_t bucket_extremes(const struct series *series, size_t from, size_t to, size_t *ret)
{
    size_t low = SIZE_MAX;
    size_t high = SIZE_MAX;
    size_t odd = SIZE_MAX;
    for (size_t i = from; i < to; i++) {
        double value = series->values[i];
        if (sample_is_missing(value))
            continue;
        if (isnan(value)) {
            odd = odd == SIZE_MAX ? i : odd;
            continue;
        }
        if (low == SIZE_MAX || value < series->values[low])
            low = i;
        if (high == SIZE_MAX || value > series->values[high])
            high = i;
    }
    if (low == SIZE_MAX) {
        if (odd == SIZE_MAX)
            return 0;
        ret[0] = odd;
        return 1;
    }
    ret[0] = low < high ? low : high;
    ret[1] = low < high ? high : low;
    return low == high ? 1 : 2;
}

size_t downsample_min_max(const struct series *series, size_t n, size_t *ret_indices)
{
    size_t first = SIZE_MAX;
    size_t last = 0;
    size_t present = 0;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (sample_is_missing(series->values[i]))
            continue;
        if (first == SIZE_MAX)
            first = i;
        last = i;
        if (present < n)
            ret_indices[present] = i;
        present++;
    }
    if (present <= n)
        return present;
    if (n == 0)
        return 0;
    if (n == 1) {
        ret_indices[0] = last;
        return 1;
    }
    size_t count = 0;
    ret_indices[count++] = first;
    if (n == 3) {
        size_t pair[2];
        size_t found = bucket_extremes(series, first + 1, last, pair);
        /* Room for one: the extreme farther from where the series ends. */
        double end = series->values[last];
        if (found == 2 && fabs(series->values[pair[1]] - end) > fabs(series->values[pair[0]] - end))
            pair[0] = pair[1];
        if (found)
            ret_indices[count++] = pair[0];
    }
    size_t buckets = (n - 2) / 2;
    size_t inside = last - first - 1;
    for (size_t b = 0; b < buckets; b++) {
        size_t from = first + 1 + inside / buckets * b + inside % buckets * b / buckets;
        size_t to = first + 1 + inside / buckets * (b + 1) + inside % buckets * (b + 1) / buckets;
        count += bucket_extremes(series, from, to, ret_indices + count);
    }
    ret_indices[count++] = last;
    return count;
}
