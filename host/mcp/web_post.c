/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "mcp/peer.h"
#include "mcp/web.h"
#include "service/sessions.h"

static void reply_error(struct http_request *request, int status, struct json_object *id,
                        const struct rpc_error *error)
{
    CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
    rpc_write_error(&buf, id, error);
    http_reply(request, status, WEB_TYPE_JSON, buf_text(&buf), buf.size);
}

void web_refuse(struct http_request *request, int status, int code, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct rpc_error error;
    rpc_fail(&error, code, "%s", text);
    reply_error(request, status, NULL, &error);
}

bool web_version_fits(struct http_request *request)
{
    const char *version = http_header(request, "MCP-Protocol-Version");
    if (!version || era_is_legacy_version(version))
        return true;
    char shown[64];
    utf8_clean(shown, sizeof shown, version, strlen(version));
    web_refuse(request, 400, LEGACY_BAD_REQUEST,
               "the header MCP-Protocol-Version says \"%s\", which is not supported; supported "
               "are " ERA_MODERN_VERSION " with _meta in each request, and what initialize gave",
               shown);
    return false;
}

struct session *web_session(struct mcp_http *mcp, struct http_request *request)
{
    const char *id = http_header(request, "Mcp-Session-Id");
    if (!id) {
        web_refuse(request, 400, LEGACY_BAD_REQUEST,
                   "the header Mcp-Session-Id is missing: begin with initialize, or send _meta "
                   "with \"" META_VERSION "\": \"" ERA_MODERN_VERSION "\"");
        return NULL;
    }
    pthread_mutex_lock(&mcp->lock);
    struct session *session = session_take_locked(mcp, id, http_principal(request));
    pthread_mutex_unlock(&mcp->lock);
    if (!session)
        web_refuse(request, 404, LEGACY_NO_SESSION,
                   "there is no such session, or it has ended: begin a new one with initialize");
    return session;
}

/* A message that waits for its peer, and what was read of it. */
struct post {
    struct mcp_http *mcp;
    struct http_request *request;
    struct json_object *document; /* owned until a peer takes it */
    struct rpc_message message;   /* of a batch: empty */
    size_t size;
};

/* On the loop. */
static void on_gone(void *user)
{
    struct exchange *exchange = user;
    struct mcp_http *mcp = exchange->mcp;
    atomic_store(&exchange->gone, true);
    if (exchange->session)
        return; /* the legacy era: a client that leaves cancels nothing */
    if (exchange->peer)
        mcp_peer_cancel_all(exchange->peer);
    pthread_mutex_lock(&mcp->lock);
    if (exchange->kind == EXCHANGE_LISTEN)
        exchange_leave_locked(exchange);
    pthread_mutex_unlock(&mcp->lock);
}

/* Gives the message to the exchange's peer. The exchange may be over when this returns. */
static void give(struct post *post, struct exchange *exchange)
{
    struct mcp_peer *peer = exchange->peer;
    exchange->answerable = post->message.method && post->message.kind == RPC_REQUEST;
    exchange->channel.tell_waiting = true;
    http_on_gone(post->request, on_gone, exchange);
    if (atomic_load(&exchange->gone) && !exchange->session) {
        http_drop(post->request);
        exchange_discard(exchange);
        return;
    }
    exchange_enter(exchange, EXCHANGE_POST);
    mcp_peer_ref(peer);
    mcp_receive_document(peer, &exchange->channel, STEAL(post->document), post->size);
    mcp_peer_release(peer);
}

static void no_memory(struct http_request *request)
{
    web_refuse(request, 503, RPC_INTERNAL_ERROR, "no memory for the request; try again later");
}

/* A new exchange; else the request was refused. */
static struct exchange *open_exchange(struct post *post)
{
    struct exchange *exchange = exchange_create(post->mcp, post->request);
    if (!exchange)
        no_memory(post->request);
    return exchange;
}

/* True, with the request refused, when nothing new may begin. */
static bool refused_by_drain(struct post *post)
{
    if (!atomic_load(&post->mcp->draining) || post->message.kind != RPC_REQUEST)
        return false;
    web_refuse(post->request, 503, RPC_INTERNAL_ERROR, "this server is stopping; try again later");
    return true;
}

static const char *find_header(void *user, const char *name)
{
    return http_header(user, name);
}

static void read_headers(struct http_request *request, struct mcp_headers *ret_headers)
{
    static const char *const names[] = {"MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"};
    *ret_headers = (struct mcp_headers){.version = http_header(request, names[0]),
                                        .method = http_header(request, names[1]),
                                        .name = http_header(request, names[2]),
                                        .find = find_header,
                                        .user = request};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (http_header_count(request, names[i]) > 1)
            ret_headers->repeated = names[i];
}

/* Subscriptions stay open for long, so one principal cannot have all of them. */
static bool refused_as_too_many(struct post *post)
{
    if (!str_eq(post->message.method, "subscriptions/listen"))
        return false;
    struct mcp_http *mcp = post->mcp;
    const char *id = http_principal(post->request)->id;
    size_t own = 0;
    pthread_mutex_lock(&mcp->lock);
    size_t all = mcp->lists[EXCHANGE_LISTEN].count;
    for (struct exchange *e = mcp->lists[EXCHANGE_LISTEN].first; e; e = e->next)
        own += str_eq(http_principal(e->request)->id, id);
    pthread_mutex_unlock(&mcp->lock);
    if (all < WEB_MAX_LISTENS && own < WEB_MAX_LISTENS_OF_ONE)
        return false;
    struct rpc_error error;
    rpc_fail(&error, RPC_INTERNAL_ERROR, "%zu subscriptions are open already; close one first",
             own);
    reply_error(post->request, 429, post->message.id, &error);
    return true;
}

/* Who asks, in the session that its client names, or in that of its token and client. */
static struct principal modern_principal(struct post *post)
{
    struct principal principal = *http_principal(post->request);
    struct json_object *meta = json_member(post->message.params, "_meta");
    struct json_object *client = json_member(meta, META_CLIENT_INFO);
    snprintf(principal.front, sizeof principal.front, "http");
    session_set_client(&principal, json_string_of(client, "name"),
                       json_string_of(client, "version"));
    service_find_session(post->mcp->service, &principal, json_string_of(meta, META_SESSION));
    return principal;
}

/* The modern era: a peer for this one message. */
static void post_modern(struct post *post)
{
    if (post->message.kind == RPC_RESPONSE) {
        web_refuse(post->request, 400, RPC_INVALID_REQUEST,
                   "this server asks its clients nothing in " ERA_MODERN_VERSION
                   ": a response cannot be posted");
        return;
    }
    if (refused_by_drain(post) || (post->message.kind == RPC_REQUEST && refused_as_too_many(post)))
        return;
    struct exchange *exchange = open_exchange(post);
    if (!exchange)
        return;
    struct principal principal = modern_principal(post);
    if (mcp_peer_create(post->mcp->service, &principal, web_send, post->mcp, &exchange->peer)) {
        exchange_discard(exchange);
        no_memory(post->request);
        return;
    }
    read_headers(post->request, &exchange->headers);
    exchange->channel.headers = &exchange->headers;
    struct mcp_peer *peer = exchange->peer;
    give(post, exchange);
    mcp_peer_release(peer);
}

static void post_initialize(struct post *post)
{
    struct mcp_http *mcp = post->mcp;
    if (refused_by_drain(post))
        return;
    struct session *session = NULL;
    if (http_header(post->request, "Mcp-Session-Id")) {
        session = web_session(mcp, post->request);
        if (!session)
            return;
        pthread_mutex_lock(&mcp->lock);
        struct session *last = session_leave_locked(mcp, session);
        pthread_mutex_unlock(&mcp->lock);
        session_free(last);
        struct rpc_error error;
        rpc_fail(&error, RPC_INVALID_REQUEST,
                 "this session has begun already; leave the header Mcp-Session-Id out for another");
        reply_error(post->request, 400, post->message.id, &error);
        return;
    }
    pthread_mutex_lock(&mcp->lock);
    int r = session_create_locked(mcp, http_principal(post->request), &session);
    pthread_mutex_unlock(&mcp->lock);
    if (r == ERR_BUSY) {
        web_refuse(post->request, 503, RPC_INTERNAL_ERROR,
                   "all %u sessions are in use; end one with DELETE, or try again later",
                   mcp->settings.max_sessions);
        return;
    }
    struct exchange *exchange = r ? NULL : exchange_create(mcp, post->request);
    if (!exchange)
        no_memory(post->request);
    bool begun = false;
    if (exchange) {
        exchange->session = session;
        exchange->peer = session->peer;
        exchange->begins_session = true;
        /* One use for the exchange, one for what follows. */
        pthread_mutex_lock(&mcp->lock);
        session->open++;
        pthread_mutex_unlock(&mcp->lock);
        give(post, exchange);
        begun = mcp_peer_version(session->peer) != NULL;
    }
    if (r)
        return;
    pthread_mutex_lock(&mcp->lock);
    if (!begun)
        session_end_locked(mcp, session);
    struct session *last = session_leave_locked(mcp, session);
    pthread_mutex_unlock(&mcp->lock);
    session_free(last);
}

static void post_legacy(struct post *post)
{
    if (refused_by_drain(post) || !web_version_fits(post->request))
        return;
    struct session *session = web_session(post->mcp, post->request);
    if (!session)
        return;
    struct exchange *exchange = exchange_create(post->mcp, post->request);
    if (!exchange) {
        no_memory(post->request);
        pthread_mutex_lock(&post->mcp->lock);
        struct session *last = session_leave_locked(post->mcp, session);
        pthread_mutex_unlock(&post->mcp->lock);
        session_free(last);
        return;
    }
    exchange->session = session;
    exchange->peer = session->peer;
    give(post, exchange);
}

/* The body decides the era; a header of the modern one only says that the body's part is missing. */
static void dispatch(struct post *post)
{
    bool modern_header =
        str_eq(http_header(post->request, "MCP-Protocol-Version"), ERA_MODERN_VERSION);
    if (json_object_is_type(post->document, json_type_array)) {
        if (modern_header || era_batch_is_modern(post->document))
            web_refuse(post->request, 400, RPC_INVALID_REQUEST,
                       "messages of " ERA_MODERN_VERSION " cannot be sent as a batch");
        else
            post_legacy(post);
        return;
    }
    struct rpc_error error;
    bool answerable;
    if (rpc_read(post->document, &post->message, &answerable, &error)) {
        reply_error(post->request, 400, post->message.id, &error);
        return;
    }
    if (era_looks_modern(post->document))
        post_modern(post);
    else if (post->message.kind == RPC_REQUEST && str_eq(post->message.method, "initialize"))
        post_initialize(post);
    else if (modern_header)
        post_modern(post);
    else
        post_legacy(post);
}

void web_post(struct mcp_http *mcp, struct http_request *request)
{
    const char *accept = http_header(request, "Accept");
    if (!header_accepts(accept, WEB_TYPE_JSON) || !header_accepts(accept, WEB_TYPE_EVENTS)) {
        web_refuse(request, 406, RPC_INVALID_REQUEST,
                   "the header Accept must let in both: " WEB_TYPE_JSON ", " WEB_TYPE_EVENTS);
        return;
    }
    if (!header_is_type(http_header(request, "Content-Type"), WEB_TYPE_JSON)) {
        web_refuse(request, 415, RPC_INVALID_REQUEST,
                   "the header Content-Type must be " WEB_TYPE_JSON);
        return;
    }
    struct post post = {.mcp = mcp, .request = request};
    const char *body = http_body(request, &post.size);
    struct rpc_error error;
    if (rpc_parse(body ? body : "", post.size, &post.document, &error)) {
        reply_error(request, 400, NULL, &error);
        return;
    }
    dispatch(&post);
    json_object_put(post.document);
}
