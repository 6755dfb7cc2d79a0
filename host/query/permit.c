/* SPDX-License-Identifier: Apache-2.0 */
#include "query/permit.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "query/call.h"

#define SLICE_NS (20 * NS_PER_MS)

/* Concurrency: who holds and who waits in which order is the gate's; `lock` guards sleeping and waking, and is taken after the gate's. */
struct permits {
    struct gate gate;
    pthread_mutex_t lock;
    atomic_uint waiting;
};

static struct stat_family waiting_stat = {
    .name = "sonde_permits_waiting",
    .help = "Calls that wait for a permit to compute (one a core).",
    .type = STAT_GAUGE};
static struct stat_family waited_stat = {
    .name = "sonde_permit_wait_seconds",
    .help = "How long calls with much to compute waited for a permit, where they had to.",
    .type = STAT_HISTOGRAM};

int permits_create(unsigned count, struct permits **ret_permits)
{
    struct permits *permits = mem_alloc(sizeof *permits);
    if (!permits)
        return ERR_MEMORY;
    if (!count) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        count = cores < 1 ? 1 : cores > 1024 ? 1024 : (unsigned)cores;
    }
    struct gate_stats stats = {.waiting = stat_child(&waiting_stat, NULL),
                               .waited = stat_child(&waited_stat, NULL)};
    gate_init(&permits->gate, count, 0, &stats);
    pthread_mutex_init(&permits->lock, NULL);
    atomic_init(&permits->waiting, 0);
    *ret_permits = permits;
    return 0;
}

void permits_destroy(struct permits *permits)
{
    if (!permits)
        return;
    gate_finish(&permits->gate);
    pthread_mutex_destroy(&permits->lock);
    mem_free(permits);
}

static void granted(void *argument)
{
    struct permit *permit = argument;
    struct permits *permits = permit->permits;
    pthread_mutex_lock(&permits->lock);
    permit->woken = true;
    if (permit->sleeps)
        pthread_cond_signal(permit->sleeps);
    pthread_mutex_unlock(&permits->lock);
}

/* Until it is granted, too late or cancelled; without a condition variable it is too late at once. */
static void sleep_until(struct call *call, int64_t deadline_ns, bool cancellable)
{
    struct permit *permit = &call->permit;
    struct permits *permits = permit->permits;
    pthread_cond_t woken;
    if (cond_init(&woken))
        return;
    pthread_mutex_lock(&permits->lock);
    permit->sleeps = &woken;
    atomic_fetch_add(&permits->waiting, 1);
    while (!permit->woken && !(cancellable && atomic_load(&call->cancelled)))
        if (cond_wait_until(&woken, &permits->lock, deadline_ns))
            break;
    atomic_fetch_sub(&permits->waiting, 1);
    permit->sleeps = NULL;
    pthread_mutex_unlock(&permits->lock);
    pthread_cond_destroy(&woken);
}

int permit_take(struct call *call, int64_t deadline_ns, bool cancellable, struct err *err)
{
    struct permit *permit = &call->permit;
    struct permits *permits = permit->permits;
    if (!permits || permit->held)
        return 0;
    permit->woken = false;
    permit->place = (struct gate_place){.wake = granted, .argument = permit};
    bool have = gate_enter(&permits->gate, &permit->place, &call->principal);
    if (!have) {
        sleep_until(call, deadline_ns, cancellable);
        /* It may have been granted between the last look and now. */
        have = gate_granted(&permits->gate, &permit->place);
    }
    if (have) {
        permit->held = true;
        if (!permit->stood_back)
            permit->stood_back = thread_stand_back();
        permit->since_ns = clock_mono_ns();
        return 0;
    }
    gate_leave(&permits->gate, &permit->place);
    if (cancellable && atomic_load(&call->cancelled))
        return err_set(err, SONDE_E_CANCELLED, "the call was cancelled");
    return err_set(
        err, SONDE_E_DEADLINE,
        "the time was up while this call waited for a processor (other large answers are "
        "being worked on): ask for less, or try again in a moment");
}

void permit_release(struct call *call)
{
    struct permit *permit = &call->permit;
    if (!permit->held)
        return;
    permit->held = false;
    gate_leave(&permit->permits->gate, &permit->place);
}

void permit_yield(struct call *call)
{
    struct permit *permit = &call->permit;
    if (permit->held && atomic_load(&permit->permits->waiting) &&
        clock_mono_ns() - permit->since_ns >= SLICE_NS)
        permit_release(call);
}

void permits_wake(struct call *call)
{
    struct permits *permits = call->permit.permits;
    if (!permits)
        return;
    pthread_mutex_lock(&permits->lock);
    if (call->permit.sleeps)
        pthread_cond_signal(call->permit.sleeps);
    pthread_mutex_unlock(&permits->lock);
}
