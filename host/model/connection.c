/* SPDX-License-Identifier: Apache-2.0 */
#include "model/connection.h"

#include <string.h>

#include "base/mem.h"
#include "model/principal.h"

/* A certificate, some headers and parameters; nothing here grows with use. */
#define CONNECTION_MAX_BYTES (4u * 1024u * 1024u)

struct connection *connection_new(void)
{
    struct connection *connection = mem_alloc(sizeof *connection);
    if (!connection)
        return NULL;
    atomic_init(&connection->references, 1);
    arena_init(&connection->arena, CONNECTION_MAX_BYTES, NULL);
    connection->id = "";
    connection->name = "";
    connection->backend = "";
    connection->url = "";
    connection->owner = USER_OPERATOR_ID;
    return connection;
}

struct connection *connection_ref(struct connection *connection)
{
    if (connection)
        atomic_fetch_add_explicit(&connection->references, 1, memory_order_relaxed);
    return connection;
}

void connection_unref(struct connection *connection)
{
    if (!connection ||
        atomic_fetch_sub_explicit(&connection->references, 1, memory_order_acq_rel) != 1)
        return;
    secret_free(connection->auth.secret.literal);
    for (size_t i = 0; i < connection->header_count; i++)
        secret_free(connection->headers[i].value.literal);
    for (size_t i = 0; i < connection->param_count; i++)
        secret_free(connection->params[i].secret.literal);
    arena_finish(&connection->arena);
    mem_free(connection);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_secret(const struct secret_ref *a, const struct secret_ref *b)
{
    if (a->kind != b->kind || !same_text(a->name, b->name) || !a->command != !b->command)
        return false;
    for (size_t i = 0; a->command && (a->command[i] || b->command[i]); i++)
        if (!same_text(a->command[i], b->command[i]))
            return false;
    return a->literal && b->literal ? secret_equal(a->literal, b->literal)
                                    : a->literal == b->literal;
}

static bool same_auth(const struct connection_auth *a, const struct connection_auth *b)
{
    return a->type == b->type && same_text(a->scheme, b->scheme) && same_text(a->user, b->user) &&
           same_text(a->header, b->header) && same_secret(&a->secret, &b->secret) &&
           same_text(a->token_url, b->token_url) && same_text(a->client_id, b->client_id) &&
           same_text(a->oauth_scope, b->oauth_scope) &&
           same_text(a->oauth_audience, b->oauth_audience);
}

static bool same_tls(const struct connection_tls *a, const struct connection_tls *b)
{
    return same_text(a->ca_file, b->ca_file) && same_text(a->ca_pem, b->ca_pem) &&
           same_text(a->cert, b->cert) && same_text(a->key, b->key) &&
           same_text(a->server_name, b->server_name) &&
           a->insecure_skip_verify == b->insecure_skip_verify;
}

static bool same_pairs(const struct sonde_pair *a, size_t n, const struct sonde_pair *b, size_t m)
{
    if (n != m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!same_text(a[i].key, b[i].key) || !same_text(a[i].value, b[i].value))
            return false;
    return true;
}

static bool same_lists(const struct connection *a, const struct connection *b)
{
    if (a->header_count != b->header_count || a->param_count != b->param_count ||
        a->access_user_count != b->access_user_count)
        return false;
    for (size_t i = 0; i < a->access_user_count; i++)
        if (!same_text(a->access_users[i], b->access_users[i]))
            return false;
    for (size_t i = 0; i < a->header_count; i++)
        if (!same_text(a->headers[i].name, b->headers[i].name) ||
            !same_secret(&a->headers[i].value, &b->headers[i].value))
            return false;
    for (size_t i = 0; i < a->param_count; i++)
        if (!same_text(a->params[i].key, b->params[i].key) ||
            !same_text(a->params[i].value, b->params[i].value) ||
            !same_secret(&a->params[i].secret, &b->params[i].secret))
            return false;
    return same_pairs(a->tags, a->tag_count, b->tags, b->tag_count) &&
           same_pairs(a->enforce, a->enforce_count, b->enforce, b->enforce_count);
}

bool connection_equal(const struct connection *a, const struct connection *b)
{
    return same_text(a->id, b->id) && same_text(a->name, b->name) &&
           same_text(a->backend, b->backend) && same_text(a->description, b->description) &&
           same_text(a->url, b->url) && same_text(a->tenant, b->tenant) &&
           same_text(a->proxy, b->proxy) && same_text(a->ui_kind, b->ui_kind) &&
           same_text(a->ui_url, b->ui_url) && same_text(a->ui_param, b->ui_param) &&
           same_auth(&a->auth, &b->auth) && same_tls(&a->tls, &b->tls) && same_lists(a, b) &&
           a->timeout_ns == b->timeout_ns && a->max_samples == b->max_samples &&
           a->max_time_range_ns == b->max_time_range_ns && a->http2 == b->http2 &&
           a->is_default == b->is_default && a->from_operator == b->from_operator &&
           a->disabled == b->disabled && same_text(a->owner, b->owner);
}

bool connection_shared(const struct connection *connection)
{
    return !connection->owner || strcmp(connection->owner, USER_OPERATOR_ID) == 0;
}

const char *connection_tag(const struct connection *connection, const char *key)
{
    for (size_t i = 0; i < connection->tag_count; i++)
        if (strcmp(connection->tags[i].key, key) == 0)
            return connection->tags[i].value;
    return NULL;
}
