/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter for VictoriaMetrics, single node and cluster: the table. Requests and answers are the
 * Prometheus family's, plugins/lib/promql; what differs is the dialect.
 *
 * Ownership: static data. Threads: an instance is constant after open.
 */
#include "victoriametrics.h"
#include "promql/instance.h"
#include "promql/metricsql.h"

#include <string.h>

static const struct sonde_host *plugin_host;

static const struct promql_dialect dialect = {
    .product = "VictoriaMetrics",
    .tenant_words = "; a cluster needs tenant (such as \"0\"), a single node none",
    .language = "MetricsQL",
    .max_points = 30000,
    .vmrange = true,
    .escapes_names = true,
    .plain_paths = true,
    .limits_names = true,
    .always_window = true,
    .walk = metricsql_walk,
    .aliases = promql_aliases,
    .alias_count = PROMQL_ALIASES,
    .probe = victoriametrics_probe,
    .probe_count = VICTORIAMETRICS_STEPS,
    .add_query_args = victoriametrics_query_args,
    .probe_field = victoriametrics_probe_field,
    .probe_line = victoriametrics_probe_line,
    .probe_answered = victoriametrics_probe_answered,
    .probe_done = victoriametrics_probe_done,
    .probe_state_size = sizeof(struct victoriametrics_probe_state),
};

/* accountID or accountID:projectID, 32 bits each; "multitenant" reads all of them. */
static bool is_tenant(const char *tenant)
{
    int64_t number;
    if (strcmp(tenant, "multitenant") == 0)
        return true;
    const char *colon = strchr(tenant, ':');
    size_t first = colon != NULL ? (size_t)(colon - tenant) : strlen(tenant);
    if (sonde_parse_int64(tenant, first, &number) != 0 || number < 0 || number > UINT32_MAX)
        return false;
    return colon == NULL || (sonde_parse_int64(colon + 1, strlen(colon + 1), &number) == 0 &&
                             number >= 0 && number <= UINT32_MAX);
}

/* A cluster's API lies below /select/TENANT/prometheus; a single node and a front have no such prefix. */
static int32_t open_tenant(const struct sonde_open *open, struct promql_instance *instance,
                           const char *tenant)
{
    if (!is_tenant(tenant))
        return plugin_host->fail(open->ctx, SONDE_E_BAD_QUERY, -1,
                                 "tenant: VictoriaMetrics knows ACCOUNT, ACCOUNT:PROJECT (numbers "
                                 "such as 0 or 12:3) and multitenant");
    if (strstr(open->url, "/select/") != NULL)
        return plugin_host->fail(open->ctx, SONDE_E_BAD_QUERY, -1,
                                 "the url names a tenant (/select/...) and so does tenant: leave "
                                 "one of them out");
    struct sonde_text url;
    sonde_text_init(&url, plugin_host, open->ctx, 8192);
    size_t size = strlen(open->url);
    while (size > 0 && open->url[size - 1] == '/')
        size--;
    sonde_text_add_n(&url, open->url, size);
    sonde_text_add(&url, "/select/");
    sonde_text_add(&url, tenant);
    sonde_text_add(&url, "/prometheus");
    if (url.failed)
        return plugin_host->fail(open->ctx, SONDE_E_BAD_QUERY, -1, "the url is too long");
    struct sonde_endpoint endpoint = {
        .struct_size = sizeof endpoint, .name = "select", .url = sonde_text_string(&url)};
    instance->endpoint = "select";
    return plugin_host->endpoint(open->ctx, &endpoint);
}

static int32_t open_instance(const struct sonde_open *open, void **ret_instance)
{
    struct promql_instance *instance;
    int32_t result = promql_open_instance(plugin_host, &dialect, open, &instance);
    if (result != 0)
        return result;
    const char *tenant = SONDE_HAS_MEMBER(open, struct sonde_open, tenant) ? open->tenant : NULL;
    if (tenant != NULL && tenant[0] != '\0') {
        result = open_tenant(open, instance, tenant);
        if (result != 0)
            return result;
    }
    *ret_instance = instance;
    return 0;
}

static const struct sonde_plugin table = {
    .struct_size = sizeof table,
    .abi_major = SONDE_ABI_MAJOR,
    .abi_minor = SONDE_ABI_MINOR,
    .needs_minor = SONDE_ABI_MINOR,
    /* No exemplars: VictoriaMetrics keeps none and answers as if there were just none. */
    .caps = SONDE_CAP(SONDE_KIND_PROBE) | SONDE_CAP(SONDE_KIND_HEALTH) |
            SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_METRIC_NAMES) |
            SONDE_CAP(SONDE_KIND_LABEL_NAMES) | SONDE_CAP(SONDE_KIND_LABEL_VALUES) |
            SONDE_CAP_NATIVE | SONDE_CAP_STRUCTURED | SONDE_CAP_COMBINE | SONDE_CAP_NATIVE_FILTERS,
    .understands = SONDE_MUST_ENFORCED_FILTERS,
    .name = "victoriametrics",
    .version = "0.1.0",
    .license = "Apache-2.0",
    .summary = "Metrics from VictoriaMetrics, single node and cluster",
    .homepage = "https://docs.victoriametrics.com/victoriametrics/url-examples/",
    .allowed = victoriametrics_allowed,
    .allowed_count = VICTORIAMETRICS_ALLOWED,
    .settle_seconds = 300,
    .open = open_instance,
    PROMQL_TABLE_MEMBERS,
};

SONDE_PLUGIN(table, plugin_host)
