/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/wake.h"

#ifdef __linux__
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

#include "base/clock.h"
#include "base/err.h"
#include "base/thread.h"

enum { WAKE_NOT, WAKE_CAME, WAKE_SLEEPS };

#ifdef __linux__

int wake_init(struct wake *wake)
{
    atomic_init(&wake->state, WAKE_NOT);
    return 0;
}

void wake_finish(struct wake *wake)
{
    (void)wake;
}

void wake_up(struct wake *wake)
{
    if (atomic_exchange(&wake->state, WAKE_CAME) == WAKE_SLEEPS)
        syscall(SYS_futex, &wake->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* 1 when the time is up. */
static int sleep_until(struct wake *wake, int64_t deadline_ns)
{
    struct timespec until = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
    long r = syscall(SYS_futex, &wake->state, FUTEX_WAIT_BITSET_PRIVATE, WAKE_SLEEPS,
                     deadline_ns == INT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    return r && errno == ETIMEDOUT;
}

int wake_wait(struct wake *wake, int64_t deadline_ns)
{
    unsigned was = WAKE_NOT;
    if (deadline_ns < 0)
        deadline_ns = 0;
    if (atomic_compare_exchange_strong(&wake->state, &was, WAKE_SLEEPS))
        while (!sleep_until(wake, deadline_ns) && atomic_load(&wake->state) == WAKE_SLEEPS)
            continue;
    return atomic_exchange(&wake->state, WAKE_NOT) != WAKE_CAME;
}

#else

int wake_init(struct wake *wake)
{
    atomic_init(&wake->state, WAKE_NOT);
    if (pthread_mutex_init(&wake->lock, NULL))
        return ERR_SYSTEM;
    if (!cond_init(&wake->cond))
        return 0;
    pthread_mutex_destroy(&wake->lock);
    return ERR_SYSTEM;
}

void wake_finish(struct wake *wake)
{
    pthread_cond_destroy(&wake->cond);
    pthread_mutex_destroy(&wake->lock);
}

void wake_up(struct wake *wake)
{
    pthread_mutex_lock(&wake->lock);
    atomic_store(&wake->state, WAKE_CAME);
    pthread_cond_signal(&wake->cond);
    pthread_mutex_unlock(&wake->lock);
}

int wake_wait(struct wake *wake, int64_t deadline_ns)
{
    pthread_mutex_lock(&wake->lock);
    while (atomic_load(&wake->state) != WAKE_CAME)
        if (cond_wait_until(&wake->cond, &wake->lock, deadline_ns))
            break;
    int late = atomic_exchange(&wake->state, WAKE_NOT) != WAKE_CAME;
    pthread_mutex_unlock(&wake->lock);
    return late;
}

#endif
