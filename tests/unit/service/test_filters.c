/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "base/cleanup.h"
#include "service/filters.h"

static const struct {
    const char *written;
    uint32_t op;
    const char *values[3];
} cases[] = {
    {"a", SONDE_OP_EQ, {"a"}},
    {"!a", SONDE_OP_NE, {"a"}},
    {"a,b , c", SONDE_OP_IN, {"a", "b", "c"}},
    {"!a,b", SONDE_OP_NOT_IN, {"a", "b"}},
    {"a\\,b", SONDE_OP_EQ, {"a,b"}},
    {"web-*", SONDE_OP_REGEX, {"web-.*"}},
    {"!web-?.x", SONDE_OP_NOT_REGEX, {"web-.\\.x"}},
    {"a*,b", SONDE_OP_REGEX, {"a.*|b"}},
    {"/5../", SONDE_OP_REGEX, {"5.."}},
    {"!/a|b,c/", SONDE_OP_NOT_REGEX, {"a|b,c"}},
    {"/", SONDE_OP_EQ, {"/"}},
    {"/api/v1", SONDE_OP_EQ, {"/api/v1"}},
    {"*", SONDE_OP_EXISTS, {NULL}},
};

static void values_mean_what_the_grammar_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 16, NULL);
        struct sonde_filter *filter = NULL;
        struct err err = {0};
        assert_int_equal(filter_parse("pod", cases[i].written, &arena, &filter, &err), 0);
        assert_int_equal(filter->op, cases[i].op);
        assert_string_equal(filter->logical, "pod");
        size_t n = 0;
        while (n < 3 && cases[i].values[n])
            n++;
        assert_int_equal(filter->value_count, n);
        for (size_t k = 0; k < n; k++)
            assert_string_equal(filter->values[k], cases[i].values[k]);
        arena_finish(&arena);
    }
}

static void empty_values_are_explained(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "!", " , ", "!*"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 16, NULL);
        struct sonde_filter *filter = NULL;
        struct err err = {0};
        assert_int_equal(filter_parse("pod", bad[i], &arena, &filter, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, "pod"));
        assert_null(filter);
        arena_finish(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_mean_what_the_grammar_says),
        cmocka_unit_test(empty_values_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
