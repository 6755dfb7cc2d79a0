/* SPDX-License-Identifier: Apache-2.0 */
#include "alias.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define ALIAS(logical, ...)                                                                  \
    (&(const struct sonde_alias){sizeof(struct sonde_alias), 0, logical, NAMES(__VA_ARGS__), \
                                 sizeof(NAMES(__VA_ARGS__)) / sizeof(const char *)})

/* Labels are emitted with underscores, so they are looked for that way. */
const struct sonde_alias *const aliases[ALIAS_COUNT] = {
    ALIAS("service", "service_name", "service", "job"),
    ALIAS("namespace", "k8s_namespace_name", "namespace", "service_namespace"),
    ALIAS("pod", "k8s_pod_name", "pod"),
    ALIAS("container", "k8s_container_name", "container", "container_name"),
    ALIAS("node", "k8s_node_name", "node", "host_name"),
    ALIAS("cluster", "k8s_cluster_name", "cluster"),
    ALIAS("region", "cloud_region", "region"),
    ALIAS("account", "cloud_account_id", "account"),
    ALIAS("environment", "deployment_environment_name", "deployment_environment", "environment",
          "env"),
    ALIAS("version", "service_version", "version"),
    ALIAS("instance", "service_instance_id", "instance"),
    ALIAS("route", "http_route", "route"),
    ALIAS("status", "http_response_status_code", "http_status_code", "status", "code"),
    ALIAS("operation", "rpc_method", "operation", "span_name"),
    ALIAS("tenant", "tenant_id", "tenant"),
};
