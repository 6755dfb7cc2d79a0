/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets one thread sleep until another wakes it; a wake that comes first is kept for the next sleep. What a condition variable does in four
 * system calls (it always leaves its mutex looking contended) takes two where there are futexes.
 *
 * Ownership: wake_finish when nobody can wake any more. Threads: one sleeps, any wake. What was written before wake_up is seen after
 * wake_wait.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct wake {
    atomic_uint state;
#ifndef __linux__
    pthread_mutex_t lock;
    pthread_cond_t cond;
#endif
};

/* 0 or ERR_SYSTEM. */
int wake_init(struct wake *wake);
void wake_finish(struct wake *wake);
void wake_up(struct wake *wake);
/* Returns at once when woken since the last call; else sleeps until deadline (clock_mono_ns). 0, or 1 when that passed. */
int wake_wait(struct wake *wake, int64_t deadline_ns);

#endif
