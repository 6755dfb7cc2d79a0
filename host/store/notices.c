/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include "base/log.h"
#include "base/thread.h"

#define LOOK_MS 1000 /* a driver that is told to stop returns before */

static void *run(void *argument)
{
    struct store *store = argument;
    while (!atomic_load(&store->stop))
        if (store->table->wait_change(store->driver, LOOK_MS) && !atomic_load(&store->stop))
            store->changed(store->changed_user);
    return NULL;
}

void store_on_change(struct store *store, void (*changed)(void *user), void *user)
{
    store->changed = changed;
    store->changed_user = user;
    if (thread_start(&store->notices, "store-notices", 512u << 10, run, store))
        log_line(
            LOG_ERROR, "store",
            "cannot start the thread that tells of changes: they are seen by the next call only");
    else
        store->notifies = true;
}

void store_stop_notices(struct store *store)
{
    if (!store->notifies)
        return;
    atomic_store(&store->stop, true);
    store->table->stop_waiting(store->driver);
    pthread_join(store->notices, NULL);
    store->notifies = false;
}
