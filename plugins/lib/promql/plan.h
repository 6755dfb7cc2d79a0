/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query as requests of the Prometheus API: paths, forms, limits. Pure: no answer is looked at.
 *
 * Ownership: paths and forms are the op's memory. Threads: one operation, one thread.
 */
#ifndef SONDE_PROMQL_PLAN_H
#define SONDE_PROMQL_PLAN_H

#include "op.h"

/* Fills in the op's steps, and emits executed where a query is sent. 0, or an error class after host->fail. */
int32_t promql_plan(struct promql_op *op);
/* The cheapest request that proves login and service. 0, or an error class after host->fail. */
int32_t promql_plan_health(struct promql_op *op);

#endif
