/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define PATIENCE_S 5

static const char question[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/* Where the server listens, as this machine reaches it. */
static int connect_self(const struct serve *serve)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(serve->server))};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = v4.sin_port};
    char host[INET6_ADDRSTRLEN];
    const char *listen = serve->listen;
    bool six = *listen == '[';
    const char *end = six ? strchr(listen, ']') : strrchr(listen, ':');
    int n = end ? snprintf(host, sizeof host, "%.*s", (int)(end - listen - six), listen + six) : -1;
    if (n < 0 || (size_t)n >= sizeof host)
        return -1;
    if (str_eq(host, "0.0.0.0"))
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (str_eq(host, "::"))
        v6.sin6_addr = in6addr_loopback;
    else if (inet_pton(six ? AF_INET6 : AF_INET, host,
                       six ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
        return -1;
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const struct sockaddr *address = six ? (const void *)&v6 : (const void *)&v4;
    if (!connect(fd, address, six ? sizeof v6 : sizeof v4))
        return fd;
    close(fd);
    return -1;
}

/*
 * Whether the loop reacts. With TLS the question is no handshake: that it is turned away, in whatever way, shows the same. A full house
 * lets nobody in and is no reason to be killed.
 */
static bool loop_answers(const struct serve *serve)
{
    struct http_counts counts;
    http_server_counts(serve->server, &counts);
    if (counts.accept_paused)
        return true;
    int fd = connect_self(serve);
    if (fd < 0)
        return errno != EAGAIN && errno != EINPROGRESS && errno != ETIMEDOUT;
    char answer[16];
    ssize_t n = send(fd, question, sizeof question - 1, MSG_NOSIGNAL);
    if (n > 0)
        n = recv(fd, answer, sizeof answer, 0);
    bool answers = n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    close(fd);
    return answers;
}

void serve_pulse(struct serve *serve)
{
    if (!serve->notify.watchdog_ns)
        return;
    if (loop_answers(serve))
        notify_send(&serve->notify, "WATCHDOG=1");
    else
        log_line(LOG_ERROR, "serve", "the HTTP server has not answered for %d s", PATIENCE_S);
}
