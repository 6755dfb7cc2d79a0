/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine over the doubles, one open backend, one call.
 *
 * Ownership: fixture_down frees what fixture_up made. Threads: the test's.
 */
#ifndef TEST_ENGINE_FIXTURE_H
#define TEST_ENGINE_FIXTURE_H

#include "cmocka_all.h"
#undef fail /* the host's function is called so */

#include <string.h>

#include "base/clock.h"
#include "fake_io.h"
#include "query/engine.h"
#include "toy_adapter.h"

struct fixture {
    struct engine_settings settings;
    struct engine *engine;
    struct connection *connection;
    struct backend *backend;
    struct budget budget;
};

extern struct fixture f;

/* Settings may be changed before it. */
void fixture_up(void);
void fixture_down(void);
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Runs one query of kind on the calling thread within the deadline; the item's result is the caller's. */
struct engine_item fixture_run(uint32_t kind, int64_t deadline_ns);
/* The same and no more than the error, checked. */
void fixture_expect(uint32_t kind, int code, const char *text);
struct sonde_query fixture_query(uint32_t kind);

#endif
