/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus.h"

/* Features are new in 3.x and flags may be forbidden: only buildinfo must answer. */
const struct promql_probe_step prometheus_probe[PROMETHEUS_STEPS] = {
    [PROMETHEUS_BUILDINFO] = {.path = "/api/v1/status/buildinfo", .required = true},
    [PROMETHEUS_FEATURES] = {.path = "/api/v1/features"},
    [PROMETHEUS_FLAGS] = {.path = "/api/v1/status/flags"},
};

static PROMQL_ALLOW(get_buildinfo, "GET", "/api/v1/status/buildinfo");
static PROMQL_ALLOW(get_flags, "GET", "/api/v1/status/flags");
static PROMQL_ALLOW(get_features, "GET", "/api/v1/features");

const struct sonde_allowed *const prometheus_allowed[PROMETHEUS_ALLOWED] = {
    PROMQL_PLAN_ALLOWED,
    &get_buildinfo,
    &get_flags,
    &get_features,
};
