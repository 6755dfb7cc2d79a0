/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "service/select.h"

static struct sonde_pair prod[] = {{"env", "prod"}, {"team", "a"}};
static struct sonde_pair dev[] = {{"env", "dev"}};
static struct connection a = {.id = "11111111-1111-8111-8111-111111111111",
                              .name = "prom-eu",
                              .backend = "prometheus",
                              .tags = prod,
                              .tag_count = 2};
static struct connection b = {.id = "22222222-2222-8222-8222-222222222222",
                              .name = "prom-us",
                              .backend = "prometheus",
                              .tags = prod,
                              .tag_count = 1};
static struct connection c = {.id = "33333333-3333-8333-8333-333333333333",
                              .name = "dev",
                              .backend = "vm",
                              .tags = dev,
                              .tag_count = 1};
static struct connection d = {
    .id = "44444444-4444-8444-8444-444444444444", .name = "logs", .backend = "loki"};

static struct select_candidate all[] = {{&a, true, SELECT_UNKNOWN},
                                        {&b, true, SELECT_UNKNOWN},
                                        {&c, true, SELECT_UNKNOWN},
                                        {&d, false, SELECT_UNKNOWN}};

static struct arena arena;
static struct err err;

static int reset(void **state)
{
    (void)state;
    a.is_default = b.is_default = c.is_default = d.is_default = false;
    for (size_t i = 0; i < 4; i++)
        all[i].fit = SELECT_UNKNOWN;
    arena_init(&arena, 1 << 20, NULL);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

/* "prom-eu,dev|prom-us": chosen, then not asked. */
static const char *choose(const char *id, bool everyone, size_t n)
{
    struct selection selection;
    err = (struct err){0};
    int r = select_connections(all, n, id, everyone, &arena, &selection, &err);
    if (r)
        return err.text;
    const char *text = "";
    for (size_t i = 0; i < selection.chosen_count; i++)
        text = arena_printf(&arena, "%s%s%s", text, i ? "," : "",
                            all[selection.chosen[i]].connection->name);
    text = arena_printf(&arena, "%s|", text);
    for (size_t i = 0; i < selection.not_asked_count; i++)
        text = arena_printf(&arena, "%s%s%s", text, i ? "," : "", selection.not_asked[i]);
    return text;
}

static void test_named(void **state)
{
    (void)state;
    assert_string_equal(choose("prom-us", false, 4), "prom-us|prom-eu,dev");
    assert_string_equal(choose(" dev , prom-eu,dev", false, 4), "prom-eu,dev|prom-us");
    assert_string_equal(choose("22222222-2222-8222-8222-222222222222", false, 4),
                        "prom-us|prom-eu,dev");
    assert_string_equal(choose("prom-*", false, 4), "prom-eu,prom-us|dev");
    assert_string_equal(choose("?ev", false, 4), "dev|prom-eu,prom-us");
    assert_string_equal(choose("env=prod", false, 4), "prom-eu,prom-us|dev");
    assert_string_equal(choose("team=*,dev", false, 4), "prom-eu,dev|prom-us");
    assert_string_equal(choose("all", false, 4), "prom-eu,prom-us,dev|");
    assert_string_equal(choose("all", true, 4), "prom-eu,prom-us,dev|");
}

static void test_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(choose("prom-uss", false, 4), "did you mean \"prom-us\"?"));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "prom-eu (prometheus, env=prod, team=a), prom-us"));
    assert_non_null(
        strstr(choose("zzzzzz", false, 4), "no connection \"zzzzzz\"; there are: prom-eu"));
    assert_non_null(strstr(choose("logs", false, 4), "cannot answer this kind of question"));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(choose("zz-*", false, 4), "\"zz-*\" matches no connection"));
    assert_non_null(strstr(choose("env=stage", false, 4), "\"env=stage\" matches no connection"));
    assert_non_null(strstr(choose("prom-eu/team-a", false, 4), "write \"prom-eu\""));
    assert_non_null(strstr(choose(" , ,", false, 4), "names nothing"));
    assert_non_null(strstr(choose("prom-eu", false, 0), "there are no connections"));
    assert_non_null(strstr(choose(NULL, false, 0), "there are no connections"));
}

static void test_left_out(void **state)
{
    (void)state;
    /* the only one */
    assert_string_equal(choose(NULL, false, 1), "prom-eu|");
    /* several, no default */
    assert_non_null(strstr(choose("", false, 4), "connection_id is needed"));
    assert_non_null(strstr(err.text, "dev (vm, env=dev)"));
    assert_null(strstr(err.text, "logs"));
    /* everyone */
    assert_string_equal(choose(NULL, true, 4), "prom-eu,prom-us,dev|");
    /* the default; one of a type that cannot answer does not count */
    b.is_default = d.is_default = true;
    assert_string_equal(choose(NULL, false, 4), "prom-us|prom-eu,dev");
    /* two backend types with a default each decide nothing */
    c.is_default = true;
    assert_non_null(strstr(choose(NULL, false, 4), "connection_id is needed"));
}

static void test_fit(void **state)
{
    (void)state;
    b.is_default = true;
    all[2].fit = SELECT_FITS;
    all[0].fit = all[1].fit = SELECT_MISSES;
    assert_string_equal(choose(NULL, false, 4), "dev|prom-eu,prom-us");
    /* several fit: the default among them */
    all[1].fit = SELECT_FITS;
    assert_string_equal(choose(NULL, false, 4), "prom-us|prom-eu,dev");
    /* several fit, the default does not: only those that do are listed */
    all[0].fit = SELECT_FITS;
    all[1].fit = SELECT_MISSES;
    assert_non_null(strstr(choose(NULL, false, 4), "connection_id is needed"));
    assert_null(strstr(err.text, "prom-us"));
    /* none fits: the default */
    all[0].fit = all[2].fit = SELECT_MISSES;
    assert_string_equal(choose(NULL, false, 4), "prom-us|prom-eu,dev");
}

static void test_none_able(void **state)
{
    (void)state;
    struct select_candidate one = {&d, false, SELECT_UNKNOWN};
    struct selection selection;
    assert_int_equal(select_connections(&one, 1, NULL, false, &arena, &selection, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(select_connections(&one, 1, NULL, true, &arena, &selection, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none of the 1 connections"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_named, reset, finish),
        cmocka_unit_test_setup_teardown(test_refused, reset, finish),
        cmocka_unit_test_setup_teardown(test_left_out, reset, finish),
        cmocka_unit_test_setup_teardown(test_fit, reset, finish),
        cmocka_unit_test_setup_teardown(test_none_able, reset, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
