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
        "  /mcp                   the Model Context Protocol over Streamable HTTP; Authorization: "
        "Bearer TOKEN\n"
        "  /api/v1/observability  connections, their tests, the history of queries\n"
        "  /api/v1/openapi.json   what is there, as OpenAPI 3.1\n"
        "  /healthz               200 while the process answers\n"
        "  /readyz                200 while calls are taken, else 503 with the reason\n"
        "  /metrics               what it does, for Prometheus\n");
}

static void add_route(struct serve *serve, const struct http_route *route)
{
    serve->routes[serve->route_count++] = *route;
}

int serve_fill_routes(struct serve *serve, struct err *err)
{
    static const char *const metadata[] = {"/.well-known/oauth-protected-resource",
                                           "/.well-known/oauth-protected-resource/mcp"};
    const struct http_route routes[] = {
        {.path = "/mcp",
         .methods = HTTP_GET | HTTP_POST | HTTP_DELETE,
         .rights = RIGHT_READ,
         .scope = SCOPE_READ,
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
         .rights = RIGHT_READ,
         .scope = SCOPE_READ,
         .handle = handle_metrics,
         .user = serve},
        {.path = "/", .methods = HTTP_GET, .open = true, .handle = handle_root}};
    size_t n = 0;
    int r = rest_create(serve->service, &serve->rest, err);
    if (r)
        return r;
    const struct http_route *rest = rest_routes(serve->rest, &n);
    if (n + ARRAY_SIZE(routes) + ARRAY_SIZE(metadata) > SERVE_ROUTES_MAX)
        return err_set(err, ERR_LIMIT, "more paths than there is room for");
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
        add_route(serve, &routes[i]);
    for (size_t i = 0; i < n; i++)
        add_route(serve, &rest[i]);
    for (size_t i = 0; serve->metadata && i < ARRAY_SIZE(metadata); i++)
        add_route(serve, &(struct http_route){.path = metadata[i],
                                              .methods = HTTP_GET,
                                              .open = true,
                                              .handle = serve_handle_metadata,
                                              .user = serve});
    return 0;
}
