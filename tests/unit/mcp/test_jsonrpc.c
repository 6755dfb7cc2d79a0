/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "mcp/era.h"
#include "mcp/jsonrpc.h"

static struct json_object *document(const char *json)
{
    struct json_object *object = NULL;
    struct rpc_error error;
    if (rpc_parse(json, strlen(json), &object, &error))
        fail_msg("%s: %s", json, error.text);
    return object;
}

static void parses(void **state)
{
    (void)state;
    struct json_object *object = NULL;
    struct rpc_error error;
    assert_int_equal(rpc_parse("{", 1, &object, &error), RPC_PARSE_ERROR);
    assert_int_equal(rpc_parse("{\"a\":1}x", 8, &object, &error), RPC_PARSE_ERROR);
    assert_int_equal(rpc_parse("{\"a\":1,\"a\":1}", 13, &object, &error), RPC_PARSE_ERROR);
    assert_int_equal(rpc_parse("\"\xff\"", 3, &object, &error), RPC_PARSE_ERROR);
    struct buf deep = BUF(1 << 20);
    for (int i = 0; i < RPC_MAX_DEPTH + 1; i++)
        buf_add_char(&deep, '[');
    for (int i = 0; i < RPC_MAX_DEPTH + 1; i++)
        buf_add_char(&deep, ']');
    assert_int_equal(rpc_parse(deep.data, deep.size, &object, &error), RPC_PARSE_ERROR);
    buf_clear(&deep);
    buf_add(&deep, "[0");
    for (int i = 0; i < RPC_MAX_VALUES; i++)
        buf_add(&deep, ",0");
    buf_add_char(&deep, ']');
    assert_int_equal(rpc_parse(deep.data, deep.size, &object, &error), RPC_INVALID_REQUEST);
    assert_null(object);
    /* Brackets and commas within strings are no values. */
    buf_clear(&deep);
    buf_add_char(&deep, '"');
    for (int i = 0; i < RPC_MAX_VALUES; i++)
        buf_add(&deep, ",\\\"[");
    buf_add_char(&deep, '"');
    assert_int_equal(rpc_parse(deep.data, deep.size, &object, &error), 0);
    json_object_put(object);
    buf_finish(&deep);
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int code;
        enum rpc_kind kind;
        bool answerable;
        const char *id; /* as echoed; NULL none */
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}", 0, RPC_REQUEST, true, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"a\",\"params\":{}}", 0, RPC_REQUEST, true,
         "\"1\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":9223372036854775807,\"method\":\"a\"}", 0, RPC_REQUEST, true,
         "9223372036854775807"},
        {"{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"method\":\"a\"}", 0, RPC_REQUEST, true,
         "-9223372036854775808"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a/\\\"\\u00e9\",\"method\":\"a\"}", 0, RPC_REQUEST, true,
         "\"a/\\\"\xc3\xa9\""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", 0, RPC_NOTIFICATION, false, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 0, RPC_RESPONSE, false, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", 0, RPC_RESPONSE, false, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_REQUEST,
         true, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_REQUEST,
         true, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_REQUEST,
         true, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_REQUEST,
         true, NULL},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_REQUEST, true,
         "1"},
        {"{\"id\":1,\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_REQUEST, true, "1"},
        {"{\"method\":\"a\"}", RPC_INVALID_REQUEST, RPC_NOTIFICATION, false, NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", RPC_INVALID_REQUEST, RPC_REQUEST, true, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":2}", RPC_INVALID_REQUEST, RPC_REQUEST, true,
         "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":[]}", RPC_INVALID_PARAMS,
         RPC_REQUEST, true, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":[]}", RPC_INVALID_PARAMS,
         RPC_NOTIFICATION, false, NULL},
        {"{}", RPC_INVALID_REQUEST, RPC_NOTIFICATION, true, NULL},
        {"7", RPC_INVALID_REQUEST, RPC_REQUEST, true, NULL},
        {"null", RPC_INVALID_REQUEST, RPC_REQUEST, true, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_object *object = document(cases[i].json);
        struct rpc_message message;
        struct rpc_error error = {0};
        bool answerable;
        int r = rpc_read(object, &message, &answerable, &error);
        struct buf id = BUF(4096);
        if (message.id)
            buf_json_object(&id, message.id);
        if (r != cases[i].code || message.kind != cases[i].kind ||
            answerable != cases[i].answerable ||
            !str_eq(message.id ? buf_text(&id) : NULL, cases[i].id))
            fail_msg("%s gave %d, kind %d, id %s: %s", cases[i].json, r, (int)message.kind,
                     buf_text(&id), error.text);
        assert_true(!r || (error.code == r && error.text[0]));
        buf_finish(&id);
        json_object_put(object);
    }
}

static void long_ids(void **state)
{
    (void)state;
    struct buf json = BUF(4096);
    buf_add(&json, "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":\"");
    for (int i = 0; i <= RPC_MAX_ID; i++)
        buf_add_char(&json, 'i');
    buf_add(&json, "\"}");
    struct json_object *object = document(buf_text(&json));
    struct rpc_message message;
    struct rpc_error error;
    bool answerable;
    assert_int_equal(rpc_read(object, &message, &answerable, &error), RPC_INVALID_REQUEST);
    assert_null(message.id);
    json_object_put(object);
    buf_finish(&json);
}

static void writes(void **state)
{
    (void)state;
    struct rpc_error error;
    rpc_fail(&error, RPC_PARSE_ERROR, "a \"%s\"\n", "b");
    struct buf buf = BUF(4096);
    rpc_write_error(&buf, NULL, &error);
    assert_string_equal(
        buf_text(&buf),
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"a "
        "\\\"b\\\"\\n\"}}");
    buf_finish(&buf);
}

#define META(members) \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"_meta\":{" members "}}}"
#define VERSION(version) "\"" META_VERSION "\":" version
#define CAPABLE ",\"" META_CAPABILITIES "\":{}"

static void eras(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int code;
        enum era era;
        const char *data;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\"}", 0, ERA_LEGACY, ""},
        {META("\"progressToken\":1"), 0, ERA_LEGACY, ""},
        {META(VERSION("\"2026-07-28\"") CAPABLE), 0, ERA_MODERN, ""},
        {META(VERSION("\"2025-06-18\"")), 0, ERA_LEGACY, ""},
        {META(VERSION("\"2026-07-28\"") CAPABLE ",\"x.example/y\":[1]"), 0, ERA_MODERN, ""},
        {META(VERSION("\"2026-07-28\"")), RPC_INVALID_PARAMS, ERA_MODERN,
         "{\"key\":\"" META_CAPABILITIES "\"}"},
        {META(VERSION("\"2026-07-28\"") ",\"" META_CAPABILITIES "\":[]"), RPC_INVALID_PARAMS,
         ERA_MODERN, "{\"key\":\"" META_CAPABILITIES "\"}"},
        {META("\"" META_CAPABILITIES "\":{}"), RPC_INVALID_PARAMS, ERA_LEGACY,
         "{\"key\":\"" META_VERSION "\"}"},
        {META(VERSION("7") CAPABLE), RPC_INVALID_PARAMS, ERA_LEGACY,
         "{\"key\":\"" META_VERSION "\"}"},
        {META(VERSION("\"2099-01-01\"") CAPABLE), RPC_UNSUPPORTED_VERSION, ERA_MODERN,
         "{\"supported\":[\"2026-07-28\"],\"requested\":\"2099-01-01\"}"},
        {META(VERSION("\"a\\\"b\"") CAPABLE), RPC_UNSUPPORTED_VERSION, ERA_MODERN,
         "{\"supported\":[\"2026-07-28\"],\"requested\":\"a\\\"b\"}"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{\"_meta\":7}}",
         RPC_INVALID_PARAMS, ERA_LEGACY, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct json_object *object = document(cases[i].json);
        struct rpc_message message;
        struct rpc_error error = {0};
        bool answerable;
        assert_int_equal(rpc_read(object, &message, &answerable, &error), 0);
        enum era era;
        int r = era_of(&message, &era, &error);
        if (r != cases[i].code || era != cases[i].era || !str_eq(error.data, cases[i].data))
            fail_msg("%s gave %d, era %d, %s: %s", cases[i].json, r, (int)era, error.data,
                     error.text);
        json_object_put(object);
    }
}

static void negotiates(void **state)
{
    (void)state;
    static const char *const same[] = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        assert_string_equal(era_negotiate(same[i]), same[i]);
    assert_string_equal(era_negotiate("2099-01-01"), "2025-11-25");
    assert_string_equal(era_negotiate("2026-07-28"), "2025-11-25");
    assert_string_equal(era_negotiate(""), "2025-11-25");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses), cmocka_unit_test(reads), cmocka_unit_test(long_ids),
        cmocka_unit_test(writes), cmocka_unit_test(eras),  cmocka_unit_test(negotiates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
