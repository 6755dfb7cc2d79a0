/* SPDX-License-Identifier: Apache-2.0 */
#include "service/set.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/zone.h"
#include "service/connections.h"
#include "service/content.h"

const struct slot *set_find(const struct connection_set *set, const char *name)
{
    for (size_t i = 0; i < set->slot_count; i++)
        if (str_eq(set->slots[i].connection->name, name))
            return &set->slots[i];
    return NULL;
}

struct slot *set_find_id(const struct connection_set *set, const char *id)
{
    for (size_t i = 0; i < set->slot_count; i++)
        if (str_eq_nocase(set->slots[i].connection->id, id))
            return &set->slots[i];
    for (size_t i = 0; i < set->slot_count; i++)
        if (str_eq(set->slots[i].connection->name, id))
            return &set->slots[i];
    return NULL;
}

bool set_has_backend(const struct connection_set *set, const struct backend *backend)
{
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i].backend == backend)
            return true;
    return false;
}

static void open_slot(struct slot *slot, const struct set_parts *parts)
{
    const struct slot *same =
        parts->before ? set_find(parts->before, slot->connection->name) : NULL;
    if (same && same->backend && connection_equal(same->connection, slot->connection)) {
        connection_unref(slot->connection);
        slot->connection = connection_ref(same->connection);
        slot->backend = backend_ref(same->backend);
        return;
    }
    if (same)
        slot->connection->revision = same->connection->revision + 1;
    slot->connection->content = content_of_file(parts->keyring, slot->connection);
    if (!backend_open(parts->engine, slot->connection, &slot->backend, &slot->err))
        return;
    slot->backend = NULL;
    log_line(LOG_WARN, "connection", "%s cannot be used: %s", slot->connection->name,
             slot->err.text);
}

static int open_slots(struct connection_set *set, const struct set_parts *parts,
                      struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err)
{
    struct connection **connections = NULL;
    size_t n = 0;
    int r = connections_load(set->config, parts->registry, parts->options->connections,
                             parts->options->connection_count, &connections, &n, mistakes,
                             ret_mistake_count, err);
    if (r)
        return r;
    set->slots = mem_alloc_array(n, sizeof *set->slots);
    for (size_t i = 0; i < n; i++) {
        if (!set->slots) {
            connection_unref(connections[i]);
            continue;
        }
        struct slot *slot = &set->slots[set->slot_count++];
        slot->connection = connections[i];
        open_slot(slot, parts);
    }
    mem_free(connections);
    return set->slots ? 0 : err_set(err, ERR_MEMORY, "no memory for the connections");
}

static int find_zone(struct connection_set *set, const struct service_options *options,
                     struct err *err)
{
    const char *name = set->config->timezone[0] ? set->config->timezone
                       : options->timezone      ? options->timezone
                                                : "UTC";
    int r = zone_open(name, &set->zone, err);
    if (r)
        err_prefix(err, "timezone: ");
    return r;
}

int set_create(struct config *config, const struct set_parts *parts,
               struct connection_set **ret_set, struct config_mistake *mistakes,
               size_t *ret_mistake_count, struct err *err)
{
    CLEANUP(set_unrefp) struct connection_set *set = mem_alloc(sizeof *set);
    *ret_mistake_count = 0;
    if (!set) {
        config_free(config);
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    }
    atomic_init(&set->references, 1);
    set->config = config;
    int r = find_zone(set, parts->options, err);
    if (!r)
        r = open_slots(set, parts, mistakes, ret_mistake_count, err);
    if (!r)
        *ret_set = STEAL(set);
    return r;
}

struct connection_set *set_above(struct connection_set *base, size_t n)
{
    struct connection_set *set = mem_alloc(sizeof *set);
    if (!set)
        return NULL;
    set->slots = mem_alloc_array(n + 1, sizeof *set->slots);
    if (!set->slots) {
        mem_free(set);
        return NULL;
    }
    atomic_init(&set->references, 1);
    set->base = set_ref(base);
    set->config = base->config;
    set->zone = base->zone;
    return set;
}

void set_add(struct connection_set *set, const struct slot *slot)
{
    struct slot *to = &set->slots[set->slot_count++];
    *to = *slot;
    connection_ref(to->connection);
    backend_ref(to->backend);
}

void slot_finish(struct slot *slot)
{
    backend_unref(slot->backend);
    connection_unref(slot->connection);
}

struct connection_set *set_ref(struct connection_set *set)
{
    if (set)
        atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void set_unref(struct connection_set *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->slot_count; i++)
        slot_finish(&set->slots[i]);
    mem_free(set->slots);
    if (!set->base) {
        zone_unref(set->zone);
        config_free(set->config);
    }
    set_unref(set->base); /* one level deep */
    mem_free(set);
}
