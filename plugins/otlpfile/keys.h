/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of OTLP/JSON metrics that matter.
 *
 * Ownership: none. Threads: constant data.
 */
#ifndef OTLPFILE_KEYS_H
#define OTLPFILE_KEYS_H

#include <stddef.h>

enum key {
    KEY_OTHER,
    KEY_RESOURCE_METRICS,
    KEY_RESOURCE_LOGS,
    KEY_RESOURCE_SPANS,
    KEY_RESOURCE,
    KEY_ATTRIBUTES,
    KEY_SCOPE_METRICS,
    KEY_METRICS,
    KEY_NAME,
    KEY_UNIT,
    KEY_DESCRIPTION,
    KEY_GAUGE,
    KEY_SUM,
    KEY_HISTOGRAM,
    KEY_EXPONENTIAL,
    KEY_SUMMARY,
    KEY_POINTS,
    KEY_TEMPORALITY,
    KEY_MONOTONIC,
    KEY_TIME,
    KEY_DOUBLE,
    KEY_INT,
    KEY_FLAGS,
    KEY_COUNT,
    KEY_BUCKETS,
    KEY_BOUNDS,
    KEY_EXEMPLARS,
    KEY_SPAN,
    KEY_TRACE,
    KEY_SCALE,
    KEY_ZERO,
    KEY_ZERO_THRESHOLD,
    KEY_POSITIVE,
    KEY_NEGATIVE,
    KEY_OFFSET,
    KEY_QUANTILES,
    KEY_QUANTILE,
    KEY_VALUE,
    KEY_KEY,
    KEY_STRING,
    KEY_INT_VALUE,
    KEY_DOUBLE_VALUE,
    KEY_BOOL,
    KEY_BYTES,
    KEY_ARRAY,
    KEY_LIST,
};

enum key key_of(const char *text, size_t size);

#endif
