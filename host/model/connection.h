/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: one backend as one user (or the operator) configured it. Immutable; an edit makes a new one
 * with a higher revision.
 *
 * Ownership: reference-counted, all memory in its arena. Threads: immutable, shared freely.
 */
#ifndef MODEL_CONNECTION_H
#define MODEL_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sonde/types.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "model/secret_ref.h"

enum auth_type { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_HEADER, AUTH_SCHEME, AUTH_OAUTH2 };

struct connection_auth {
    enum auth_type type;
    const char *scheme;       /* AUTH_SCHEME: the adapter's name for it */
    const char *user;         /* AUTH_BASIC */
    const char *header;       /* AUTH_HEADER: its name */
    struct secret_ref secret; /* password, token, header value or client secret */
    /* AUTH_OAUTH2: client credentials (RFC 6749 section 4.4). */
    const char *token_url;
    const char *client_id;
    const char *oauth_scope;    /* NULL none */
    const char *oauth_audience; /* NULL none */
};

struct connection_header {
    const char *name;
    struct secret_ref value;
};

struct connection_tls {
    const char *ca_file;
    const char *ca_pem;
    const char *cert;
    const char *key;
    const char *server_name;
    bool insecure_skip_verify;
};

/* A parameter of the adapter's own. */
struct connection_param {
    const char *key;
    const char *value; /* NULL when secret */
    struct secret_ref secret;
};

/* Zero or NULL members are "not set". */
struct connection {
    atomic_uint references;
    struct arena arena;
    const char *id;    /* UUID */
    const char *owner; /* user id; USER_OPERATOR_ID: shared with everybody that access lets */
    const char *name;
    const char *backend;
    const char *description;
    const char *url; /* http:, https:, file:; "" where the backend has none */
    const char *tenant;
    const char *proxy;
    const char *ui_kind;
    const char *ui_url;
    const char *ui_param;
    struct connection_auth auth;
    struct connection_tls tls;
    struct connection_header *headers;
    size_t header_count;
    struct connection_param *params;
    size_t param_count;
    struct sonde_pair *tags;
    size_t tag_count;
    struct sonde_pair *enforce; /* logical key and the one value every query is held to */
    size_t enforce_count;
    const char *const *access_users; /* names; none: everybody */
    size_t access_user_count;
    int64_t timeout_ns;
    uint64_t max_samples;
    int64_t max_time_range_ns;
    uint64_t revision;
    bool http2;
    bool is_default;
    bool
        from_operator; /* YAML, --connection or the local user's own: may use loopback, files, env */
    bool disabled;     /* kept, but not opened */
    uint64_t
        content; /* of the cache: another one when anything that decides answers is another; 0: not cached beyond the process */
};

/* An empty connection with one reference, or NULL. */
struct connection *connection_new(void);
struct connection *connection_ref(struct connection *connection);
void connection_unref(struct connection *connection);
/* Whether both say the same, secrets included; revision and content, which follow from it, are not compared. */
bool connection_equal(const struct connection *a, const struct connection *b);
DEFINE_CLEANUP(struct connection *, connection_unref);
/* Whether it is the operator's, as against one of a user's own. */
bool connection_shared(const struct connection *connection);
const char *connection_tag(const struct connection *connection, const char *key);

#endif
