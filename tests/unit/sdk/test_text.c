/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sonde/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host whose memory goes at teardown, and may run out. */
struct sonde_ctx {
    void *blocks[64];
    size_t count;
    size_t budget;
    int32_t code;
    int64_t position;
    char text[2048];
};

static void *fake_alloc(struct sonde_ctx *ctx, size_t size)
{
    if (size > ctx->budget || ctx->count == 64)
        return NULL;
    ctx->budget -= size;
    ctx->blocks[ctx->count] = calloc(1, size);
    return ctx->blocks[ctx->count++];
}

static int32_t fake_fail(struct sonde_ctx *ctx, int32_t code, int64_t position, const char *text)
{
    ctx->code = code;
    ctx->position = position;
    snprintf(ctx->text, sizeof(ctx->text), "%s", text);
    return code;
}

static const struct sonde_host HOST = {
    .struct_size = sizeof(HOST), .alloc = fake_alloc, .fail = fake_fail};

static int setup(void **state)
{
    struct sonde_ctx *ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return -1;
    ctx->budget = 1 << 20;
    *state = ctx;
    return 0;
}

static int teardown(void **state)
{
    struct sonde_ctx *ctx = *state;
    for (size_t i = 0; i < ctx->count; i++)
        free(ctx->blocks[i]);
    free(ctx);
    return 0;
}

static void test_add(void **state)
{
    struct sonde_text text;
    sonde_text_init(&text, &HOST, *state, 4096);
    assert_string_equal(sonde_text_string(&text), "");
    assert_string_equal(text.data, "");
    sonde_text_add(&text, "/api/v1/query?");
    sonde_text_add_param(&text, "query", "sum(up{a=\"b\"})", 14);
    sonde_text_add_param(&text, "time", "1 2~-._", 7);
    sonde_text_add_char(&text, '#');
    sonde_text_add_format(&text, "%d-%s", 5, "x");
    sonde_text_add_n(&text, "", 0);
    assert_string_equal(sonde_text_string(&text),
                        "/api/v1/query?query=sum%28up%7Ba%3D%22b%22%7D%29&time=1%202~-._#5-x");
    assert_int_equal(text.failed, 0);
    sonde_text_init(&text, &HOST, *state, 4096);
    sonde_text_add_param(&text, "a", "\xc3\xa4\0", 3);
    assert_string_equal(text.data, "a=%C3%A4%00");
}

static void test_grows(void **state)
{
    struct sonde_text text;
    sonde_text_init(&text, &HOST, *state, 100000);
    for (int i = 0; i < 5000; i++)
        sonde_text_add_format(&text, "%04d,", i);
    assert_int_equal(text.size, 25000);
    assert_int_equal(text.failed, 0);
    assert_memory_equal(text.data + 4999 * 5, "4999,", 6);
}

static void test_limits(void **state)
{
    struct sonde_ctx *ctx = *state;
    struct sonde_text text;
    sonde_text_init(&text, &HOST, ctx, 5);
    sonde_text_add(&text, "12345");
    assert_int_equal(text.failed, 0);
    sonde_text_add_char(&text, '6');
    assert_int_equal(text.failed, 1);
    sonde_text_add_n(&text, "", 0);
    sonde_text_add_format(&text, "%d", 1);
    assert_int_equal(text.failed, 1);
    assert_string_equal(text.data, "12345");
    ctx->budget = 10;
    sonde_text_init(&text, &HOST, ctx, 5);
    sonde_text_add(&text, "1");
    assert_int_equal(text.failed, 1);
    assert_string_equal(sonde_text_string(&text), "");
    assert_null(sonde_copy(&HOST, ctx, "0123456789", 10));
    assert_string_equal(sonde_copy(&HOST, ctx, "abcdef", 3), "abc");
}

static void assert_seconds(struct sonde_ctx *ctx, int64_t ns, const char *wanted)
{
    struct sonde_text text;
    sonde_text_init(&text, &HOST, ctx, 64);
    sonde_text_add_seconds(&text, ns);
    assert_string_equal(text.data, wanted);
}

static void test_seconds(void **state)
{
    assert_seconds(*state, 0, "0");
    assert_seconds(*state, 1, "0.000000001");
    assert_seconds(*state, -500000000, "-0.5");
    assert_seconds(*state, INT64_C(1729425600500000000), "1729425600.5");
    assert_seconds(*state, INT64_C(1729425600000000000), "1729425600");
    assert_seconds(*state, INT64_MIN, "-9223372036.854775808");
}

static void test_json(void **state)
{
    struct sonde_text text;
    sonde_text_init(&text, &HOST, *state, 256);
    sonde_text_add_json(&text, "a\"\\\n\x01\0\xc3\xa4\x80\xe2\x82z\xf0\x9f\x98\x80", 16);
    assert_string_equal(text.data, "\"a\\\"\\\\\\n\\u0001\\u0000\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd"
                                   "\xef\xbf\xbdz\xf0\x9f\x98\x80\"");
}

static void test_pairs(void **state)
{
    (void)state;
    static const struct sonde_pair pairs[] = {{"a", "1"}, {"b", ""}};
    assert_string_equal(sonde_pair_get(pairs, 2, "b"), "");
    assert_null(sonde_pair_get(pairs, 2, "c"));
    assert_null(sonde_pair_get(NULL, 0, "a"));
}

static void test_failf(void **state)
{
    struct sonde_ctx *ctx = *state;
    assert_int_equal(sonde_failf(&HOST, ctx, SONDE_E_BAD_QUERY, 7, "no %s", "metric"),
                     SONDE_E_BAD_QUERY);
    assert_int_equal(ctx->code, SONDE_E_BAD_QUERY);
    assert_int_equal(ctx->position, 7);
    assert_string_equal(ctx->text, "no metric");
    char many[1100];
    memset(many, 'x', sizeof(many));
    memcpy(many + 1022, "\xc3\xa4\xc3\xa4", 5);
    sonde_failf(&HOST, ctx, SONDE_E_INTERNAL, -1, "%s", many);
    assert_int_equal(strlen(ctx->text), 1022);
}

static void test_class_of_status(void **state)
{
    (void)state;
    static const struct {
        uint32_t status;
        int32_t class_;
    } cases[] = {{301, SONDE_E_BAD_ANSWER}, {400, SONDE_E_BAD_ANSWER}, {401, SONDE_E_AUTH},
                 {403, SONDE_E_FORBIDDEN},  {404, SONDE_E_NOT_FOUND},  {408, SONDE_E_TIMEOUT},
                 {413, SONDE_E_TOO_MUCH},   {429, SONDE_E_THROTTLED},  {500, SONDE_E_BAD_ANSWER},
                 {502, SONDE_E_BUSY},       {503, SONDE_E_BUSY},       {504, SONDE_E_TIMEOUT}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(sonde_class_of_status(cases[i].status), cases[i].class_);
}

static void test_describe(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *wanted;
    } cases[] = {
        {"", "the answer is empty"},
        {" \r\n", "the answer is blank"},
        {"too many outstanding requests\nsecond", "too many outstanding requests"},
        {"\n\n  parse error : \t unexpected IDENTIFIER \n", "parse error : unexpected IDENTIFIER"},
        {"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"1:4: parse error\"}",
         "1:4: parse error"},
        {"{\"error\":{\"root_cause\":[{\"type\":\"x\",\"reason\":\"inner\"}],\"reason\":\"outer\"},"
         "\"status\":400}",
         "inner"},
        {"{\"errors\":[\"Forbidden\"]}", "Forbidden"},
        {"{\"errors\":[{\"title\":\"Generic\",\"detail\":\"rate too\\nhigh\"}]}", "rate too high"},
        {"{\"__type\":\"ThrottlingException\",\"Message\":\"Rate exceeded\"}", "Rate exceeded"},
        {"{\"error\":\"invalid_grant\",\"error_description\":\"token expired\"}", "token expired"},
        {"{\"kind\":\"Status\",\"message\":\"pods is forbidden\",\"reason\":\"Forbidden\"}",
         "pods is forbidden"},
        {"{\"message\":\"\",\"error\":\"real\"}", "real"},
        {"{\"messages\":[{\"type\":\"FATAL\",\"text\":\"Unknown search command\"}]}",
         "Unknown search command"},
        {"{\"message\":\"cut short\",\"trace\":[1,2", "cut short"},
        {"{\"message\":\"bad \xff byte\"}", "bad \xef\xbf\xbd byte"},
        {"\"just a string\"", "just a string"},
        {"{\"code\":7}", "{\"code\":7}"},
        {"<html><head><TITLE>502 Bad\n Gateway</TITLE></head><body>x</body></html>",
         "502 Bad Gateway"},
        {"<h1 class=x>Sign in</h1>", "Sign in"},
        {"<?xml version=\"1.0\"?><Error><Code>A</Code><Message>Access denied</Message></Error>",
         "Access denied"},
        {"<p>plain <b>words</b></p>", "plain words"},
        {"<title", "<title"},
        {"\x1f\x8b\x08\x01\x02\x03\x04\x05", "the answer is 8 bytes of binary data"},
        {"caf\xc3\xa9 \xff closed for the whole day", "caf\xc3\xa9 ? closed for the whole day"},
    };
    char buf[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sonde_describe_body(cases[i].body, strlen(cases[i].body), buf, sizeof(buf));
        assert_string_equal(buf, cases[i].wanted);
    }
    sonde_describe_body("a\0b", 3, buf, sizeof(buf));
    assert_string_equal(buf, "the answer is 3 bytes of binary data");
}

static void test_describe_small(void **state)
{
    (void)state;
    static const char body[] = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 word";
    for (size_t size = 0; size < 24; size++) {
        char *buf = malloc(size ? size : 1);
        assert_non_null(buf);
        memset(buf, '!', size ? size : 1);
        sonde_describe_body(body, sizeof(body) - 1, buf, size);
        if (size)
            assert_true(memchr(buf, '\0', size) != NULL);
        free(buf);
    }
    char buf[12];
    sonde_describe_body(body, sizeof(body) - 1, buf, sizeof(buf));
    assert_string_equal(buf, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_add, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test_setup_teardown(test_failf, setup, teardown),
        cmocka_unit_test(test_class_of_status),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_describe_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
