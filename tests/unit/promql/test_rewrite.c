/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"
#include "fake_host.h"

#include "promql/rewrite.h"
#include "promql/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const value_a[] = {"a"};
static const struct sonde_filter ns_a = {.struct_size = sizeof ns_a,
                                         .op = SONDE_OP_EQ,
                                         .logical = "namespace",
                                         .native = "ns",
                                         .values = value_a,
                                         .value_count = 1};
static const struct sonde_filter *const one_filter[] = {&ns_a};
static const char *const service_names[] = {"service", "service_name", "app"};
static const struct sonde_alias service_alias = {.struct_size = sizeof service_alias,
                                                 .logical = "service",
                                                 .candidates = service_names,
                                                 .candidate_count = 3};
static const struct sonde_alias *const aliases[] = {&service_alias};
static const struct promql_dialect dialect = {
    .product = "Prometheus", .aliases = aliases, .alias_count = 1};

static struct promql_context context_of(struct sonde_ctx *ctx, const char *native)
{
    return (struct promql_context){.host = &fake_host,
                                   .ctx = ctx,
                                   .dialect = &dialect,
                                   .native = native,
                                   .native_size = strlen(native)};
}

/* The text with each mark replaced; NULL takes the mark away. */
static void expand(const char *marked, char *out, size_t size, bool filled)
{
    size_t n = 0;
    for (const char *p = marked; *p != '\0'; p++) {
        const char *put = NULL;
        if (strncmp(p, "<B>", 3) == 0)
            put = "{ns=\"a\"}";
        else if (strncmp(p, "<C>", 3) == 0)
            put = ",ns=\"a\"";
        else if (strncmp(p, "<P>", 3) == 0)
            put = "ns=\"a\"";
        if (put == NULL) {
            assert_true(n + 1 < size);
            out[n++] = *p;
            continue;
        }
        p += 2;
        for (; filled && *put != '\0'; put++)
            out[n++] = *put;
        assert_true(n < size);
    }
    out[n] = '\0';
}

static void adds_the_filter_to_every_selector(void **state)
{
    (void)state;
    struct promql_filters filters = {.lists = {one_filter}, .counts = {1}};
    for (size_t i = 0; i < sizeof rewrite_cases / sizeof rewrite_cases[0]; i++) {
        char native[1024];
        char want[1024];
        struct sonde_ctx ctx = {0};
        struct promql_rewrite rewrite;
        expand(rewrite_cases[i], native, sizeof native, false);
        expand(rewrite_cases[i], want, sizeof want, true);
        struct promql_context context = context_of(&ctx, native);
        if (promql_rewrite(&context, &filters, &rewrite) != 0)
            fail_msg("%s\nrefused at %lld: %s", native, (long long)ctx.position, ctx.text);
        if (rewrite.size != strlen(want) || memcmp(rewrite.text, want, rewrite.size) != 0)
            fail_msg("%s\nbecame %.*s", native, (int)rewrite.size, rewrite.text);
        fake_free(&ctx);
    }
}

static void refuses_what_it_cannot_read(void **state)
{
    (void)state;
    struct promql_filters filters = {.lists = {one_filter}, .counts = {1}};
    for (size_t i = 0; i < sizeof refusal_cases / sizeof refusal_cases[0]; i++) {
        struct sonde_ctx ctx = {0};
        struct promql_rewrite rewrite;
        struct promql_context context = context_of(&ctx, refusal_cases[i].text);
        if (promql_rewrite(&context, &filters, &rewrite) != SONDE_E_BAD_QUERY)
            fail_msg("%s was accepted", refusal_cases[i].text);
        if (ctx.position != (int64_t)refusal_cases[i].position)
            fail_msg("%s\nrefused at %lld instead of %zu: %s", refusal_cases[i].text,
                     (long long)ctx.position, refusal_cases[i].position, ctx.text);
        fake_free(&ctx);
    }
}

static void leaves_a_text_without_filters_alone(void **state)
{
    (void)state;
    struct sonde_ctx ctx = {0};
    struct promql_filters none = {0};
    struct promql_rewrite rewrite;
    struct promql_context context = context_of(&ctx, "sum(((");
    assert_int_equal(promql_rewrite(&context, &none, &rewrite), 0);
    assert_ptr_equal(rewrite.text, context.native);
    fake_free(&ctx);
}

static void refuses_info_past_an_enforced_filter(void **state)
{
    (void)state;
    struct sonde_filter enforced = ns_a;
    const struct sonde_filter *const list[] = {&enforced};
    struct promql_filters filters = {.lists = {list}, .counts = {1}};
    struct sonde_ctx ctx = {0};
    struct promql_rewrite rewrite;
    struct promql_context context = context_of(&ctx, "1 + info(up)");
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), 0);
    enforced.flags = SONDE_FILTER_ENFORCED;
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), SONDE_E_BAD_QUERY);
    assert_int_equal(ctx.position, 4);
    fake_free(&ctx);
}

static void nests_no_deeper_than_the_limit(void **state)
{
    (void)state;
    char native[2 * PROMQL_MAX_DEPTH + 8];
    struct promql_visitor visitor = {0};
    struct promql_fault fault;
    for (size_t depth = PROMQL_MAX_DEPTH; depth <= PROMQL_MAX_DEPTH + 1; depth++) {
        memset(native, '(', depth);
        native[depth] = '1';
        memset(native + depth + 1, ')', depth);
        int want = depth <= PROMQL_MAX_DEPTH ? 0 : -1;
        assert_int_equal(promql_walk(native, 2 * depth + 1, &visitor, &fault), want);
    }
}

static void check_filter(uint32_t op, const char *const *values, size_t count, const char *want)
{
    struct sonde_filter filter = ns_a;
    const struct sonde_filter *const list[] = {&filter};
    struct promql_filters filters = {.lists = {list}, .counts = {1}};
    struct sonde_ctx ctx = {0};
    struct promql_rewrite rewrite;
    struct promql_context context = context_of(&ctx, "up{}");
    char expected[256];
    filter.op = op;
    filter.values = values;
    filter.value_count = count;
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), 0);
    (void)snprintf(expected, sizeof expected, "up{ns%s}", want);
    assert_string_equal(rewrite.text, expected);
    fake_free(&ctx);
}

static void writes_each_operation(void **state)
{
    (void)state;
    static const char *const two[] = {"a.b", "c+d"};
    static const char *const odd[] = {"say \"hi\"\\\n"};
    static const char *const regex[] = {"a.*", "b|c"};
    check_filter(SONDE_OP_EQ, two, 1, "=\"a.b\"");
    check_filter(SONDE_OP_EQ, two, 2, "=~\"a\\\\.b|c\\\\+d\"");
    check_filter(SONDE_OP_NE, two, 1, "!=\"a.b\"");
    check_filter(SONDE_OP_NE, two, 2, "!~\"a\\\\.b|c\\\\+d\"");
    check_filter(SONDE_OP_IN, two, 2, "=~\"a\\\\.b|c\\\\+d\"");
    check_filter(SONDE_OP_NOT_IN, two, 2, "!~\"a\\\\.b|c\\\\+d\"");
    check_filter(SONDE_OP_REGEX, regex, 1, "=~\"a.*\"");
    check_filter(SONDE_OP_REGEX, regex, 2, "=~\"(?:a.*)|(?:b|c)\"");
    check_filter(SONDE_OP_NOT_REGEX, regex, 1, "!~\"a.*\"");
    check_filter(SONDE_OP_EXISTS, NULL, 0, "!=\"\"");
    check_filter(SONDE_OP_PREFIX, two, 1, "=~\"a\\\\.b.*\"");
    check_filter(SONDE_OP_EQ, odd, 1, "=\"say \\\"hi\\\"\\\\\\x0a\"");
}

static void refuses_filters_without_meaning(void **state)
{
    (void)state;
    struct sonde_filter filter = ns_a;
    const struct sonde_filter *const list[] = {&filter};
    struct promql_filters filters = {.lists = {list}, .counts = {1}};
    struct sonde_ctx ctx = {0};
    struct promql_rewrite rewrite;
    struct promql_context context = context_of(&ctx, "up");
    filter.op = SONDE_OP_AT_LEAST;
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), SONDE_E_BAD_QUERY);
    filter.op = SONDE_OP_EQ;
    filter.value_count = 0;
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), SONDE_E_BAD_QUERY);
    filter.value_count = 1;
    filter.native = "http.route";
    context.major = 2;
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), SONDE_E_BAD_QUERY);
    context.major = 3;
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), 0);
    assert_string_equal(rewrite.text, "up{\"http.route\"=\"a\"}");
    fake_free(&ctx);
}

static void check_alias(const char *native, const char *logical, const char *want)
{
    struct sonde_filter filter = ns_a;
    struct sonde_ctx ctx = {0};
    struct promql_context context = context_of(&ctx, native);
    filter.native = "";
    filter.logical = logical;
    assert_string_equal(promql_filter_label(&context, &filter), want);
    fake_free(&ctx);
}

static void takes_the_alias_that_the_text_uses(void **state)
{
    (void)state;
    check_alias("up", "service", "service");
    check_alias("up{app=\"x\"}", "service", "app");
    check_alias("sum by (service_name) (up)", "service", "service_name");
    check_alias("up{x=\"app\"}", "service", "service");
    check_alias("", "service", "service");
    check_alias("up", "shop", "shop");
}

static void finds_the_way_back(void **state)
{
    (void)state;
    struct promql_filters filters = {.lists = {one_filter}, .counts = {1}};
    struct sonde_ctx ctx = {0};
    struct promql_rewrite rewrite;
    /* sent: a{ns="a"} +\n  b{x="y",ns="a"} */
    struct promql_context context = context_of(&ctx, "a +\n  b{x=\"y\"}");
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), 0);
    assert_int_equal(promql_original_position(&rewrite, 1, 1), 0);
    assert_int_equal(promql_original_position(&rewrite, 1, 2), 1);
    assert_int_equal(promql_original_position(&rewrite, 1, 5), 1);
    assert_int_equal(promql_original_position(&rewrite, 1, 11), 2);
    assert_int_equal(promql_original_position(&rewrite, 2, 3), 6);
    assert_int_equal(promql_original_position(&rewrite, 2, 10), 13);
    assert_int_equal(promql_original_position(&rewrite, 2, 17), 13);
    assert_int_equal(promql_original_position(&rewrite, 2, 99), -1);
    assert_int_equal(promql_original_position(&rewrite, 3, 1), -1);
    assert_int_equal(promql_original_position(&rewrite, 0, 1), -1);
    fake_free(&ctx);
}

static void check_message(const struct promql_rewrite *rewrite, struct sonde_ctx *ctx,
                          const char *message, const char *want, int64_t position)
{
    struct sonde_text text;
    sonde_text_init(&text, &fake_host, ctx, 1024);
    assert_int_equal(promql_translate_message(rewrite, message, &text), position);
    assert_string_equal(sonde_text_string(&text), want);
}

static void translates_positions_in_messages(void **state)
{
    (void)state;
    struct promql_filters filters = {.lists = {one_filter}, .counts = {1}};
    struct sonde_ctx ctx = {0};
    struct promql_rewrite rewrite;
    struct promql_context context = context_of(&ctx, "a + foo(b)");
    assert_int_equal(promql_rewrite(&context, &filters, &rewrite), 0);
    check_message(&rewrite, &ctx,
                  "invalid parameter \"query\": 1:13: parse error: unknown function with name "
                  "\"foo\"",
                  "invalid parameter \"query\": 1:5: parse error: unknown function with name "
                  "\"foo\"",
                  4);
    check_message(&rewrite, &ctx, "PromQL info: not a counter: \"b\" (1:17)",
                  "PromQL info: not a counter: \"b\" (1:9)", 8);
    check_message(&rewrite, &ctx, "refused at 12:30 by 10.0.0.1:9090",
                  "refused at 12:30 by "
                  "10.0.0.1:9090",
                  -1);
    check_message(&rewrite, &ctx, "", "", -1);
    fake_free(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_the_filter_to_every_selector),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(leaves_a_text_without_filters_alone),
        cmocka_unit_test(refuses_info_past_an_enforced_filter),
        cmocka_unit_test(nests_no_deeper_than_the_limit),
        cmocka_unit_test(writes_each_operation),
        cmocka_unit_test(refuses_filters_without_meaning),
        cmocka_unit_test(takes_the_alias_that_the_text_uses),
        cmocka_unit_test(finds_the_way_back),
        cmocka_unit_test(translates_positions_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
