/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter for Prometheus and for what speaks its API unchanged (Thanos, Mimir, Cortex): the
 * table. Requests and answers are the family's, plugins/lib/promql.
 *
 * Ownership: static data. Threads: an instance is constant after open.
 */
#include "prometheus.h"
#include "promql/instance.h"

static const struct sonde_host *plugin_host;

static const struct promql_dialect dialect = {
    .product = "Prometheus",
    .max_points = 11000,
    .aliases = promql_aliases,
    .alias_count = PROMQL_ALIASES,
    .probe = prometheus_probe,
    .probe_count = PROMETHEUS_STEPS,
    .probe_field = prometheus_probe_field,
    .probe_answered = prometheus_probe_answered,
    .probe_done = prometheus_probe_done,
    .probe_state_size = sizeof(struct prometheus_probe_state),
};

static int32_t open_instance(const struct sonde_open *open, void **ret_instance)
{
    struct promql_instance *instance;
    int32_t result = promql_open_instance(plugin_host, &dialect, open, &instance);
    if (result != 0)
        return result;
    *ret_instance = instance;
    return 0;
}

static const struct sonde_plugin table = {
    .struct_size = sizeof table,
    .abi_major = SONDE_ABI_MAJOR,
    .abi_minor = SONDE_ABI_MINOR,
    .needs_minor = SONDE_ABI_MINOR,
    .caps = SONDE_CAP(SONDE_KIND_PROBE) | SONDE_CAP(SONDE_KIND_HEALTH) |
            SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_METRIC_NAMES) |
            SONDE_CAP(SONDE_KIND_LABEL_NAMES) | SONDE_CAP(SONDE_KIND_LABEL_VALUES) |
            SONDE_CAP(SONDE_KIND_EXEMPLARS) | SONDE_CAP_NATIVE | SONDE_CAP_STRUCTURED |
            SONDE_CAP_COMBINE | SONDE_CAP_NATIVE_FILTERS,
    .understands = SONDE_MUST_ENFORCED_FILTERS,
    .name = "prometheus",
    .version = "0.1.0",
    .license = "Apache-2.0",
    .summary = "Metrics from Prometheus and servers with its API (Thanos, Mimir, Cortex)",
    .homepage = "https://prometheus.io/docs/prometheus/latest/querying/api/",
    .allowed = prometheus_allowed,
    .allowed_count = PROMETHEUS_ALLOWED,
    .settle_seconds = 300,
    .open = open_instance,
    PROMQL_TABLE_MEMBERS,
};

SONDE_PLUGIN(table, plugin_host)
