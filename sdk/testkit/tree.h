/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON document as a tree: for fixtures, which are small and read whole.
 *
 * Ownership: nodes lie in the pool given. Threads: one at a time.
 */
#ifndef SONDE_TESTKIT_TREE_H
#define SONDE_TESTKIT_TREE_H

#include "base.h"

enum kit_node_type { KIT_NULL, KIT_FALSE, KIT_TRUE, KIT_NUMBER, KIT_STRING, KIT_ARRAY, KIT_OBJECT };

struct kit_node {
    enum kit_node_type type;
    const char *key;  /* NULL but in an object */
    const char *text; /* of a string, or of a number as written; NUL-terminated */
    size_t size;
    struct kit_node *first;
    struct kit_node *last;
    struct kit_node *next;
    size_t count;
};

/* Dies with path and offset when text is no JSON. */
struct kit_node *kit_tree_parse(struct kit_pool *pool, const char *path, const char *text,
                                size_t size);
/* The member, or NULL; node may be NULL. */
const struct kit_node *kit_get(const struct kit_node *node, const char *key);
/* Compact JSON. */
void kit_tree_write(struct kit_text *text, const struct kit_node *node);
/*
 * Equal: objects whatever their order, numbers by value. Otherwise 0, and the first difference in words in
 * ret_difference.
 */
int kit_tree_equal(const struct kit_node *got, const struct kit_node *want, const char *where,
                   struct kit_text *ret_difference);

#endif
