/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: at once and by whoever answers while nothing waits; what does not go out waits for the loop. All under the lock. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/internal.h"

#define LINGER_NS (10 * NS_PER_S) /* a client on a slow line that still sends a refused body */
#define OUT_MAX (SIZE_MAX / 4)    /* one answer; streams are held to max_output */
#define COMPACT_AT ((size_t)64 * 1024)

void conn_wait_locked(struct conn *conn, enum conn_wait wait, int64_t deadline)
{
    conn->wait = wait;
    atomic_store_explicit(&conn->deadline, deadline, memory_order_relaxed);
}

/* The loop sees the end of what can be read, and closes. */
void conn_break_locked(struct conn *conn)
{
    if (conn->broken || conn->closed)
        return;
    conn->broken = true;
    shutdown(conn->fd, SHUT_RDWR);
}

/* Nothing more to say, but the client may still be sending: were the descriptor closed now, it would lose the answer to a reset. */
void conn_linger_locked(struct conn *conn)
{
    if (conn->lingering || conn->broken || conn->closed)
        return;
    conn->lingering = true;
    if (conn->tls)
        tls_goodbye(conn->tls);
    shutdown(conn->fd, SHUT_WR);
    conn_wait_locked(conn, WAIT_LINGER, clock_mono_ns() + LINGER_NS);
}

void conn_settle_locked(struct conn *conn)
{
    if (conn->broken || conn->closed || conn->lingering)
        return;
    const struct http_settings *settings = &conn->server->settings;
    if (conn->out.size) {
        if (!conn->writing) {
            conn->writing = true;
            atomic_fetch_add(&conn->server->flushing, 1);
            event_add(&conn->write_event, NULL);
        }
        return; /* its deadline is set where bytes go out */
    }
    if (conn->pending && conn->pending->streaming)
        conn_wait_locked(conn, WAIT_HEARTBEAT, clock_mono_ns() + settings->heartbeat_ns);
    else if (conn->pending)
        conn_wait_locked(conn, WAIT_NOTHING, INT64_MAX);
    else if (conn->close_after)
        conn_linger_locked(conn);
    else
        conn_wait_locked(conn, WAIT_IDLE, clock_mono_ns() + settings->idle_timeout_ns);
}

/* Bytes sent, 0 when the descriptor takes none now, -1 when it is broken. */
static ssize_t send_some(struct conn *conn, const char *data, size_t size)
{
    ssize_t n;
    if (conn->tls) {
        n = tls_write(conn->tls, data, size);
        return n > 0 ? n : n == TLS_WANT_READ || n == TLS_WANT_WRITE ? 0 : -1;
    }
    do
        n = send(conn->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

void conn_flush_locked(struct conn *conn)
{
    bool moved = false;
    while (conn->out_at < conn->out.size && !conn->broken) {
        ssize_t n = send_some(conn, conn->out.data + conn->out_at, conn->out.size - conn->out_at);
        if (n < 0)
            conn_break_locked(conn);
        if (n <= 0)
            break;
        conn->out_at += (size_t)n;
        moved = true;
    }
    if (conn->broken || conn->out_at == conn->out.size) {
        buf_finish(&conn->out);
        conn->out_at = 0;
        if (conn->writing)
            atomic_fetch_sub(&conn->server->flushing, 1);
        conn->writing = false;
    } else if (moved || conn->wait != WAIT_WRITE) {
        conn_wait_locked(conn, WAIT_WRITE,
                         clock_mono_ns() + conn->server->settings.write_timeout_ns);
    }
}

static void keep_rest(struct conn *conn, const struct iovec *parts, int count, size_t sent)
{
    conn->out.max = OUT_MAX;
    if (conn->out_at > COMPACT_AT && conn->out_at > conn->out.size / 2) {
        memmove(conn->out.data, conn->out.data + conn->out_at, conn->out.size - conn->out_at);
        buf_truncate(&conn->out, conn->out.size - conn->out_at);
        conn->out_at = 0;
    }
    for (int i = 0; i < count; i++) {
        size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        sent -= skip;
        if (skip < parts[i].iov_len)
            buf_add_n(&conn->out, (const char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
    }
    if (conn->out.failed)
        conn_break_locked(conn); /* no memory: half an answer is none */
}

void conn_send_locked(struct conn *conn, struct iovec *parts, int count)
{
    if (conn->broken || conn->closed || conn->lingering)
        return;
    size_t sent = 0;
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    if (!conn->tls && !conn->out.size) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t n;
        do
            n = sendmsg(conn->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            conn_break_locked(conn);
            return;
        }
        sent = n > 0 ? (size_t)n : 0;
        if (sent == total)
            return;
    }
    bool waited = conn->out.size > 0;
    keep_rest(conn, parts, count, sent);
    if (!waited)
        conn_flush_locked(conn);
}
