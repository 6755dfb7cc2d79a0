/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "catalogue/catalogue.h"

static const char *const service_names[] = {"service", "service_name", "job", "app"};
static const struct sonde_alias service_alias = {
    .logical = "service", .candidates = service_names, .candidate_count = 4};
static const char *const node_names[] = {"node", "instance"};
static const struct sonde_alias node_alias = {
    .logical = "node", .candidates = node_names, .candidate_count = 2};
static const struct sonde_alias *const aliases[] = {&service_alias, &node_alias};
static const struct adapter adapter = {.table = {.aliases = aliases, .alias_count = 2}};

static const char *const labels[] = {"app", "code", "job", "service"};
static const struct sonde_pair values[] = {
    {"app", "checkout"}, {"job", "cart"}, {"job", "check.out"}, {"service", "frontend"}};
static const struct catalogue_snapshot snapshot = {
    .labels = labels, .label_count = 4, .values = values, .value_count = 4};

static struct arena arena;
static const char *candidates;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 65536, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

static const char *resolve_in(const struct catalogue_snapshot *in, const char *key, uint32_t op,
                              const char *value, const char *const *metric_labels, size_t n)
{
    struct sonde_filter filter = {
        .struct_size = sizeof filter, .op = op, .values = &value, .value_count = value ? 1 : 0};
    candidates = NULL;
    return catalogue_resolve(in, &adapter, key, &filter, metric_labels, n, &arena, &candidates);
}

static const char *resolve(const char *key, uint32_t op, const char *value)
{
    return resolve_in(&snapshot, key, op, value, NULL, 0);
}

static void test_by_value(void **state)
{
    (void)state;
    assert_string_equal(resolve("service", SONDE_OP_EQ, "frontend"), "service");
    assert_string_equal(resolve("service", SONDE_OP_EQ, "cart"), "job");
    assert_string_equal(resolve("service", SONDE_OP_EQ, "checkout"), "app");
    assert_string_equal(resolve("service", SONDE_OP_NE, "checkout"), "app");
    assert_string_equal(resolve("service", SONDE_OP_PREFIX, "ca"), "job");
    /* nobody knows the value: the likeliest label there is */
    assert_string_equal(resolve("service", SONDE_OP_EQ, "nobody"), "service");
    assert_string_equal(resolve("service", SONDE_OP_EXISTS, NULL), "service");
}

static void test_patterns(void **state)
{
    (void)state;
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "ca.*"), "job");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "check\\.out"), "job");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, ".*out"), "job");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "checko.*"), "app");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "nobody|c.rt"), "job");
    assert_string_equal(resolve("service", SONDE_OP_NOT_REGEX, "front.*"), "service");
    /* not judged: the first that may */
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "x?cart"), "service");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "(cart)"), "service");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "\\d+"), "service");
    assert_string_equal(resolve("service", SONDE_OP_REGEX, "trailing\\"), "service");
}

static void test_metric_labels(void **state)
{
    (void)state;
    static const char *const of_metric[] = {"job", "le"};
    assert_string_equal(resolve_in(&snapshot, "service", SONDE_OP_EQ, "frontend", of_metric, 2),
                        "job");
    assert_string_equal(resolve_in(&snapshot, "le", SONDE_OP_EQ, "1", of_metric, 2), "le");
    assert_null(resolve_in(&snapshot, "code", SONDE_OP_EQ, "200", of_metric, 2));
    assert_non_null(strstr(candidates, "labels of the metric: job, le"));
}

static void test_native(void **state)
{
    (void)state;
    assert_string_equal(resolve("code", SONDE_OP_EQ, "500"), "code");
    assert_null(resolve("cod", SONDE_OP_EQ, "500"));
    assert_non_null(strstr(candidates, "looked for cod; nearest is code; labels here: app, code"));
    assert_null(resolve("node", SONDE_OP_EQ, "n1"));
    assert_non_null(strstr(candidates, "looked for node, instance"));
}

/* Absence proves nothing where a bound was hit, or nothing is known. */
static void test_cut(void **state)
{
    (void)state;
    struct catalogue_snapshot cut = {
        .labels = labels, .label_count = 4, .values = values, .value_count = 4, .cut = true};
    assert_string_equal(resolve_in(&cut, "zone", SONDE_OP_EQ, "a", NULL, 0), "zone");
    assert_null(resolve_in(&cut, "node", SONDE_OP_EQ, "a", NULL, 0));
    assert_string_equal(resolve_in(NULL, "zone", SONDE_OP_EQ, "a", NULL, 0), "zone");
    /* a known value still decides */
    assert_string_equal(resolve_in(&cut, "service", SONDE_OP_EQ, "cart", NULL, 0), "job");
}

static bool may(const struct catalogue_snapshot *in, const char *key, uint32_t op,
                const char *value)
{
    struct sonde_filter filter = {
        .struct_size = sizeof filter, .op = op, .values = &value, .value_count = 1};
    return catalogue_may_hold(in, &adapter, key, &filter);
}

static void test_may_hold(void **state)
{
    (void)state;
    assert_true(may(&snapshot, "service", SONDE_OP_EQ, "cart"));
    assert_false(may(&snapshot, "service", SONDE_OP_EQ, "nobody"));
    assert_true(may(&snapshot, "service", SONDE_OP_NE, "nobody"));
    assert_true(may(&snapshot, "code", SONDE_OP_EQ, "500")); /* its values are not known */
    assert_false(may(&snapshot, "zone", SONDE_OP_EQ, "a"));
    assert_false(may(&snapshot, "node", SONDE_OP_NE, "a"));
    struct catalogue_snapshot cut = snapshot;
    cut.cut = true;
    assert_true(may(&cut, "zone", SONDE_OP_EQ, "a"));
    assert_true(may(&cut, "service", SONDE_OP_EQ, "nobody"));
    assert_true(may(NULL, "service", SONDE_OP_EQ, "nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metric_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_native, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_may_hold, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
