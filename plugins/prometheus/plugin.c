/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter for Prometheus and for what speaks its API unchanged (Thanos, Mimir, Cortex): the
 * table. Requests and answers are the family's, plugins/lib/promql.
 *
 * Ownership: static data. Threads: an instance is constant after open.
 */
#include "prometheus.h"
#include "promql/aliases.h"
#include "promql/link.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

static const struct sonde_host *plugin_host;

static const struct sonde_param scrape_interval = {
    .struct_size = sizeof scrape_interval,
    .type = SONDE_PARAM_DURATION,
    .key = "scrape_interval",
    .def = "30s",
    .help =
        "How often targets are scraped: rates without a window look back at least four times that",
};
static const struct sonde_param *const params[] = {&scrape_interval};

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
    struct promql_instance *instance = plugin_host->alloc(open->ctx, sizeof *instance);
    if (instance == NULL)
        return plugin_host->fail(open->ctx, SONDE_E_INTERNAL, -1, "no memory for this connection");
    const char *interval = sonde_pair_get(open->params, open->param_count32, "scrape_interval");
    int64_t ms = 30000;
    if (interval != NULL &&
        (sonde_parse_int64(interval, strlen(interval), &ms) != 0 || ms < 100 || ms > 86400000))
        return plugin_host->fail(open->ctx, SONDE_E_BAD_QUERY, -1,
                                 "scrape_interval lies between 100ms and 24h");
    instance->host = plugin_host;
    instance->dialect = &dialect;
    instance->scrape_ns = ms * NS_PER_MS;
    *ret_instance = instance;
    return 0;
}

static void close_instance(void *instance)
{
    (void)instance; /* the memory is the host's */
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
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .allowed = prometheus_allowed,
    .allowed_count = PROMETHEUS_ALLOWED,
    .aliases = promql_aliases,
    .alias_count = PROMQL_ALIASES,
    .settle_seconds = 300,
    .open = open_instance,
    .close = close_instance,
    .op_begin = promql_op_begin,
    .op_next = promql_op_next,
    .op_response_head = promql_op_head,
    .op_response_data = promql_op_data,
    .op_response_end = promql_op_response_end,
    .op_end = promql_op_end,
    .link = promql_link,
};

SONDE_PLUGIN(table, plugin_host)
