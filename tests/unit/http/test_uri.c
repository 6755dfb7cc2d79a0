/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding, query strings, and which path fits which route. */
#include <string.h>

#include "base/cleanup.h"
#include "cmocka_all.h"
#include "http/internal.h"
#include "http/uri.h"

static void decodes(const char *text, bool blanks, const char *wanted)
{
    char out[256];
    struct err err = {0};
    int r = uri_decode(text, strlen(text), blanks, out, &err);
    if (wanted) {
        assert_int_equal(r, 0);
        assert_string_equal(out, wanted);
    } else {
        assert_int_equal(r, ERR_INVALID);
        assert_true(err.text[0]);
    }
}

static void test_decode(void **state)
{
    (void)state;
    decodes("", false, "");
    decodes("abc-._~", false, "abc-._~");
    decodes("a+b", false, "a+b");
    decodes("a+b%2B", true, "a b+");
    decodes("%41%6a%6A", false, "Ajj");
    decodes("%c3%a4\xc3\xa4", false, "\xc3\xa4\xc3\xa4");
    decodes("%2525", false, "%25"); /* once only */
    decodes("%F0%9F%98%80", false, "\xf0\x9f\x98\x80");
    static const char *const refused[] = {"%",
                                          "%4",
                                          "a%",
                                          "%4g",
                                          "%g4",
                                          "%%41",
                                          "% 1",
                                          "%+1",
                                          "%00",
                                          "%0a",
                                          "%7f",
                                          "%1f",
                                          "\x01",
                                          "%ff",
                                          "%c3",
                                          "%c0%80", /* NUL in two */
                                          "%c0%af",
                                          /* '/' in two */ "%ed%a0%80",
                                          /* half a surrogate */ "%f4%90%80%80"};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        decodes(refused[i], false, NULL);
    /* Not beyond its end. */
    char out[4];
    assert_int_equal(uri_decode("%411", 2, false, out, NULL), ERR_INVALID);
    assert_int_equal(uri_decode("%411", 3, false, out, NULL), 0);
    assert_string_equal(out, "A");
}

static void test_query(void **state)
{
    (void)state;
    struct uri_query query = {0};
    assert_int_equal(uri_query_parse("", &query, NULL), 0);
    assert_int_equal(query.count, 0);
    uri_query_finish(&query);
    assert_int_equal(uri_query_parse("a=1&b=&%63=x%3Dy%26z&d=e=f", &query, NULL), 0);
    assert_int_equal(query.count, 4);
    assert_string_equal(uri_query_get(&query, "a"), "1");
    assert_string_equal(uri_query_get(&query, "b"), "");
    assert_string_equal(uri_query_get(&query, "c"), "x=y&z");
    assert_string_equal(uri_query_get(&query, "d"), "e=f");
    assert_null(uri_query_get(&query, "e"));
    uri_query_finish(&query);
}

static void test_query_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } refused[] = {{"a", "a has no value"},       {"&", "without a name"},
                   {"a=1&", "without a name"},    {"a=1&&b=2", "without a name"},
                   {"=1", "without a name"},      {"a=1&a=2", "a is given twice"},
                   {"a=1&%61=2", "given twice"},  {"a=%zz", "parameter a: a percent sign"},
                   {"%=1", "a percent sign"},     {"a=b%00c", "control"},
                   {"limit=1&limit", "no value"}, {"a=%c3&b=%a4", "UTF-8"}};
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct uri_query query = {0};
        struct err err = {0};
        assert_int_equal(uri_query_parse(refused[i].text, &query, &err), ERR_INVALID);
        if (!strstr(err.text, refused[i].says))
            fail_msg("%s: %s", refused[i].text, err.text);
        assert_null(query.text);
    }
    struct buf many = BUF(4096);
    struct uri_query query = {0};
    for (unsigned i = 0; i <= URI_MAX_PAIRS; i++) {
        assert_int_equal(uri_query_parse(buf_text(&many), &query, NULL), 0);
        uri_query_finish(&query);
        buf_printf(&many, "%sp%u=1", i ? "&" : "", i);
    }
    assert_int_equal(uri_query_parse(buf_text(&many), &query, NULL), ERR_INVALID);
    buf_finish(&many);
}

static void test_routes(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool fits;
    } cases[] = {
        {"/a/b", "/a/b", true},
        {"/a/b", "/a/b/", false},
        {"/a/{id}", "/a/b", true},
        {"/a/{id}", "/a/{id}", true},
        {"/a/{id}", "/a/b%2Fc", true},
        {"/a/{id}", "/a/", false},
        {"/a/{id}", "/a", false},
        {"/a/{id}", "/a/b/", false},
        {"/a/{id}", "/a/b/c", false},
        {"/a/{id}", "/A/b", false},
        {"/a/{id}", "/aa/b", false},
        {"/a/{id}/test", "/a/b/test", true},
        {"/a/{id}/test", "/a/b/tests", false},
        {"/a/{id}/test", "/a/b/tes", false},
        {"/a/{id}/test", "/a//test", false},
        {"/a/{id}/test", "/a/b/test/", false},
        {"/{x}/{y}", "/1/2", true},
        {"/{x}/{y}", "//2", false},
        {"/{x}/{y}", "*", false},
        {"/{x}", "/", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (route_fits(cases[i].pattern, cases[i].path) != cases[i].fits)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decode), cmocka_unit_test(test_query),
                                       cmocka_unit_test(test_query_refused),
                                       cmocka_unit_test(test_routes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
