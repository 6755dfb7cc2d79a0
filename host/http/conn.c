/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection on the loop: reads requests one after the other, hands them out, sees the client leave. A client that ends its
 * side while an answer is pending has left, half-closed or not: that is how MCP cancels. What comes while an answer is pending is
 * never looked at: the answer says that it is the last, and the connection ends with it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "http/internal.h"

#define DROP_WHILE_PENDING ((size_t)256 * 1024)         /* then the client is closed */
#define DROP_WHILE_LINGERING ((size_t)64 * 1024 * 1024) /* of a body that was refused */
#define DISCARD_BODY \
    ((size_t)64 * 1024) /* a refused body that small is read, and the connection kept */
#define TLS_READS 16

/* ---- Life ---- */

void conn_unref(struct conn *conn)
{
    if (atomic_fetch_sub_explicit(&conn->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&conn->lock);
    mem_free(conn);
}

/* Loop only. Calls gone when an answer was pending. */
void conn_close(struct conn *conn)
{
    struct http_server *server = conn->server;
    void (*gone)(void *) = NULL;
    void *user = NULL;
    pthread_mutex_lock(&conn->lock);
    if (conn->closed) {
        pthread_mutex_unlock(&conn->lock);
        return;
    }
    conn->closed = true;
    event_del(&conn->read_event);
    event_del(&conn->write_event);
    tls_free(conn->tls);
    conn->tls = NULL;
    close(conn->fd);
    conn->fd = -1;
    buf_finish(&conn->out);
    conn->out_at = 0;
    if (conn->writing)
        atomic_fetch_sub(&server->flushing, 1);
    conn->writing = false;
    struct http_request *pending = conn->pending;
    if (pending) {
        conn->pending = NULL;
        atomic_fetch_add(&server->gone_while_pending, 1);
        atomic_fetch_sub(&server->pending, 1);
        if (pending->streaming)
            atomic_fetch_sub(&server->streams, 1);
        gone = pending->gone;
        user = pending->gone_user;
        atomic_store(&conn->gone_running, gone != NULL);
    }
    pthread_mutex_unlock(&conn->lock);
    if (gone) {
        gone(user);
        reply_gone_done(conn);
    }
    if (conn->reading) {
        auth_body_ends(conn->reading);
        request_free(conn->reading);
    }
    conn->reading = NULL;
    server_conn_removed(server, conn);
    conn_unref(conn);
}

bool conn_is_idle(struct conn *conn)
{
    pthread_mutex_lock(&conn->lock);
    bool idle = !conn->pending && !conn->out.size && !conn->lingering && !conn->reading;
    pthread_mutex_unlock(&conn->lock);
    return idle;
}

/* ---- Requests ---- */

/* The request is whole, or refused: it belongs to whoever answers it. */
static void hand_over(struct conn *conn, struct http_request *request, bool close_after)
{
    conn->reading = NULL;
    auth_body_ends(request);
    request->started_ns = clock_mono_ns();
    pthread_mutex_lock(&conn->lock);
    conn->pending = request;
    if (close_after)
        conn->close_after = true;
    conn_wait_locked(conn, WAIT_NOTHING, INT64_MAX);
    pthread_mutex_unlock(&conn->lock);
    atomic_fetch_add_explicit(&conn->server->pending, 1, memory_order_relaxed);
}

static void answer_refusal(struct conn *conn, struct http_request *request,
                           const struct refusal *refusal, bool close_after)
{
    atomic_fetch_add(&conn->server->refused_heads, 1);
    request->why = refusal->detail;
    hand_over(conn, request, close_after);
    http_problem(request, refusal->status, http_status_title(refusal->status), refusal->detail);
}

static void send_continue(struct conn *conn)
{
    struct iovec line = {(void *)(uintptr_t) "HTTP/1.1 100 Continue\r\n\r\n", 25};
    pthread_mutex_lock(&conn->lock);
    conn_send_locked(conn, &line, 1);
    if (conn->out.size)
        conn_break_locked(conn); /* 25 bytes do not fit: nobody reads */
    pthread_mutex_unlock(&conn->lock);
}

/* True: go on with the body. False: it is answered. */
static bool head_complete(struct conn *conn, struct http_request *request, size_t left)
{
    struct message *message = &request->message;
    bool body = message_has_body(message);
    if (admit(request) == 0) {
        if (message->expects && body && !left)
            send_continue(conn);
        return true;
    }
    if (body && !message->expects && !message->framing.chunked &&
        message->framing.content_length <= DISCARD_BODY) {
        message->discard = true;
        message->max_body = DISCARD_BODY;
        return true;
    }
    answer_refusal(conn, request, &request->refusal, body || left);
    return false;
}

static void message_complete(struct conn *conn, struct http_request *request, size_t left)
{
    if (request->message.discard) {
        answer_refusal(conn, request, &request->refusal, left > 0);
        return;
    }
    if (request->token) {
        const struct http_settings *settings = &conn->server->settings;
        hand_over(conn, request, left > 0);
        settings->authenticate_later(settings->user, request->token, request);
        return;
    }
    atomic_fetch_add_explicit(&conn->server->requests, 1, memory_order_relaxed);
    hand_over(conn, request, left > 0);
    request->route->handle(request->route->user, request);
}

/* The deadlines are absolute: each is set once, when its part begins. */
static void wait_for_more(struct conn *conn, const struct message *message)
{
    const struct http_settings *settings = &conn->server->settings;
    bool head = !message->text;
    enum conn_wait wait = head ? WAIT_HEAD : WAIT_BODY;
    pthread_mutex_lock(&conn->lock);
    if (conn->wait != wait)
        conn_wait_locked(conn, wait,
                         clock_mono_ns() +
                             (head ? settings->head_timeout_ns : settings->body_timeout_ns));
    pthread_mutex_unlock(&conn->lock);
}

static void take_bytes(struct conn *conn, const char *data, size_t size)
{
    if (!conn->reading)
        conn->reading = request_new(conn);
    struct http_request *request = conn->reading;
    if (!request) {
        conn_close(conn); /* no memory */
        return;
    }
    for (;;) {
        size_t used;
        enum message_event event = message_feed(&request->message, data, size, &used);
        data += used;
        size -= used;
        switch (event) {
        case MESSAGE_MORE:
            wait_for_more(conn, &request->message);
            return;
        case MESSAGE_HEAD:
            if (!head_complete(conn, request, size))
                return;
            break;
        case MESSAGE_DONE:
            message_complete(conn, request, size);
            return;
        case MESSAGE_REFUSED:
            answer_refusal(conn, request, &request->message.refusal, true);
            return;
        }
    }
}

/* What was read may go to the parser, or must be dropped. False: the connection was closed. */
static bool take_read(struct conn *conn, const char *data, size_t size)
{
    pthread_mutex_lock(&conn->lock);
    bool lingering = conn->lingering || conn->broken;
    bool busy = conn->pending || conn->out.size;
    if (busy)
        conn->close_after = true;
    pthread_mutex_unlock(&conn->lock);
    if (!lingering && !busy) {
        conn->dropped = 0;
        take_bytes(conn, data, size);
        return conn->fd >= 0;
    }
    conn->dropped += size;
    if (conn->dropped > (lingering ? DROP_WHILE_LINGERING : DROP_WHILE_PENDING)) {
        conn_close(conn);
        return false;
    }
    return true;
}

/* ---- Events ---- */

/* A client that speaks plain HTTP to the TLS port gets one answer it can read. */
static void tell_plain_client(struct conn *conn)
{
    static const char answer[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 41\r\n"
        "Connection: close\r\n\r\nThis port speaks TLS: use https instead.\n";
    pthread_mutex_lock(&conn->lock);
    tls_free(conn->tls);
    conn->tls = NULL;
    struct iovec part = {(void *)(uintptr_t)answer, sizeof answer - 1};
    conn_send_locked(conn, &part, 1);
    conn->close_after = true;
    conn_settle_locked(conn);
    pthread_mutex_unlock(&conn->lock);
}

enum { READ_LATER = -1, READ_END = -2 };

/* Bytes, or one of the above. */
static ssize_t read_some(struct conn *conn, char *data, size_t size)
{
    if (!conn->tls) {
        ssize_t n;
        do
            n = recv(conn->fd, data, size, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n > 0)
            return n;
        return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? READ_LATER : READ_END;
    }
    pthread_mutex_lock(&conn->lock);
    ssize_t n = tls_read(conn->tls, data, size);
    if (n == TLS_WANT_WRITE) {
        conn->read_wants_write = true;
        event_add(&conn->write_event, NULL);
    }
    pthread_mutex_unlock(&conn->lock);
    if (n > 0)
        return n;
    if (n == TLS_PLAIN_HTTP) {
        tell_plain_client(conn);
        return READ_LATER;
    }
    return n == TLS_WANT_READ || n == TLS_WANT_WRITE ? READ_LATER : READ_END;
}

static void read_all(struct conn *conn)
{
    char *scratch = conn->server->scratch;
    atomic_fetch_add_explicit(&conn->refs, 1, memory_order_relaxed);
    for (int i = 0; i < TLS_READS; i++) {
        ssize_t n = read_some(conn, scratch, SCRATCH_BYTES);
        if (n == READ_LATER)
            break;
        if (n == READ_END) {
            conn_close(conn);
            break;
        }
        bool open = take_read(conn, scratch, (size_t)n);
        wipe(scratch, (size_t)n); /* it held a token, perhaps */
        if (!open || !conn->tls)  /* the loop comes again for what is left of plain TCP */
            break;
        if (i == TLS_READS - 1) /* what OpenSSL holds already makes no event */
            event_active(&conn->read_event, EV_READ, 0);
    }
    conn_unref(conn);
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    read_all(user);
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct conn *conn = user;
    pthread_mutex_lock(&conn->lock);
    bool read_again = conn->read_wants_write;
    conn->read_wants_write = false;
    if (conn->out.size) {
        conn_flush_locked(conn);
        if (conn->out.size)
            event_add(&conn->write_event, NULL);
        else
            conn_settle_locked(conn);
    }
    pthread_mutex_unlock(&conn->lock);
    if (read_again)
        read_all(conn);
}

struct conn *conn_open(struct http_server *server, int fd, const char *peer)
{
    struct conn *conn = mem_alloc(sizeof *conn);
    if (!conn)
        return NULL;
    pthread_mutex_init(&conn->lock, NULL);
    atomic_init(&conn->refs, 1);
    atomic_init(&conn->deadline, INT64_MAX);
    conn->server = server;
    conn->fd = fd;
    conn->loop = pthread_self();
    snprintf(conn->peer, sizeof conn->peer, "%s", peer);
    pthread_mutex_lock(&server->lock);
    if (server->tls)
        conn->tls = tls_new(server->tls, fd);
    bool failed = server->tls && !conn->tls;
    pthread_mutex_unlock(&server->lock);
    event_assign(&conn->read_event, server->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
    event_assign(&conn->write_event, server->base, fd, EV_WRITE, on_writable, conn);
    if (failed || event_add(&conn->read_event, NULL) != 0) {
        tls_free(conn->tls);
        pthread_mutex_destroy(&conn->lock);
        mem_free(conn);
        return NULL;
    }
    conn_wait_locked(conn, WAIT_HEAD, clock_mono_ns() + server->settings.head_timeout_ns);
    server_conn_added(server, conn);
    return conn;
}

/* ---- Deadlines ---- */

static void expire_reading(struct conn *conn)
{
    struct http_request *request = conn->reading;
    atomic_fetch_add(&conn->server->slow_closed, 1);
    if (!request || request->message.scan.at <= request->message.scan.skipped) {
        conn_close(conn); /* nothing was asked: nothing to answer */
        return;
    }
    static const struct refusal late = {408, "The request did not arrive in time."};
    answer_refusal(conn, request, &late, true);
}

void conn_expire(struct conn *conn, int64_t now)
{
    pthread_mutex_lock(&conn->lock);
    enum conn_wait wait = conn->wait;
    if (atomic_load(&conn->deadline) > now)
        wait = WAIT_NOTHING;
    if (wait == WAIT_HEARTBEAT && conn->pending && !conn->pending->body_hidden)
        stream_send_locked(conn->pending, ":\n\n", 3);
    else if (wait == WAIT_HEARTBEAT)
        conn_settle_locked(conn);
    pthread_mutex_unlock(&conn->lock);
    switch (wait) {
    case WAIT_NOTHING:
    case WAIT_HEARTBEAT:
        break;
    case WAIT_HEAD:
    case WAIT_BODY:
        expire_reading(conn);
        break;
    case WAIT_WRITE:
        atomic_fetch_add(&conn->server->slow_closed, 1);
        conn_close(conn);
        break;
    case WAIT_IDLE:
    case WAIT_LINGER:
        conn_close(conn);
        break;
    }
}
