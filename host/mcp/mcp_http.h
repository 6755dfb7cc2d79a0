/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MCP over Streamable HTTP, both eras on one URL (MCP 2025-11-25 and 2026-07-28, Transports). The body decides the era. Legacy: sessions by
 * Mcp-Session-Id, a GET stream, a client that leaves cancels nothing. Modern: no state, headers checked against the body, a client
 * that leaves cancels its call.
 *
 * Ownership: mcp_http_destroy after the server of http/ has stopped. Threads: mcp_http_handle on the loop of http/; the rest from one
 * thread.
 */
#ifndef MCP_MCP_HTTP_H
#define MCP_MCP_HTTP_H

#include "http/http.h"
#include "service/service.h"

struct mcp_http;

struct mcp_http_settings {
    uint32_t max_sessions;   /* legacy; default 10,000; beyond it the one idle longest goes */
    int64_t session_idle_ns; /* without request or stream; default 30 min */
    uint32_t max_streams;    /* GET streams of one session; default 4 */
};

int mcp_http_create(struct service *service, const struct mcp_http_settings *settings,
                    struct mcp_http **ret_mcp, struct err *err);
/* The handler of the route: user is the struct mcp_http. */
void mcp_http_handle(void *user, struct http_request *request);
/* GET streams end, new sessions and calls are refused with 503; running calls go on. */
void mcp_http_drain(struct mcp_http *mcp);
/* Cancels running calls and waits at most grace_ms for them. */
void mcp_http_destroy(struct mcp_http *mcp, int64_t grace_ms);

#endif
