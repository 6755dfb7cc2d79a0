/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection out of a tree of keys: the keys common to every backend, and the parameters of its adapter.
 *
 * Ownership: the caller unrefs what it gets. Threads: pure but for the environment and files it looks at.
 */
#ifndef SERVICE_CONNECTION_READ_H
#define SERVICE_CONNECTION_READ_H

#include "config/check.h"
#include "model/connection.h"
#include "plugin/registry.h"

#define CONNECTION_NAME_MAX 63

struct connection_reading {
    struct check *check;
    const struct registry *registry;
    int64_t timeout_ns;                /* where the connection sets none */
    const struct node *literal_secret; /* out: the first secret written out in the file, or NULL */
};

/* NULL when there were mistakes (noted in check). */
struct connection *connection_read(struct connection_reading *reading, const struct node *map);
/* Whether a text may be a connection's name; NULL, or what is wrong. */
const char *connection_name_text(const char *name);
/* The stable id of the operator's connection of this name: a UUID of version 8 (RFC 9562 section 5.8), 36 characters and a NUL. */
void connection_operator_id(const char *name, char out[37]);
/* ERR_NOT_FOUND naming the nearest adapter, why one was refused, and which there are. */
int connection_no_adapter(const struct registry *registry, const char *backend, struct err *err);

#endif
