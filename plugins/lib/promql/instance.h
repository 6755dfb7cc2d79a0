/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a backend of the family, and what every plugin table of it says alike: the
 * parameter scrape_interval, the aliases, the callbacks.
 *
 * Ownership: an instance is memory of the host's; the rest is static. Threads: an instance is
 * constant after open.
 */
#ifndef SONDE_PROMQL_INSTANCE_H
#define SONDE_PROMQL_INSTANCE_H

#include "aliases.h"
#include "link.h"
#include "op.h"

#define PROMQL_PARAMS 1

extern const struct sonde_param *const promql_params[PROMQL_PARAMS];

/* 0, or less after telling the host why not. */
int32_t promql_open_instance(const struct sonde_host *host, const struct promql_dialect *dialect,
                             const struct sonde_open *open, struct promql_instance **ret_instance);
void promql_close_instance(void *instance);

/* Members of struct sonde_plugin. */
#define PROMQL_TABLE_MEMBERS                                                                    \
    .params = promql_params, .param_count = PROMQL_PARAMS, .aliases = promql_aliases,           \
    .alias_count = PROMQL_ALIASES, .close = promql_close_instance, .op_begin = promql_op_begin, \
    .op_next = promql_op_next, .op_response_head = promql_op_head,                              \
    .op_response_data = promql_op_data, .op_response_end = promql_op_response_end,              \
    .op_end = promql_op_end, .link = promql_link

#endif
