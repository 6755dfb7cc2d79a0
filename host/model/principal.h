/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: the person or program a call is made for. Limits, flights, cache, history and rights go by it.
 *
 * Ownership: a plain value, copied. Threads: immutable once made.
 */
#ifndef MODEL_PRINCIPAL_H
#define MODEL_PRINCIPAL_H

#include <stdbool.h>
#include <string.h>

#define RIGHT_READ 1u   /* ask, see the own connections and history */
#define RIGHT_MANAGE 2u /* make, change, test and remove the own connections */
#define RIGHT_ADMIN 4u  /* see every user's history and health */
#define RIGHTS_ALL (RIGHT_READ | RIGHT_MANAGE | RIGHT_ADMIN)

/* Reserved users: their ids are the same everywhere (UUIDs of version 8, RFC 9562 section 5.8). */
#define USER_LOCAL_ID "736f6e64-6500-8000-8000-000000000001" /* standard input, the terminal */
#define USER_OPERATOR_ID \
    "736f6e64-6500-8000-8000-000000000002" /* whom YAML's connections belong to */
#define USER_KEEPER_ID "736f6e64-6500-8000-8000-000000000003" /* the process itself */

struct principal {
    char id[40];    /* of the user: a UUID; never shown to others */
    char name[64];  /* for logs and messages */
    char token[40]; /* id of the API token it came with; "" none */
    /* What history groups its calls by: a UUID ("" none: no history is written), how it came in, and what its client calls itself. */
    char session[40];
    char front[8];   /* "stdio", "http", "cli" */
    char client[64]; /* "" unknown */
    unsigned rights;
    bool bound; /* only the connections its token is bound to exist for it */
    bool local; /* its own connections may use loopback, files and the environment */
};

/* Whoever started the process. */
#define PRINCIPAL_LOCAL \
    ((struct principal){.id = USER_LOCAL_ID, .name = "local", .rights = RIGHTS_ALL, .local = true})
/* Background refreshes and checks. */
#define PRINCIPAL_KEEPER \
    ((struct principal){.id = USER_KEEPER_ID, .name = "keeper", .rights = RIGHT_READ})

static inline bool principal_is_keeper(const struct principal *principal)
{
    return strcmp(principal->id, USER_KEEPER_ID) == 0;
}

#endif
