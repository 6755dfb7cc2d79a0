/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service counts about its calls, and the gauges of its parts.
 *
 * Ownership: none of its own. Threads: safe; stats_begin and stats_end as service_create and service_destroy.
 */
#ifndef SERVICE_STATS_H
#define SERVICE_STATS_H

#include <stdint.h>
#include "base/err.h"

struct service;

/* From here on a page shows this service's parts. 0 or ERR_LIMIT. */
int stats_begin(struct service *service, struct err *err);
/* Before any part goes away; harmless when it was not begun. */
void stats_end(struct service *service);
/* How connections fare, as a collector does it. */
void stats_collect_health(struct service *service);
void stats_call_begins(void);
/* A call that began is over. */
void stats_call_ends(void);
/* How a call of tool ended: 0 or an error's code; took_ns -1: it was refused before it began. */
void stats_call(const char *tool, int code, int64_t took_ns);

#endif
