/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../plugins/otlpfile/regex.h"

static void *blocks[10000];
static size_t block_count;

static void *host_alloc(struct sonde_ctx *ctx, size_t size)
{
    (void)ctx;
    assert_true(block_count < 10000);
    blocks[block_count] = calloc(1, size);
    return blocks[block_count++];
}

static const struct sonde_host host = {.struct_size = sizeof(host), .alloc = host_alloc};

static int release(void **state)
{
    (void)state;
    while (block_count)
        free(blocks[--block_count]);
    return 0;
}

static const char *reason_of(const char *pattern, size_t *ret_position)
{
    struct memory memory = {&host, NULL, false};
    const char *reason = NULL;

    return regex_compile(&memory, pattern, &reason, ret_position) ? NULL : reason;
}

static bool matches(const char *pattern, const char *text)
{
    struct memory memory = {&host, NULL, false};
    const char *reason = NULL;
    size_t position;
    struct regex *regex = regex_compile(&memory, pattern, &reason, &position);

    assert_non_null(regex);
    return regex_match(regex, text);
}

static void test_matches(void **state)
{
    static const struct {
        const char *pattern;
        const char *yes;
        const char *no;
    } cases[] = {{"web-app-.*", "web-app-xyz", "a web-app-xyz"},
                 {"a|bc|", "", "ab"},
                 {"(a|b)*c", "ababc", "abab"},
                 {"x{2,3}", "xxx", "xxxx"},
                 {"x{0}y", "y", "xy"},
                 {"(ab){2}", "abab", "ab"},
                 {"(ab){1,}c?", "ababab", "c"},
                 {"x{0,}", "", "y"},
                 {"[a-c0-9]+", "b7", "d"},
                 {"[^/]*", "abc", "a/b"},
                 {"[]a]+", "]a", "["},
                 {"[a\\-z]", "-", "m"},
                 {"\\d+\\.\\d+", "12.5", "12x5"},
                 {"\\w\\W\\S\\s", "a-b ", "a-b-"},
                 {"(?i)OOM(?:Killed)?", "oomkilled", "killed"},
                 {"^a$", "a", "ba"},
                 {"a+?b*?", "aab", "b"},
                 {"caf\xc3\xa9*", "caf\xc3\xa9\xc3\xa9", "caf\xc3\xa9\xa9"},
                 {"((a*)*)*", "aaaa", "b"},
                 {"[[.]]", "[]", "["},
                 {"5..|4\\d\\d", "503", "200"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!matches(cases[i].pattern, cases[i].yes))
            fail_msg("%s should match '%s'", cases[i].pattern, cases[i].yes);
        if (matches(cases[i].pattern, cases[i].no))
            fail_msg("%s should not match '%s'", cases[i].pattern, cases[i].no);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *pattern;
        size_t position;
    } cases[] = {{"a(b", 3}, {"a)", 1},     {"*a", 0},     {"a**", 2},         {"[a", 2},
                 {"a{2", 3}, {"a{3,2}", 6}, {"a{999}", 5}, {"(?=a)", 1},       {"\\b", 1},
                 {"a\\", 2}, {"[z-a]", 4},  {"a^b", 1},    {"[[:alpha:]]", 1}, {"\\1", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t position = 999;

        if (!reason_of(cases[i].pattern, &position))
            fail_msg("%s should be refused", cases[i].pattern);
        if (position != cases[i].position)
            fail_msg("%s: position %zu", cases[i].pattern, position);
    }
}

static void test_is_bounded(void **state)
{
    char text[4001];
    size_t position;

    (void)state;
    memset(text, 'a', 4000);
    text[4000] = '\0';
    /* A backtracking matcher would not come back from this. */
    assert_false(matches("(a*)*(a*)*(a|aa)*b", text));
    assert_non_null(reason_of("((((x{100}){100}){100}){100})", &position));
    text[3999] = '\0';
    memset(text, '(', 3000);
    assert_non_null(reason_of(text, &position));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_matches, release),
                                       cmocka_unit_test_teardown(test_refuses, release),
                                       cmocka_unit_test_teardown(test_is_bounded, release)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
