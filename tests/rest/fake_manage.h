/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The use cases of service/manage.h in memory, and call threads of fake_calls.h: what REST stands on, without store and backends.
 * Some names of connections do special things: "taken" conflicts, "full" is one too many, "large" too large, "slow" tests until it is cancelled or over,
 * "broken" has a test that fails at its second stage; names beginning with "operator-" belong to the operator.
 *
 * Ownership: fake_manage_finish frees. Threads: all safe.
 */
#ifndef TESTS_FAKE_MANAGE_H
#define TESTS_FAKE_MANAGE_H

#include "service/manage.h"

/* From now on every use case fails so: 0 none, ERR_UNAVAILABLE, ERR_SYSTEM ...; and service_enter. */
void fake_manage_fail(int code);
void fake_enter_fail(int code, int64_t wait_ms);
/* n rows of history of that user, made now; the last of each three failed. */
void fake_history_fill(const struct principal *principal, unsigned n);
void fake_manage_finish(void);

#endif
