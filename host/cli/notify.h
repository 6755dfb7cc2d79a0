/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the service manager how the process is (sd_notify(3)), without its library: one datagram a message.
 *
 * Ownership: notify_close. Threads: main thread only.
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t address_size;
    int64_t
        watchdog_ns; /* between two signs of life: half of what the manager allows; 0 none wanted */
};

/* From $NOTIFY_SOCKET and $WATCHDOG_USEC, which are then unset: children must not speak for the process. */
void notify_open(struct notify *notify);
/* Lines "READY=1\nSTATUS=..."; harmless when nobody wants to know. A message that cannot be sent is logged at debug. */
void notify_send(struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* RELOADING=1 with the time that Type=notify-reload wants beside it. */
void notify_reloading(struct notify *notify);
void notify_close(struct notify *notify);

#endif
