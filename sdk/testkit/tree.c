/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <sonde/json.h>

#include <stdio.h>
#include <string.h>

#define TREE_DEPTH 64

struct builder {
    struct kit_pool *pool;
    struct kit_node *root;
    struct kit_node *open[TREE_DEPTH + 1];
    const char *key;
};

static struct kit_node *add_node(struct builder *builder, uint32_t depth, enum kit_node_type type,
                                 const char *text, size_t size)
{
    struct kit_node *node = kit_alloc(builder->pool, sizeof(*node));
    node->type = type;
    node->text = kit_copy(builder->pool, text, size);
    node->size = size;
    node->key = builder->key;
    builder->key = NULL;
    if (depth == 0) {
        builder->root = node;
        return node;
    }
    struct kit_node *parent = builder->open[depth - 1];
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
    return node;
}

static int on_event(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct builder *builder = user;
    switch (type) {
    case SONDE_JSON_OBJECT_BEGIN:
    case SONDE_JSON_ARRAY_BEGIN:
        builder->open[depth] = add_node(
            builder, depth, type == SONDE_JSON_OBJECT_BEGIN ? KIT_OBJECT : KIT_ARRAY, "", 0);
        break;
    case SONDE_JSON_KEY:
        builder->key = kit_copy(builder->pool, text, size);
        break;
    case SONDE_JSON_STRING:
        add_node(builder, depth, KIT_STRING, text, size);
        break;
    case SONDE_JSON_NUMBER:
        add_node(builder, depth, KIT_NUMBER, text, size);
        break;
    case SONDE_JSON_TRUE:
        add_node(builder, depth, KIT_TRUE, "true", 4);
        break;
    case SONDE_JSON_FALSE:
        add_node(builder, depth, KIT_FALSE, "false", 5);
        break;
    case SONDE_JSON_NULL:
        add_node(builder, depth, KIT_NULL, "null", 4);
        break;
    default:
        break;
    }
    return 0;
}

struct kit_node *kit_tree_parse(struct kit_pool *pool, const char *path, const char *text,
                                size_t size)
{
    struct builder builder = {.pool = pool};
    struct sonde_json json;
    if (sonde_json_init(&json, on_event, &builder, 0, TREE_DEPTH, (size_t)16 << 20))
        kit_die("out of memory");
    int rc = sonde_json_feed(&json, text, size);
    if (!rc)
        rc = sonde_json_end(&json);
    if (rc)
        kit_die("%s: byte %llu: %s", path, (unsigned long long)json.offset, sonde_json_error(rc));
    sonde_json_free(&json);
    return builder.root;
}

const struct kit_node *kit_get(const struct kit_node *node, const char *key)
{
    if (!node || node->type != KIT_OBJECT)
        return NULL;
    for (const struct kit_node *child = node->first; child; child = child->next) {
        if (strcmp(child->key, key) == 0)
            return child;
    }
    return NULL;
}

void kit_tree_write(struct kit_text *text, const struct kit_node *node)
{
    if (node->type == KIT_STRING) {
        kit_add_json(text, node->text, node->size);
        return;
    }
    if (node->type != KIT_ARRAY && node->type != KIT_OBJECT) {
        kit_add(text, node->text);
        return;
    }
    kit_add(text, node->type == KIT_ARRAY ? "[" : "{");
    for (const struct kit_node *child = node->first; child; child = child->next) {
        if (child != node->first)
            kit_add(text, ",");
        if (child->key) {
            kit_add_json(text, child->key, strlen(child->key));
            kit_add(text, ":");
        }
        kit_tree_write(text, child);
    }
    kit_add(text, node->type == KIT_ARRAY ? "]" : "}");
}

static int same_scalar(const struct kit_node *got, const struct kit_node *want)
{
    if (got->type != want->type)
        return 0;
    if (got->size == want->size && memcmp(got->text, want->text, got->size) == 0)
        return 1;
    if (got->type != KIT_NUMBER)
        return 0;
    int64_t a;
    int64_t b;
    if (sonde_parse_int64(got->text, got->size, &a) == 0 &&
        sonde_parse_int64(want->text, want->size, &b) == 0)
        return a == b;
    double x;
    double y;
    return sonde_parse_double(got->text, got->size, &x) == 0 &&
           sonde_parse_double(want->text, want->size, &y) == 0 && x == y;
}

static void differ(struct kit_text *difference, const char *where, const struct kit_node *got,
                   const struct kit_node *want)
{
    kit_add(difference, "at ");
    kit_add(difference, *where ? where : "the top");
    kit_add(difference, "\n  got  ");
    if (got)
        kit_tree_write(difference, got);
    else
        kit_add(difference, "nothing");
    kit_add(difference, "\n  want ");
    if (want)
        kit_tree_write(difference, want);
    else
        kit_add(difference, "nothing");
    kit_add(difference, "\n");
}

static int same_children(const struct kit_node *got, const struct kit_node *want, const char *where,
                         struct kit_text *difference)
{
    char path[512];
    size_t i = 0;
    const struct kit_node *b = want->first;
    for (const struct kit_node *a = got->first; a; a = a->next) {
        const struct kit_node *other = b;
        if (got->type == KIT_OBJECT) {
            other = kit_get(want, a->key);
            snprintf(path, sizeof(path), "%s%s%s", where, *where ? "." : "", a->key);
        } else {
            snprintf(path, sizeof(path), "%s[%zu]", where, i++);
        }
        if (!other) {
            differ(difference, path, a, NULL);
            return 0;
        }
        if (!kit_tree_equal(a, other, path, difference))
            return 0;
        b = b ? b->next : NULL;
    }
    size_t k = 0;
    for (b = want->first; b; b = b->next, k++) {
        if (got->type == KIT_OBJECT ? kit_get(got, b->key) != NULL : k < got->count)
            continue;
        if (got->type == KIT_OBJECT)
            snprintf(path, sizeof(path), "%s%s%s", where, *where ? "." : "", b->key);
        else
            snprintf(path, sizeof(path), "%s[%zu]", where, k);
        differ(difference, path, NULL, b);
        return 0;
    }
    return 1;
}

int kit_tree_equal(const struct kit_node *got, const struct kit_node *want, const char *where,
                   struct kit_text *ret_difference)
{
    if (got->type == want->type && (got->type == KIT_ARRAY || got->type == KIT_OBJECT))
        return same_children(got, want, where, ret_difference);
    if (same_scalar(got, want))
        return 1;
    differ(ret_difference, where, got, want);
    return 0;
}
