/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host lets an adapter of the family send: the requests of plan.c, nothing that writes.
 * What its PROBE asks beside them, each adapter adds itself.
 *
 * Ownership: static. Threads: constant data.
 */
#ifndef SONDE_PROMQL_ALLOWED_H
#define SONDE_PROMQL_ALLOWED_H

#include <sonde/plugin.h>

#define PROMQL_ALLOW(id, verb, prefix) \
    const struct sonde_allowed id = {  \
        .struct_size = sizeof id, .method = (verb), .path_prefix = (prefix)}

extern const struct sonde_allowed promql_get_query, promql_post_query, promql_get_labels,
    promql_post_labels, promql_get_values, promql_get_metadata;

/* The first of an adapter's list. */
#define PROMQL_PLAN_ALLOWED                                                         \
    &promql_get_query, &promql_post_query, &promql_get_labels, &promql_post_labels, \
        &promql_get_values, &promql_get_metadata
#define PROMQL_PLAN_ALLOWED_COUNT 6

#endif
