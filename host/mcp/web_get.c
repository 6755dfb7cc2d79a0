/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "mcp/era.h"
#include "mcp/web.h"

static void leave(struct mcp_http *mcp, struct session *session)
{
    pthread_mutex_lock(&mcp->lock);
    struct session *last = session_leave_locked(mcp, session);
    pthread_mutex_unlock(&mcp->lock);
    session_free(last);
}

/* On the loop. */
static void on_gone(void *user)
{
    struct exchange *exchange = user;
    struct mcp_http *mcp = exchange->mcp;
    pthread_mutex_lock(&mcp->lock);
    atomic_store(&exchange->gone, true);
    if (exchange->kind == EXCHANGE_GET)
        exchange_leave_locked(exchange);
    pthread_mutex_unlock(&mcp->lock);
}

/* Clients of 2025-11-25 get an event to begin with (SEP-1699): its id, and when to come back. */
static void prime(struct exchange *exchange)
{
    struct session *session = exchange->session;
    uint64_t number = ++session->streams_begun;
    if (!str_eq(mcp_peer_version(session->peer), era_negotiate("")))
        return;
    char id[32];
    snprintf(id, sizeof id, "%" PRIu64 "-0", number);
    CLEANUP(buf_finish) struct buf buf = BUF(256);
    http_write_event(&buf,
                     &(struct http_event){.id = id, .retry_ms = WEB_RETRY_MS, .empty_data = true});
    http_stream_send(exchange->request, buf_text(&buf), buf.size);
}

/* Another stream of the session; false when it has as many as it may have. */
static bool count_stream(struct mcp_http *mcp, struct session *session)
{
    pthread_mutex_lock(&mcp->lock);
    bool fits = session->streams < mcp->settings.max_streams;
    session->streams += fits;
    pthread_mutex_unlock(&mcp->lock);
    return fits;
}

static void get(struct mcp_http *mcp, struct http_request *request)
{
    if (!header_accepts(http_header(request, "Accept"), WEB_TYPE_EVENTS)) {
        web_refuse(request, 406, RPC_INVALID_REQUEST,
                   "the header Accept must let in " WEB_TYPE_EVENTS);
        return;
    }
    struct session *session = web_version_fits(request) ? web_session(mcp, request) : NULL;
    if (!session)
        return;
    struct exchange *exchange = NULL;
    if (atomic_load(&mcp->draining))
        web_refuse(request, 503, RPC_INTERNAL_ERROR, "this server is stopping; try again later");
    else if (!(exchange = exchange_create(mcp, request)))
        web_refuse(request, 503, RPC_INTERNAL_ERROR, "no memory for the stream; try again later");
    else if (!count_stream(mcp, session)) {
        web_refuse(request, 409, RPC_INVALID_REQUEST,
                   "this session has %u streams already; close one first",
                   mcp->settings.max_streams);
        mem_free(STEAL(exchange));
    }
    if (!exchange) {
        leave(mcp, session);
        return;
    }
    exchange->session = session;
    exchange->kind = EXCHANGE_KINDS; /* in no list yet, should the client be gone already */
    http_stream_begin(request);
    prime(exchange);
    http_on_gone(request, on_gone, exchange);
    exchange_enter(exchange, EXCHANGE_GET);
}

static void end_session(struct mcp_http *mcp, struct http_request *request)
{
    struct session *session = web_version_fits(request) ? web_session(mcp, request) : NULL;
    if (!session)
        return;
    pthread_mutex_lock(&mcp->lock);
    session_end_locked(mcp, session);
    pthread_mutex_unlock(&mcp->lock);
    leave(mcp, session);
    http_reply(request, 204, NULL, NULL, 0);
}

void mcp_http_handle(void *user, struct http_request *request)
{
    struct mcp_http *mcp = user;
    enum http_method method = http_method(request);
    if (method == HTTP_POST) {
        web_post(mcp, request);
    } else if ((method != HTTP_GET && method != HTTP_DELETE) ||
               str_eq(http_header(request, "MCP-Protocol-Version"), ERA_MODERN_VERSION)) {
        http_set_header(request, "Allow", "POST");
        web_refuse(request, 405, RPC_INVALID_REQUEST,
                   ERA_MODERN_VERSION
                   " has POST alone; sessions of older clients GET and DELETE, too");
    } else if (method == HTTP_GET) {
        get(mcp, request);
    } else {
        end_session(mcp, request);
    }
}
