/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sonde/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The events of a document as one text, and a stop after some of them. */
struct record {
    char text[8192];
    size_t size;
    int stop_after;
    int stop_code;
};

static void put(struct record *record, const char *data, size_t size)
{
    assert_true(record->size + size < sizeof(record->text));
    memcpy(record->text + record->size, data, size);
    record->size += size;
    record->text[record->size] = '\0';
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    static const char marks[] = "?{}[]K\"#tfn|";
    struct record *record = user;
    char head[24];
    const int n = snprintf(head, sizeof(head), "%c%u", marks[type], depth);
    put(record, head, (size_t)n);
    if (type == SONDE_JSON_KEY || type == SONDE_JSON_STRING || type == SONDE_JSON_NUMBER) {
        put(record, ":", 1);
        for (size_t i = 0; i < size; i++)
            put(record, text[i] ? text + i : "\\0", text[i] ? 1 : 2);
    }
    put(record, " ", 1);
    return record->stop_after > 0 && --record->stop_after == 0 ? record->stop_code : 0;
}

struct outcome {
    int code;
    uint64_t offset;
    struct record record;
};

/* Each chunk lies in memory of its own size, so that a read past it is seen by the sanitizers. */
static int feed(struct sonde_json *json, const char *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    const int rc = sonde_json_feed(json, copy, size);
    free(copy);
    return rc;
}

static void read_all(const char *doc, size_t size, const size_t *cuts, size_t cut_count,
                     uint32_t flags, uint32_t max_depth, size_t max_token, struct outcome *ret)
{
    struct sonde_json json;
    memset(ret, 0, sizeof(*ret));
    assert_int_equal(sonde_json_init(&json, on_event, &ret->record, flags, max_depth, max_token),
                     0);
    size_t from = 0;
    for (size_t i = 0; i <= cut_count && !ret->code; i++) {
        const size_t to = i < cut_count ? cuts[i] : size;
        ret->code = feed(&json, doc + from, to - from);
        from = to;
    }
    if (!ret->code)
        ret->code = sonde_json_end(&json);
    ret->offset = json.offset;
    assert_int_equal(sonde_json_end(&json), ret->code);
    sonde_json_free(&json);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->code, b->code);
    assert_string_equal(a->record.text, b->record.text);
    if (a->code != SONDE_JSON_E_TOKEN)
        assert_int_equal(a->offset, b->offset);
}

/* Whole, a byte at a time, and at every split in two and in three must give the same. */
static void check_splits(const char *doc, size_t size, uint32_t flags, uint32_t max_depth,
                         size_t max_token, struct outcome *ret)
{
    struct outcome split;
    size_t cuts[512];
    assert_true(size < 512);
    read_all(doc, size, NULL, 0, flags, max_depth, max_token, ret);
    for (size_t i = 0; i < size; i++)
        cuts[i] = i;
    read_all(doc, size, cuts, size, flags, max_depth, max_token, &split);
    assert_same(ret, &split);
    for (size_t i = 0; i <= size; i++) {
        for (size_t k = i; k <= size; k++) {
            const size_t two[2] = {i, k};
            read_all(doc, size, two, 2, flags, max_depth, max_token, &split);
            assert_same(ret, &split);
        }
    }
}

struct doc_case {
    const char *doc;
    int code;
    const char *events; /* NULL: not looked at */
};

static void check_cases(const struct doc_case *cases, size_t n, uint32_t flags)
{
    struct outcome outcome;
    for (size_t i = 0; i < n; i++) {
        check_splits(cases[i].doc, strlen(cases[i].doc), flags, 0, 0, &outcome);
        if (outcome.code != cases[i].code)
            fail_msg("%s gave %d instead of %d", cases[i].doc, outcome.code, cases[i].code);
        if (cases[i].events)
            assert_string_equal(outcome.record.text, cases[i].events);
    }
}

static void test_hard_document(void **state)
{
    (void)state;
    static const char doc[] = " {\"a\\u0000b\":[1,-0.5e+10,\"\\\"\\\\\\/"
                              "\\b\\f\\n\\r\\t\",\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\","
                              "\"\\ud83d\\ude00x\\u20AC\",true,false,null,{},[]],\"\":\"\",\"long "
                              "enough for words of eight\":0}\n";
    struct outcome outcome;
    check_splits(doc, sizeof(doc) - 1, 0, 0, 0, &outcome);
    assert_int_equal(outcome.code, 0);
    assert_int_equal(outcome.offset, sizeof(doc) - 1);
    assert_string_equal(outcome.record.text,
                        "{0 K1:a\\0b [1 #2:1 #2:-0.5e+10 \"2:\"\\/\b\f\n\r\t "
                        "\"2:\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 "
                        "\"2:\xf0\x9f\x98\x80x\xe2\x82\xac t2 f2 n2 {2 }2 [2 ]2 ]1 K1: \"1: "
                        "K1:long enough for words of eight #1:0 }0 ");
}

static void test_accepts(void **state)
{
    (void)state;
    static const struct doc_case cases[] = {
        {"0", 0, "#0:0 "},
        {"-0", 0, "#0:-0 "},
        {"  1.5E-3  ", 0, "#0:1.5E-3 "},
        {"\"\"", 0, "\"0: "},
        {"\"\x7f\"", 0, "\"0:\x7f "},
        {"true", 0, "t0 "},
        {"[[]]", 0, "[0 [1 ]1 ]0 "},
        {"[0]", 0, "[0 #1:0 ]0 "},
        {"{\"a\":1,\"a\":2}", 0, "{0 K1:a #1:1 K1:a #1:2 }0 "},
        {"123456789012345678901234567890", 0, NULL},
        {"\t[\r\n1 , 2 ]\n", 0, "[0 #1:1 #1:2 ]0 "},
        {"\"\\uFFFF\\u007F\"", 0, "\"0:\xef\xbf\xbf\x7f "},
        {"\"\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\"", 0, NULL},
    };
    check_cases(cases, sizeof(cases) / sizeof(cases[0]), 0);
}

static void test_refuses(void **state)
{
    (void)state;
    static const struct doc_case cases[] = {
        {"01", SONDE_JSON_E_SYNTAX, ""},
        {"[-01]", SONDE_JSON_E_SYNTAX, NULL},
        {"1.", SONDE_JSON_E_SYNTAX, NULL},
        {"[1.]", SONDE_JSON_E_SYNTAX, NULL},
        {"[.5]", SONDE_JSON_E_SYNTAX, NULL},
        {"[+1]", SONDE_JSON_E_SYNTAX, NULL},
        {"[-]", SONDE_JSON_E_SYNTAX, NULL},
        {"[1e]", SONDE_JSON_E_SYNTAX, NULL},
        {"[1e+]", SONDE_JSON_E_SYNTAX, NULL},
        {"[1-2]", SONDE_JSON_E_SYNTAX, "[0 "},
        {"[1e5.0]", SONDE_JSON_E_SYNTAX, NULL},
        {"[0x1]", SONDE_JSON_E_SYNTAX, NULL},
        {"NaN", SONDE_JSON_E_SYNTAX, NULL},
        {"Infinity", SONDE_JSON_E_SYNTAX, NULL},
        {"tru", SONDE_JSON_E_END, NULL},
        {"truE", SONDE_JSON_E_SYNTAX, NULL},
        {"[truefalse]", SONDE_JSON_E_SYNTAX, NULL},
        {"'a'", SONDE_JSON_E_SYNTAX, NULL},
        {"[1,]", SONDE_JSON_E_SYNTAX, NULL},
        {"[,1]", SONDE_JSON_E_SYNTAX, NULL},
        {"[1 2]", SONDE_JSON_E_SYNTAX, NULL},
        {"{\"a\":1,}", SONDE_JSON_E_SYNTAX, NULL},
        {"{\"a\" 1}", SONDE_JSON_E_SYNTAX, NULL},
        {"{a:1}", SONDE_JSON_E_SYNTAX, NULL},
        {"{\"a\"}", SONDE_JSON_E_SYNTAX, NULL},
        {"{\"a\":}", SONDE_JSON_E_SYNTAX, NULL},
        {"{1:2}", SONDE_JSON_E_SYNTAX, NULL},
        {"[}", SONDE_JSON_E_SYNTAX, NULL},
        {"[1}", SONDE_JSON_E_SYNTAX, "[0 #1:1 "},
        {"{]", SONDE_JSON_E_SYNTAX, NULL},
        {"]", SONDE_JSON_E_SYNTAX, NULL},
        {"1 2", SONDE_JSON_E_SYNTAX, "#0:1 "},
        {"{}x", SONDE_JSON_E_SYNTAX, "{0 }0 "},
        {"/* c */1", SONDE_JSON_E_SYNTAX, NULL},
        {"\xef\xbb\xbf{}", SONDE_JSON_E_SYNTAX, NULL},
        {"\"\t\"", SONDE_JSON_E_SYNTAX, NULL},
        {"\"\x1f\"", SONDE_JSON_E_SYNTAX, NULL},
        {"\"\\x\"", SONDE_JSON_E_SYNTAX, NULL},
        {"\"\\u12g4\"", SONDE_JSON_E_SYNTAX, NULL},
        {"\"\\u123\"", SONDE_JSON_E_SYNTAX, NULL},
        {"\"abc", SONDE_JSON_E_END, NULL},
        {"\"abc\\", SONDE_JSON_E_END, NULL},
        {"\"\\u00", SONDE_JSON_E_END, NULL},
        {"[1", SONDE_JSON_E_END, NULL},
        {"{\"a\":", SONDE_JSON_E_END, NULL},
        {"", SONDE_JSON_E_END, ""},
        {" \n", SONDE_JSON_E_END, ""},
        {"\"\\ud800\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\\ud800x\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\\ud800\\n\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\\ud800\\u0041\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\\ud800\\ud800\\udc00\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\\udc00\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\x80\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xc0\xaf\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xe0\x9f\xbf\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xed\xa0\x80\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xf0\x8f\xbf\xbf\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xf4\x90\x80\x80\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xf5\x80\x80\x80\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xe2\x82\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xe2\"", SONDE_JSON_E_UTF8, NULL},
        {"\"\xe2\x82", SONDE_JSON_E_END, NULL},
    };
    check_cases(cases, sizeof(cases) / sizeof(cases[0]), 0);
}

static void test_lenient(void **state)
{
    (void)state;
    static const struct doc_case cases[] = {
        {"\"a\x80z\"", 0, "\"0:a\xef\xbf\xbdz "},
        {"\"\xe2\x82\"", 0, "\"0:\xef\xbf\xbd "},
        {"\"\xe2\x82\xe2\x82\xac\"", 0, "\"0:\xef\xbf\xbd\xe2\x82\xac "},
        {"\"\xf0\x9f\x98\\n\"", 0, "\"0:\xef\xbf\xbd\n "},
        {"\"\xc0\xaf\"", 0, "\"0:\xef\xbf\xbd\xef\xbf\xbd "},
        {"\"\\ud800\"", 0, "\"0:\xef\xbf\xbd "},
        {"\"\\ud800\\n\\udc00z\"", 0, "\"0:\xef\xbf\xbd\n\xef\xbf\xbdz "},
        {"\"\\ud800\\ud83d\\ude00\"", 0, "\"0:\xef\xbf\xbd\xf0\x9f\x98\x80 "},
        {"{\"\\ud800\":1}", 0, "{0 K1:\xef\xbf\xbd #1:1 }0 "},
        {"\"\x01\"", SONDE_JSON_E_SYNTAX, NULL},
    };
    check_cases(cases, sizeof(cases) / sizeof(cases[0]), SONDE_JSON_LENIENT);
}

static void test_lines(void **state)
{
    (void)state;
    static const struct doc_case cases[] = {
        {"", 0, ""},
        {"\n\n", 0, ""},
        {"{}\n[1]\n", 0, "{0 }0 |0 [0 #1:1 ]0 |0 "},
        {"1\n2", 0, "#0:1 |0 #0:2 |0 "},
        {"\"a\" true", 0, "\"0:a |0 t0 |0 "},
        {"{}{}", SONDE_JSON_E_SYNTAX, "{0 }0 |0 "},
        {"{}\n{", SONDE_JSON_E_END, NULL},
        {"{}\n]", SONDE_JSON_E_SYNTAX, NULL},
    };
    check_cases(cases, sizeof(cases) / sizeof(cases[0]), SONDE_JSON_LINES);
}

static void test_limits(void **state)
{
    (void)state;
    struct outcome outcome;
    check_splits("[[[1]]]", 7, 0, 3, 0, &outcome);
    assert_int_equal(outcome.code, 0);
    check_splits("[[[1]]]", 7, 0, 2, 0, &outcome);
    assert_int_equal(outcome.code, SONDE_JSON_E_DEPTH);
    assert_string_equal(outcome.record.text, "[0 [1 ");
    check_splits("[\"12345678\"]", 12, 0, 0, 8, &outcome);
    assert_int_equal(outcome.code, 0);
    check_splits("[\"123456789\"]", 13, 0, 0, 8, &outcome);
    assert_int_equal(outcome.code, SONDE_JSON_E_TOKEN);
    assert_string_equal(outcome.record.text, "[0 ");
    check_splits("[\"\\u20ac\\u20ac\\u20ac\"]", 22, 0, 0, 8, &outcome);
    assert_int_equal(outcome.code, SONDE_JSON_E_TOKEN);
    check_splits("[123456789]", 11, 0, 0, 8, &outcome);
    assert_int_equal(outcome.code, SONDE_JSON_E_TOKEN);
    check_splits("{\"123456789\":1}", 15, 0, 0, 8, &outcome);
    assert_int_equal(outcome.code, SONDE_JSON_E_TOKEN);
}

static void test_deep(void **state)
{
    (void)state;
    char doc[2100];
    struct outcome outcome;
    memset(doc, '[', sizeof(doc));
    struct sonde_json json;
    struct record *record = &outcome.record;
    memset(&outcome, 0, sizeof(outcome));
    record->stop_after = 0;
    assert_int_equal(sonde_json_init(&json, on_event, record, 0, 9999, 0), 0);
    assert_int_equal(json.max_depth, 1024);
    sonde_json_free(&json);
    read_all(doc, sizeof(doc), NULL, 0, 0, 100, 0, &outcome);
    assert_int_equal(outcome.code, SONDE_JSON_E_DEPTH);
    assert_int_equal(outcome.offset, 101);
}

static void test_stop_is_sticky(void **state)
{
    (void)state;
    struct sonde_json json;
    struct record record = {.stop_after = 2, .stop_code = 7};
    assert_int_equal(sonde_json_init(&json, on_event, &record, 0, 0, 0), 0);
    assert_int_equal(feed(&json, "[1,2,3]", 7), 7);
    assert_int_equal(feed(&json, "x", 1), 7);
    assert_int_equal(sonde_json_end(&json), 7);
    assert_string_equal(record.text, "[0 #1:1 ");
    sonde_json_reset(&json);
    record.size = 0;
    assert_int_equal(feed(&json, "[\"\\u00", 6), 0);
    sonde_json_reset(&json);
    record.size = 0;
    assert_int_equal(feed(&json, "{}", 2), 0);
    assert_int_equal(sonde_json_end(&json), 0);
    assert_string_equal(record.text, "{0 }0 ");
    sonde_json_free(&json);
    assert_int_equal(feed(&json, "{}", 2), SONDE_JSON_E_MEMORY);
}

/* A string without escapes inside a chunk is handed out where it lies. */
static int on_slice(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    (void)depth;
    (void)size;
    if (type == SONDE_JSON_STRING)
        *(const char **)user = text;
    return 0;
}

static void test_no_copy(void **state)
{
    (void)state;
    struct sonde_json json;
    const char doc[] = "[\"plain \xc3\xa4 string\"]";
    const char *text = NULL;
    assert_int_equal(sonde_json_init(&json, on_slice, &text, 0, 0, 0), 0);
    assert_int_equal(sonde_json_feed(&json, doc, sizeof(doc) - 1), 0);
    assert_ptr_equal(text, doc + 2);
    assert_int_equal(json.token_capacity, 0);
    sonde_json_free(&json);
}

static void test_error_words(void **state)
{
    (void)state;
    for (int code = -6; code <= 0; code++)
        assert_true(strlen(sonde_json_error(code)) > 5);
    assert_string_not_equal(sonde_json_error(SONDE_JSON_E_END),
                            sonde_json_error(SONDE_JSON_E_UTF8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hard_document), cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),       cmocka_unit_test(test_lenient),
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deep),          cmocka_unit_test(test_stop_is_sticky),
        cmocka_unit_test(test_no_copy),       cmocka_unit_test(test_error_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
