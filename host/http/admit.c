/* SPDX-License-Identifier: Apache-2.0 */
/* What is decided when a head is complete, before any of the body is read: who may ask, and how large the body may be. */
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
    if (route_find(request) != 0)
        return -1;
    /* Who may not ask at all is told so before how much they may send. */
    if (auth_begin(request) != 0 || check_body(request) != 0)
        return -1;
    return auth_expect_body(request);
}

int admit(struct http_request *request)
{
    request->method = route_method(request->message.method);
    request->body_hidden = request->method == HTTP_HEAD;
    int r = decide(request);
    message_wipe_header(&request->message, "Authorization");
    return r;
}
