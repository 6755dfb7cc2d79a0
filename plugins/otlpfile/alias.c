/* SPDX-License-Identifier: Apache-2.0 */
#include "alias.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define ALIAS(logical, ...)                                                                  \
    (&(const struct sonde_alias){sizeof(struct sonde_alias), 0, logical, NAMES(__VA_ARGS__), \
                                 sizeof(NAMES(__VA_ARGS__)) / sizeof(const char *)})

const struct sonde_alias *const aliases[ALIAS_COUNT] = {
    ALIAS("service", "service.name", "service", "job"),
    ALIAS("namespace", "k8s.namespace.name", "namespace", "service.namespace"),
    ALIAS("pod", "k8s.pod.name", "pod"),
    ALIAS("container", "k8s.container.name", "container", "container.name"),
    ALIAS("node", "k8s.node.name", "node", "host.name"),
    ALIAS("cluster", "k8s.cluster.name", "cluster"),
    ALIAS("region", "cloud.region", "region"),
    ALIAS("account", "cloud.account.id", "account"),
    ALIAS("environment", "deployment.environment.name", "deployment.environment", "environment",
          "env"),
    ALIAS("version", "service.version", "version"),
    ALIAS("instance", "service.instance.id", "instance"),
    ALIAS("route", "http.route", "route"),
    ALIAS("status", "http.response.status_code", "http.status_code", "status", "code"),
    ALIAS("operation", "rpc.method", "operation", "span.name"),
    ALIAS("tenant", "tenant.id", "tenant"),
};
