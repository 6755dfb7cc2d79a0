/* SPDX-License-Identifier: Apache-2.0 */
#include "service/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "service/sync.h"
#include "service/upkeep.h"

static bool same_texts(const char *const *a, size_t n, const char *const *b, size_t m)
{
    if (n != m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return true;
}

static bool same_plugins(const struct config *a, const struct config *b)
{
    return same_texts(a->plugin_paths, a->plugin_path_count, b->plugin_paths,
                      b->plugin_path_count) &&
           !a->plugins_enabled == !b->plugins_enabled &&
           same_texts(a->plugins_enabled, a->plugins_enabled_count, b->plugins_enabled,
                      b->plugins_enabled_count);
}

/* What the parts were started with and cannot change under way. */
static void note_later(const struct config *a, const struct config *b, char *text, size_t size)
{
    const struct {
        const char *key;
        bool same;
    } keys[] = {{"plugins", same_plugins(a, b)},
                {"files", str_eq(a->files, b->files)},
                {"store", str_eq(a->keep.store, b->keep.store)},
                {"keys", str_eq(a->keep.key_file, b->keep.key_file) &&
                             str_eq(a->keep.key_environment, b->keep.key_environment)},
                {"history.keep", a->keep.history_ns == b->keep.history_ns},
                {"network.proxy", str_eq(a->proxy, b->proxy)},
                {"network.no_proxy",
                 same_texts(a->no_proxy, a->no_proxy_count, b->no_proxy, b->no_proxy_count)},
                {"limits.body", a->limit_body == b->limit_body},
                {"limits.points", a->limit_points == b->limit_points}};
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].same || used >= size)
            continue;
        int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "", keys[i].key);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void count_changes(const struct connection_set *before, const struct connection_set *after,
                          struct service_changes *changes)
{
    for (size_t i = 0; i < after->slot_count; i++) {
        const struct slot *slot = &after->slots[i];
        const struct slot *old = set_find(before, slot->connection->name);
        if (!old)
            changes->added++;
        else if (connection_equal(old->connection, slot->connection))
            changes->kept++;
        else
            changes->changed++;
    }
    for (size_t i = 0; i < before->slot_count; i++)
        changes->removed += !set_find(after, before->slots[i].connection->name);
}

/* Backends of `in` that are not in `out` are no longer looked after. */
static void unwatch(struct service *service, const struct connection_set *in,
                    const struct connection_set *out)
{
    for (size_t i = 0; i < in->slot_count; i++)
        if (in->slots[i].backend && !set_has_backend(out, in->slots[i].backend))
            catalogue_unwatch(service->catalogue, in->slots[i].backend);
}

/* All or none: 0, or ERR_MEMORY. Those looked after already stay so. */
static int watch(struct service *service, const struct connection_set *before,
                 const struct connection_set *after)
{
    for (size_t i = 0; i < after->slot_count; i++) {
        if (!after->slots[i].backend ||
            !catalogue_watch(service->catalogue, after->slots[i].backend))
            continue;
        unwatch(service, after, before);
        return ERR_MEMORY;
    }
    return 0;
}

static void apply_limits(struct service *service, const struct connection_set *set)
{
    const struct config *config = set->config;
    struct cache_settings cache = cache_settings_of(service, config);
    budget_set_max(&service->budget, config->limit_memory);
    cache_configure(service->cache, &cache);
    call_pool_set_max(service->calls, config->limit_calls);
    admission_set_limits(service->admission, config->limit_calls_per_minute,
                         config->limit_calls_per_user);
    engine_set_in_flight(service->engine, config->limit_in_flight,
                         config->limit_in_flight_per_user);
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i].backend)
            backend_set_in_flight(set->slots[i].backend, config->limit_in_flight,
                                  config->limit_in_flight_per_user);
}

/* Whatever fails, nothing is open that is not in the configuration that goes on. */
static int apply_network(struct service *service, const struct connection_set *before,
                         const struct connection_set *after, struct err *err)
{
    const struct config *old = before->config;
    const struct config *config = after->config;
    if (same_texts(old->network_allow, old->network_allow_count, config->network_allow,
                   config->network_allow_count))
        return 0;
    return io_set_allow(service->io, config->network_allow, config->network_allow_count, err);
}

int service_reload(struct service *service, struct config *config,
                   const struct service_options *options, struct service_changes *ret_changes,
                   struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err)
{
    CLEANUP(set_unrefp) struct connection_set *before = service_set(service);
    struct connection_set *after = NULL;
    struct set_parts parts = {.registry = service->registry,
                              .engine = service->engine,
                              .keyring = service->kept.keyring,
                              .options = options,
                              .before = before};
    int r = set_create(config, &parts, &after, mistakes, ret_mistake_count, err);
    if (r)
        return r;
    if (watch(service, before, after)) {
        set_unref(after);
        return err_set(err, ERR_MEMORY, "no memory for the catalogue");
    }
    r = apply_network(service, before, after, err);
    if (r) {
        unwatch(service, after, before);
        set_unref(after);
        return r;
    }
    struct service_changes changes = {0};
    count_changes(before, after, &changes);
    note_later(before->config, after->config, changes.later, sizeof changes.later);
    apply_limits(service, after);
    pthread_mutex_lock(&service->set_lock);
    struct connection_set *ours = service->set; /* beside the reference held here */
    service->set = after;
    pthread_mutex_unlock(&service->set_lock);
    user_sets_rebase(service->users,
                     before->config->limit_timeout_ns != after->config->limit_timeout_ns);
    unwatch(service, before, after);
    set_unref(ours);
    sync_operator(service);
    upkeep_hurry(service->upkeep);
    *ret_changes = changes;
    return 0;
}

void service_state(struct service *service, struct service_state *ret_state)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set(service);
    struct service_state state = {.connections = set->slot_count};
    for (size_t i = 0; i < set->slot_count; i++)
        state.unusable += !set->slots[i].backend;
    registry_adapters(service->registry, &state.plugins);
    registry_refusals(service->registry, &state.plugins_refused);
    user_sets_count(service->users, &state.users, &state.own);
    state.calls = call_pool_active(service->calls);
    if (service->kept.store) {
        struct store_state store;
        store_state(service->kept.store, &store);
        state.store_gone = !store.well;
    }
    *ret_state = state;
}
