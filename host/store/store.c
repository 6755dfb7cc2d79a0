/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

int store_noted(struct store *store, int r, const struct err *err)
{
    bool ill = r == ERR_UNAVAILABLE || r == ERR_BUSY || r == ERR_SYSTEM;
    if (!ill && !atomic_load_explicit(&store->ill, memory_order_relaxed))
        return r;
    pthread_mutex_lock(&store->state_lock);
    atomic_store_explicit(&store->ill, ill, memory_order_relaxed);
    store->error[0] = 0;
    if (ill)
        utf8_clean(store->error, sizeof store->error, err->text, strlen(err->text));
    pthread_mutex_unlock(&store->state_lock);
    return r;
}

void store_state(struct store *store, struct store_state *ret_state)
{
    struct store_state state = {0};
    pthread_mutex_lock(&store->state_lock);
    state.well = !atomic_load_explicit(&store->ill, memory_order_relaxed);
    memcpy(state.error, store->error, sizeof state.error);
    pthread_mutex_unlock(&store->state_lock);
    queue_state(&store->queue, &state);
    *ret_state = state;
}

const char *store_shown(const struct store *store)
{
    return store->shown;
}

static int check_location(const char *location, struct err *err)
{
    if (!location || !location[0] || location[0] == ':')
        return err_set(err, ERR_INVALID,
                       "store: expected a file's path or postgresql://HOST/DATABASE, got \"%s\"",
                       location ? location : "");
    return 0;
}

int store_migrations(const char *location, struct arena *arena,
                     struct store_migration **ret_migrations, size_t *ret_count, struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    int r = check_location(location, err);
    return r ? r
             : store_driver(location)->migrations(location, arena, ret_migrations, ret_count, err);
}

int store_migrate(const char *location, size_t *ret_applied, struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    int r = check_location(location, err);
    return r ? r : store_driver(location)->migrate(location, ret_applied, err);
}

int store_facts(const char *location, struct arena *arena, struct store_facts *ret_facts,
                struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    int r = check_location(location, err);
    return r ? r : store_driver(location)->facts(location, arena, ret_facts, err);
}

static int open_driver(struct store *store, const struct store_settings *settings, struct err *err)
{
    bool missing = false;
    size_t applied;
    int r = store->table->open(settings->location, &store->driver, err);
    if (!r)
        r = store->table->check_schema(store->driver, &missing, err);
    if (r && missing && settings->migrate) {
        r = store->table->migrate(settings->location, &applied, err);
        if (!r)
            r = store->table->check_schema(store->driver, &missing, err);
    }
    return r;
}

int store_open(const struct store_settings *settings, struct store **ret_store, struct err *err)
{
    struct err own = {0};
    err = err ? err : &own;
    int r = check_location(settings->location, err);
    if (r)
        return r;
    struct store *store = mem_alloc(sizeof *store);
    if (!store)
        return err_set(err, ERR_MEMORY, "out of memory");
    store->table = store_driver(settings->location);
    store->history_ns = settings->history_ns;
    store_place(settings->location, store->shown, sizeof store->shown);
    pthread_mutex_init(&store->state_lock, NULL);
    if (queue_init(&store->queue, settings->max_queue_bytes))
        r = err_set(err, ERR_SYSTEM, "no lock is to be had");
    if (!r)
        r = open_driver(store, settings, err);
    if (!r)
        r = store_start_writer(store, err);
    if (r) {
        store_close(store, 0);
        return r;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store, int64_t grace_ns)
{
    if (!store)
        return;
    store_stop_notices(store);
    if (store->writes) {
        queue_stop(&store->queue, clock_mono_ns() + grace_ns);
        pthread_join(store->writer, NULL);
    }
    size_t left = queue_finish(&store->queue);
    if (left)
        log_line(LOG_WARN, "store", "%zu rows of history could not be written to %s and are lost",
                 left, store->shown);
    if (store->driver)
        store->table->close(store->driver);
    pthread_mutex_destroy(&store->state_lock);
    mem_free(store);
}
