/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks a MetricsQL text and names its selectors and labels: PromQL and what VictoriaMetrics adds to
 * it (WITH templates, `or` in braces, default, if, limit, keep_metric_names, look-behind left
 * out). What it does not know it refuses, like promql_walk, whose visitor it takes.
 *
 * Ownership: the text is the caller's; visitors get offsets into it. Threads: pure.
 */
#ifndef SONDE_METRICSQL_H
#define SONDE_METRICSQL_H

#include "walk.h"

/* WITH templates and their arguments that may be in scope at once. */
#define METRICSQL_MAX_TEMPLATES 256

/* 0, or -1 with the fault filled in. Slots come in the order of the text. */
int metricsql_walk(const char *text, size_t size, const struct promql_visitor *visitor,
                   struct promql_fault *ret_fault);

#endif
