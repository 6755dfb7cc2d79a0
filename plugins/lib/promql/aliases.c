/* SPDX-License-Identifier: Apache-2.0 */
#include "aliases.h"

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

const struct sonde_alias *const promql_aliases[PROMQL_ALIASES] = {
    &alias_service,  &alias_namespace, &alias_pod,       &alias_container,   &alias_node,
    &alias_cluster,  &alias_region,    &alias_account,   &alias_environment, &alias_version,
    &alias_instance, &alias_source,    &alias_operation, &alias_route,       &alias_status,
    &alias_severity, &alias_tenant,
};
