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
#include "secrets/keyring.h"

#define CONNECTION_NAME_MAX 63

/* Values written out that one connection may hold; each is sealed on its own. */
#define CONNECTION_SECRETS_MAX 64

/* Of a row of the store, or of a body that will become one. */
struct connection_kept {
    const char *id;          /* UUID */
    const char *owner;       /* user id */
    bool local;              /* of the local user: may name variables, files and commands */
    struct keyring *keyring; /* opens {"sealed": ...}; NULL: there must be none */
};

struct connection_reading {
    struct check *check;
    const struct registry *registry;
    int64_t timeout_ns; /* where the connection sets none */
    /*
     * NULL: of the operator's file, one map with all keys. Else the names of the table's columns: name, backend_type, description,
     * is_enabled, is_default, tags, and the other keys in connection_config.
     */
    const struct connection_kept *kept;
    const struct node *literal_secret; /* out: the first secret written out in the file, or NULL */
    const struct node *secrets[CONNECTION_SECRETS_MAX]; /* out, with kept: all of them */
    size_t secret_count;
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
