/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call: one question of one caller, on one call thread, under one deadline; and the pool of threads that
 * calls run on (grows on demand, shrinks when idle).
 *
 * Ownership: the pool owns a submitted call's struct until its function returns and done ran. Threads: call_cancel from anywhere; the
 * rest from the call's own thread.
 */
#ifndef QUERY_CALL_H
#define QUERY_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/arena.h"
#include "base/err.h"
#include "io/io.h"
#include "model/principal.h"
#include "query/permit.h"

struct call {
    struct arena arena; /* memory of the call, at most 64 MiB, from the budget */
    struct mailbox *mailbox;
    int64_t started_ns;  /* clock_mono_ns */
    int64_t deadline_ns; /* clock_mono_ns */
    atomic_bool cancelled;
    bool large; /* it held a large answer: freed memory goes back to the system at the end */
    struct principal principal; /* whom it is for */
    struct permit permit;       /* to compute: permit.h */
    /*
     * How far it is, for a front that can tell its client: done of total (0: unknown) and a few words. NULL: nobody listens. Called
     * on the call's thread through call_progress.
     */
    void (*progress)(void *user, double done, double total, const char *message);
    void *user; /* the front's */
};

struct call_pool;
typedef void (*call_fn)(struct call *call, void *argument);

/* max threads (limits.calls). Threads start with the first call. stack 512 KiB. */
int call_pool_create(struct io *io, struct budget *budget, unsigned max,
                     struct call_pool **ret_pool, struct err *err);
/* Calls at once, from now on. */
void call_pool_set_max(struct call_pool *pool, unsigned max);
/* Cancels all calls that run now: each ends soon, with an error that says so. */
void call_pool_cancel(struct call_pool *pool);
/* Cancels all calls, waits up to grace_ms for their threads; those left (stuck in a plugin) are abandoned. Returns how many. */
unsigned call_pool_destroy(struct call_pool *pool, int64_t grace_ms);
/*
 * Runs function(call, argument) on a call thread. deadline_ns is clock_mono_ns. *ret_call may be cancelled until function returned.
 * 0; ERR_BUSY "all N call threads are busy, try again in S s" when no thread is free at once.
 */
int call_submit(struct call_pool *pool, const struct principal *principal, int64_t deadline_ns,
                call_fn function, void *argument, struct call **ret_call, struct err *err);
/* The same on the calling thread: the command line. */
int call_run(struct io *io, struct budget *budget, const struct principal *principal,
             int64_t deadline_ns, call_fn function, void *argument, struct err *err);
/* Sets the flag and wakes the call. Only while the caller knows that function has not returned. */
void call_cancel(struct call *call);
/* Tells the front how far the call is; harmless when nobody listens. */
void call_progress(struct call *call, double done, double total, const char *message);
/* True when cancelled or past the deadline; sets err (SONDE_E_CANCELLED or SONDE_E_DEADLINE). */
bool call_over(const struct call *call, struct err *err);
unsigned call_pool_active(struct call_pool *pool);
/* Threads there are now and those at work. */
void call_pool_threads(struct call_pool *pool, unsigned *ret_threads, unsigned *ret_busy);

#endif
