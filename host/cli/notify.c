/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

static void open_socket(struct notify *notify, const char *path)
{
    size_t size = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || size < 2 || size >= sizeof notify->address.sun_path) {
        log_line(LOG_WARN, "serve", "NOTIFY_SOCKET is no path of a socket; nothing is told there");
        return;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, path, size);
    notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (path[0] == '@')
        notify->address.sun_path[0] = '\0'; /* a name outside the file system: no NUL at its end */
    else
        notify->address_size++;
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0)
        log_line(LOG_WARN, "serve", "no socket to the service manager: %s", strerror(errno));
}

void notify_open(struct notify *notify)
{
    *notify = (struct notify){.fd = -1};
    const char *path = getenv("NOTIFY_SOCKET");
    if (path && *path)
        open_socket(notify, path);
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    int64_t wanted = 0;
    int64_t whose = getpid();
    if (usec && !str_to_int(usec, 1, INT64_MAX / NS_PER_US, &wanted) &&
        (!pid || !str_to_int(pid, 1, INT64_MAX, &whose)) && whose == getpid())
        notify->watchdog_ns = wanted * NS_PER_US / 2;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_send(struct notify *notify, const char *format, ...)
{
    char text[1024];
    if (notify->fd < 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    size_t size = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    const struct sockaddr *address = (const struct sockaddr *)&notify->address;
    if (sendto(notify->fd, text, size, MSG_NOSIGNAL, address, notify->address_size) < 0)
        log_line(LOG_DEBUG, "serve", "the service manager was not told: %s", strerror(errno));
}

void notify_reloading(struct notify *notify)
{
    notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration again",
                (long long)(clock_mono_ns() / NS_PER_US));
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}
