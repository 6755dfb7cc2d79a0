/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/serve.h"

#include <stdio.h>
#include <string.h>

#include "selfstats/selfstats.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX ((size_t)16 << 20)

static void reply_text(struct http_request *request, int status, const char *text)
{
    http_set_header(request, "Cache-Control", "no-store");
    http_reply(request, status, TEXT_TYPE, text, strlen(text));
}

/* That the loop answers is the answer. */
static void handle_health(void *user, struct http_request *request)
{
    (void)user;
    reply_text(request, 200, "ok\n");
}

const char *serve_unready(struct serve *serve, char *text, size_t size)
{
    struct service_state state;
    if (atomic_load(&serve->draining))
        return "stopping";
    service_state(serve->service, &state);
    if (!state.plugins)
        return "no plugin is loaded: see sonde plugin list";
    if (state.store_gone) /* why is in the log: this page is open to everybody */
        return "the store cannot be reached: calls go on, history waits";
    /* A backend that is down is its own trouble; all connections refused are ours. */
    if (!state.connections || state.unusable < state.connections)
        return NULL;
    snprintf(text, size, "none of the %zu connections can be used: see sonde connection list",
             state.connections);
    return text;
}

static void handle_ready(void *user, struct http_request *request)
{
    char text[160];
    char line[192];
    const char *why = serve_unready(user, text, sizeof text);
    snprintf(line, sizeof line, "%s\n", why ? why : "ready");
    reply_text(request, why ? 503 : 200, line);
}

static void handle_metrics(void *user, struct http_request *request)
{
    struct serve *serve = user;
    struct buf page = BUF(METRICS_MAX);
    service_write_stats(serve->service, &page);
    if (page.failed)
        http_problem(request, 503, "Out of memory", "no memory for the page; come back later");
    else
        http_reply(request, 200, METRICS_TYPE, buf_text(&page), page.size);
    buf_finish(&page);
}

static void handle_root(void *user, struct http_request *request)
{
    (void)user;
    reply_text(
        request, 200,
        "sonde " PACKAGE_VERSION ": one server through which agents ask about metrics\n\n"
        "  /mcp      the Model Context Protocol over Streamable HTTP; Authorization: Bearer TOKEN\n"
        "  /healthz  200 while the process answers\n"
        "  /readyz   200 while calls are taken, else 503 with the reason\n"
        "  /metrics  what it does, for Prometheus\n");
}

int serve_authenticate(void *user, const char *token, struct principal *ret_principal,
                       struct err *err)
{
    struct serve *serve = user;
    if (!tokens_check(serve->tokens, token, ret_principal))
        return 0;
    err_set(
        err, ERR_INVALID,
        token ? "this token is not known here; the tokens that are stand in the server's token file"
              : "a token is needed: send the header Authorization: Bearer TOKEN");
    return 401;
}

void serve_fill_routes(struct serve *serve)
{
    const struct http_route routes[SERVE_ROUTES] = {
        {.path = "/mcp",
         .methods = HTTP_GET | HTTP_POST | HTTP_DELETE,
         .handle = mcp_http_handle,
         .user = serve->mcp},
        {.path = "/healthz", .methods = HTTP_GET, .open = true, .handle = handle_health},
        {.path = "/readyz",
         .methods = HTTP_GET,
         .open = true,
         .handle = handle_ready,
         .user = serve},
        {.path = "/metrics",
         .methods = HTTP_GET,
         .open = serve->metrics_open,
         .handle = handle_metrics,
         .user = serve},
        {.path = "/", .methods = HTTP_GET, .open = true, .handle = handle_root}};
    memcpy(serve->routes, routes, sizeof routes);
}
