/* SPDX-License-Identifier: Apache-2.0 */
#include "service/own.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "service/connection_read.h"
#include "service/content.h"

#define ROWS_MAX_BYTES ((size_t)64 << 20) /* of one user: 100 rows of 64 KiB, parsed */
#define READING_MAX_BYTES ((size_t)8 << 20)

/* The row as the document it was made from. */
static void write_document(const struct connection_row *row, struct buf *json)
{
    buf_add_char(json, '{');
    const struct {
        const char *key, *text;
    } texts[] = {{"name", row->name},
                 {"backend_type", row->backend_type},
                 {"description", row->description}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!texts[i].text || !*texts[i].text)
            continue;
        buf_json_key(json, texts[i].key);
        buf_json_string(json, texts[i].text, strlen(texts[i].text));
    }
    buf_json_key(json, "is_enabled");
    buf_add(json, row->enabled ? "true" : "false");
    buf_json_key(json, "is_default");
    buf_add(json, row->is_default ? "true" : "false");
    buf_json_key(json, "tags");
    buf_add(json, row->tags && *row->tags ? row->tags : "{}");
    buf_json_key(json, "connection_config");
    buf_add(json, row->config && *row->config ? row->config : "{}");
    buf_add_char(json, '}');
}

static struct connection *read_document(const struct own_parts *parts, struct check *check,
                                        const struct connection_row *row, bool local,
                                        struct err *err)
{
    struct connection_kept kept = {
        .id = row->id, .owner = row->user_id, .local = local, .keyring = parts->keyring};
    struct connection_reading reading = {.check = check,
                                         .registry = parts->registry,
                                         .timeout_ns = parts->timeout_ns,
                                         .kept = &kept};
    CLEANUP(buf_finish) struct buf json = BUF(NODE_MAX_TEXT);
    struct node *root = NULL;
    write_document(row, &json);
    if (json.failed) {
        err_set(err, ERR_MEMORY, "no memory to read a connection");
        return NULL;
    }
    if (node_parse(json.data, json.size, "", check->arena, &root, err))
        return NULL;
    check->root = root;
    struct connection *connection = connection_read(&reading, root);
    if (!connection && !check_result(check, err))
        err_set(err, ERR_MEMORY, "no memory to read a connection");
    return connection;
}

struct connection *own_read(const struct own_parts *parts, const struct connection_row *row,
                            bool local, struct config_mistake *mistakes, size_t *ret_mistake_count,
                            struct err *err)
{
    struct config_mistake *list =
        mistakes ? mistakes : mem_alloc_array(CONFIG_MAX_MISTAKES, sizeof *list);
    struct arena arena;
    arena_init(&arena, READING_MAX_BYTES, NULL);
    struct check check = {.arena = &arena, .mistakes = list};
    struct connection *connection = NULL;
    if (list)
        connection = read_document(parts, &check, row, local, err);
    else
        err_set(err, ERR_MEMORY, "no memory to read a connection");
    if (ret_mistake_count)
        *ret_mistake_count = check.count;
    arena_finish(&arena);
    if (!mistakes)
        mem_free(list);
    if (connection) {
        connection->revision = row->revision;
        connection->content = content_of_row(row->id, row->revision);
    }
    return connection;
}

/* What is known of a row that cannot be read; NULL: no memory. */
static struct connection *bare(const struct connection_row *row)
{
    struct connection *connection = connection_new();
    if (!connection)
        return NULL;
    struct arena *arena = &connection->arena;
    connection->id = arena_strdup(arena, row->id);
    connection->owner = arena_strdup(arena, row->user_id);
    connection->name = arena_strdup(arena, row->name);
    connection->backend = arena_strdup(arena, row->backend_type);
    connection->revision = row->revision;
    connection->is_default = row->is_default;
    connection->disabled = !row->enabled;
    if (!arena->failed)
        return connection;
    connection_unref(connection);
    return NULL;
}

static void open_own(struct slot *slot, const struct own_parts *parts)
{
    if (slot->connection->disabled) {
        err_set(&slot->err, ERR_INVALID,
                "connection %s is disabled; enable it to ask it: `sonde connection enable %s`, or "
                "is_enabled over REST",
                slot->connection->name, slot->connection->name);
        return;
    }
    if (!backend_open(parts->engine, slot->connection, &slot->backend, &slot->err))
        return;
    slot->backend = NULL;
    log_line(LOG_INFO, "connection", "%s cannot be used: %s", slot->connection->id, slot->err.text);
}

static const struct slot *same_as_before(const struct own *before, const struct connection_row *row)
{
    for (size_t i = 0; before && i < before->count; i++) {
        const struct slot *slot = &before->slots[i];
        if (str_eq(slot->connection->id, row->id) && slot->connection->revision == row->revision &&
            (slot->backend || slot->connection->disabled))
            return slot;
    }
    return NULL;
}

static int fill_slot(struct slot *slot, const struct own_parts *parts,
                     const struct connection_row *row, bool local, struct err *err)
{
    const struct slot *same = same_as_before(parts->before, row);
    if (same) {
        *slot = *same;
        connection_ref(slot->connection);
        backend_ref(slot->backend);
        return 0;
    }
    *slot = (struct slot){0};
    slot->connection = own_read(parts, row, local, NULL, NULL, &slot->err);
    if (slot->connection) {
        open_own(slot, parts);
        return 0;
    }
    log_line(LOG_INFO, "connection", "%s cannot be used: %s", row->id, slot->err.text);
    slot->connection = bare(row);
    return slot->connection ? 0 : err_set(err, ERR_MEMORY, "no memory for the connections");
}

int own_load(const struct own_parts *parts, const struct principal *principal, struct own **ret_own,
             struct err *err)
{
    CLEANUP(own_unrefp) struct own *own = mem_alloc(sizeof *own);
    if (!own)
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    atomic_init(&own->references, 1);
    struct arena arena;
    arena_init(&arena, ROWS_MAX_BYTES, NULL);
    struct connection_row *rows = NULL;
    size_t n = 0;
    int r = store_connections(parts->store, principal->id, NULL, OWN_MAX, &arena, &rows, &n, err);
    if (!r) {
        own->slots = mem_alloc_array(n + 1, sizeof *own->slots);
        if (!own->slots)
            r = err_set(err, ERR_MEMORY, "no memory for the connections");
    }
    for (size_t i = 0; !r && i < n; i++) {
        r = fill_slot(&own->slots[own->count], parts, &rows[i], principal->local, err);
        if (!r)
            own->count++;
    }
    arena_finish(&arena);
    if (!r)
        *ret_own = STEAL(own);
    return r;
}

struct own *own_ref(struct own *own)
{
    if (own)
        atomic_fetch_add_explicit(&own->references, 1, memory_order_relaxed);
    return own;
}

void own_unref(struct own *own)
{
    if (!own || atomic_fetch_sub_explicit(&own->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < own->count; i++)
        slot_finish(&own->slots[i]);
    mem_free(own->slots);
    mem_free(own);
}
