/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call threads and a service for tests of the protocol that run on them: what host/mcp uses of query/call.h and
 * service.h, but for service_call, which each program has of its own.
 *
 * Ownership: fake_service_destroy frees, after the last call. Threads: as service.h.
 */
#ifndef TESTS_FAKE_CALLS_H
#define TESTS_FAKE_CALLS_H

#include <stdbool.h>
#include "service/service.h"

struct service *fake_service_create(int64_t timeout_ms);
void fake_service_destroy(struct service *service);
/* From now on no call thread is free. */
void fake_service_refuse(struct service *service, bool refuse);
/* Calls that sleep or have slept and run still, and how many of those that ended were cancelled. */
void fake_service_counts(struct service *service, unsigned *ret_running, unsigned *ret_cancelled);
/* Sleeps until then (clock_mono_ns) or until the call is cancelled. */
void fake_sleep(struct call *call, int64_t until_ns);

#endif
