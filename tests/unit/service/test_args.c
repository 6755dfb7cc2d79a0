/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "service/args.h"

struct parsed {
    struct arena arena;
    struct args args;
    struct err err;
    int r;
};

static struct parsed parse(const char *tool, const char *json)
{
    struct parsed parsed = {0};
    arena_init(&parsed.arena, 1 << 20, NULL);
    struct json_object *object = NULL;
    assert_int_equal(json_parse(json, strlen(json), 64, &object, &parsed.err), 0);
    const struct tool_spec *spec = args_tool(tool);
    assert_non_null(spec);
    parsed.r = args_parse(spec, object, &parsed.arena, &parsed.args, &parsed.err);
    json_object_put(object);
    return parsed;
}

static void accepts_all(void **state)
{
    (void)state;
    struct parsed p =
        parse("query_metrics",
              "{\"query\":\"up\",\"connection_id\":\"a,b\",\"time_range\":{\"start\":\"1h\","
              "\"end\":\"now\",\"timezone\":\"+02:00\"},\"filters\":{\"service\":\"x\",\"status\":"
              "\"5*\"},\"step\":\"30s\",\"max_series\":5,\"max_tokens\":1000,\"cursor\":\"abc\"}");
    assert_int_equal(p.r, 0);
    assert_string_equal(p.args.query, "up");
    assert_string_equal(p.args.connection_id, "a,b");
    assert_string_equal(p.args.start, "1h");
    assert_string_equal(p.args.end, "now");
    assert_string_equal(p.args.timezone, "+02:00");
    assert_int_equal(p.args.filter_count, 2);
    assert_string_equal(p.args.filters[0].key, "service");
    assert_string_equal(p.args.filters[1].value, "5*");
    assert_string_equal(p.args.step, "30s");
    assert_string_equal(p.args.cursor, "abc");
    assert_int_equal(p.args.max_series, 5);
    assert_int_equal(p.args.max_tokens, 1000);
    arena_finish(&p.arena);
    p = parse("list_metrics",
              "{\"match\":\"http\",\"service\":\"s\",\"label\":\"pod\",\"limit\":10}");
    assert_int_equal(p.r, 0);
    assert_string_equal(p.args.label, "pod");
    assert_int_equal(p.args.limit, 10);
    arena_finish(&p.arena);
    p = parse("list_connections", "{}");
    assert_int_equal(p.r, 0);
    assert_null(p.args.match);
    arena_finish(&p.arena);
    arena_init(&p.arena, 4096, NULL);
    assert_int_equal(args_parse(args_tool("list_connections"), NULL, &p.arena, &p.args, &p.err), 0);
    arena_finish(&p.arena);
}

static void coerces(void **state)
{
    (void)state;
    struct parsed p = parse("query_metrics", "{\"query\":42,\"connection_id\":[\"a\",\"b\"],\"time_"
                                             "range\":\"1h\",\"filters\":\"{\\\"pod\\\":"
                                             "[\\\"x\\\",\\\"y\\\"],\\\"status\\\":500,\\\"no\\\":"
                                             "null}\",\"step\":60,\"max_series\":\"7\","
                                             "\"max_tokens\":2000.0,\"cursor\":null}");
    assert_int_equal(p.r, 0);
    assert_string_equal(p.args.query, "42");
    assert_string_equal(p.args.connection_id, "a,b");
    assert_string_equal(p.args.start, "1h");
    assert_null(p.args.end);
    assert_int_equal(p.args.filter_count, 2);
    assert_string_equal(p.args.filters[0].value, "x,y");
    assert_string_equal(p.args.filters[1].value, "500");
    assert_string_equal(p.args.step, "60");
    assert_int_equal(p.args.max_series, 7);
    assert_int_equal(p.args.max_tokens, 2000);
    assert_null(p.args.cursor);
    arena_finish(&p.arena);
    p = parse("query_metrics",
              "{\"query\":\"up\",\"time_range\":\"{\\\"start\\\":1729425600.123}\","
              "\"filters\":\"\",\"connection_id\":\"null\",\"max_tokens\":\"null\"}");
    assert_int_equal(p.r, 0);
    assert_string_equal(p.args.start, "1729425600.123");
    assert_int_equal(p.args.filter_count, 0);
    assert_null(p.args.connection_id);
    assert_int_equal(p.args.max_tokens, 0);
    arena_finish(&p.arena);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *tool, *json, *says;
    } cases[] = {
        {"query_metrics", "{\"query\":\"up\",\"conection_id\":\"a\"}",
         "did you mean connection_id?"},
        {"query_metrics", "{\"query\":\"up\",\"start\":\"1h\"}", "inside time_range"},
        {"query_metrics", "{\"query\":\"up\",\"aggregation\":\"avg\"}",
         "query_metrics takes query, "},
        {"query_metrics", "{}", "query of query_metrics is missing"},
        {"query_metrics", "{\"query\":\"\"}", "query of query_metrics is missing"},
        {"query_metrics", "{\"query\":null}", "query of query_metrics is missing"},
        {"query_metrics", "{\"query\":{\"a\":1}}", "an object; accepted: a string"},
        {"query_metrics", "{\"query\":[\"a\"]}", "an array; accepted: a string"},
        {"query_metrics", "{\"query\":\"a\\u0000b\"}", "NUL"},
        {"query_metrics", "{\"query\":\"up\",\"max_tokens\":100000}", "accepted: 500 to 25000"},
        {"query_metrics", "{\"query\":\"up\",\"max_tokens\":\"many\"}", "not a whole number"},
        {"query_metrics", "{\"query\":\"up\",\"max_tokens\":1000.5}", "not a whole number"},
        {"query_metrics", "{\"query\":\"up\",\"max_tokens\":true}",
         "a boolean; accepted: a whole number"},
        {"query_metrics", "{\"query\":\"up\",\"max_series\":0}", "accepted: 1 to 1000"},
        {"query_metrics", "{\"query\":\"up\",\"step\":\"soon\"}", "not a duration"},
        {"query_metrics", "{\"query\":\"up\",\"time_range\":{\"begin\":\"1h\"}}",
         "time_range has no \"begin\""},
        {"query_metrics", "{\"query\":\"up\",\"time_range\":{\"strat\":\"1h\"}}",
         "did you mean start?"},
        {"query_metrics", "{\"query\":\"up\",\"time_range\":[1]}", "an array; accepted: an object"},
        {"query_metrics", "{\"query\":\"up\",\"time_range\":\"{start\"}", "not valid JSON"},
        {"query_metrics", "{\"query\":\"up\",\"time_range\":{\"start\":{}}}", "time_range: start"},
        {"query_metrics", "{\"query\":\"up\",\"filters\":\"service=x\"}",
         "accepted: an object of label"},
        {"query_metrics", "{\"query\":\"up\",\"filters\":{\"a\":{}}}",
         "filters.a of query_metrics is an object"},
        {"query_metrics", "{\"query\":\"up\",\"filters\":{\"a\":[[]]}}", "strings in the array"},
        {"query_metrics", "{\"query\":\"up\",\"filters\":{\"\":\"x\"}}", "key in filters is empty"},
        {"list_metrics", "{\"query\":\"up\"}", "list_metrics takes match, "},
        {"list_connections", "[]", "an array; accepted: an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p = parse(cases[i].tool, cases[i].json);
        if (p.r != ERR_INVALID || !strstr(p.err.text, cases[i].says))
            fail_msg("%s gave %d: %s", cases[i].json, p.r, p.err.text);
        assert_null(p.args.query);
        arena_finish(&p.arena);
    }
}

static void bounds(void **state)
{
    (void)state;
    struct buf json = BUF(1 << 20);
    buf_add(&json, "{\"query\":\"");
    for (int i = 0; i <= ARGS_QUERY_MAX; i++)
        buf_add_char(&json, 'x');
    buf_add(&json, "\"}");
    struct parsed p = parse("query_metrics", buf_text(&json));
    assert_int_equal(p.r, ERR_INVALID);
    assert_non_null(strstr(p.err.text, "at most 16384"));
    arena_finish(&p.arena);
    buf_clear(&json);
    buf_add(&json, "{\"query\":\"up\",\"filters\":{");
    for (int i = 0; i <= ARGS_FILTERS_MAX; i++)
        buf_printf(&json, "%s\"k%d\":\"v\"", i ? "," : "", i);
    buf_add(&json, "}}");
    p = parse("query_metrics", buf_text(&json));
    assert_int_equal(p.r, ERR_INVALID);
    assert_non_null(strstr(p.err.text, "at most 32"));
    arena_finish(&p.arena);
    buf_finish(&json);
}

/* An enumeration, which no tool has yet. */
static void enumerations(void **state)
{
    (void)state;
    static const char *const orders[] = {"newest", "oldest", NULL};
    static const struct arg_spec specs[] = {{.name = "match",
                                             .type = ARG_STRING,
                                             .values = orders,
                                             .description = "Which first.",
                                             .offset = offsetof(struct args, match)}};
    static const struct tool_spec tool = {.name = "tool", .args = specs, .arg_count = 1};
    struct buf schema = BUF(4096);
    args_schema(&tool, &schema);
    assert_string_equal(
        buf_text(&schema),
        "{\"type\":\"object\",\"properties\":{\"match\":{\"type\":\"string\",\"enum\":"
        "[\"newest\",\"oldest\"],\"description\":\"Which first.\"}},"
        "\"additionalProperties\":false}");
    buf_finish(&schema);
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "match", json_object_new_string("oldset"));
    struct arena arena;
    arena_init(&arena, 4096, NULL);
    struct args args = {0};
    struct err err = {0};
    assert_int_equal(args_parse(&tool, object, &arena, &args, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "did you mean oldest? Accepted: newest, oldest"));
    json_object_object_add(object, "match", json_object_new_string("oldest"));
    assert_int_equal(args_parse(&tool, object, &arena, &args, &err), 0);
    assert_string_equal(args.match, "oldest");
    arena_finish(&arena);
    json_object_put(object);
}

static void small_arena(void **state)
{
    (void)state;
    const char *json = "{\"query\":\"up\",\"filters\":{\"a\":\"b\"}}";
    struct json_object *object = NULL;
    assert_int_equal(json_parse(json, strlen(json), 8, &object, NULL), 0);
    struct arena arena;
    arena_init(&arena, 1, NULL);
    struct args args = {0};
    struct err err = {0};
    assert_int_equal(args_parse(args_tool("query_metrics"), object, &arena, &args, &err),
                     ERR_MEMORY);
    arena_finish(&arena);
    json_object_put(object);
}

/* Single types everywhere, a description on every property, no combinators: what every host can take. */
static void check_schema(struct json_object *schema)
{
    const char *type = json_string_of(schema, "type");
    assert_non_null(type);
    static const char *const combinators[] = {"oneOf", "anyOf", "allOf", "$ref"};
    for (size_t i = 0; i < 4; i++)
        assert_null(json_member(schema, combinators[i]));
    struct json_object *properties = json_member(schema, "properties");
    if (!properties)
        return;
    assert_string_equal(type, "object");
    assert_false(json_object_get_boolean(json_member(schema, "additionalProperties")));
    struct json_object_iterator end = json_object_iter_end(properties);
    for (struct json_object_iterator at = json_object_iter_begin(properties);
         !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);
        struct json_object *property = json_object_iter_peek_value(&at);
        assert_true(*name != 0);
        assert_true(strlen(json_string_of(property, "description")) > 5);
        check_schema(property);
    }
}

static void schemas(void **state)
{
    (void)state;
    size_t n;
    const struct tool_spec *tools = args_tools(&n);
    assert_int_equal(n, 3);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct buf text = BUF(1 << 20);
        args_schema(&tools[i], &text);
        struct json_object *schema = NULL;
        struct err err = {0};
        if (json_parse(buf_text(&text), text.size, 64, &schema, &err))
            fail_msg("%s", err.text);
        check_schema(schema);
        json_object_put(schema);
        assert_true(strlen(tools[i].description) <= 2048);
        assert_true(strspn(tools[i].name, "abcdefghijklmnopqrstuvwxyz_") == strlen(tools[i].name));
        bytes += text.size + strlen(tools[i].description) + strlen(tools[i].name);
        buf_finish(&text);
    }
    assert_true(bytes / 3 < 2800);
}

static void unknown_tools(void **state)
{
    (void)state;
    struct err err = {0};
    assert_null(args_tool("query_metric"));
    assert_null(args_tool(NULL));
    assert_int_equal(args_unknown_tool("query_metric", &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "did you mean query_metrics?"));
    assert_int_equal(args_unknown_tool("xyzzy", &err), ERR_NOT_FOUND);
    assert_null(strstr(err.text, "did you mean"));
    assert_non_null(strstr(err.text, "list_connections"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_all),   cmocka_unit_test(coerces),      cmocka_unit_test(refuses),
        cmocka_unit_test(bounds),        cmocka_unit_test(small_arena),  cmocka_unit_test(schemas),
        cmocka_unit_test(unknown_tools), cmocka_unit_test(enumerations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
