/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query as a page a person can open: Prometheus's own graph, or Grafana Explore.
 *
 * Ownership: the caller's buffer. Threads: pure.
 */
#ifndef SONDE_PROMQL_LINK_H
#define SONDE_PROMQL_LINK_H

#include <sonde/plugin.h>

/* For the link slot of a plugin table: 0, or SONDE_E_UNSUPPORTED, SONDE_E_TOO_MUCH (buf too small). */
int32_t promql_link(void *instance, const struct sonde_link *link, char *buf, size_t size);

#endif
