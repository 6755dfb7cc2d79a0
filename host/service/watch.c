/* SPDX-License-Identifier: Apache-2.0 */
#include "service/watch.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "service/internal.h"

#define LOOK_NS NS_PER_MIN /* for what is to be written again, and what could not be */
#define STACK ((size_t)256 << 10)

struct watch {
    struct service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool due; /* under lock, as the next */
    bool stopping;
};

/* One look at all of them. */
struct round {
    struct store *store;
    int code; /* the store's trouble: it is not asked for the rest, each of which might wait */
};

static void write_one(void *user, struct backend *backend)
{
    static const enum connection_health states[] = {HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_DEGRADED,
                                                    HEALTH_UNHEALTHY};
    struct round *round = user;
    struct backend_health health;
    struct err err = {0};
    const char *id = backend_connection(backend)->id;
    if (round->code || !id || !backend_health_to_store(backend, &health))
        return;
    int r = store_connection_health(round->store, id, states[health.state], health.reason,
                                    health.checked_ns / NS_PER_MS, &err);
    /* One of the command line has no row, and one that was just removed has none any more. */
    if (!r || r == ERR_NOT_FOUND)
        return;
    backend_health_not_stored(backend);
    log_line(LOG_DEBUG, "store", "the health of a connection was not written: %s", err.text);
    round->code = r;
}

static void write_all(struct watch *watch)
{
    struct round round = {.store = watch->service->kept.store};
    if (catalogue_each(watch->service->catalogue, write_one, &round))
        log_line(LOG_DEBUG, "store", "no memory to write the health of connections");
}

static void *run(void *argument)
{
    struct watch *watch = argument;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        int64_t until = clock_mono_ns() + LOOK_NS;
        int late = 0;
        while (!watch->due && !watch->stopping && !late)
            late = cond_wait_until(&watch->wake, &watch->lock, until);
        watch->due = false;
        pthread_mutex_unlock(&watch->lock);
        write_all(watch);
        pthread_mutex_lock(&watch->lock);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

static void on_change(void *user)
{
    struct watch *watch = user;
    pthread_mutex_lock(&watch->lock);
    watch->due = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
}

static void watch_free(struct watch *watch)
{
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    mem_free(watch);
}

int watch_start(struct service *service, struct watch **ret_watch, struct err *err)
{
    if (!service->kept.store)
        return 0;
    struct watch *watch = mem_alloc(sizeof *watch);
    if (!watch)
        return err_set(err, ERR_MEMORY, "no memory to write the health of connections");
    watch->service = service;
    pthread_mutex_init(&watch->lock, NULL);
    cond_init(&watch->wake);
    if (thread_start(&watch->thread, "health", STACK, run, watch)) {
        watch_free(watch);
        return err_set(err, ERR_SYSTEM,
                       "the thread that writes the health of connections does not start");
    }
    catalogue_on_health(service->catalogue, on_change, watch);
    *ret_watch = watch;
    return 0;
}

void watch_stop(struct watch *watch)
{
    if (!watch)
        return;
    catalogue_on_health(watch->service->catalogue, NULL, NULL);
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    watch_free(watch);
}
