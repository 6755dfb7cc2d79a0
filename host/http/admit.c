/* SPDX-License-Identifier: Apache-2.0 */
/* What is decided when a head is complete, before any of the body is read: who may ask, which route, how large the body may be. */
#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"
#include "http/internal.h"

static int refuse(struct http_request *request, int status, const char *detail)
{
    request->refusal = (struct refusal){status, detail};
    return -1;
}

struct local {
    struct conn *conn;
    char text[INET6_ADDRSTRLEN];
};

/* The address the connection came in at, as it stands in a Host header. */
static const char *local_address(void *user)
{
    struct local *local = user;
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(local->conn->fd, (struct sockaddr *)&address, &size) != 0 ||
        listen_address_text((struct sockaddr *)&address, local->text, sizeof local->text) != 0)
        local->text[0] = 0;
    return local->text;
}

static int check_names(struct http_request *request)
{
    struct local local = {.conn = request->conn};
    const struct guard_names *names = &request->conn->server->names;
    const struct message *message = &request->message;
    const char *host = message_header(message, "Host");
    int ours = guard_authority(names, host, local_address, &local);
    if (ours > 0 && message->authority)
        ours = guard_authority(names, message->authority, local_address, &local);
    if (ours < 0)
        return refuse(request, 400, "The Host header is not a host name with an optional port.");
    if (!ours)
        return refuse(
            request, 403,
            "The Host header names another server; names that reach this one from elsewhere are listed under hosts in the configuration.");
    const char *origin = message_header(message, "Origin");
    if (origin && guard_origin(names, origin, local_address, &local) <= 0)
        return refuse(
            request, 403,
            "Web pages of that origin may not ask here; names that may are listed under hosts in the configuration.");
    return 0;
}

/* ---- Routes ---- */

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET}, {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
    {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
};

static enum http_method method_of(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (str_eq(methods[i].name, name))
            return methods[i].method;
    return HTTP_OTHER;
}

static void set_allow(struct http_request *request, unsigned allowed)
{
    char text[64] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (!(allowed & (unsigned)methods[i].method))
            continue;
        const char *name = methods[i].name;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? ", " : "", name);
    }
    http_set_header(request, "Allow", text);
}

static unsigned allowed_by(const struct http_route *route)
{
    return route->methods | (route->methods & HTTP_GET ? HTTP_HEAD : 0u);
}

static int find_route(struct http_request *request)
{
    const struct http_settings *settings = &request->conn->server->settings;
    unsigned allowed = 0;
    for (size_t i = 0; i < settings->route_count; i++) {
        const struct http_route *route = &settings->routes[i];
        if (!str_eq(route->path, request->message.path))
            continue;
        if (allowed_by(route) & (unsigned)request->method) {
            request->route = route;
            return 0;
        }
        allowed |= allowed_by(route);
    }
    if (!allowed)
        return refuse(request, 404, "There is nothing at that path.");
    set_allow(request, allowed);
    return refuse(request, 405, "That path does not take that method; Allow lists those it takes.");
}

static int check_body(struct http_request *request)
{
    struct message *message = &request->message;
    const struct http_settings *settings = &request->conn->server->settings;
    message->max_body = request->route->max_body ? request->route->max_body : settings->max_body;
    if (!message->framing.chunked && message->framing.content_length > message->max_body)
        return refuse(request, 413, "The body is larger than what is taken here.");
    return 0;
}

static int decide(struct http_request *request)
{
    if (check_names(request) != 0)
        return -1;
    if (guard_token_in_query(request->message.query))
        return refuse(
            request, 400,
            "A token does not belong into a URL, which is logged on its way: send it as the header Authorization: Bearer TOKEN.");
    if (atomic_load(&request->conn->server->draining))
        return refuse(request, 503, "The server is stopping.");
    if (find_route(request) != 0)
        return -1;
    /* Who may not ask at all is told so before how much they may send. */
    if (auth_begin(request) != 0 || check_body(request) != 0)
        return -1;
    return auth_expect_body(request);
}

int admit(struct http_request *request)
{
    request->method = method_of(request->message.method);
    request->body_hidden = request->method == HTTP_HEAD;
    int r = decide(request);
    message_wipe_header(&request->message, "Authorization");
    return r;
}
