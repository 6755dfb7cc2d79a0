/* SPDX-License-Identifier: Apache-2.0 */
/* Whole answers, and the head that streams share with them. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/internal.h"

#define HEAD_ROOM 1024
#define PROBLEM_MAX ((size_t)16 * 1024)

static pthread_mutex_t gone_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gone_cond = PTHREAD_COND_INITIALIZER;

/* ---- Ending a request ---- */

void reply_gone_done(struct conn *conn)
{
    pthread_mutex_lock(&gone_lock);
    atomic_store(&conn->gone_running, false);
    pthread_cond_broadcast(&gone_cond);
    pthread_mutex_unlock(&gone_lock);
}

void reply_release(struct http_request *request)
{
    struct conn *conn = request->conn;
    pthread_mutex_unlock(&conn->lock);
    /* On the loop gone itself is what ends the request: nothing to wait for. */
    if (atomic_load(&conn->gone_running) && !pthread_equal(pthread_self(), conn->loop)) {
        pthread_mutex_lock(&gone_lock);
        while (atomic_load(&conn->gone_running))
            pthread_cond_wait(&gone_cond, &gone_lock);
        pthread_mutex_unlock(&gone_lock);
    }
    access_log(request);
    request_free(request);
}

void reply_finish_locked(struct http_request *request)
{
    struct conn *conn = request->conn;
    struct http_server *server = conn->server;
    conn->pending = NULL;
    atomic_fetch_sub_explicit(&server->pending, 1, memory_order_relaxed);
    if (request->streaming)
        atomic_fetch_sub_explicit(&server->streams, 1, memory_order_relaxed);
    conn_settle_locked(conn);
}

/* ---- The head of an answer ---- */

const char *http_status_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Unknown";
}

static void put_n(struct head_writer *writer, const char *text, size_t size)
{
    if ((size_t)(writer->end - writer->at) < size) {
        writer->failed = true;
        return;
    }
    memcpy(writer->at, text, size);
    writer->at += size;
}

void head_put(struct head_writer *writer, const char *text)
{
    put_n(writer, text, strlen(text));
}

void head_put_number(struct head_writer *writer, uint64_t number, unsigned base)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    put_n(writer, digits + at, sizeof digits - at);
}

/* RFC 9110 5.6.7, made once a second by each thread that answers. */
static const char *date_now(void)
{
    static _Thread_local int64_t second = -1;
    static _Thread_local char text[40];
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now = clock_unix_ns() / NS_PER_S;
    if (now == second)
        return text;
    second = now;
    time_t seconds = (time_t)now;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
             tm.tm_mday, months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    return text;
}

void head_begin(struct head_writer *writer, const struct http_request *request, int status)
{
    head_put(writer, "HTTP/1.1 ");
    head_put_number(writer, (uint64_t)status, 10);
    head_put(writer, " ");
    head_put(writer, http_status_title(status));
    head_put(writer, "\r\nDate: ");
    head_put(writer, date_now());
    head_put(writer, "\r\nX-Request-Id: ");
    head_put(writer, request->id);
    head_put(writer, "\r\n");
}

static bool has_line_break(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

void http_set_header(struct http_request *request, const char *name, const char *value)
{
    if (has_line_break(name) || has_line_break(value)) {
        log_line(LOG_WARN, HTTP_AREA, "%s: a header was left out: it would have held a line break",
                 request->id);
        return;
    }
    size_t before = request->extra.size;
    buf_add(&request->extra, name);
    buf_add(&request->extra, ": ");
    buf_add(&request->extra, value);
    buf_add(&request->extra, "\r\n");
    if (request->extra.failed) {
        buf_truncate(&request->extra, before);
        request->extra.failed = 0;
        log_line(LOG_WARN, HTTP_AREA, "%s: header %s was left out: the head would be too long",
                 request->id, name);
    }
}

/* ---- Whole answers ---- */

static void send_answer_locked(struct http_request *request, int status, const char *type,
                               const void *body, size_t size)
{
    struct conn *conn = request->conn;
    char head[HEAD_ROOM];
    struct head_writer writer = {head, head + sizeof head, false};
    if (!request->message.keep_alive || atomic_load(&conn->server->draining))
        conn->close_after = true;
    request->status = status;
    head_begin(&writer, request, status);
    if (type) {
        head_put(&writer, "Content-Type: ");
        head_put(&writer, type);
        head_put(&writer, "\r\n");
    } else {
        size = 0;
    }
    if (status != 204 && status != 304) {
        head_put(&writer, "Content-Length: ");
        head_put_number(&writer, size, 10);
        head_put(&writer, "\r\n");
    } else {
        size = 0;
    }
    if (conn->close_after)
        head_put(&writer, "Connection: close\r\n");
    if (!request->extra.size)
        head_put(&writer, "\r\n");
    if (writer.failed) { /* no type is that long */
        log_line(LOG_ERROR, HTTP_AREA, "%s: the head of the answer is too long", request->id);
        conn_break_locked(conn);
        return;
    }
    struct iovec parts[4];
    int count = 0;
    parts[count++] = (struct iovec){head, (size_t)(writer.at - head)};
    if (request->extra.size) {
        parts[count++] = (struct iovec){request->extra.data, request->extra.size};
        parts[count++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    }
    if (size && !request->body_hidden)
        parts[count++] = (struct iovec){(void *)(uintptr_t)body, size};
    conn_send_locked(conn, parts, count);
}

void http_reply(struct http_request *request, int status, const char *type, const void *body,
                size_t size)
{
    struct conn *conn = request->conn;
    pthread_mutex_lock(&conn->lock);
    if (conn->pending == request) {
        send_answer_locked(request, status, type, body, size);
        reply_finish_locked(request);
    }
    reply_release(request);
}

void http_problem(struct http_request *request, int status, const char *title, const char *detail)
{
    struct buf body = BUF(PROBLEM_MAX);
    buf_add(&body, "{\"type\":\"about:blank\",\"title\":");
    buf_json_string(&body, title, strlen(title));
    buf_printf(&body, ",\"status\":%d,\"detail\":", status);
    buf_json_string(&body, detail, strlen(detail));
    buf_printf(&body, ",\"instance\":\"%s\"}\n", request->id);
    if (body.failed)
        http_reply(request, status, NULL, NULL, 0);
    else
        http_reply(request, status, "application/problem+json", body.data, body.size);
    buf_finish(&body);
}

void http_drop(struct http_request *request)
{
    struct conn *conn = request->conn;
    pthread_mutex_lock(&conn->lock);
    if (conn->pending == request) {
        conn_break_locked(conn);
        reply_finish_locked(request);
    }
    reply_release(request);
}

void http_on_gone(struct http_request *request, void (*gone)(void *user), void *user)
{
    struct conn *conn = request->conn;
    pthread_mutex_lock(&conn->lock);
    bool left = conn->pending != request;
    if (!left) {
        request->gone = gone;
        request->gone_user = user;
    }
    pthread_mutex_unlock(&conn->lock);
    if (left)
        gone(user);
}
