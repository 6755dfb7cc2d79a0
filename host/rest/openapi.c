/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document, written from the table of operations. */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "rest/internal.h"

#define SCHEMA_REF "{\"schema\":{\"$ref\":\"#/components/schemas/"

static const struct {
    int status;
    const char *name;
    const char *about;
    const char *header, *header_about;
} problems[] = {
    {400, "BadRequest",
     "A parameter, a part of the path or a header is not what is taken; or the body is no JSON.",
     NULL, NULL},
    {401, "Unauthorized", "No token, or one that is not accepted.", "WWW-Authenticate",
     "Bearer, and what is wrong with the token."},
    {403, "Forbidden", "The token's rights do not reach so far; the detail says which is needed.",
     NULL, NULL},
    {404, "NotFound", "There is no such thing, or it is another's.", NULL, NULL},
    {409, "Conflict", "Another connection has that name, or there are as many as there may be.",
     NULL, NULL},
    {412, "PreconditionFailed", "The revision has moved on since it was read: read again.", "ETag",
     "The revision there is now, in quotes."},
    {413, "ContentTooLarge", "The body is larger than 256 KiB.", NULL, NULL},
    {415, "UnsupportedMediaType", "The body is not application/json.", NULL, NULL},
    {422, "UnprocessableContent",
     "The body is JSON, but not what is taken; errors lists each mistake.", NULL, NULL},
    {428, "PreconditionRequired", "If-Match is missing.", NULL, NULL},
    {429, "TooManyRequests", "A limit of this user's; the detail names it.", "Retry-After",
     "Seconds to wait."},
    {500, "InternalServerError", "A fault of the server's; its log has it under the instance.",
     NULL, NULL},
    {503, "ServiceUnavailable", "The store cannot be reached, or the server has no room now.",
     "Retry-After", "Seconds to wait."},
    {504, "GatewayTimeout", "It did not end within limits.timeout.", NULL, NULL}};

static void add_text(struct buf *buf, const char *key, const char *text)
{
    buf_json_key(buf, key);
    buf_json_string(buf, text, strlen(text));
}

static const char *right_of(unsigned rights)
{
    return rights & RIGHT_ADMIN ? "admin" : rights & RIGHT_MANAGE ? "manage" : "read";
}

static void add_parameter(struct buf *buf, const struct field *field, const char *in)
{
    buf_json_sep(buf);
    buf_add_char(buf, '{');
    add_text(buf, "name", field->name);
    add_text(buf, "in", in);
    buf_json_key(buf, "required");
    buf_add(buf, field->required ? "true" : "false");
    add_text(buf, "description", field->about);
    if (field->rights)
        add_text(buf, "x-sonde-right", right_of(field->rights));
    buf_json_key(buf, "schema");
    buf_add_char(buf, '{');
    field_write_schema(field, buf);
    buf_add(buf, "}}");
}

static void add_parameters(struct buf *buf, const struct operation *operation)
{
    buf_json_key(buf, "parameters");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < operation->parts.count; i++)
        add_parameter(buf, &operation->parts.list[i], "path");
    for (size_t i = 0; i < operation->query.count; i++)
        add_parameter(buf, &operation->query.list[i], "query");
    if (operation->if_match) {
        buf_json_sep(buf);
        buf_add(buf, "{\"$ref\":\"#/components/parameters/IfMatch\"}");
    }
    buf_add_char(buf, ']');
}

static void add_success(struct buf *buf, const struct operation *operation)
{
    buf_add_char(buf, '{');
    add_text(buf, "description", http_status_title(operation->success));
    if (operation->etag || operation->location) {
        buf_json_key(buf, "headers");
        buf_add_char(buf, '{');
        if (operation->etag)
            buf_add(buf, "\"ETag\":{\"$ref\":\"#/components/headers/ETag\"}");
        if (operation->location) {
            buf_json_key(buf, "Location");
            buf_add(buf, "{\"required\":true,\"description\":\"Where it is.\",\"schema\":{\"type\":"
                         "\"string\",\"format\":\"uri-reference\"}}");
        }
        buf_add_char(buf, '}');
    }
    if (operation->answer) {
        buf_json_key(buf, "content");
        buf_printf(buf, "{\"application/json\":" SCHEMA_REF "%s\"}}}", operation->answer);
    }
    buf_add_char(buf, '}');
}

static const char *problem_name(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
        if (problems[i].status == status)
            return problems[i].name;
    return "InternalServerError";
}

static void add_responses(struct buf *buf, const struct operation *operation)
{
    int statuses[STATUSES_MAX];
    size_t n = operation_statuses(operation, statuses);
    buf_json_key(buf, "responses");
    buf_add_char(buf, '{');
    for (size_t i = 0; i < n; i++) {
        buf_json_sep(buf);
        buf_printf(buf, "\"%d\":", statuses[i]);
        if (i)
            buf_printf(buf, "{\"$ref\":\"#/components/responses/%s\"}", problem_name(statuses[i]));
        else
            add_success(buf, operation);
    }
    buf_add_char(buf, '}');
}

static const char *method_name(enum http_method method)
{
    return method == HTTP_POST     ? "post"
           : method == HTTP_PUT    ? "put"
           : method == HTTP_DELETE ? "delete"
                                   : "get";
}

static void add_operation(struct buf *buf, const struct operation *operation)
{
    buf_json_key(buf, method_name(operation->method));
    buf_add_char(buf, '{');
    add_text(buf, "operationId", operation->id);
    add_text(buf, "summary", operation->summary);
    if (operation->about)
        add_text(buf, "description", operation->about);
    if (operation->rights)
        add_text(buf, "x-sonde-right", right_of(operation->rights));
    buf_json_key(buf, "security");
    buf_add(buf, operation->rights ? "[{\"token\":[]}]" : "[]");
    add_parameters(buf, operation);
    if (operation->body) {
        buf_json_key(buf, "requestBody");
        buf_printf(buf,
                   "{\"required\":true,\"content\":{\"application/json\":" SCHEMA_REF "%s\"}}}}",
                   operation->body);
    }
    add_responses(buf, operation);
    buf_add_char(buf, '}');
}

/* Operations of one path stand side by side in the table. */
static void add_paths(struct buf *buf)
{
    size_t n;
    const struct operation *list = operations(&n);
    buf_json_key(buf, "paths");
    buf_add_char(buf, '{');
    for (size_t i = 0; i < n;) {
        const char *path = list[i].path;
        buf_json_key(buf, path);
        buf_add_char(buf, '{');
        for (; i < n && str_eq(list[i].path, path); i++)
            add_operation(buf, &list[i]);
        buf_add_char(buf, '}');
    }
    buf_add_char(buf, '}');
}

static void add_problems(struct buf *buf)
{
    buf_json_key(buf, "responses");
    buf_add_char(buf, '{');
    for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
        buf_json_key(buf, problems[i].name);
        buf_add_char(buf, '{');
        add_text(buf, "description", problems[i].about);
        if (problems[i].header) {
            buf_json_key(buf, "headers");
            buf_add_char(buf, '{');
            buf_json_key(buf, problems[i].header);
            buf_add_char(buf, '{');
            add_text(buf, "description", problems[i].header_about);
            buf_add(buf, ",\"schema\":{\"type\":\"string\"}}}");
        }
        buf_json_key(buf, "content");
        buf_add(buf, "{\"application/problem+json\":" SCHEMA_REF "Problem\"}}}}");
    }
    buf_add_char(buf, '}');
}

static void add_schemas(struct buf *buf)
{
    size_t n;
    const struct operation *list = operations(&n);
    buf_json_key(buf, "schemas");
    buf_add_char(buf, '{');
    buf_add(buf, rest_schemas);
    for (size_t i = 0; i < n; i++) {
        if (!list[i].body)
            continue;
        buf_json_key(buf, list[i].body);
        fields_write_schema(&list[i].fields, buf);
    }
    buf_add_char(buf, '}');
}

void openapi_write(struct buf *buf)
{
    buf_add(buf,
            "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"sonde\",\"version\":\"" PACKAGE_VERSION
            "\",\"summary\":\"Connections to observability backends, and what was asked through "
            "them\",\"description\":\"Queries are asked over MCP at /mcp. Every answer carries "
            "X-Request-Id. HEAD is taken wherever GET is.\",\"license\":{\"name\":\"Apache-2.0\","
            "\"identifier\":\"Apache-2.0\"}},\"servers\":[{\"url\":\"/\"}]");
    add_paths(buf);
    buf_json_key(buf, "components");
    buf_add(
        buf,
        "{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\","
        "\"description\":\"An API token: sonde token create; or one of the authorization "
        "server's.\"}},\"headers\":{\"ETag\":{\"required\":true,\"description\":\"The revision, in "
        "quotes: what If-Match takes.\",\"schema\":{\"type\":\"string\",\"pattern\":"
        "\"^\\\"[0-9]+\\\"$\"}}},\"parameters\":{\"IfMatch\":{\"name\":\"If-Match\",\"in\":"
        "\"header\",\"required\":true,\"description\":\"The ETag that was read, so that two who "
        "edit cannot overwrite each other unseen; * takes whichever there is.\",\"schema\":"
        "{\"type\":\"string\",\"pattern\":\"^([*]|\\\"[0-9]+\\\")$\"}}}");
    add_problems(buf);
    add_schemas(buf);
    buf_add(buf, "}}\n");
}
