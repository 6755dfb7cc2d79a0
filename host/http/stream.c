/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as server-sent events. HTTP/1.1 gets chunks, so that the connection serves on; HTTP/1.0 gets bytes up to the end. */
#include <string.h>

#include "http/internal.h"

void http_stream_begin(struct http_request *request)
{
    struct conn *conn = request->conn;
    pthread_mutex_lock(&conn->lock);
    if (conn->pending == request && !request->streaming) {
        char head[1024];
        struct head_writer writer = {head, head + sizeof head, false};
        if (!request->message.keep_alive || atomic_load(&conn->server->draining))
            conn->close_after = true;
        request->status = 200;
        head_begin(&writer, request, 200);
        head_put(&writer, "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                          "X-Accel-Buffering: no\r\n");
        request->chunked = !request->message.old;
        if (request->chunked)
            head_put(&writer, "Transfer-Encoding: chunked\r\n");
        if (conn->close_after)
            head_put(&writer, "Connection: close\r\n");
        struct iovec parts[] = {
            {head, (size_t)(writer.at - head)},
            {request->extra.data, request->extra.size},
            {(void *)(uintptr_t) "\r\n", 2},
        };
        request->streaming = true;
        atomic_fetch_add_explicit(&conn->server->streams, 1, memory_order_relaxed);
        conn_send_locked(conn, parts, 3);
        conn_settle_locked(conn);
        buf_finish(&request->extra);
    }
    pthread_mutex_unlock(&conn->lock);
}

void stream_send_locked(struct http_request *request, const void *data, size_t size)
{
    struct conn *conn = request->conn;
    char line[24];
    struct head_writer writer = {line, line + sizeof line, false};
    head_put_number(&writer, size, 16);
    head_put(&writer, "\r\n");
    struct iovec parts[] = {
        {line, (size_t)(writer.at - line)},
        {(void *)(uintptr_t)data, size},
        {(void *)(uintptr_t) "\r\n", 2},
    };
    if (request->chunked)
        conn_send_locked(conn, parts, 3);
    else
        conn_send_locked(conn, parts + 1, 1);
    conn_settle_locked(conn);
}

int http_stream_send(struct http_request *request, const void *data, size_t size)
{
    struct conn *conn = request->conn;
    int r = 0;
    pthread_mutex_lock(&conn->lock);
    if (conn->pending != request || conn->broken) {
        r = ERR_NOT_FOUND;
    } else if (conn->out.size - conn->out_at > conn->server->settings.max_output) {
        atomic_fetch_add(&conn->server->slow_closed, 1);
        conn_break_locked(conn);
        r = ERR_NOT_FOUND;
    } else if (size && !request->body_hidden) { /* an empty chunk would end the stream */
        stream_send_locked(request, data, size);
        r = conn->broken ? ERR_NOT_FOUND : 0;
    }
    pthread_mutex_unlock(&conn->lock);
    return r;
}

void http_stream_end(struct http_request *request)
{
    struct conn *conn = request->conn;
    pthread_mutex_lock(&conn->lock);
    if (conn->pending == request) {
        if (request->chunked && !request->body_hidden) {
            struct iovec last = {(void *)(uintptr_t) "0\r\n\r\n", 5};
            conn_send_locked(conn, &last, 1);
        }
        if (!request->streaming) /* nothing was answered: there is no way to say so but this */
            conn_break_locked(conn);
        reply_finish_locked(request);
    }
    reply_release(request);
}
