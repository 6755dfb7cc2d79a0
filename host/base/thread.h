/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads with small stacks and names, and a condition that waits on the monotonic clock.
 *
 * Ownership: the caller joins or detaches. Threads: that is what it is for.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All signals blocked in the new thread. stack: bytes, at least 256 KiB. 0 or ERR_SYSTEM. */
int thread_start(pthread_t *ret_thread, const char *name, size_t stack, void *(*function)(void *),
                 void *argument);
/*
 * The calling thread stands back for the others of the process for the rest of its life (an unprivileged thread cannot take that back), so it
 * should end soon. Where threads have no priority of their own nothing happens. Returns whether it did.
 */
bool thread_stand_back(void);
/* A condition whose timed wait takes clock_mono_ns times. */
int cond_init(pthread_cond_t *cond);
/* Waits until deadline (clock_mono_ns; INT64_MAX: for ever). 0, or 1 when the deadline passed. */
int cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ns);

#endif
