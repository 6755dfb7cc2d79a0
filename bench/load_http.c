/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 << 10)
#define MAX_HEAD ((size_t)64 << 10)

/* http://ADDRESS:PORT/PATH, the address in digits. */
void load_url(struct load *load, const char *url)
{
    char address[64];
    unsigned port;
    load->path[0] = '\0';
    if (sscanf(url, "http://%63[0-9.]:%u%255s", address, &port, load->path) < 2)
        load_fail("the url must be http://ADDRESS:PORT/PATH");
    load->address.sin_family = AF_INET;
    load->address.sin_port = htons((in_port_t)port);
    if (inet_pton(AF_INET, address, &load->address.sin_addr) != 1)
        load_fail("the address must be one of IPv4");
    snprintf(load->host, sizeof load->host, "%s:%u", address, port);
}

void load_header(struct load *load, const char *text)
{
    bytes_add(&load->headers, text, strlen(text));
    bytes_add(&load->headers, "\r\n", 2);
}

static void open_lane(struct load *load, struct lane *lane)
{
    int one = 1;
    lane->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (lane->fd < 0 || connect(lane->fd, (struct sockaddr *)&load->address, sizeof load->address))
        load_fail("connect");
    setsockopt(lane->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0)
            load_fail("send");
        data += n;
        size -= (size_t)n;
    }
}

void http_begin(struct load *load, struct lane *lane, const char *template, uint64_t number)
{
    struct bytes body = {0};
    struct bytes *out = &load->out;
    char line[512];
    /* Some servers close a connection that was idle for a few seconds. */
    char byte;
    if (lane->fd > 0 && recv(lane->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
        close(lane->fd);
        lane->fd = 0;
    }
    if (lane->fd <= 0)
        open_lane(load, lane);
    lane->in.size = lane->body = lane->left = lane->frame_size = 0;
    lane->head_done = lane->chunked = lane->bad = false;
    out->size = 0;
    load_text(load, &body, template, number);
    if (load->how == LOAD_POST) {
        int n = snprintf(line, sizeof line,
                         "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                         "Accept: application/json, text/event-stream\r\nContent-Length: %zu\r\n",
                         load->path, load->host, body.size);
        bytes_add(out, line, (size_t)n);
    } else {
        bytes_add(out, "GET ", 4);
        bytes_add(out, load->path, strlen(load->path));
        bytes_add(out, body.data, body.size);
        int n = snprintf(line, sizeof line, " HTTP/1.1\r\nHost: %s\r\n", load->host);
        bytes_add(out, line, (size_t)n);
        body.size = 0;
    }
    if (load->headers.size)
        bytes_add(out, load->headers.data, load->headers.size);
    bytes_add(out, "\r\n", 2);
    bytes_add(out, body.data, body.size);
    free(body.data);
    send_all(lane->fd, out->data, out->size);
}

/* The head is whole: what the body's length is. Leaves what came behind it for take_body. */
static void take_head(struct lane *lane, char *end)
{
    *end = '\0';
    lane->bad = strncmp(lane->in.data, "HTTP/1.1 2", 10) != 0;
    for (char *line = strstr(lane->in.data, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "Content-Length:", 15) == 0)
            lane->left = (size_t)strtoull(line + 17, NULL, 10);
        if (strncasecmp(line + 2, "Transfer-Encoding: chunked", 26) == 0)
            lane->chunked = true;
    }
    lane->head_done = true;
}

/* A byte of a chunk's head: at its end, how long the chunk is. True when it was the last chunk's. */
static bool take_frame(struct lane *lane, char c)
{
    if (c != '\n') {
        if (lane->frame_size + 1 < sizeof lane->frame)
            lane->frame[lane->frame_size++] = c;
        return false;
    }
    lane->frame[lane->frame_size] = '\0';
    bool blank = lane->frame_size == 0 || lane->frame[0] == '\r';
    lane->frame_size = 0;
    if (blank)
        return lane->left == SIZE_MAX; /* behind the last chunk */
    lane->left = (size_t)strtoull(lane->frame, NULL, 16);
    if (!lane->left)
        lane->left = SIZE_MAX;
    return false;
}

/* True when the body is whole. */
static bool take_body(struct lane *lane, const char *data, size_t size, bool keep)
{
    size_t at = 0;
    while (at < size) {
        if (lane->chunked && (!lane->left || lane->left == SIZE_MAX)) {
            if (take_frame(lane, data[at++]))
                return true;
            continue;
        }
        size_t n = size - at < lane->left ? size - at : lane->left;
        if (keep)
            bytes_add(&lane->in, data + at, n);
        at += n;
        lane->left -= n;
        lane->body += n;
        if (!lane->chunked && !lane->left)
            return true;
    }
    return !lane->chunked && !lane->left;
}

void http_read(struct load *load, struct lane *lane)
{
    static char data[READ_SIZE];
    bool keep = load->how == LOAD_POST || load->work->keep;
    ssize_t n = recv(lane->fd, data, sizeof data, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        load_fail("the server closed the connection");
    const char *rest = data;
    size_t size = (size_t)n;
    if (!lane->head_done) {
        size_t before = lane->in.size;
        bytes_add(&lane->in, data, size);
        char *end = memmem(lane->in.data, lane->in.size, "\r\n\r\n", 4);
        if (!end && lane->in.size < MAX_HEAD)
            return;
        if (!end)
            load_fail("no end of the headers");
        size_t head = (size_t)(end + 4 - lane->in.data);
        rest = data + (head - before);
        size -= head - before;
        take_head(lane, end);
        lane->in.size = 0;
    }
    if (!take_body(lane, rest, size, keep))
        return;
    if (load->work->keep)
        bytes_add(&load->kept, lane->in.data, lane->in.size);
    bool error =
        lane->bad || (load->how == LOAD_POST && load_is_error(lane->in.data, lane->in.size));
    load_answered(load, lane, lane->body, error);
}
