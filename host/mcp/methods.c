/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "mcp/methods.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "mcp/headers.h"
#include "mcp/tools.h"
#include "service/sessions.h"

#define SERVER_INFO "{\"name\":\"sonde\",\"title\":\"sonde\",\"version\":\"" PACKAGE_VERSION "\"}"
/* What is honoured, and nothing else; the list of tools never changes while the process lives. */
#define CAPABILITIES "{\"tools\":{}}"

typedef int (*method_fn)(struct request *request, struct buf *buf, struct rpc_error *error);
typedef void (*notification_fn)(struct request *request);

#define FACE_LEGACY 1u
#define FACE_MODERN 2u

/* Written before a modern result's other members: how long and for whom it may be kept. */
static void add_cache_rule(struct buf *buf, enum era era, int64_t ttl_ms, const char *scope)
{
    if (era != ERA_MODERN)
        return;
    buf_json_key(buf, "ttlMs");
    buf_json_int(buf, ttl_ms);
    buf_json_key(buf, "cacheScope");
    buf_json_string(buf, scope, strlen(scope));
}

static void add_instructions(struct request *request, struct buf *buf)
{
    CLEANUP(buf_finish) struct buf text = BUF(16384);
    service_instructions(request->peer->service, &text);
    if (!text.size)
        return;
    buf_json_key(buf, "instructions");
    buf_json_string(buf, text.data, text.size);
}

static void take_client(struct request *request, struct json_object *info)
{
    session_set_client(&request->peer->principal, json_string_of(info, "name"),
                       json_string_of(info, "version"));
}

static int initialize(struct request *request, struct buf *buf, struct rpc_error *error)
{
    if (request->batch)
        return rpc_fail(error, RPC_INVALID_REQUEST, "initialize must not be part of a batch");
    const char *requested = json_string_of(request->message.params, "protocolVersion");
    if (!requested)
        return rpc_fail(error, RPC_INVALID_PARAMS,
                        "initialize needs params.protocolVersion, a string such as \"2025-11-25\"");
    const char *version = era_negotiate(requested);
    request->peer->negotiated = version;
    take_client(request, json_member(request->message.params, "clientInfo"));
    buf_json_key(buf, "protocolVersion");
    buf_json_string(buf, version, strlen(version));
    buf_add(buf, ",\"capabilities\":" CAPABILITIES ",\"serverInfo\":" SERVER_INFO);
    add_instructions(request, buf);
    return 0;
}

static int discover(struct request *request, struct buf *buf, struct rpc_error *error)
{
    (void)error;
    buf_json_key(buf, "supportedVersions");
    buf_add(buf, "[\"" ERA_MODERN_VERSION "\"]");
    buf_json_key(buf, "capabilities");
    buf_add(buf, CAPABILITIES);
    add_instructions(request, buf);
    /* The instructions name the caller's connections. */
    add_cache_rule(buf, request->era, 60000, "private");
    return 0;
}

static int ping(struct request *request, struct buf *buf, struct rpc_error *error)
{
    (void)request;
    (void)buf;
    (void)error;
    return 0;
}

static int list_tools(struct request *request, struct buf *buf, struct rpc_error *error)
{
    int r = tools_list(request, buf, error);
    if (!r)
        add_cache_rule(buf, request->era, 3600000, "public");
    return r;
}

/*
 * Nothing here ever changes while the process lives, so nothing of what was asked for is honoured; the subscription
 * stays open all the same, as the protocol wants it.
 */
static int listen_for(struct request *request, struct buf *buf, struct rpc_error *error)
{
    (void)buf;
    struct json_object *asked = json_member(request->message.params, "notifications");
    if (!json_object_is_type(asked, json_type_object))
        return rpc_fail(error, RPC_INVALID_PARAMS,
                        "subscriptions/listen needs params.notifications, an object such as "
                        "{\"toolsListChanged\": true}");
    struct mcp_call *listen = mem_alloc(sizeof *listen);
    if (!listen)
        return rpc_fail(error, RPC_INTERNAL_ERROR, "no memory for the subscription");
    *listen = (struct mcp_call){.peer = request->peer,
                                .channel = request->channel,
                                .document = request->document,
                                .id = request->message.id,
                                .era = request->era};
    CLEANUP(buf_finish) struct buf first = BUF(MCP_MAX_MESSAGE);
    buf_add(&first, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
                    "\"params\":{\"_meta\":{\"" META_SUBSCRIPTION "\":");
    buf_json_object(&first, listen->id);
    buf_add(&first, "},\"notifications\":{}}}");
    request->channel->streams = request->channel->listens = true;
    int r = peer_listen(listen, &first, error);
    if (!r) {
        request->document = NULL;
        return METHOD_LATER;
    }
    request->channel->streams = request->channel->listens = false;
    mem_free(listen);
    if (r == ERR_BUSY)
        error->code = RPC_INTERNAL_ERROR;
    return error->code;
}

static void initialized(struct request *request)
{
    log_line(LOG_DEBUG, "mcp", "client is initialized with %s",
             request->peer->negotiated ? request->peer->negotiated : "no version");
}

static void cancelled(struct request *request)
{
    struct json_object *id = json_member(request->message.params, "requestId");
    if (rpc_id_valid(id))
        peer_cancel(request->peer, id);
}

static const struct method {
    const char *name;
    unsigned faces;
    method_fn run;           /* of a request, or NULL */
    notification_fn receive; /* of a notification, or NULL */
    const char *named_by;    /* the member of params that the header Mcp-Name repeats */
} methods[] = {
    {"initialize", FACE_LEGACY, initialize, NULL, NULL},
    {"ping", FACE_LEGACY, ping, NULL, NULL},
    {"server/discover", FACE_MODERN, discover, NULL, NULL},
    {"tools/list", FACE_LEGACY | FACE_MODERN, list_tools, NULL, NULL},
    {"tools/call", FACE_LEGACY | FACE_MODERN, tools_call, NULL, "name"},
    {"subscriptions/listen", FACE_MODERN, listen_for, NULL, NULL},
    {"notifications/initialized", FACE_LEGACY, NULL, initialized, NULL},
    {"notifications/cancelled", FACE_LEGACY | FACE_MODERN, NULL, cancelled, NULL},
};

static const struct method *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (str_eq(methods[i].name, name))
            return &methods[i];
    return NULL;
}

void methods_finish_result(struct buf *buf, enum era era, struct json_object *subscription)
{
    if (era == ERA_MODERN) {
        buf_json_key(buf, "resultType");
        buf_add(buf, "\"complete\"");
        buf_json_key(buf, "_meta");
        buf_add(buf, "{\"" META_SERVER_INFO "\":" SERVER_INFO);
        if (subscription) {
            buf_json_key(buf, META_SUBSCRIPTION);
            buf_json_object(buf, subscription);
        }
        buf_add_char(buf, '}');
    }
    buf_add(buf, "}}");
}

static int gate(struct rpc_error *error, int status)
{
    error->status = status;
    return error->code;
}

static int run(struct request *request, const struct method *method, struct buf *buf,
               struct rpc_error *error)
{
    const char *name = request->message.method;
    char shown[128];
    utf8_clean(shown, sizeof shown, name, strlen(name));
    if (!method || !method->run) {
        rpc_fail(error, RPC_METHOD_NOT_FOUND,
                 "there is no method \"%s\"; this server offers tools: tools/list, tools/call",
                 shown);
        return gate(error, request->era == ERA_MODERN ? 404 : 200);
    }
    if (request->era == ERA_MODERN && !(method->faces & FACE_MODERN)) {
        rpc_fail(error, RPC_METHOD_NOT_FOUND, "%s is not part of " ERA_MODERN_VERSION, shown);
        return gate(error, 404);
    }
    if (request->era == ERA_LEGACY && !(method->faces & FACE_LEGACY))
        return rpc_fail(error, RPC_INVALID_PARAMS,
                        "%s needs params._meta with \"" META_VERSION "\": \"" ERA_MODERN_VERSION
                        "\" and \"" META_CAPABILITIES "\"; older clients begin with initialize",
                        shown);
    const struct mcp_headers *headers = request->channel->headers;
    if (headers && headers_agree(headers, &request->message, method->named_by, error))
        return gate(error, 400);
    return method->run(request, buf, error);
}

void methods_run(struct request *request)
{
    const struct method *method = find(request->message.method);
    if (request->message.kind == RPC_NOTIFICATION) {
        if (method && method->receive)
            method->receive(request);
        return;
    }
    CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
    struct rpc_error error = {0};
    rpc_begin_result(&buf, request->message.id);
    int r = run(request, method, &buf, &error);
    if (r == METHOD_LATER)
        return;
    if (!r)
        methods_finish_result(&buf, request->era, NULL);
    if (!r && buf.failed)
        r = rpc_fail(&error, RPC_INTERNAL_ERROR, "no memory for the answer; try again later");
    if (r) {
        buf_clear(&buf);
        rpc_write_error(&buf, request->message.id, &error);
    }
    peer_answer(request->peer, request->channel, request->batch, &buf, r ? error.status : 0);
}
