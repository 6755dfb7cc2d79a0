/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/tools.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mcp/headers.h"
#include "mcp/methods.h"

/*
 * The one switch between what hosts show the model: some show structuredContent and drop the text, others know only
 * the text. With both, each complete alone, every host has the facts; errors are told in the text whatever stands here.
 */
static const bool send_structured = true;

static void add_tool(struct buf *buf, const struct tool_spec *tool)
{
    buf_json_sep(buf);
    buf_add_char(buf, '{');
    buf_json_key(buf, "name");
    buf_json_string(buf, tool->name, strlen(tool->name));
    buf_json_key(buf, "title");
    buf_json_string(buf, tool->title, strlen(tool->title));
    buf_json_key(buf, "description");
    buf_json_string(buf, tool->description, strlen(tool->description));
    buf_json_key(buf, "inputSchema");
    args_schema(tool, buf);
    buf_json_key(buf, "annotations");
    buf_add(buf, "{\"title\":");
    buf_json_string(buf, tool->title, strlen(tool->title));
    buf_add(buf, ",\"readOnlyHint\":true,\"openWorldHint\":true}}");
}

int tools_list(struct request *request, struct buf *buf, struct rpc_error *error)
{
    struct json_object *cursor = NULL;
    if (request->message.params &&
        json_object_object_get_ex(request->message.params, "cursor", &cursor)) {
        /* One page holds all, so no cursor was ever given out; the empty one is the first page. */
        if (!json_object_is_type(cursor, json_type_string) || json_object_get_string_len(cursor))
            return rpc_fail(
                error, RPC_INVALID_PARAMS,
                "this cursor was not given out by tools/list; leave it out for the first page");
    }
    size_t n;
    const struct tool_spec *tools = args_tools(&n);
    buf_json_key(buf, "tools");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < n; i++)
        add_tool(buf, &tools[i]);
    buf_add_char(buf, ']');
    return 0;
}

/* The text block (NULL: none, where there are others), and further blocks that are JSON already (NULL: none). */
static void add_content(struct buf *buf, const char *text, size_t size, const char *blocks,
                        size_t blocks_size)
{
    buf_json_key(buf, "content");
    buf_add_char(buf, '[');
    if (text || !blocks) {
        buf_add(buf, "{\"type\":\"text\",\"text\":");
        buf_json_string(buf, text ? text : "", text ? size : 0);
        buf_add_char(buf, '}');
    }
    if (blocks) {
        buf_json_sep(buf);
        buf_add_n(buf, blocks, blocks_size);
    }
    buf_add_char(buf, ']');
}

/* Members of the result of a call that never reached its tool. */
static void add_failure(struct buf *buf, const char *text)
{
    add_content(buf, text, strlen(text), NULL, 0);
    buf_json_key(buf, "isError");
    buf_add(buf, "true");
}

static void add_answer(struct buf *buf, const struct answer *answer)
{
    add_content(buf, answer->text, answer->text_size, answer->blocks, answer->blocks_size);
    if (send_structured && answer->json) {
        buf_json_key(buf, "structuredContent");
        buf_add_n(buf, answer->json, answer->json_size);
    }
    if (answer->is_error) {
        buf_json_key(buf, "isError");
        buf_add(buf, "true");
    }
}

/* The whole response to a call that ran; r is what service_call returned. */
static void write_response(struct buf *buf, const struct mcp_call *call, int r,
                           const struct answer *answer, const struct err *err)
{
    struct rpc_error error = {0};
    rpc_begin_result(buf, call->id);
    if (!r)
        add_answer(buf, answer);
    else if (r == ERR_NOT_FOUND)
        rpc_fail(&error, RPC_INVALID_PARAMS, "%s", err->text);
    else
        add_failure(buf, err->text);
    methods_finish_result(buf, call->era, NULL);
    if (!error.code && buf->failed)
        rpc_fail(&error, RPC_INTERNAL_ERROR,
                 "no memory for the answer; ask for less with max_tokens");
    if (error.code) {
        buf_clear(buf);
        rpc_write_error(buf, call->id, &error);
    }
}

static void on_progress(void *user, double done, double total, const char *message)
{
    peer_progress(user, done, total, message);
}

static void answer_call(struct call *call, struct mcp_call *mcp)
{
    if (!peer_begin(mcp, call)) {
        peer_end(mcp, NULL);
        return;
    }
    if (mcp->token) {
        call->progress = on_progress;
        call->user = mcp;
    }
    struct answer answer = {0};
    struct err err = {0};
    int r = service_call(mcp->peer->service, call, mcp->tool->name, mcp->arguments, &answer, &err);
    CLEANUP(buf_finish) struct buf message = BUF(MCP_MAX_MESSAGE);
    write_response(&message, mcp, r, &answer, &err);
    if (!r)
        answer_finish(&answer);
    log_line(LOG_DEBUG, "mcp", "%s took %lld ms, %zu bytes%s%s%s", mcp->tool->name,
             (long long)((clock_mono_ns() - mcp->started_ns) / NS_PER_MS), message.size,
             r ? ", failed" : "", mcp->trace_id[0] ? ", trace " : "", mcp->trace_id);
    call->progress = NULL;
    peer_end(mcp, &message);
}

static void run_call(struct call *call, void *argument)
{
    struct mcp_call *mcp = argument;
    log_set_request(mcp->channel->request_id);
    answer_call(call, mcp);
    log_set_request("");
}

/* The trace id of a W3C traceparent, version 00: 00-<32 hex>-<16 hex>-<2 hex>. "" when there is none. */
static void read_trace(struct json_object *meta, char out[33])
{
    out[0] = 0;
    const char *text = json_string_of(meta, "traceparent");
    if (text && strlen(text) == 55 && str_starts(text, "00-") &&
        strspn(text + 3, "0123456789abcdef") == 32) {
        memcpy(out, text + 3, 32);
        out[32] = 0;
    }
}

static int check_call(struct request *request, const struct tool_spec **ret_tool,
                      struct json_object **ret_arguments, struct rpc_error *error)
{
    struct json_object *params = request->message.params;
    const char *name = json_string_of(params, "name");
    if (!name)
        return rpc_fail(error, RPC_INVALID_PARAMS,
                        "tools/call needs params.name, a string: see tools/list");
    *ret_tool = args_tool(name);
    if (!*ret_tool) {
        struct err err;
        args_unknown_tool(name, &err);
        return rpc_fail(error, RPC_INVALID_PARAMS, "%s", err.text);
    }
    *ret_arguments = json_member(params, "arguments");
    if (*ret_arguments && !json_object_is_type(*ret_arguments, json_type_object))
        return rpc_fail(error, RPC_INVALID_PARAMS,
                        "params.arguments of tools/call must be an object");
    struct json_object *token = json_member(json_member(params, "_meta"), "progressToken");
    if (token && !rpc_id_valid(token))
        return rpc_fail(error, RPC_INVALID_PARAMS,
                        "_meta.progressToken must be an integer or a string of at most %d bytes",
                        RPC_MAX_ID);
    if (*ret_arguments)
        return 0;
    *ret_arguments = json_object_new_object();
    if (!*ret_arguments || json_object_object_add(params, "arguments", *ret_arguments))
        return rpc_fail(error, RPC_INTERNAL_ERROR, "no memory for the call; try again later");
    return 0;
}

int tools_call(struct request *request, struct buf *buf, struct rpc_error *error)
{
    const struct tool_spec *tool = NULL;
    struct json_object *arguments = NULL;
    int r = check_call(request, &tool, &arguments, error);
    if (r)
        return r;
    const struct mcp_headers *headers = request->channel->headers;
    if (headers && headers_agree_arguments(headers, tool, arguments, error)) {
        error->status = 400;
        return error->code;
    }
    struct mcp_call *call = mem_alloc(sizeof *call);
    if (!call)
        return rpc_fail(error, RPC_INTERNAL_ERROR, "no memory for the call; try again later");
    struct json_object *meta = json_member(request->message.params, "_meta");
    int64_t now = clock_mono_ns();
    *call = (struct mcp_call){.peer = request->peer,
                              .channel = request->channel,
                              .document = request->document,
                              .id = request->message.id,
                              .arguments = arguments,
                              .token = json_member(meta, "progressToken"),
                              .tool = tool,
                              .batch = request->batch,
                              .era = request->era,
                              .size = request->size,
                              .started_ns = now,
                              .next_progress_ns = now + MCP_PROGRESS_NS,
                              .progress = -1};
    read_trace(meta, call->trace_id);
    if (call->token)
        request->channel->streams = true;
    r = peer_enter(call, error);
    if (r == ERR_BUSY) {
        mem_free(call);
        add_failure(buf, error->text);
        return 0;
    }
    if (r) {
        mem_free(call);
        return r;
    }
    struct service *service = request->peer->service;
    struct call *ignored; /* run_call tells the peer; here it may be gone already */
    struct err err = {0};
    request->document = NULL;
    r = call_submit(service_calls(service), &request->peer->principal,
                    now + service_timeout_ns(service), run_call, call, &ignored, &err);
    if (!r)
        return METHOD_LATER;
    CLEANUP(buf_finish) struct buf message = BUF(MCP_MAX_MESSAGE);
    write_response(&message, call, r == ERR_NOT_FOUND ? ERR_SYSTEM : r, NULL, &err);
    peer_end(call, &message);
    return METHOD_LATER;
}
