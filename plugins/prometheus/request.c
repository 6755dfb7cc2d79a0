/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus.h"

/* Features are new in 3.x and flags may be forbidden: only buildinfo must answer. */
const struct promql_probe_step prometheus_probe[PROMETHEUS_STEPS] = {
    [PROMETHEUS_BUILDINFO] = {.path = "/api/v1/status/buildinfo", .required = true},
    [PROMETHEUS_FEATURES] = {.path = "/api/v1/features"},
    [PROMETHEUS_FLAGS] = {.path = "/api/v1/status/flags"},
};

#define ALLOWED(id, verb, prefix)            \
    static const struct sonde_allowed id = { \
        .struct_size = sizeof id, .method = (verb), .path_prefix = (prefix)}

/* query, query_range and query_exemplars. */
ALLOWED(get_query, "GET", "/api/v1/query");
ALLOWED(post_query, "POST", "/api/v1/query");
ALLOWED(get_labels, "GET", "/api/v1/labels");
ALLOWED(post_labels, "POST", "/api/v1/labels");
ALLOWED(get_values, "GET", "/api/v1/label/");
ALLOWED(get_metadata, "GET", "/api/v1/metadata");
ALLOWED(get_buildinfo, "GET", "/api/v1/status/buildinfo");
ALLOWED(get_flags, "GET", "/api/v1/status/flags");
ALLOWED(get_features, "GET", "/api/v1/features");

const struct sonde_allowed *const prometheus_allowed[PROMETHEUS_ALLOWED] = {
    &get_query,    &post_query,    &get_labels, &post_labels,  &get_values,
    &get_metadata, &get_buildinfo, &get_flags,  &get_features,
};
