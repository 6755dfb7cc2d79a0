/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: at once, or later on another thread. A request whose token is not checked yet is read to its end, within a bound that all such
 * share, and then belongs to whoever checks it; let in, it comes back to the loop.
 */
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "http/internal.h"

#define UNSURE_MAX ((size_t)64 * 1024 * 1024)
#define CHALLENGE_MAX 1024

static const char busy[] =
    "The server checks as many tokens as it can at once; try again in a few seconds.";

/* RFC 6750 section 3, RFC 9728 section 5.1. error NULL: nothing was given. */
static void challenge(struct http_request *request, const char *error)
{
    const char *metadata = request->conn->server->settings.resource_metadata;
    const char *scope = request->route ? request->route->scope : NULL;
    char text[CHALLENGE_MAX];
    struct head_writer writer = {text, text + sizeof text - 1, false};
    head_put(&writer, "Bearer realm=\"sonde\"");
    if (metadata) {
        head_put(&writer, ", resource_metadata=\"");
        head_put(&writer, metadata);
        head_put(&writer, "\"");
    }
    if (metadata && scope) {
        head_put(&writer, ", scope=\"");
        head_put(&writer, scope);
        head_put(&writer, "\"");
    }
    if (error) {
        head_put(&writer, ", error=\"");
        head_put(&writer, error);
        head_put(&writer, "\"");
    }
    *writer.at = '\0';
    http_set_header(request, "WWW-Authenticate", writer.failed ? "Bearer realm=\"sonde\"" : text);
}

/* Lines of the head that a refusal needs, and the reason kept: the answer may wait for the body. Returns the status. */
static int prepare(struct http_request *request, int status, const char *reason, bool was_given)
{
    if (status != 403 && status != 503)
        status = 401;
    utf8_clean(request->reason, sizeof request->reason, reason, strlen(reason));
    if (status == 503)
        http_set_header(request, "Retry-After", "2");
    else
        challenge(request, status == 403 ? "insufficient_scope"
                           : was_given   ? "invalid_token"
                                         : NULL);
    return status;
}

static int refuse(struct http_request *request, int status, const char *reason, bool was_given)
{
    status = prepare(request, status, reason, was_given);
    request->refusal = (struct refusal){status, request->reason};
    return -1;
}

/* NULL, or why somebody who is known may not. */
static const char *beyond(const struct http_request *request)
{
    unsigned lacks = request->route->rights & ~request->principal.rights;
    if (!lacks)
        return NULL;
    return lacks & RIGHT_ADMIN ? "This needs the right \"admin\", which the token does not have."
           : lacks & RIGHT_MANAGE
               ? "This needs the right \"manage\", which the token does not have."
               : "This needs the right \"read\", which the token does not have.";
}

int auth_begin(struct http_request *request)
{
    const struct http_settings *settings = &request->conn->server->settings;
    const char *header = message_header(&request->message, "Authorization");
    const char *token = header ? guard_bearer(header) : NULL;
    struct err err = {0};
    int status = 0;
    if (request->route->open) {
        request->principal = (struct principal){.id = "anyone", .name = "anyone"};
        return 0;
    }
    if (header && !token)
        return refuse(request, 401, "Authorization must be: Bearer TOKEN.", true);
    if (settings->authenticate)
        status = settings->authenticate(settings->user, token, &request->principal, &err);
    else
        request->principal = PRINCIPAL_LOCAL;
    if (status == HTTP_LATER && token && settings->authenticate_later) {
        request->token = mem_strdup(token);
        return request->token ? 0 : refuse(request, 503, busy, true);
    }
    if (status)
        return refuse(request, status, err.text[0] ? err.text : "The token is not accepted.",
                      token != NULL);
    const char *why = beyond(request);
    return why ? refuse(request, 403, why, true) : 0;
}

/* A body costs memory before it is known whether its sender may ask at all. */
int auth_expect_body(struct http_request *request)
{
    struct http_server *server = request->conn->server;
    const struct message *message = &request->message;
    if (!request->token || !message_has_body(message))
        return 0;
    size_t bytes =
        message->framing.chunked ? message->max_body : (size_t)message->framing.content_length;
    if (bytes > UNSURE_MAX - server->unsure_bytes) {
        auth_wipe_token(request);
        return refuse(request, 503, busy, true);
    }
    server->unsure_bytes += bytes;
    request->unsure_bytes = bytes;
    return 0;
}

void auth_body_ends(struct http_request *request)
{
    request->conn->server->unsure_bytes -= request->unsure_bytes;
    request->unsure_bytes = 0;
}

void auth_wipe_token(struct http_request *request)
{
    if (request->token)
        wipe(request->token, strlen(request->token));
    mem_free(request->token);
    request->token = NULL;
}

/* ---- Later ---- */

void http_turn_away(struct http_request *request, int status, const char *reason)
{
    struct conn *conn = request->conn;
    auth_wipe_token(request);
    status = prepare(request, status, reason, true);
    request->why = request->reason;
    pthread_mutex_lock(&conn->lock);
    if (conn->pending == request)
        atomic_fetch_add(&conn->server->refused_heads, 1);
    pthread_mutex_unlock(&conn->lock);
    http_problem(request, status, http_status_title(status), request->reason);
}

void http_let_in(struct http_request *request, const struct principal *principal)
{
    struct conn *conn = request->conn;
    request->principal = *principal;
    const char *why = beyond(request);
    if (why) {
        http_turn_away(request, 403, why);
        return;
    }
    auth_wipe_token(request);
    pthread_mutex_lock(&conn->lock);
    if (conn->pending != request) { /* the client has left, and perhaps the server is gone */
        reply_release(request);
        return;
    }
    struct http_server *server = conn->server;
    pthread_mutex_lock(&server->lock);
    request->next_let_in = server->let_in;
    server->let_in = request;
    pthread_mutex_unlock(&server->lock);
    event_active(server->let_in_event, EV_TIMEOUT, 0);
    pthread_mutex_unlock(&conn->lock);
}

void auth_take_let_in(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct http_request *request = server->let_in;
    server->let_in = NULL;
    pthread_mutex_unlock(&server->lock);
    while (request) {
        struct http_request *next = request->next_let_in;
        struct conn *conn = request->conn;
        pthread_mutex_lock(&conn->lock);
        if (conn->pending != request) {
            reply_release(request);
        } else {
            pthread_mutex_unlock(&conn->lock);
            atomic_fetch_add_explicit(&server->requests, 1, memory_order_relaxed);
            request->route->handle(request->route->user, request);
        }
        request = next;
    }
}
