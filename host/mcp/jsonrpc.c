/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/jsonrpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

int rpc_fail(struct rpc_error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->code = code;
    error->status = 0;
    error->data[0] = 0;
    return code;
}

void rpc_set_data(struct rpc_error *error, const struct buf *json)
{
    error->data[0] = 0;
    if (!json->failed && json->size < sizeof error->data)
        memcpy(error->data, buf_text(json), json->size + 1);
}

/* Values are what follows a bracket or a comma outside of strings; at most one too many for an empty one. */
static bool too_many_values(const char *text, size_t size)
{
    size_t values = 1;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{' || c == ',') {
            if (++values > RPC_MAX_VALUES)
                return true;
        }
    }
    return false;
}

int rpc_parse(const char *text, size_t size, struct json_object **ret_document,
              struct rpc_error *error)
{
    if (too_many_values(text, size))
        return rpc_fail(error, RPC_INVALID_REQUEST,
                        "the message holds more than %d JSON values; send less at once",
                        RPC_MAX_VALUES);
    struct err err = {0};
    int r = json_parse(text, size, RPC_MAX_DEPTH, ret_document, &err);
    if (r == ERR_MEMORY)
        return rpc_fail(error, RPC_INTERNAL_ERROR, "%s", err.text);
    if (r)
        return rpc_fail(error, RPC_PARSE_ERROR, "%s", err.text);
    return 0;
}

bool rpc_id_valid(struct json_object *id)
{
    if (json_object_is_type(id, json_type_string))
        return json_object_get_string_len(id) <= RPC_MAX_ID;
    return json_object_is_type(id, json_type_int);
}

static int bad_id(struct json_object *id, struct rpc_error *error)
{
    if (json_object_is_type(id, json_type_string))
        return rpc_fail(error, RPC_INVALID_REQUEST, "id is longer than %d bytes", RPC_MAX_ID);
    return rpc_fail(
        error, RPC_INVALID_REQUEST,
        "id must be a string or an integer; leave it out altogether for a notification");
}

int rpc_read(struct json_object *document, struct rpc_message *ret_message, bool *ret_answerable,
             struct rpc_error *error)
{
    *ret_message = (struct rpc_message){0};
    *ret_answerable = true;
    if (!json_object_is_type(document, json_type_object))
        return rpc_fail(error, RPC_INVALID_REQUEST,
                        "a message must be a JSON object with \"jsonrpc\": \"2.0\"");
    struct json_object *id = NULL;
    bool has_id = json_object_object_get_ex(document, "id", &id);
    if (has_id && rpc_id_valid(id))
        ret_message->id = id;
    bool has_method = json_object_object_get_ex(document, "method", NULL);
    bool is_response = !has_method && (json_object_object_get_ex(document, "result", NULL) ||
                                       json_object_object_get_ex(document, "error", NULL));
    ret_message->kind = is_response ? RPC_RESPONSE : has_id ? RPC_REQUEST : RPC_NOTIFICATION;
    /* Without a method it is no notification either, so the sender is told. */
    *ret_answerable = !is_response && (has_id || !has_method);
    if (!str_eq(json_string_of(document, "jsonrpc"), "2.0"))
        return rpc_fail(error, RPC_INVALID_REQUEST, "\"jsonrpc\" must be \"2.0\"");
    if (is_response)
        return 0;
    if (has_id && !ret_message->id)
        return bad_id(id, error);
    ret_message->method = json_string_of(document, "method");
    if (!ret_message->method)
        return rpc_fail(error, RPC_INVALID_REQUEST, "\"method\" must be a string");
    struct json_object *params = NULL;
    if (json_object_object_get_ex(document, "params", &params)) {
        if (!json_object_is_type(params, json_type_object))
            return rpc_fail(error, RPC_INVALID_PARAMS, "\"params\" must be an object, or left out");
        ret_message->params = params;
    }
    return 0;
}

static void begin(struct buf *buf, struct json_object *id)
{
    buf_add(buf, "{\"jsonrpc\":\"2.0\"");
    buf_json_key(buf, "id");
    if (id)
        buf_json_object(buf, id);
    else
        buf_add(buf, "null");
}

void rpc_begin_result(struct buf *buf, struct json_object *id)
{
    begin(buf, id);
    buf_json_key(buf, "result");
    buf_add_char(buf, '{');
}

void rpc_write_error(struct buf *buf, struct json_object *id, const struct rpc_error *error)
{
    begin(buf, id);
    buf_json_key(buf, "error");
    buf_add_char(buf, '{');
    buf_json_key(buf, "code");
    buf_json_int(buf, error->code);
    buf_json_key(buf, "message");
    buf_json_string(buf, error->text, strlen(error->text));
    if (error->data[0]) {
        buf_json_key(buf, "data");
        buf_add(buf, error->data);
    }
    buf_add(buf, "}}");
}
