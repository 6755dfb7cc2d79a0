/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histogram values: explicit and exponential ones alike as buckets with both bounds.
 *
 * Ownership: the operation's memory; bounds are shared, counts are a histogram's own. Threads: one.
 */
#ifndef OTLPFILE_HIST_H
#define OTLPFILE_HIST_H

#include "common.h"

#define MAX_BUCKETS 1024

struct hist {
    double count;
    double sum;
    size_t n;
    const double *lower; /* ascending; -Inf and +Inf at the ends of explicit ones */
    const double *upper;
    double *counts; /* not cumulative */
    bool exponential;
};

struct hist *hist_copy(struct memory *memory, const struct hist *h);
/* a += factor * b, over the union of their buckets. */
int hist_add(struct memory *memory, struct hist *a, const struct hist *b, double factor);
void hist_scale(struct hist *h, double factor);
/* NaN when empty. Linear within a bucket, geometric within an exponential one. */
double hist_quantile(const struct hist *h, double q);
/* Of n cumulative counts under ascending upper bounds, the last +Inf; as Prometheus does it. */
double buckets_quantile(const double *upper, const double *cumulative, size_t n, double q);

#endif
