/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query: one flat struct for every kind of question, for metrics, logs and traces alike. A
 * member that a kind does not use is zero. It carries a native text or a structure, never both,
 * though filters may accompany a native text and then hold in every selector of it.
 *
 * Ownership: the host's, lifetime op. Threads: immutable.
 */
#ifndef SONDE_QUERY_H
#define SONDE_QUERY_H

#include <sonde/types.h>

/* Kinds. Bit (1 << kind) of the plugin table's caps says that the adapter answers it. */
#define SONDE_KIND_PROBE 0u        /* product, version, features: emits backend and facts */
#define SONDE_KIND_HEALTH 1u       /* the cheapest request that proves login and service */
#define SONDE_KIND_SCOPES 2u       /* what lies behind the connection */
#define SONDE_KIND_EXPLAIN 3u      /* checks a native text; may finish without a request */
#define SONDE_KIND_METRICS 4u      /* instant when step_ns is 0, else a range */
#define SONDE_KIND_METRIC_NAMES 5u /* name (substring or empty) limits it */
#define SONDE_KIND_LABEL_NAMES 6u  /* name: the metric, or empty for all */
#define SONDE_KIND_LABEL_VALUES 7u /* name: the label; metric in option "metric" */
#define SONDE_KIND_EXEMPLARS 8u
#define SONDE_KIND_LOGS 9u
#define SONDE_KIND_LOG_CONTEXT 10u /* anchors[], before, after */
#define SONDE_KIND_LOG_COUNTS 11u
#define SONDE_KIND_LOG_PATTERNS 12u
#define SONDE_KIND_TRACE 13u /* ids[] */
#define SONDE_KIND_TRACE_SEARCH 14u
#define SONDE_KIND_SPAN_STATS 15u /* count, errors, quantiles, grouped by by[] */
#define SONDE_KIND_SERVICES 16u
#define SONDE_KIND_OPERATIONS 17u
#define SONDE_KIND_DEPENDENCIES 18u
#define SONDE_KIND_EVENTS 19u
#define SONDE_KIND_ALERTS 20u
#define SONDE_KIND_SAVED_QUERIES 21u /* reserved */
#define SONDE_KIND_COUNT 22u

/* Filters. Several values mean any of them (NE, NOT_IN, NOT_REGEX: none of them). */
#define SONDE_OP_EQ 1u
#define SONDE_OP_NE 2u
#define SONDE_OP_IN 3u
#define SONDE_OP_NOT_IN 4u
#define SONDE_OP_REGEX 5u /* RE2 subset, anchored at both ends */
#define SONDE_OP_NOT_REGEX 6u
#define SONDE_OP_EXISTS 7u
#define SONDE_OP_PREFIX 8u
#define SONDE_OP_AT_LEAST 9u /* severity only */

#define SONDE_NATIVE_UNKNOWN 0u
#define SONDE_NATIVE_TEXT 1u
#define SONDE_NATIVE_KEYWORD 2u
#define SONDE_NATIVE_LABEL 3u
#define SONDE_NATIVE_ATTRIBUTE 4u

#define SONDE_FILTER_ENFORCED 1u /* the operator's: must hold, names and values included */

struct sonde_filter {
    uint32_t struct_size;
    uint32_t op;
    uint32_t native_type;
    uint32_t flags;
    const char *logical; /* logical key, or "" where the user named a native one */
    const char *native;  /* native key, or "" where the host could not tell */
    const char *const *values;
    size_t value_count;
};

/* What a log line must hold: prefix order, each AND and OR followed by its child_count children. */
#define SONDE_MATCH_AND 1u
#define SONDE_MATCH_OR 2u
#define SONDE_MATCH_NOT 3u
#define SONDE_MATCH_TERM 4u   /* case-insensitive substring */
#define SONDE_MATCH_PHRASE 5u /* case-insensitive substring, spaces and all */
#define SONDE_MATCH_REGEX 6u  /* RE2 subset, anywhere in the line */

/* Frozen for ever. */
struct sonde_match {
    uint32_t type;
    uint32_t child_count;
    const char *text;
};

#define SONDE_FN_NONE 0u
#define SONDE_FN_RATE 1u
#define SONDE_FN_INCREASE 2u
#define SONDE_FN_DELTA 3u
#define SONDE_FN_AVG_OVER_TIME 4u
#define SONDE_FN_MIN_OVER_TIME 5u
#define SONDE_FN_MAX_OVER_TIME 6u
#define SONDE_FN_QUANTILE 7u /* of a histogram */
#define SONDE_FN_LAST 8u
#define SONDE_FN_QUANTILE_OVER_TIME 9u

#define SONDE_AGGREGATE_NONE 0u
#define SONDE_AGGREGATE_SUM 1u
#define SONDE_AGGREGATE_AVG 2u
#define SONDE_AGGREGATE_MIN 3u
#define SONDE_AGGREGATE_MAX 4u
#define SONDE_AGGREGATE_COUNT 5u
#define SONDE_AGGREGATE_QUANTILE 6u

struct sonde_operand {
    uint32_t struct_size;
    uint32_t function;
    uint32_t aggregate;
    uint32_t reserved_0;
    const char *metric;
    const struct sonde_filter *const *filters; /* beside the query's own */
    size_t filter_count;
    int64_t window_ns; /* of the function; 0 lets the adapter choose */
    int64_t offset_ns;
    double quantile; /* 0 to 1 */
};

#define SONDE_COMBINE_NONE 0u
#define SONDE_COMBINE_RATIO 1u
#define SONDE_COMBINE_DIFFERENCE 2u

/* A log row to look around. */
struct sonde_anchor {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    const void *ref; /* as the adapter emitted it */
    size_t ref_size;
    const struct sonde_label *labels;
    size_t label_count;
};

#define SONDE_NEWEST_FIRST 0u
#define SONDE_OLDEST_FIRST 1u

/* must_understand: an adapter whose table lacks one of the bits is not called. */
#define SONDE_MUST_ENFORCED_FILTERS ((uint64_t)1)

struct sonde_query {
    uint32_t struct_size;
    uint32_t kind;
    uint64_t must_understand;
    int64_t start_ns; /* UTC; inclusive */
    int64_t end_ns;   /* UTC; inclusive for metrics, exclusive for logs and traces */
    int64_t step_ns;  /* 0: instant at end_ns */
    uint32_t deadline_ms;
    uint32_t limit; /* rows wanted; 0 lets the adapter choose */
    uint32_t direction;
    uint32_t combine;
    uint32_t aggregate; /* over the combined operands, kept apart by by[] */
    uint32_t top_k;     /* 0: all */
    uint32_t bottom_k;
    uint32_t before; /* LOG_CONTEXT: lines on each side */
    uint32_t after;
    uint32_t reserved_0;
    const char *scope; /* "" for the connection itself */
    const char *name;  /* see the kinds */
    const char *native;
    size_t native_size; /* 0: structured */
    const struct sonde_filter *const *filters;
    size_t filter_count;
    const struct sonde_match *match;
    size_t match_count;
    const struct sonde_operand *const *operands;
    size_t operand_count;
    const char *const *by;
    size_t by_count;
    const char *const *ids;
    size_t id_count;
    const struct sonde_anchor *const *anchors;
    size_t anchor_count;
    const void *resume; /* token of an earlier page */
    size_t resume_size;
    const struct sonde_pair *options;
    size_t option_count;
};

#endif
