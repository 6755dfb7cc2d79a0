/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "fake_engine.h"

static const char *const metrics[] = {"up", "http_requests_total", "cpu"};
static const char *const labels[] = {"pod", "job", "service", "le"};

static const char *value(const char *label, size_t i)
{
    static const char *const jobs[] = {"checkout", "cart", NULL};
    static const char *const services[] = {"frontend", NULL};
    static const char *const pods[] = {NULL};
    const char *const *list = str_eq(label, "job")       ? jobs
                              : str_eq(label, "service") ? services
                                                         : pods;
    return list[i];
}

static struct catalogue *catalogue;
static struct call *call;
static struct backend one, two;

static void fill(struct backend *backend, const char *name)
{
    fake_backend(backend, name);
    backend->metrics = metrics;
    backend->metric_count = 3;
    backend->labels = labels;
    backend->label_count = 4;
    backend->value = value;
}

static int setup(void **state)
{
    (void)state;
    fill(&one, "one");
    fill(&two, "two");
    call = fake_call();
    return catalogue_create(NULL, NULL, &catalogue, NULL);
}

static int teardown(void **state)
{
    (void)state;
    clock_set_test(0);
    catalogue_destroy(catalogue);
    fake_call_free(call);
    assert_int_equal(one.references, 0);
    assert_int_equal(two.references, 0);
    return 0;
}

static struct catalogue_snapshot *fetch(struct backend *backend, struct err *err)
{
    struct catalogue_snapshot *snapshot = NULL;
    assert_int_equal(catalogue_fetch(catalogue, call, &backend, 1, &snapshot, err), 0);
    return snapshot;
}

static void test_fetch(void **state)
{
    (void)state;
    struct err err;
    assert_null(catalogue_peek(catalogue, &one));
    struct catalogue_snapshot *snapshot CLEANUP(catalogue_unrefp) = fetch(&one, &err);
    assert_non_null(snapshot);
    assert_int_equal(snapshot->metric_count, 3);
    assert_string_equal(snapshot->metrics[0].name, "cpu"); /* sorted */
    assert_string_equal(catalogue_metric(snapshot, "up")->help, "help");
    assert_null(catalogue_metric(snapshot, "down"));
    assert_true(catalogue_has_label(snapshot, "le"));
    assert_false(catalogue_has_label(snapshot, "instance"));
    assert_false(snapshot->cut);
    /* values of service, job and pod, which the adapter's aliases name; not of le */
    assert_int_equal(one.asked[SONDE_KIND_LABEL_VALUES], 3);
    assert_int_equal(snapshot->value_count, 3);
    assert_string_equal(snapshot->values[0].key, "job");
    assert_string_equal(snapshot->values[0].value, "cart");
    /* kept */
    struct catalogue_snapshot *again CLEANUP(catalogue_unrefp) = fetch(&one, &err);
    assert_ptr_equal(again, snapshot);
    assert_int_equal(one.asked[SONDE_KIND_METRIC_NAMES], 1);
    struct catalogue_snapshot *peeked CLEANUP(catalogue_unrefp) = catalogue_peek(catalogue, &one);
    assert_ptr_equal(peeked, snapshot);
}

static void test_ages(void **state)
{
    (void)state;
    struct err err;
    int64_t start = 1800000000 * NS_PER_S;
    clock_set_test(start);
    catalogue_unref(fetch(&one, &err));
    clock_set_test(start + CATALOGUE_FRESH_NS + 1);
    catalogue_unref(fetch(&one, &err));
    assert_int_equal(one.asked[SONDE_KIND_METRIC_NAMES], 2);
    /* down: what is known still serves for an hour */
    one.fail = SONDE_E_UNREACHABLE;
    clock_set_test(start + 30 * NS_PER_MIN);
    struct catalogue_snapshot *old CLEANUP(catalogue_unrefp) = fetch(&one, &err);
    assert_non_null(old);
    assert_int_equal(err.code, 0);
    assert_int_equal(one.asked[SONDE_KIND_METRIC_NAMES], 3);
    clock_set_test(start + 2 * NS_PER_HOUR);
    assert_null(fetch(&one, &err));
    assert_int_equal(err.code, SONDE_E_UNREACHABLE);
}

static void test_some_fail(void **state)
{
    (void)state;
    struct err errs[3];
    struct catalogue_snapshot *got[3];
    struct backend three;
    fill(&three, "three");
    two.fail = SONDE_E_AUTH;
    three.fail_values = SONDE_E_TIMEOUT;
    struct backend *backends[] = {&one, &two, &three};
    assert_int_equal(catalogue_fetch(catalogue, call, backends, 3, got, errs), 0);
    assert_non_null(got[0]);
    assert_null(got[1]);
    assert_int_equal(errs[1].code, SONDE_E_AUTH);
    /* values are a gap, no failure */
    assert_non_null(got[2]);
    assert_true(got[2]->cut);
    assert_int_equal(got[2]->value_count, 0);
    catalogue_unref(got[0]);
    catalogue_unref(got[2]);
    catalogue_destroy(catalogue); /* three lives on this stack */
    assert_int_equal(three.references, 0);
    assert_int_equal(catalogue_create(NULL, NULL, &catalogue, NULL), 0);
}

static void test_without_caps(void **state)
{
    (void)state;
    struct err err;
    one.adapter.table.caps = SONDE_CAP(SONDE_KIND_METRIC_NAMES);
    struct catalogue_snapshot *snapshot CLEANUP(catalogue_unrefp) = fetch(&one, &err);
    assert_int_equal(snapshot->metric_count, 3);
    assert_int_equal(snapshot->label_count, 0);
    assert_true(snapshot->cut);
}

static void test_bounds(void **state)
{
    (void)state;
    struct err err;
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20, NULL);
    size_t n = CATALOGUE_MAX_METRICS + 1;
    const char **names = arena_alloc_array(&arena, n, sizeof *names);
    char padding[401];
    memset(padding, 'x', sizeof padding - 1);
    padding[sizeof padding - 1] = '\0';
    for (size_t i = 0; i < n; i++)
        names[i] = arena_printf(&arena, "m%zu", i);
    one.metrics = names;
    one.metric_count = n;
    struct catalogue_snapshot *snapshot = fetch(&one, &err);
    assert_int_equal(snapshot->metric_count, CATALOGUE_MAX_METRICS);
    assert_true(snapshot->cut);
    catalogue_unref(snapshot);
    /* names so long that the bytes end first */
    for (size_t i = 0; i < n; i++)
        names[i] = arena_printf(&arena, "m%zu_%s", i, padding);
    two.metrics = names;
    two.metric_count = n - 2;
    snapshot = fetch(&two, &err);
    assert_true(snapshot->cut);
    assert_in_range(snapshot->metric_count, 1000, n - 3);
    assert_true(snapshot->arena.used <= CATALOGUE_MAX_BYTES);
    assert_int_equal(snapshot->label_count, 4);
    assert_non_null(catalogue_metric(snapshot, names[0]));
    catalogue_unref(snapshot);
    arena_finish(&arena);
}

static void test_cancelled(void **state)
{
    (void)state;
    struct err err;
    one.hang = true;
    call_cancel(call);
    assert_null(fetch(&one, &err));
    assert_int_equal(err.code, SONDE_E_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_some_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelled, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
