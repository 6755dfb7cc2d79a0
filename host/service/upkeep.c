/* SPDX-License-Identifier: Apache-2.0 */
#include "service/upkeep.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/thread.h"
#include "service/internal.h"
#include "service/keys.h"

#define BEAT_NS (20 * NS_PER_S)
#define SWEEP_NS (10 * NS_PER_MIN)
#define STACK ((size_t)256 << 10)

struct upkeep {
    struct service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping; /* under lock */
    char replica[37];
    int last_code; /* of the beat: the same trouble is told once */
    int64_t sweep_ns;
};

/* An operation ended with r: what went wrong is said once, and that it is over too. */
static void tell(struct upkeep *upkeep, int r, const struct err *err)
{
    if (r && r != upkeep->last_code)
        log_line(LOG_WARN, "store", "%s", err->text);
    if (!r && upkeep->last_code)
        log_line(LOG_INFO, "store", "it works again");
    upkeep->last_code = r;
}

static void sweep(struct upkeep *upkeep)
{
    struct err err = {0};
    size_t deleted = 0;
    int64_t now_ns = clock_mono_ns();
    if (now_ns < upkeep->sweep_ns)
        return;
    upkeep->sweep_ns = now_ns + SWEEP_NS;
    if (store_sweep(upkeep->service->kept.store, clock_unix_ns() / NS_PER_MS, &deleted, &err))
        log_line(LOG_WARN, "store", "old rows stay for now: %s", err.text);
    else if (deleted)
        log_line(LOG_DEBUG, "store", "%zu rows past their time deleted", deleted);
}

static void *run(void *argument)
{
    struct upkeep *upkeep = argument;
    const struct kept *kept = &upkeep->service->kept;
    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->stopping) {
        pthread_mutex_unlock(&upkeep->lock);
        struct err err = {0};
        tell(upkeep, keys_beat(kept->store, kept->keyring, upkeep->replica, &err), &err);
        sweep(upkeep);
        pthread_mutex_lock(&upkeep->lock);
        int64_t until = clock_mono_ns() + BEAT_NS;
        while (!upkeep->stopping && !cond_wait_until(&upkeep->changed, &upkeep->lock, until))
            ;
    }
    pthread_mutex_unlock(&upkeep->lock);
    store_replica_gone(kept->store, upkeep->replica);
    return NULL;
}

static void upkeep_free(struct upkeep *upkeep)
{
    pthread_cond_destroy(&upkeep->changed);
    pthread_mutex_destroy(&upkeep->lock);
    mem_free(upkeep);
}

int upkeep_start(struct service *service, struct upkeep **ret_upkeep, struct err *err)
{
    if (!service->kept.store)
        return 0;
    struct upkeep *upkeep = mem_alloc(sizeof *upkeep);
    if (!upkeep)
        return err_set(err, ERR_MEMORY, "no memory for the store's upkeep");
    upkeep->service = service;
    /* Not at once: short-lived processes need not sweep. */
    upkeep->sweep_ns = clock_mono_ns() + NS_PER_MIN;
    uuid7(upkeep->replica);
    pthread_mutex_init(&upkeep->lock, NULL);
    cond_init(&upkeep->changed);
    if (thread_start(&upkeep->thread, "upkeep", STACK, run, upkeep)) {
        upkeep_free(upkeep);
        return err_set(err, ERR_SYSTEM, "the thread for the store's upkeep does not start");
    }
    *ret_upkeep = upkeep;
    return 0;
}

void upkeep_stop(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    pthread_mutex_lock(&upkeep->lock);
    upkeep->stopping = true;
    pthread_cond_broadcast(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
    pthread_join(upkeep->thread, NULL);
    upkeep_free(upkeep);
}
