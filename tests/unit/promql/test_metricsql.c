/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_host.h"
#include "metricsql_cases.h"

#include "promql/metricsql.h"
#include "promql/name.h"
#include "promql/rewrite.h"

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
static const struct promql_filters filters = {.lists = {one_filter}, .counts = {1}};
static const struct promql_dialect dialect = {.product = "VictoriaMetrics",
                                              .language = "MetricsQL",
                                              .escapes_names = true,
                                              .walk = metricsql_walk};

static struct promql_context context_of(struct sonde_ctx *ctx, const char *native)
{
    return (struct promql_context){.host = &fake_host,
                                   .ctx = ctx,
                                   .dialect = &dialect,
                                   .native = native,
                                   .native_size = strlen(native)};
}

/* The text with each mark replaced, or taken away. */
static void expand(const char *marked, char *out, size_t size, bool filled)
{
    static const char *const marks[][2] = {
        {"<B>", "{ns=\"a\"}"}, {"<C>", ",ns=\"a\""}, {"<P>", "ns=\"a\""}};
    size_t n = 0;
    for (const char *p = marked; *p != '\0';) {
        size_t mark = 0;
        while (mark < 3 && strncmp(p, marks[mark][0], 3) != 0)
            mark++;
        const char *put = mark < 3 ? (filled ? marks[mark][1] : "") : p;
        size_t k = mark < 3 ? strlen(put) : 1;
        assert_true(n + k < size);
        memcpy(out + n, put, k);
        n += k;
        p += mark < 3 ? 3 : 1;
    }
    out[n] = '\0';
}

static void adds_the_filter_to_every_selector(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof metricsql_cases / sizeof metricsql_cases[0]; i++) {
        char native[1024];
        char want[1024];
        struct sonde_ctx ctx = {0};
        struct promql_rewrite rewrite;
        expand(metricsql_cases[i], native, sizeof native, false);
        expand(metricsql_cases[i], want, sizeof want, true);
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
    for (size_t i = 0; i < sizeof metricsql_refusals / sizeof metricsql_refusals[0]; i++) {
        struct sonde_ctx ctx = {0};
        struct promql_rewrite rewrite;
        struct promql_context context = context_of(&ctx, metricsql_refusals[i].text);
        if (promql_rewrite(&context, &filters, &rewrite) != SONDE_E_BAD_QUERY)
            fail_msg("%s was accepted", metricsql_refusals[i].text);
        if (ctx.position != (int64_t)metricsql_refusals[i].position)
            fail_msg("%s\nrefused at %lld instead of %zu: %s", metricsql_refusals[i].text,
                     (long long)ctx.position, metricsql_refusals[i].position, ctx.text);
        fake_free(&ctx);
    }
}

static void nests_no_deeper_than_the_limit(void **state)
{
    (void)state;
    static const char *const openings[] = {"(", "-", "abs(", "WITH (x = "};
    struct promql_visitor visitor = {0};
    struct promql_fault fault;
    for (size_t k = 0; k < sizeof openings / sizeof openings[0]; k++) {
        char native[PROMQL_MAX_DEPTH * 12 + 16];
        size_t n = strlen(openings[k]);
        for (size_t i = 0; i < PROMQL_MAX_DEPTH + 1; i++)
            memcpy(native + i * n, openings[k], n);
        assert_int_equal(metricsql_walk(native, (PROMQL_MAX_DEPTH + 1) * n, &visitor, &fault), -1);
        assert_non_null(strstr(fault.text, "deep"));
        native[(PROMQL_MAX_DEPTH - 1) * n] = '1';
        assert_int_equal(metricsql_walk(native, (PROMQL_MAX_DEPTH - 1) * n + 1, &visitor, &fault),
                         openings[k][0] == '-' ? 0 : -1);
        if (openings[k][0] != '-')
            assert_null(strstr(fault.text, "deep"));
    }
}

static void knows_a_bounded_number_of_templates(void **state)
{
    (void)state;
    char native[METRICSQL_MAX_TEMPLATES * 16 + 64] = "WITH (";
    struct promql_visitor visitor = {0};
    struct promql_fault fault;
    for (int i = 0; i <= METRICSQL_MAX_TEMPLATES; i++) {
        char one[24];
        (void)snprintf(one, sizeof one, "t%d = 1,", i);
        strcat(native, one);
    }
    assert_int_equal(metricsql_walk(native, strlen(native), &visitor, &fault), -1);
    assert_string_equal(fault.text, "WITH defines too many templates");
}

static void writes_odd_label_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *escaped;
        const char *path;
    } names[] = {{"job", "job", "job"},
                 {"a.b", "a.b", "a.b"},
                 {"k8s-zone", "k8s\\-zone", "k8s-zone"},
                 {"1a", "\\1a", "1a"},
                 {"a b", "a\\x20b", "a%20b"},
                 {"\xc3\xbc", "\\u00fc", "%C3%BC"},
                 {"a/../b", "a\\/..\\/b", "a%2F..%2Fb"},
                 {"..", "\\..", "%2E%2E"},
                 {"\xff", "\\xff", "%FF"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sonde_ctx ctx = {0};
        struct sonde_text text;
        sonde_text_init(&text, &fake_host, &ctx, 256);
        promql_add_escaped_label(&text, names[i].name);
        assert_string_equal(sonde_text_string(&text), names[i].escaped);
        text.size = 0;
        promql_add_plain_path_name(&text, names[i].name);
        assert_string_equal(sonde_text_string(&text), names[i].path);
        fake_free(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_the_filter_to_every_selector),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(nests_no_deeper_than_the_limit),
        cmocka_unit_test(knows_a_bounded_number_of_templates),
        cmocka_unit_test(writes_odd_label_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
