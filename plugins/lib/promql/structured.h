/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PromQL out of a structured query: operands, their functions and aggregations, how they combine.
 *
 * Ownership: text goes to the caller's builder. Threads: pure beside the op's own memory.
 */
#ifndef SONDE_PROMQL_STRUCTURED_H
#define SONDE_PROMQL_STRUCTURED_H

#include "matcher.h"

/* The whole query of METRICS; scrape_ns bounds the window chosen where none was given. */
int32_t promql_add_structured(const struct promql_context *context, const struct sonde_query *query,
                              int64_t scrape_ns, struct sonde_text *text);
/* The selectors alone, joined by or: what EXEMPLARS asks for. */
int32_t promql_add_exemplar_selectors(const struct promql_context *context,
                                      const struct sonde_query *query, struct sonde_text *text);
/* A PromQL duration: "5m", "1h30m", "250ms". ns is cut to ms, at least 1. */
void promql_add_duration(struct sonde_text *text, int64_t ns);

#endif
