/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: the person or program a call is made for. Limits, flights and rights go by it.
 *
 * Ownership: a plain value, copied. Threads: immutable once made.
 */
#ifndef MODEL_PRINCIPAL_H
#define MODEL_PRINCIPAL_H

#include <stdbool.h>
#include <string.h>

struct principal {
    char id
        [40]; /* never shown to others, never a secret: "local", "keeper", or made from a token's hash */
    char name[64]; /* for logs and messages */
};

/* Standard input and the terminal: whoever started the process. */
#define PRINCIPAL_LOCAL ((struct principal){.id = "local", .name = "local"})
/* The process itself: background refreshes. */
#define PRINCIPAL_KEEPER ((struct principal){.id = "keeper", .name = "keeper"})

static inline bool principal_is_keeper(const struct principal *principal)
{
    return strcmp(principal->id, "keeper") == 0;
}

#endif
