/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantiles of native histograms. Internal to answer/.
 *
 * Ownership: results lie in the caller's arena. Threads: pure functions.
 */
#ifndef ANSWER_HISTOGRAM_H
#define ANSWER_HISTOGRAM_H

#include "base/arena.h"
#include "model/result.h"

/* Estimated within its bucket; buckets ascend. NaN where nothing was counted. */
double histogram_quantile(const struct histogram_point *point, double quantile);
/* A series of the 95th percentile of each point: what ranks and reduces a histogram series. 0 or ERR_MEMORY. */
int histogram_p95_series(const struct series *series, struct arena *arena,
                         struct series *ret_series);

#endif
