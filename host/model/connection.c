/* SPDX-License-Identifier: Apache-2.0 */
#include "model/connection.h"

#include <string.h>

#include "base/mem.h"

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

const char *connection_tag(const struct connection *connection, const char *key)
{
    for (size_t i = 0; i < connection->tag_count; i++)
        if (strcmp(connection->tags[i].key, key) == 0)
            return connection->tags[i].value;
    return NULL;
}
