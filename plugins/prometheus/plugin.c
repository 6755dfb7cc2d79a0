/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter for Prometheus and for what speaks its API unchanged (Thanos, Mimir, Cortex): the
 * table. Requests and answers are the family's, plugins/lib/promql.
 *
 * Ownership: static data. Threads: an instance is constant after open.
 */
#include "prometheus.h"
#include "promql/link.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

static const struct sonde_host *plugin_host;

#define ALIAS(id, key, ...)                                         \
    static const char *const id##_names[] = {__VA_ARGS__};          \
    static const struct sonde_alias id = {.struct_size = sizeof id, \
                                          .logical = (key),         \
                                          .candidates = id##_names, \
                                          .candidate_count =        \
                                              sizeof id##_names / sizeof id##_names[0]}

/* Kubernetes and scrape labels; OpenTelemetry attributes with '_' and, in 3.x, with '.'. */
ALIAS(alias_service, "service", "service", "service_name", "app", "app_kubernetes_io_name", "job",
      "service.name", "application", "kubernetes_name", "workload");
ALIAS(alias_namespace, "namespace", "namespace", "k8s_namespace_name", "kubernetes_namespace",
      "exported_namespace", "service_namespace", "k8s.namespace.name");
ALIAS(alias_pod, "pod", "pod", "pod_name", "k8s_pod_name", "kubernetes_pod_name", "exported_pod",
      "k8s.pod.name");
ALIAS(alias_container, "container", "container", "container_name", "k8s_container_name",
      "exported_container", "k8s.container.name");
ALIAS(alias_node, "node", "node", "node_name", "nodename", "kubernetes_node", "k8s_node_name",
      "host", "hostname", "host_name", "instance", "k8s.node.name", "host.name");
ALIAS(alias_cluster, "cluster", "cluster", "cluster_name", "k8s_cluster_name", "kubernetes_cluster",
      "k8s.cluster.name");
ALIAS(alias_region, "region", "region", "cloud_region", "aws_region",
      "topology_kubernetes_io_region", "cloud.region");
ALIAS(alias_account, "account", "account", "account_id", "cloud_account_id", "cloud.account.id");
ALIAS(alias_environment, "environment", "environment", "env", "deployment_environment_name",
      "deployment_environment", "stage", "deployment.environment.name", "deployment.environment");
ALIAS(alias_version, "version", "version", "service_version", "app_kubernetes_io_version",
      "app_version", "service.version", "tag");
ALIAS(alias_instance, "instance", "instance", "service_instance_id", "host", "service.instance.id");
ALIAS(alias_source, "source", "job", "source");
ALIAS(alias_operation, "operation", "operation", "span_name", "method", "handler", "rpc_method",
      "grpc_method", "http_method", "http_request_method", "rpc.method");
ALIAS(alias_route, "route", "route", "http_route", "path", "handler", "uri", "endpoint", "url",
      "http.route");
ALIAS(alias_status, "status", "status", "status_code", "code", "http_status_code",
      "http_response_status_code", "response_code", "grpc_code", "http.response.status_code");
ALIAS(alias_severity, "severity", "severity", "level", "log_level");
ALIAS(alias_tenant, "tenant", "tenant", "tenant_id", "__tenant_id__", "customer", "org_id");

static const struct sonde_alias *const aliases[] = {
    &alias_service,  &alias_namespace, &alias_pod,       &alias_container,   &alias_node,
    &alias_cluster,  &alias_region,    &alias_account,   &alias_environment, &alias_version,
    &alias_instance, &alias_source,    &alias_operation, &alias_route,       &alias_status,
    &alias_severity, &alias_tenant,
};

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
    .aliases = aliases,
    .alias_count = sizeof aliases / sizeof aliases[0],
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
    .aliases = aliases,
    .alias_count = sizeof aliases / sizeof aliases[0],
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
