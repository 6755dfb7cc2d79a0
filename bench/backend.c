/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that costs next to nothing: the Prometheus HTTP API as far as the benchmark's clients ask it, one thread, epoll, HTTP/1.1 with
 * kept connections. Answers depend on the metric's name alone: one that begins with range_S_ has S series, every other one. A matrix has
 * the points that start, end and step ask for; it is written once for each set of these and kept. Large answers are sent in chunks, as
 * Prometheus does. Prints its port, ends when its standard input does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST ((size_t)64 << 10)
#define MAX_KEPT 8
#define MAX_MATRIX ((size_t)512 << 20)
#define CHUNK ((size_t)32 << 10)

struct kept;
struct client {
    int fd;
    size_t size;
    char *in;         /* MAX_REQUEST */
    char small[2048]; /* an answer that is made for this request */
    const char *out;
    size_t out_size;
    struct kept *sends; /* what out points into, when it is a matrix */
    bool want_write;
};

/* One matrix with its HTTP head and chunk frames, ready to be sent. */
struct kept {
    long long series, start, end, step;
    char *data;
    size_t size;
    size_t users; /* who sends it just now */
};

static struct kept kept[MAX_KEPT];
static size_t next_kept;
static int poller;

static void fail(const char *what)
{
    fprintf(stderr, "bench/backend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *need(void *memory)
{
    if (!memory)
        fail("memory");
    return memory;
}

/* ---- Matrices ---- */

static char *put_text(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static char *put_number(char *to, unsigned long long number, int digits)
{
    for (int i = digits; i-- > 0; number /= 10)
        to[i] = (char)('0' + number % 10);
    return to + digits;
}

/* Twelve digits after the point, 10-digit timestamps: about 29 bytes a point, as a rate of Prometheus has. */
static char *put_series(char *to, const struct kept *k, long long index)
{
    to = put_text(to, index ? ",{\"metric\":{\"__name__\":\"range\",\"namespace\":\"production\","
                              "\"pod\":\"web-app-"
                            : "{\"metric\":{\"__name__\":\"range\",\"namespace\":\"production\","
                              "\"pod\":\"web-app-");
    to = put_number(to, (unsigned long long)index, 5);
    to = put_text(to, "\"},\"values\":[");
    unsigned long long state = (unsigned long long)index * 2654435761u + 12345;
    for (long long at = k->start; at <= k->end; at += k->step) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        *to++ = '[';
        to = put_number(to, (unsigned long long)at, 10);
        to = put_text(to, ",\"0.");
        to = put_number(to, state >> 25, 12);
        to = put_text(to, "\"],");
    }
    to[-1] = ']';
    *to++ = '}';
    return to;
}

/* The body in frames of CHUNK bytes behind its head. */
static void frame(struct kept *k, const char *body, size_t size)
{
    char *to = k->data = need(malloc(size + size / CHUNK * 12 + 256));
    to = put_text(to, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < size;) {
        size_t n = size - at < CHUNK ? size - at : CHUNK;
        to += sprintf(to, "%zx\r\n", n);
        memcpy(to, body + at, n);
        to = put_text(to + n, "\r\n");
        at += n;
    }
    to = put_text(to, "0\r\n\r\n");
    k->size = (size_t)(to - k->data);
}

static struct kept *matrix(long long series, long long start, long long end, long long step)
{
    for (size_t i = 0; i < MAX_KEPT; i++)
        if (kept[i].data && kept[i].series == series && kept[i].start == start &&
            kept[i].end == end && kept[i].step == step)
            return &kept[i];
    unsigned long long points = end < start ? 1 : (unsigned long long)((end - start) / step + 1);
    if (points > 11000 || (unsigned long long)series * (points + 4) * 40 > MAX_MATRIX)
        return NULL;
    struct kept *k = &kept[next_kept % MAX_KEPT];
    for (size_t i = 0; i < MAX_KEPT && k->users; i++)
        k = &kept[++next_kept % MAX_KEPT];
    next_kept++;
    if (k->users)
        return NULL;
    free(k->data);
    *k = (struct kept){.series = series, .start = start, .end = end, .step = step};
    char *body = need(malloc((size_t)series * (points + 4) * 40 + 256));
    char *to = put_text(body, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\","
                              "\"result\":[");
    for (long long i = 0; i < series; i++)
        to = put_series(to, k, i);
    to = put_text(to, "]}}");
    frame(k, body, (size_t)(to - body));
    free(body);
    return k;
}

/* ---- Requests ---- */

static void answer(struct client *client, const char *status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void answer(struct client *client, const char *status, const char *format, ...)
{
    char body[1600];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(body, sizeof body, format, arguments);
    va_end(arguments);
    client->out = client->small;
    client->out_size = (size_t)snprintf(client->small, sizeof client->small,
                                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                                        "Content-Length: %d\r\n\r\n%s",
                                        status, n, body);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A member of a form, unescaped; "" when it is not there. */
static void parameter(const char *form, const char *name, char *out, size_t max)
{
    size_t n = strlen(name);
    out[0] = '\0';
    for (const char *at = form; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, n) != 0 || at[n] != '=')
            continue;
        size_t size = 0;
        for (at += n + 1; *at && *at != '&' && size + 1 < max; at++) {
            bool escaped = *at == '%' && hex(at[1]) >= 0 && hex(at[2]) >= 0;
            out[size++] = escaped ? (char)(hex(at[1]) * 16 + hex(at[2])) : *at == '+' ? ' ' : *at;
            at += escaped ? 2 : 0;
        }
        out[size] = '\0';
        return;
    }
}

/* Seconds, or RFC 3339 in UTC. */
static long long seconds_of(const char *text)
{
    struct tm tm = {0};
    if (strchr(text, 'T') && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
        return (long long)timegm(&tm);
    return strtoll(text, NULL, 10);
}

static long long step_of(const char *text)
{
    char *end;
    long long step = (long long)strtod(text, &end);
    step *= *end == 'm' && end[1] != 's' ? 60 : *end == 'h' ? 3600 : 1;
    return step > 0 ? step : 1;
}

static long long series_of(const char *query)
{
    const char *name = strstr(query, "range_");
    long long n = name ? atoll(name + 6) : 1;
    return n > 0 && n <= 100000 ? n : 1;
}

static void answer_range(struct client *client, const char *form)
{
    char query[1024], start[64], end[64], step[64];
    parameter(form, "query", query, sizeof query);
    parameter(form, "start", start, sizeof start);
    parameter(form, "end", end, sizeof end);
    parameter(form, "step", step, sizeof step);
    struct kept *k = matrix(series_of(query), seconds_of(start), seconds_of(end), step_of(step));
    if (!k) {
        answer(client, "400 Bad Request",
               "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"too many points\"}");
        return;
    }
    k->users++;
    client->sends = k;
    client->out = k->data;
    client->out_size = k->size;
}

static void answer_instant(struct client *client, const char *form)
{
    char query[1024], quoted[1100];
    size_t n = 0;
    parameter(form, "query", query, sizeof query);
    const char *label = strchr(query, '"');
    for (const char *c = label ? label + 1 : ""; *c && *c != '"' && *c != '\\' && n < 60; c++)
        quoted[n++] = *c;
    quoted[n] = '\0';
    answer(client, "200 OK",
           "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{"
           "\"__name__\":\"up\",\"instance\":\"10.0.0.1:9100\",\"job\":\"node\",\"n\":\"%s\"},"
           "\"value\":[%lld.123,\"1\"]}]}}",
           quoted, (long long)time(NULL));
}

static void answer_request(struct client *client, const char *target, const char *form)
{
    const char *path = strstr(target, "/api/v1/");
    path = path ? path + 8 : "";
    if (strncmp(path, "query_range", 11) == 0)
        answer_range(client, form);
    else if (strncmp(path, "query_exemplars", 15) == 0)
        answer(client, "200 OK", "{\"status\":\"success\",\"data\":[]}");
    else if (strncmp(path, "query", 5) == 0)
        answer_instant(client, form);
    else if (strncmp(path, "status/buildinfo", 16) == 0)
        answer(client, "200 OK",
               "{\"status\":\"success\",\"data\":{\"version\":\"2.53.3\",\"revision\":\"0\","
               "\"branch\":\"HEAD\",\"buildUser\":\"bench\",\"buildDate\":\"20240101-00:00:00\","
               "\"goVersion\":\"go1.22\"}}");
    else if (strncmp(path, "label/__name__", 14) == 0)
        answer(client, "200 OK",
               "{\"status\":\"success\",\"data\":[\"range_100_m\",\"range_2100_m\",\"up\"]}");
    else if (strncmp(path, "labels", 6) == 0)
        answer(client, "200 OK",
               "{\"status\":\"success\",\"data\":[\"__name__\",\"instance\",\"job\",\"n\"]}");
    else if (strncmp(path, "label", 5) == 0 || strncmp(path, "series", 6) == 0)
        answer(client, "200 OK", "{\"status\":\"success\",\"data\":[]}");
    else if (path[0] || strncmp(target, "/-/", 3) == 0)
        answer(client, "200 OK", "{\"status\":\"success\",\"data\":{}}");
    else
        answer(client, "404 Not Found", "{\"status\":\"error\",\"error\":\"not here\"}");
}

/* A whole request at the begin of in: its length, and the answer is ready; 0 when more has to come, -1 when it is none. */
static long take_request(struct client *client)
{
    char *in = client->in;
    in[client->size] = '\0';
    char *end = strstr(in, "\r\n\r\n");
    if (!end)
        return client->size + 1 >= MAX_REQUEST ? -1 : 0;
    size_t body = 0;
    for (char *line = strstr(in, "\r\n"); line && line < end; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
            body = (size_t)strtoul(line + 17, NULL, 10);
    size_t head = (size_t)(end + 4 - in);
    if (body >= MAX_REQUEST - head)
        return -1;
    if (client->size < head + body)
        return 0;
    char saved = in[head + body];
    in[head + body] = '\0';
    char *target = strchr(in, ' ');
    char *stop = target ? strchr(target + 1, ' ') : NULL;
    if (!stop || stop > end)
        return -1;
    *stop = '\0';
    char *mark = strchr(target, '?');
    answer_request(client, target + 1, body ? in + head : mark ? mark + 1 : "");
    in[head + body] = saved;
    return (long)(head + body);
}

/* ---- Connections ---- */

static void release(struct client *client)
{
    if (client->sends)
        client->sends->users--;
    client->sends = NULL;
}

static void drop(struct client *client)
{
    release(client);
    close(client->fd);
    free(client->in);
    free(client);
}

static bool flush(struct client *client)
{
    while (client->out_size) {
        ssize_t n = send(client->fd, client->out, client->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        client->out += n;
        client->out_size -= (size_t)n;
    }
    bool want = client->out_size > 0;
    if (!want)
        release(client);
    if (want != client->want_write) {
        struct epoll_event event = {.events = want ? EPOLLOUT : EPOLLIN, .data.ptr = client};
        if (epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event))
            fail("epoll_ctl");
        client->want_write = want;
    }
    return true;
}

/* Answers what is there, one after the other. */
static bool serve(struct client *client)
{
    while (!client->out_size && client->size) {
        long n = take_request(client);
        if (n <= 0)
            return n == 0;
        client->size -= (size_t)n;
        memmove(client->in, client->in + n, client->size);
        if (!flush(client))
            return false;
    }
    return true;
}

static void on_client(struct client *client)
{
    if (client->want_write) {
        if (!flush(client) || !serve(client))
            drop(client);
        return;
    }
    ssize_t n =
        recv(client->fd, client->in + client->size, MAX_REQUEST - 1 - client->size, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        drop(client);
        return;
    }
    client->size += (size_t)n;
    if (!serve(client))
        drop(client);
}

static void on_listener(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct client *client = need(calloc(1, sizeof *client));
    client->fd = fd;
    client->in = need(malloc(MAX_REQUEST));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        fail("epoll_ctl");
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || poller < 0 || bind(listener, (struct sockaddr *)&address, size) ||
        listen(listener, 1024) || getsockname(listener, (struct sockaddr *)&address, &size))
        fail("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = NULL;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(poller, events, 64, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener) {
                on_listener(listener);
            } else if (!events[i].data.ptr) {
                char byte;
                if (read(STDIN_FILENO, &byte, 1) <= 0)
                    return 0;
            } else {
                on_client(events[i].data.ptr);
            }
        }
    }
}
