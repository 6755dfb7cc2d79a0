/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, and the socket that listens. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "http/internal.h"

#define BACKLOG 4096

int listen_address_text(const struct sockaddr *address, char *out, size_t size)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size) ? 0 : -1;
    }
    if (address->sa_family != AF_INET6)
        return -1;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, (socklen_t)size) ? 0 : -1;
    return inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size) ? 0 : -1;
}

int listen_name(int fd, char *out, size_t size, uint16_t *ret_port)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[INET6_ADDRSTRLEN];
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        listen_address_text((struct sockaddr *)&address, text, sizeof text) != 0)
        return -1;
    bool v6 = address.ss_family == AF_INET6;
    uint16_t port = ntohs(v6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                             : ((struct sockaddr_in *)&address)->sin_port);
    snprintf(out, size, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, port);
    *ret_port = port;
    return 0;
}

static int split(const char *where, char *host, size_t host_size, char *port, size_t port_size)
{
    const char *colon = strrchr(where, ':');
    if (!colon)
        return -1;
    const char *begin = where;
    const char *end = colon;
    if (*begin == '[') {
        if (end == begin || end[-1] != ']')
            return -1;
        begin++;
        end--;
    } else if (memchr(begin, ':', (size_t)(end - begin))) {
        return -1;
    }
    int64_t number;
    size_t n = (size_t)(end - begin);
    if (!n || n >= host_size || str_to_int(colon + 1, 0, 65535, &number) != 0)
        return -1;
    memcpy(host, begin, n);
    host[n] = 0;
    snprintf(port, port_size, "%d", (int)number);
    return 0;
}

static int bind_at(const struct addrinfo *address, int *ret_fd)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    /* Accepted connections inherit these. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int listen_at(const char *where, int *ret_fd, struct err *err)
{
    char host[256];
    char port[8];
    if (!where || split(where, host, sizeof host, port, sizeof port) != 0)
        return err_set(err, ERR_INVALID,
                       "listen \"%s\": must be ADDRESS:PORT, such as 127.0.0.1:7464 or [::1]:7464",
                       where ? where : "");
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int r = getaddrinfo(host, port, &hints, &found);
    if (r != 0)
        return err_set(err, ERR_INVALID, "listen \"%s\": %s is no address of this machine: %s",
                       where, host, gai_strerror(r));
    r = bind_at(found, ret_fd);
    int error = errno;
    freeaddrinfo(found);
    if (r == 0)
        return 0;
    return err_set(err, ERR_SYSTEM, "cannot listen at %s: %s%s", where, strerror(error),
                   error == EADDRINUSE
                       ? "; another program has that port: choose another one, or stop it"
                   : error == EACCES ? "; ports below 1024 need a privilege: choose a higher one"
                                     : "");
}
