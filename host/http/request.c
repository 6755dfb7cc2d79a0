/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "http/internal.h"

/* A bijection (the finalizer of SplitMix64): numbers in a row give ids that do not look it, and none comes twice. */
static uint64_t scatter(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct http_request *request_new(struct conn *conn)
{
    struct http_server *server = conn->server;
    struct http_request *request = mem_alloc(sizeof *request);
    if (!request)
        return NULL;
    message_init(&request->message, server->settings.max_body);
    request->conn = conn;
    request->extra = BUF(8192);
    atomic_fetch_add_explicit(&conn->refs, 1, memory_order_relaxed);
    uint64_t id = scatter(server->id_seed + server->id_next++);
    memcpy(request->id, "r-", 2);
    for (unsigned i = 0; i < 16; i++)
        request->id[2 + i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
    return request;
}

void request_free(struct http_request *request)
{
    auth_wipe_token(request);
    message_finish(&request->message);
    buf_finish(&request->extra);
    mem_free(request->parts);
    conn_unref(request->conn);
    mem_free(request);
}

enum http_method http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_path(const struct http_request *request)
{
    return request->message.path;
}

const char *http_query(const struct http_request *request)
{
    return request->message.query;
}

const char *http_header(const struct http_request *request, const char *name)
{
    return message_header(&request->message, name);
}

size_t http_header_count(const struct http_request *request, const char *name)
{
    return message_header_count(&request->message, name);
}

const char *http_body(const struct http_request *request, size_t *ret_size)
{
    *ret_size = request->message.body_size;
    return request->message.body_size ? request->message.body : "";
}

const struct principal *http_principal(const struct http_request *request)
{
    return &request->principal;
}

const char *http_request_id(const struct http_request *request)
{
    return request->id;
}

const char *http_peer(const struct http_request *request)
{
    return request->conn->peer;
}
