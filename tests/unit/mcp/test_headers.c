/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "mcp/era.h"
#include "mcp/headers.h"

static void accepts(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool json, events;
    } cases[] = {
        {NULL, false, false},
        {"", false, false},
        {"*/*", true, true},
        {"application/json", true, false},
        {"application/json, text/event-stream", true, true},
        {"text/event-stream,application/json", true, true},
        {" Application/JSON ; charset=utf-8 , TEXT/*;q=0.5", true, true},
        {"application/json;q=0, */*", false, true},
        {"*/*;q=0.0, text/event-stream", false, true},
        {"*/*;q=0", false, false},
        {"application/json;q=0.001", true, false},
        {"application/json;x=\"a,text/event-stream\"", true, false},
        {"application/json;x=\"a\\\",text/event-stream", true, false},
        {"application/json;x=\"\\", true, false},
        {"application/jsonp, text/event", false, false},
        {"application/jso", false, false},
        {"*, */json, application", false, false},
        {",,, ,application/json,,", true, false},
        {";;;,=,\"", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (header_accepts(cases[i].accept, "application/json") != cases[i].json ||
            header_accepts(cases[i].accept, "text/event-stream") != cases[i].events)
            fail_msg("Accept: %s", cases[i].accept);
    }
}

static void types(void **state)
{
    (void)state;
    static const char *const good[] = {"application/json", "APPLICATION/json;charset=utf-8",
                                       "application/json \t; x"};
    static const char *const bad[] = {
        "",           "application/jsonx", "application/jso", "application/json x",
        "text/plain", "application/json,x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(header_is_type(good[i], "application/json"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(header_is_type(bad[i], "application/json"));
    assert_false(header_is_type(NULL, "application/json"));
}

static void decodes(void **state)
{
    (void)state;
    static const struct {
        const char *value, *meaning; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"SGVsbG8=", "SGVsbG8="},
        {"=?base64?SGVsbG8=?=", "Hello"},
        {"=?base64?SGVsbG8h?=", "Hello!"},
        {"=?base64?SA==?=", "H"},
        {"=?base64?"
         "?=",
         ""},
        {"=?base64?4oKs?=", "\xe2\x82\xac"},
        {"=?base64?+/+/?=", "\xfb\xff\xbf"},
        {"=?base64?SGVsbG8=", "=?base64?SGVsbG8="},
        {"SGVsbG8=?=", "SGVsbG8=?="},
        {"=?BASE64?SA==?=", "=?BASE64?SA==?="},
        {"=?base64?=", "=?base64?="},
        {"=?base64?SGVsbG8?=", NULL},
        {"=?base64?SGVs!!!bG8=?=", NULL},
        {"=?base64?S===?=", NULL},
        {"=?base64?====?=", NULL},
        {"=?base64?SA=A?=", NULL},
        {"=?base64?SA==SA==?=", NULL},
        {"=?base64?SB==?=", NULL}, /* bits left over */
        {"=?base64?SGVsbG9=?=", NULL},
        {"=?base64?SGVs bG8=?=", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF(1000);
        int r = header_decode(cases[i].value, &out);
        if (!r != (cases[i].meaning != NULL) || (!r && !str_eq(buf_text(&out), cases[i].meaning)))
            fail_msg("%s: %d %s", cases[i].value, r, buf_text(&out));
        buf_finish(&out);
    }
    struct buf small = BUF(4);
    assert_int_equal(header_decode("=?base64?SGVsbG8h?=", &small), ERR_INVALID);
    buf_finish(&small);
}

static const char *find(void *user, const char *header)
{
    const char *const *pair = user;
    return str_eq_nocase(pair[0], header) ? pair[1] : NULL;
}

/* 0 or the code with which a call's argument and header are met. */
static int met(const char *arguments, const char *header, const char *value)
{
    static const struct arg_spec args[] = {{.name = "plain"},
                                           {.name = "region", .header = "Region"}};
    static const struct tool_spec tool = {.name = "t", .args = args, .arg_count = 2};
    const char *pair[2] = {header, value};
    struct mcp_headers headers = {.find = find, .user = pair};
    struct json_object *object = NULL;
    assert_int_equal(json_parse(arguments, strlen(arguments), 8, &object, NULL), 0);
    struct rpc_error error = {0};
    int r = headers_agree_arguments(&headers, &tool, object, &error);
    assert_int_equal(r, error.code);
    json_object_put(object);
    return r;
}

static void arguments(void **state)
{
    (void)state;
    static const char header[] = "mcp-param-region";
    assert_int_equal(met("{}", "other", "x"), 0);
    assert_int_equal(met("{\"plain\":\"x\"}", "other", "x"), 0);
    assert_int_equal(met("{\"region\":null}", "other", "x"), 0);
    assert_int_equal(met("{\"region\":\"eu\"}", header, "eu"), 0);
    assert_int_equal(met("{\"region\":\"Hello\"}", header, "=?base64?SGVsbG8=?="), 0);
    assert_int_equal(met("{\"region\":\"=?base64?SGVsbG8=?=\"}", header,
                         "=?base64?PT9iYXNlNjQ/U0dWc2JHOD0/PQ==?="),
                     0);
    assert_int_equal(met("{\"region\":7}", header, "7"), 0);
    assert_int_equal(met("{\"region\":7}", header, "7.0"), 0);
    assert_int_equal(met("{\"region\":9007199254740993}", header, "9007199254740993"), 0);
    assert_int_equal(met("{\"region\":true}", header, "true"), 0);
    assert_int_equal(met("{}", header, "eu"), RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":null}", header, ""), RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":\"eu\"}", "other", "eu"), RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":\"eu\"}", header, "EU"), RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":\"=?base64?SGVsbG8=?=\"}", header, "=?base64?SGVsbG8=?="),
                     RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":\"eu\\u0000x\"}", header, "eu"), RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":7}", header, "8"), RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":9007199254740993}", header, "9007199254740992"),
                     RPC_HEADER_MISMATCH);
    assert_int_equal(met("{\"region\":false}", header, "true"), RPC_HEADER_MISMATCH);
}

static void long_values(void **state)
{
    (void)state;
    /* What a message shows of a value is short, whatever came. */
    struct buf body = BUF(200000);
    struct buf value = BUF(200000);
    buf_add(&body, "{\"region\":\"");
    for (int i = 0; i < 90000; i++) {
        buf_add_char(&body, 'a');
        buf_add_char(&value, 'a');
    }
    buf_add(&body, "\"}");
    assert_int_equal(met(buf_text(&body), "mcp-param-region", buf_text(&value)), 0);
    buf_add_char(&value, 'b');
    assert_int_equal(met(buf_text(&body), "mcp-param-region", buf_text(&value)),
                     RPC_HEADER_MISMATCH);
    buf_finish(&body);
    buf_finish(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),   cmocka_unit_test(types),       cmocka_unit_test(decodes),
        cmocka_unit_test(arguments), cmocka_unit_test(long_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
