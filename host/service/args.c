/* SPDX-License-Identifier: Apache-2.0 */
#include "service/args.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define MEMBER(name) offsetof(struct args, name)

#define CONNECTION_TEXT                                                                          \
    "Where to ask: a name or id from list_connections, several with commas, a glob (prom-*), a " \
    "tag (env=prod), or all; a scope follows a slash (grafana/loki-eu). Left out: the one that " \
    "fits, and the answer names those not asked."
#define FILTERS_TEXT                                                                              \
    "Conditions on labels, added to every selector of the query. Keys: logical ones that mean "   \
    "the "                                                                                        \
    "same on every backend (service, namespace, pod, container, node, cluster, region, "          \
    "environment, version, route, status, tenant) or the backend's own label names. Values: a,b " \
    "any of; !a not; a* glob; /re/ regular expression; anything else equal."
#define MAX_TOKENS_TEXT "Size of the answer in estimated tokens."
#define CURSOR_TEXT \
    "next_cursor of the answer before: its next page, with the other arguments unchanged."

#define ARG_CONNECTION(text)                                                     \
    {                                                                            \
        .name = "connection_id", .type = ARG_STRING_LIST, .description = (text), \
        .offset = MEMBER(connection_id)                                          \
    }
#define ARG_TIME                                                        \
    {                                                                   \
        .name = "time_range", .type = ARG_TIME_RANGE, .description = "" \
    }
#define ARG_FILTER(text)                                              \
    {                                                                 \
        .name = "filters", .type = ARG_FILTERS, .description = (text) \
    }
#define ARG_MAX_TOKENS(text)                                                                   \
    {                                                                                          \
        .name = "max_tokens", .type = ARG_INTEGER, .min = 500, .max = 25000, .fallback = 6000, \
        .description = (text), .offset = MEMBER(max_tokens)                                    \
    }
#define ARG_CURSOR(text)                                                                      \
    {                                                                                         \
        .name = "cursor", .type = ARG_STRING, .description = (text), .offset = MEMBER(cursor) \
    }

static const struct arg_spec query_metrics_args[] = {
    {.name = "query",
     .type = ARG_STRING,
     .required = true,
     .description =
         "Query in the backend's own language, PromQL for Prometheus, such as sum by (service) "
         "(rate(http_requests_total{status=~\"5..\"}[5m]))",
     .offset = MEMBER(query)},
    ARG_CONNECTION(CONNECTION_TEXT),
    ARG_TIME,
    ARG_FILTER(FILTERS_TEXT),
    {.name = "step",
     .type = ARG_DURATION,
     .description = "Distance between samples, such as 30s or 5m; 0: one value at the end. Left "
                    "out: what fits the window.",
     .offset = MEMBER(step)},
    {.name = "max_series",
     .type = ARG_INTEGER,
     .min = 1,
     .max = 1000,
     .description =
         "At most so many series, the most interesting first. Left out: as many as max_tokens "
         "allows.",
     .offset = MEMBER(max_series)},
    ARG_MAX_TOKENS(MAX_TOKENS_TEXT),
    ARG_CURSOR(CURSOR_TEXT),
};

static const struct arg_spec list_metrics_args[] = {
    {.name = "match",
     .type = ARG_STRING,
     .description = "Only names (with label: values) that hold all these words, or fit a glob such "
                    "as http_*_total.",
     .offset = MEMBER(match)},
    {.name = "service",
     .type = ARG_STRING,
     .description = "Only what this service reports.",
     .offset = MEMBER(service)},
    {.name = "label",
     .type = ARG_STRING,
     .description =
         "A label name or logical key such as service, pod or status: list its values instead of "
         "metric names.",
     .offset = MEMBER(label)},
    ARG_FILTER("Only names and values of series that fit; keys and values as in query_metrics."),
    ARG_CONNECTION(""),
    ARG_TIME,
    {.name = "limit",
     .type = ARG_INTEGER,
     .min = 1,
     .max = 1000,
     .description = "At most so many rows. Left out: as many as max_tokens allows.",
     .offset = MEMBER(limit)},
    ARG_MAX_TOKENS(""),
    ARG_CURSOR(""),
};

static const struct arg_spec list_connections_args[] = {
    {.name = "match",
     .type = ARG_STRING,
     .description = "Only connections whose name holds this text or fits it as a glob, or whose "
                    "backend or tag value it is.",
     .offset = MEMBER(match)},
};

static const struct tool_spec tools[] = {
    {.name = "query_metrics",
     .title = "Query metrics",
     .description = "Metrics over time (CPU, memory, request rate, errors, latency) from "
                    "Prometheus and other metric "
                    "backends, one or several at once. Returns for each series a summary (min, "
                    "max, avg, p95, last, "
                    "trend) and samples thinned so that extremes stay, the most interesting series "
                    "first; says what was "
                    "left out and how to get it. Metric names and label values come from "
                    "list_metrics, the backends "
                    "from list_connections. Returns no logs or traces.",
     .args = query_metrics_args,
     .arg_count = ARRAY_SIZE(query_metrics_args)},
    {.name = "list_metrics",
     .title = "List metrics and label values",
     .description = "Metric names with type, unit and help, or the values of one label (services, "
                    "pods, nodes, status "
                    "codes): what can be asked in query_metrics. Returns names only, no samples.",
     .args = list_metrics_args,
     .arg_count = ARRAY_SIZE(list_metrics_args)},
    {.name = "list_connections",
     .title = "List connections",
     .description = "The configured backends (connections, data sources): name, id, backend, "
                    "description, tags, scopes, "
                    "signals, default, health with its reason, newest sample. For choosing "
                    "connection_id, or for "
                    "finding out why a backend does not answer. Returns no telemetry.",
     .args = list_connections_args,
     .arg_count = ARRAY_SIZE(list_connections_args)},
};

/* The members of time_range. */
static const struct arg_spec time_args[] = {
    {.name = "start",
     .type = ARG_STRING,
     .description = "ISO 8601, epoch, now-1h, 1h (that long ago), yesterday 10:00 or 10:20. Left "
                    "out: one hour "
                    "before end.",
     .offset = MEMBER(start)},
    {.name = "end",
     .type = ARG_STRING,
     .description = "The same forms. Left out: now.",
     .offset = MEMBER(end)},
    {.name = "timezone",
     .type = ARG_STRING,
     .description = "For times without one: IANA name or offset (+02:00).",
     .offset = MEMBER(timezone)},
};
static const char *const time_names[] = {"start", "end", "timezone"};

/* More than any tool has; names are collected on the stack. */
#define ARGS_MAX 32
_Static_assert(ARRAY_SIZE(query_metrics_args) <= ARGS_MAX, "raise ARGS_MAX");
_Static_assert(ARRAY_SIZE(list_metrics_args) <= ARGS_MAX, "raise ARGS_MAX");
_Static_assert(ARRAY_SIZE(tools) <= ARGS_MAX, "raise ARGS_MAX");

const struct tool_spec *args_tools(size_t *ret_count)
{
    *ret_count = ARRAY_SIZE(tools);
    return tools;
}

const struct tool_spec *args_tool(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
        if (str_eq(tools[i].name, name))
            return &tools[i];
    return NULL;
}

/* "a, b, c" for messages. */
static void list_names(struct buf *buf, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(buf, "%s%s", i ? ", " : "", names[i]);
}

int args_unknown_tool(const char *name, struct err *err)
{
    const char *names[ARGS_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
        names[i] = tools[i].name;
    CLEANUP(buf_finish) struct buf all = BUF(4096);
    list_names(&all, names, ARRAY_SIZE(tools));
    const char *nearest = str_nearest(name, names, ARRAY_SIZE(tools));
    if (nearest)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no tool \"%.100s\"; did you mean %s? The tools are %s", name,
                       nearest, buf_text(&all));
    return err_set(err, ERR_NOT_FOUND, "there is no tool \"%.100s\"; the tools are %s", name,
                   buf_text(&all));
}

static void schema_text(struct buf *buf, const char *key, const char *text)
{
    buf_json_key(buf, key);
    buf_json_string(buf, text, strlen(text));
}

static void schema_arg(struct buf *buf, const struct arg_spec *arg);

static void schema_members(struct buf *buf, const struct arg_spec *args, size_t n)
{
    buf_json_key(buf, "properties");
    buf_add_char(buf, '{');
    for (size_t i = 0; i < n; i++)
        schema_arg(buf, &args[i]);
    buf_add_char(buf, '}');
    buf_json_key(buf, "additionalProperties");
    buf_add(buf, "false");
}

static void schema_arg(struct buf *buf, const struct arg_spec *arg)
{
    buf_json_key(buf, arg->name);
    buf_add_char(buf, '{');
    bool object = arg->type == ARG_FILTERS || arg->type == ARG_TIME_RANGE;
    schema_text(buf, "type", arg->type == ARG_INTEGER ? "integer" : object ? "object" : "string");
    if (arg->type == ARG_FILTERS) {
        buf_json_key(buf, "additionalProperties");
        buf_add(buf, "{\"type\":\"string\"}");
    } else if (arg->type == ARG_TIME_RANGE) {
        schema_members(buf, time_args, ARRAY_SIZE(time_args));
    }
    if (arg->values) {
        buf_json_key(buf, "enum");
        buf_add_char(buf, '[');
        for (const char *const *value = arg->values; *value; value++) {
            buf_json_sep(buf);
            buf_json_string(buf, *value, strlen(*value));
        }
        buf_add_char(buf, ']');
    }
    if (arg->max) {
        buf_json_key(buf, "minimum");
        buf_json_int(buf, arg->min);
        buf_json_key(buf, "maximum");
        buf_json_int(buf, arg->max);
    }
    if (arg->fallback) {
        buf_json_key(buf, "default");
        buf_json_int(buf, arg->fallback);
    }
    if (arg->header)
        schema_text(buf, "x-mcp-header", arg->header);
    if (arg->type == ARG_TIME_RANGE)
        schema_text(buf, "description", "Window of time; the answer echoes it resolved.");
    else
        schema_text(buf, "description",
                    *arg->description ? arg->description : "As in query_metrics.");
    buf_add_char(buf, '}');
}

void args_schema(const struct tool_spec *tool, struct buf *buf)
{
    buf_json_sep(buf);
    buf_add_char(buf, '{');
    schema_text(buf, "type", "object");
    schema_members(buf, tool->args, tool->arg_count);
    size_t required = 0;
    for (size_t i = 0; i < tool->arg_count; i++) {
        if (!tool->args[i].required)
            continue;
        if (!required++) {
            buf_json_key(buf, "required");
            buf_add_char(buf, '[');
        }
        buf_json_sep(buf);
        buf_json_string(buf, tool->args[i].name, strlen(tool->args[i].name));
    }
    if (required)
        buf_add_char(buf, ']');
    buf_add_char(buf, '}');
}

/* One parse: where strings go and what to name in messages. */
struct parse {
    const struct tool_spec *tool;
    struct arena *arena;
    struct args *args;
    struct err *err;
};

static const char *type_words(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_boolean:
        return "a boolean";
    case json_type_double:
    case json_type_int:
        return "a number";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_string:
        return "a string";
    case json_type_null:
        break;
    }
    return "null";
}

static int wrong(struct parse *parse, const char *name, struct json_object *value,
                 const char *accepted)
{
    return err_set(parse->err, ERR_INVALID, "%s of %s is %s; accepted: %s", name, parse->tool->name,
                   type_words(value), accepted);
}

static int no_memory(struct parse *parse)
{
    return err_set(parse->err, ERR_MEMORY, "no memory for the arguments of %s", parse->tool->name);
}

/* A string, or a number or boolean as it was written. *ret_text stays NULL for another type. */
static int scalar_text(struct parse *parse, const char *name, struct json_object *value, size_t max,
                       const char **ret_text)
{
    enum json_type type = json_object_get_type(value);
    const char *text = NULL;
    size_t size = 0;
    if (type == json_type_string) {
        text = json_object_get_string(value);
        size = (size_t)json_object_get_string_len(value);
    } else if (type == json_type_int || type == json_type_double || type == json_type_boolean) {
        text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &size);
    }
    if (!text)
        return 0;
    if (size > max)
        return err_set(parse->err, ERR_INVALID, "%s of %s has %zu bytes; at most %zu are accepted",
                       name, parse->tool->name, size, max);
    if (memchr(text, 0, size))
        return err_set(parse->err, ERR_INVALID, "%s of %s holds a NUL character; send it without",
                       name, parse->tool->name);
    const char *copy = arena_strndup(parse->arena, text, size);
    if (!copy)
        return no_memory(parse);
    *ret_text = copy;
    return 0;
}

/* ["a", "b"] as "a,b": what the value grammar calls any of. */
static int array_text(struct parse *parse, const char *name, struct json_object *array,
                      const char **ret_text)
{
    CLEANUP(buf_finish) struct buf joined = BUF(ARGS_STRING_MAX + 1);
    size_t n = json_object_array_length(array);
    for (size_t i = 0; i < n; i++) {
        const char *text = NULL;
        int r =
            scalar_text(parse, name, json_object_array_get_idx(array, i), ARGS_STRING_MAX, &text);
        if (r)
            return r;
        if (!text)
            return wrong(parse, name, json_object_array_get_idx(array, i), "strings in the array");
        if (i)
            buf_add_char(&joined, ',');
        buf_add(&joined, text);
    }
    if (joined.failed || joined.size > ARGS_STRING_MAX)
        return err_set(parse->err, ERR_INVALID, "%s of %s is longer than %d bytes", name,
                       parse->tool->name, ARGS_STRING_MAX);
    *ret_text = arena_strdup(parse->arena, buf_text(&joined));
    return *ret_text ? 0 : no_memory(parse);
}

static int check_enum(struct parse *parse, const struct arg_spec *arg, const char *text)
{
    if (!arg->values)
        return 0;
    size_t n = 0;
    for (; arg->values[n]; n++)
        if (str_eq(arg->values[n], text))
            return 0;
    CLEANUP(buf_finish) struct buf all = BUF(4096);
    list_names(&all, arg->values, n);
    const char *nearest = str_nearest(text, arg->values, n);
    if (nearest)
        return err_set(parse->err, ERR_INVALID,
                       "%s \"%.100s\" is not known: did you mean %s? Accepted: %s", arg->name, text,
                       nearest, buf_text(&all));
    return err_set(parse->err, ERR_INVALID, "%s \"%.100s\" is not known; accepted: %s", arg->name,
                   text, buf_text(&all));
}

static int read_string(struct parse *parse, const struct arg_spec *arg, struct json_object *value)
{
    const char *text = NULL;
    size_t max = str_eq(arg->name, "query") ? ARGS_QUERY_MAX : ARGS_STRING_MAX;
    int r = 0;
    if (arg->type == ARG_STRING_LIST && json_object_is_type(value, json_type_array))
        r = array_text(parse, arg->name, value, &text);
    else
        r = scalar_text(parse, arg->name, value, max, &text);
    if (r)
        return r;
    if (!text)
        return wrong(parse, arg->name, value,
                     arg->type == ARG_STRING_LIST ? "a string, several names with commas"
                                                  : "a string");
    if (!*text || (arg->type != ARG_STRING && str_eq(text, "null")))
        return 0;
    r = check_enum(parse, arg, text);
    if (r)
        return r;
    int64_t duration;
    if (arg->type == ARG_DURATION && str_to_duration(text, &duration))
        return err_set(
            parse->err, ERR_INVALID,
            "%s \"%.100s\" is not a duration; accepted: a number with ms, s, m, h, d or w, such as "
            "30s or 5m",
            arg->name, text);
    memcpy((char *)parse->args + arg->offset, &text, sizeof text);
    return 0;
}

static int read_integer(struct parse *parse, const struct arg_spec *arg, struct json_object *value)
{
    const char *text = NULL;
    int r = scalar_text(parse, arg->name, value, ARGS_STRING_MAX, &text);
    if (r)
        return r;
    if (!text || json_object_is_type(value, json_type_boolean))
        return wrong(parse, arg->name, value, "a whole number");
    if (!*text || str_eq(text, "null"))
        return 0;
    int64_t number;
    if (str_to_int(text, INT64_MIN, INT64_MAX, &number)) {
        /* 100.0 and 1e2 are whole as well. */
        double real;
        if (str_to_double(text, &real) || real < -1e15 || real > 1e15 ||
            (double)(int64_t)real != real)
            return err_set(parse->err, ERR_INVALID, "%s \"%.100s\" is not a whole number",
                           arg->name, text);
        number = (int64_t)real;
    }
    if (arg->max && (number < arg->min || number > arg->max))
        return err_set(parse->err, ERR_INVALID, "%s is %lld; accepted: %lld to %lld", arg->name,
                       (long long)number, (long long)arg->min, (long long)arg->max);
    memcpy((char *)parse->args + arg->offset, &number, sizeof number);
    return 0;
}

/*
 * An object given as itself or as its own JSON in a string. *ret_object is set with a reference, or stays
 * NULL when the text is no object.
 */
static void object_of(struct json_object *value, struct json_object **ret_object)
{
    if (json_object_is_type(value, json_type_object)) {
        *ret_object = json_object_get(value);
        return;
    }
    if (!json_object_is_type(value, json_type_string))
        return;
    const char *text = json_object_get_string(value);
    struct json_object *parsed = NULL;
    if (text[strspn(text, " \t\r\n")] != '{' ||
        json_parse(text, (size_t)json_object_get_string_len(value), 4, &parsed, NULL))
        return;
    *ret_object = parsed;
}

static int read_time(struct parse *parse, const struct arg_spec *arg, struct json_object *value)
{
    static const char *const accepted = "an object {\"start\", \"end\", \"timezone\"}, such as "
                                        "{\"start\": \"now-1h\"}, or a start alone, such as "
                                        "\"1h\"";
    CLEANUP(json_putp) struct json_object *object = NULL;
    object_of(value, &object);
    if (!object) {
        const char *text = NULL;
        int r = scalar_text(parse, arg->name, value, ARGS_STRING_MAX, &text);
        if (r)
            return r;
        if (!text || json_object_is_type(value, json_type_boolean))
            return wrong(parse, arg->name, value, accepted);
        if (text[strspn(text, " \t\r\n")] == '{')
            return err_set(parse->err, ERR_INVALID,
                           "time_range is a string that is not valid JSON; accepted: %s", accepted);
        if (*text && !str_eq(text, "null"))
            parse->args->start = text;
        return 0;
    }
    struct json_object_iterator end = json_object_iter_end(object);
    for (struct json_object_iterator at = json_object_iter_begin(object);
         !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *member = json_object_iter_peek_value(&at);
        size_t i = 0;
        while (i < ARRAY_SIZE(time_args) && !str_eq(time_names[i], key))
            i++;
        if (i == ARRAY_SIZE(time_args)) {
            const char *nearest = str_nearest(key, time_names, ARRAY_SIZE(time_names));
            if (nearest)
                return err_set(parse->err, ERR_INVALID,
                               "time_range has no \"%.100s\": did you mean %s? Accepted: %s", key,
                               nearest, accepted);
            return err_set(parse->err, ERR_INVALID, "time_range has no \"%.100s\"; accepted: %s",
                           key, accepted);
        }
        if (!member)
            continue;
        int r = read_string(parse, &time_args[i], member);
        if (r) {
            err_prefix(parse->err, "time_range: ");
            return r;
        }
    }
    return 0;
}

static int read_filter(struct parse *parse, const char *key, struct json_object *value)
{
    struct args *args = parse->args;
    if (!*key || strlen(key) > ARGS_STRING_MAX)
        return err_set(parse->err, ERR_INVALID, "a key in filters is empty or longer than %d bytes",
                       ARGS_STRING_MAX);
    CLEANUP(buf_finish) struct buf name = BUF(ARGS_STRING_MAX + 64);
    buf_printf(&name, "filters.%s", key);
    const char *text = NULL;
    int r = json_object_is_type(value, json_type_array)
                ? array_text(parse, buf_text(&name), value, &text)
                : scalar_text(parse, buf_text(&name), value, ARGS_STRING_MAX, &text);
    if (r)
        return r;
    if (!text)
        return wrong(
            parse, buf_text(&name), value,
            "a string: a,b any of; !a not; a* glob; /re/ regular expression; anything else equal");
    struct args_filter *filters = arena_grow(parse->arena, args->filters, args->filter_count,
                                             args->filter_count + 1, sizeof *filters);
    const char *copy = arena_strdup(parse->arena, key);
    if (!filters || !copy)
        return no_memory(parse);
    filters[args->filter_count++] = (struct args_filter){.key = copy, .value = text};
    args->filters = filters;
    return 0;
}

static int read_filters(struct parse *parse, const struct arg_spec *arg, struct json_object *value)
{
    CLEANUP(json_putp) struct json_object *object = NULL;
    object_of(value, &object);
    if (!object) {
        const char *text =
            json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
        if (text && (!*text || str_eq(text, "null")))
            return 0;
        return wrong(parse, arg->name, value,
                     "an object of label and value, such as {\"service\": \"checkout\", "
                     "\"status\": \"5*\"}");
    }
    if (json_object_object_length(object) > ARGS_FILTERS_MAX)
        return err_set(parse->err, ERR_INVALID, "filters has %d keys; at most %d are accepted",
                       json_object_object_length(object), ARGS_FILTERS_MAX);
    struct json_object_iterator end = json_object_iter_end(object);
    for (struct json_object_iterator at = json_object_iter_begin(object);
         !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *member = json_object_iter_peek_value(&at);
        int r = member ? read_filter(parse, key, member) : 0;
        if (r)
            return r;
    }
    return 0;
}

static int read_arg(struct parse *parse, const struct arg_spec *arg, struct json_object *value)
{
    switch (arg->type) {
    case ARG_STRING:
    case ARG_DURATION:
    case ARG_STRING_LIST:
        return read_string(parse, arg, value);
    case ARG_INTEGER:
        return read_integer(parse, arg, value);
    case ARG_FILTERS:
        return read_filters(parse, arg, value);
    case ARG_TIME_RANGE:
        return read_time(parse, arg, value);
    }
    return err_set(parse->err, ERR_INVALID, "%s cannot be read", arg->name);
}

static int unknown_argument(struct parse *parse, const char *key)
{
    const struct tool_spec *tool = parse->tool;
    const char *names[ARGS_MAX];
    bool has_time = false;
    for (size_t i = 0; i < tool->arg_count; i++) {
        names[i] = tool->args[i].name;
        has_time = has_time || tool->args[i].type == ARG_TIME_RANGE;
    }
    CLEANUP(buf_finish) struct buf all = BUF(4096);
    list_names(&all, names, tool->arg_count);
    for (size_t i = 0; has_time && i < ARRAY_SIZE(time_names); i++)
        if (str_eq_nocase(time_names[i], key))
            return err_set(
                parse->err, ERR_INVALID,
                "%s belongs inside time_range: {\"time_range\": {\"%s\": ...}}; %s takes %s", key,
                time_names[i], tool->name, buf_text(&all));
    const char *nearest = str_nearest(key, names, tool->arg_count);
    if (nearest)
        return err_set(parse->err, ERR_INVALID,
                       "unknown argument \"%.100s\": did you mean %s? %s takes %s", key, nearest,
                       tool->name, buf_text(&all));
    return err_set(parse->err, ERR_INVALID, "unknown argument \"%.100s\"; %s takes %s", key,
                   tool->name, buf_text(&all));
}

int args_parse(const struct tool_spec *tool, struct json_object *arguments, struct arena *arena,
               struct args *ret_args, struct err *err)
{
    struct args args = {0};
    struct parse parse = {.tool = tool, .arena = arena, .args = &args, .err = err};
    if (arguments && !json_object_is_type(arguments, json_type_object))
        return wrong(&parse, "the arguments", arguments, "an object");
    if (arguments) {
        struct json_object_iterator end = json_object_iter_end(arguments);
        for (struct json_object_iterator at = json_object_iter_begin(arguments);
             !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
            const char *key = json_object_iter_peek_name(&at);
            struct json_object *value = json_object_iter_peek_value(&at);
            size_t i = 0;
            while (i < tool->arg_count && !str_eq(tool->args[i].name, key))
                i++;
            if (i == tool->arg_count)
                return unknown_argument(&parse, key);
            int r = value ? read_arg(&parse, &tool->args[i], value) : 0;
            if (r)
                return r;
        }
    }
    for (size_t i = 0; i < tool->arg_count; i++) {
        const char *text = NULL;
        memcpy(&text, (const char *)&args + tool->args[i].offset, sizeof text);
        if (tool->args[i].required && !text)
            return err_set(err, ERR_INVALID, "%s of %s is missing: %s", tool->args[i].name,
                           tool->name, tool->args[i].description);
    }
    *ret_args = args;
    return 0;
}
