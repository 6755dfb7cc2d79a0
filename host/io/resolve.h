/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names into addresses on a few helper threads (getaddrinfo blocks, and cannot be cancelled), one look-up
 * a name however many wait for it, kept for a short while.
 *
 * Ownership: a resolution is reference-counted and immutable once delivered; threads that are stuck in a
 * look-up outlive the resolver and free what they share with it. Threads: the loop's, but for the helpers.
 */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>
#include "io/exchange.h"

#define RESOLUTION_ADDRESSES 16

struct resolution {
    unsigned references; /* the loop's */
    int error;           /* of getaddrinfo; 0 */
    size_t count;
    struct sockaddr_storage addresses[RESOLUTION_ADDRESSES];
};

struct resolver;

struct resolver *resolver_new(struct io *io);
/* No more deliveries. Does not wait for look-ups. NULL is fine. */
void resolver_close(struct resolver *resolver);
/*
 * Calls transfer_resolved for the exchange, now (an address, or known) or later from resolver_deliver.
 * A waiting exchange is in a flight's list through its `waiting` link: link_remove takes it out.
 * 0, or ERR_LIMIT (too many look-ups), ERR_MEMORY, ERR_SYSTEM.
 */
int resolver_find(struct resolver *resolver, struct exchange *exchange, const char *host);
/* Hands out what the helpers finished. */
void resolver_deliver(struct resolver *resolver);
/* Names that are this machine's whatever its files and servers say (RFC 6761 section 6.3): a container may have no hosts file. */
bool is_localhost(const char *name);
void resolution_unref(struct resolution *resolution);

#endif
