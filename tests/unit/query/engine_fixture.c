/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_fixture.h"

struct fixture f;

void fixture_up(void)
{
    budget_init(&f.budget, (size_t)256 << 20);
    f.settings.registry = toy_registry();
    f.settings.budget = &f.budget;
    assert_int_equal(engine_create(&f.settings, &f.engine, NULL), 0);
    f.connection = connection_new();
    f.connection->name = "shop";
    f.connection->backend = "toy";
    f.connection->url = "http://toys";
    f.connection->timeout_ns = 20 * NS_PER_S;
    struct err err = {0};
    int r = backend_open(f.engine, f.connection, &f.backend, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(r, 0);
}

void fixture_down(void)
{
    backend_unref(f.backend);
    connection_unref(f.connection);
    engine_destroy(f.engine);
    assert_int_equal(atomic_load(&f.budget.used), 0);
    assert_int_equal(fake_io_alive(), 0);
    f = (struct fixture){0};
}

int fixture_setup(void **state)
{
    (void)state;
    fake_io_reset();
    toy_reset();
    f = (struct fixture){0};
    fixture_up();
    return 0;
}

int fixture_teardown(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&plan.begins), atomic_load(&plan.ends));
    fixture_down();
    return 0;
}

struct sonde_query fixture_query(uint32_t kind)
{
    return (struct sonde_query){.struct_size = sizeof(struct sonde_query),
                                .kind = kind,
                                .start_ns = 0,
                                .end_ns = 100 * NS_PER_S,
                                .step_ns = NS_PER_S,
                                .scope = "",
                                .name = "",
                                .native = "x",
                                .native_size = 1};
}

struct runner {
    struct engine_item item;
};

static void run(struct call *call, void *argument)
{
    struct runner *runner = argument;
    assert_int_equal(engine_run(f.engine, call, &runner->item, 1), 0);
}

struct engine_item fixture_run(uint32_t kind, int64_t deadline_ns)
{
    struct sonde_query query = fixture_query(kind);
    struct runner runner = {.item = {.backend = f.backend, .query = &query}};
    assert_int_equal(call_run(NULL, &f.budget, &PRINCIPAL_LOCAL, clock_mono_ns() + deadline_ns, run,
                              &runner, NULL),
                     0);
    runner.item.query = NULL;
    return runner.item;
}

void fixture_expect(uint32_t kind, int code, const char *text)
{
    struct engine_item item = fixture_run(kind, 10 * NS_PER_S);
    if (!strstr(item.err.text, text))
        assert_string_equal(item.err.text, text);
    assert_int_equal(item.err.code, code);
    result_unref(item.result);
}
