/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends and an engine without network, linked instead of the real ones: what each backend holds, how it fares, and
 * what was asked of it.
 *
 * Ownership: the test's. Threads: guarded inside, so that the keeper's calls may run beside the test.
 */
#ifndef TESTS_FAKE_ENGINE_H
#define TESTS_FAKE_ENGINE_H

#include <pthread.h>
#include "catalogue/catalogue.h"

struct backend {
    struct connection connection;
    struct adapter adapter;
    const char *const *metrics;
    size_t metric_count;
    const char *const *labels;
    size_t label_count;
    const char *(*value)(const char *label, size_t i); /* NULL after the last */
    int fail;                                          /* every look-up ends so; 0 well */
    int fail_values;
    bool hang;        /* until cancelled or past the deadline */
    int state;        /* what a health check finds */
    int64_t pause_ns; /* after a check; 0: 30 s */
    atomic_uint interest;
    atomic_bool retired;
    atomic_int references;
    atomic_uint asked[SONDE_KIND_COUNT];
    atomic_uint at_once, most_at_once;
};

void fake_backend(struct backend *backend, const char *name);
/* As the engine does when a backend's state became another. */
void fake_health_changed(struct backend *backend);
struct call *fake_call(void);
void fake_call_free(struct call *call);
/* Calls submitted and not yet over. */
unsigned fake_calls_running(void);
/* From now on call_submit says busy. */
void fake_calls_busy(bool busy);

#endif
