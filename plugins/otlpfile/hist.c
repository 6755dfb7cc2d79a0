/* SPDX-License-Identifier: Apache-2.0 */
#include "hist.h"

#include <math.h>
#include <string.h>

struct hist *hist_copy(struct memory *memory, const struct hist *h)
{
    struct hist *copy = memory_get(memory, sizeof(*copy));
    double *counts = memory_get(memory, (h->n + 1) * sizeof(*counts));

    if (!copy || !counts)
        return NULL;
    *copy = *h;
    copy->counts = counts;
    if (h->n)
        memcpy(counts, h->counts, h->n * sizeof(*counts));
    return copy;
}

static bool same_bounds(const struct hist *a, const struct hist *b)
{
    if (a->n != b->n)
        return false;
    if (a->upper == b->upper)
        return true;
    return memcmp(a->upper, b->upper, a->n * sizeof(double)) == 0;
}

/* Both sorted by upper bound: merged as one merges two lists. */
static int add_merged(struct memory *memory, struct hist *a, const struct hist *b, double factor)
{
    size_t room = a->n + b->n + 1;
    double *lower = memory_get(memory, room * sizeof(double));
    double *upper = memory_get(memory, room * sizeof(double));
    double *counts = memory_get(memory, room * sizeof(double));
    size_t i = 0;
    size_t j = 0;
    size_t n = 0;

    if (!lower || !upper || !counts)
        return -1;
    while (i < a->n || j < b->n) {
        bool from_a = j == b->n || (i < a->n && a->upper[i] <= b->upper[j]);
        bool from_b = i == a->n || (j < b->n && b->upper[j] <= a->upper[i]);

        lower[n] = from_a ? a->lower[i] : b->lower[j];
        upper[n] = from_a ? a->upper[i] : b->upper[j];
        counts[n] = (from_a ? a->counts[i] : 0) + (from_b ? factor * b->counts[j] : 0);
        i += from_a;
        j += from_b;
        n++;
    }
    a->lower = lower;
    a->upper = upper;
    a->counts = counts;
    a->n = n;
    return 0;
}

int hist_add(struct memory *memory, struct hist *a, const struct hist *b, double factor)
{
    a->count += factor * b->count;
    a->sum += factor * b->sum;
    a->exponential = a->exponential && b->exponential;
    if (!same_bounds(a, b))
        return add_merged(memory, a, b, factor);
    for (size_t i = 0; i < a->n; i++)
        a->counts[i] += factor * b->counts[i];
    return 0;
}

void hist_scale(struct hist *h, double factor)
{
    h->count *= factor;
    h->sum *= factor;
    for (size_t i = 0; i < h->n; i++)
        h->counts[i] *= factor;
}

static double within(const struct hist *h, size_t i, double part)
{
    double low = h->lower[i];
    double high = h->upper[i];

    if (isinf(high))
        return i ? h->upper[i - 1] : (double)NAN;
    if (isinf(low))
        low = high > 0 ? 0 : high;
    if (h->exponential && low > 0)
        return low * pow(high / low, part);
    return low + (high - low) * part;
}

double hist_quantile(const struct hist *h, double q)
{
    double total = 0;
    double below = 0;
    double rank;

    for (size_t i = 0; i < h->n; i++)
        total += h->counts[i];
    if (!(total > 0) || isnan(q))
        return (double)NAN;
    if (q < 0)
        return (double)-INFINITY;
    if (q > 1)
        return (double)INFINITY;
    rank = q * total;
    for (size_t i = 0; i < h->n; i++) {
        if (h->counts[i] > 0 && below + h->counts[i] >= rank)
            return within(h, i, (rank - below) / h->counts[i]);
        below += h->counts[i];
    }
    return within(h, h->n - 1, 1);
}

double buckets_quantile(const double *upper, const double *cumulative, size_t n, double q)
{
    double rank;
    size_t i = 0;
    double low;
    double below;

    if (isnan(q) || n < 2 || !isinf(upper[n - 1]) || !(cumulative[n - 1] > 0))
        return (double)NAN;
    if (q < 0)
        return (double)-INFINITY;
    if (q > 1)
        return (double)INFINITY;
    rank = q * cumulative[n - 1];
    while (i < n - 1 && cumulative[i] < rank)
        i++;
    if (i == n - 1)
        return upper[n - 2];
    if (i == 0 && upper[0] <= 0)
        return upper[0];
    low = i ? upper[i - 1] : 0;
    below = i ? cumulative[i - 1] : 0;
    if (cumulative[i] <= below)
        return upper[i];
    return low + (upper[i] - low) * (rank - below) / (cumulative[i] - below);
}
