/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML (or JSON, which YAML 1.2 contains) as a tree with positions, so that every mistake names file, line and key.
 * Refused: anchors, aliases, tags, duplicate keys, several documents, depth above 16, files above 1 MiB, more than
 * 1,000 keys in a map or 50,000 values in all.
 *
 * Ownership: the tree lives in the arena given. Threads: immutable once read.
 */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/err.h"

#define NODE_MAX_DEPTH 16
#define NODE_MAX_KEYS 1000
#define NODE_MAX_COUNT 50000
#define NODE_MAX_TEXT ((size_t)1 << 20)

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_type type;
    bool
        quoted; /* scalar written in quotes or as a block: a string even if it looks like a number */
    const char *key;   /* within a map; "" elsewhere */
    const char *value; /* scalar */
    struct node **children;
    size_t child_count;
    size_t child_capacity;
    const char *file;
    int line; /* from 1; of the key where there is one */
    int column;
};

/* 0 or ERR_INVALID with "file:line: ..." An empty document is an empty map. */
int node_parse(const char *text, size_t size, const char *file, struct arena *arena,
               struct node **ret_node, struct err *err);
const struct node *node_get(const struct node *map, const char *key);
/* A scalar that says "nothing": empty, ~ or null, not in quotes. */
bool node_is_null(const struct node *node);
/* Dotted path from the root for messages: "connections[1].auth.type"; arena text, "" for the root. */
const char *node_path(const struct node *root, const struct node *node, struct arena *arena);

#endif
