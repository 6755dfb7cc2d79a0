/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters as PromQL label matchers.
 *
 * Ownership: text goes to the caller's builder. Threads: pure beside the op's own memory.
 */
#ifndef SONDE_PROMQL_MATCHER_H
#define SONDE_PROMQL_MATCHER_H

#include "dialect.h"
#include "walk.h"

#include <sonde/text.h>

/* Filters of a query and of one operand. */
struct promql_filters {
    const struct sonde_filter *const *lists[2];
    size_t counts[2];
};

struct promql_context {
    const struct sonde_host *host;
    struct sonde_ctx *ctx;
    const struct promql_dialect *dialect;
    uint32_t major;     /* of the backend's version; 0 unknown */
    const char *native; /* the user's text: labels it uses settle which alias is meant */
    size_t native_size;
};

/*
 * The label a filter stands for: its native key, else the first candidate of its logical key that the
 * native text uses, else the first candidate, else the logical key itself.
 */
const char *promql_filter_label(const struct promql_context *context,
                                const struct sonde_filter *filter);
/* Walks a text in the dialect's language. */
int promql_context_walk(const struct promql_context *context, const struct promql_visitor *visitor,
                        struct promql_fault *ret_fault);
/* A label name in a query, as the dialect writes those that are no plain word. */
void promql_context_label(const struct promql_context *context, struct sonde_text *text,
                          const char *name);
/* All filters joined by ','. 0, or an error class after host->fail. */
int32_t promql_add_matchers(const struct promql_context *context, struct sonde_text *text,
                            const struct promql_filters *filters);
/* True if one of them is the operator's. */
bool promql_has_enforced(const struct promql_filters *filters);
/* A selector of a metric ("" for any) with the filters. 0, or an error class after host->fail. */
int32_t promql_add_selector(const struct promql_context *context, struct sonde_text *text,
                            const char *metric, const struct promql_filters *filters);

#endif
