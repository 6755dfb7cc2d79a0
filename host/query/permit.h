/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits to compute: as many as cores, fair per user, so that large answers being parsed, shaped or analysed cannot
 * take the processor from everybody else. Held by a call's thread only while it computes: released before any wait. Small work takes none.
 *
 * Ownership: a pool of call threads owns its permits; a call holds at most one. Threads: permit_take, permit_yield and permit_release
 * from the call's own; permits_wake from any.
 */
#ifndef QUERY_PERMIT_H
#define QUERY_PERMIT_H

#include <stdint.h>
#include "base/err.h"
#include "query/gate.h"

/* What is shaped or analysed without a permit: values, all series together. */
#define PERMIT_FREE_VALUES 50000u
/* What is parsed of one operation's answers without a permit: bytes. */
#define PERMIT_FREE_BYTES (256u * 1024u)

struct permits;
struct call;

/* Part of a call. */
struct permit {
    struct permits *permits; /* NULL: the call runs alone, nothing is asked for */
    struct gate_place place;
    bool held;
    bool
        stood_back; /* its thread did, so that small calls go first; the thread ends with the call */
    bool woken;     /* under the permits' lock */
    pthread_cond_t *sleeps; /* under the permits' lock; NULL: it does not wait */
    int64_t since_ns;       /* it is held */
};

/* count 0: one a core. 0 or ERR_MEMORY. */
int permits_create(unsigned count, struct permits **ret_permits);
void permits_destroy(struct permits *permits);
/*
 * Waits for a permit until deadline_ns (clock_mono_ns) or, with cancellable, the call's cancel. 0 (at once when the call has one);
 * SONDE_E_DEADLINE or SONDE_E_CANCELLED with a message otherwise.
 */
int permit_take(struct call *call, int64_t deadline_ns, bool cancellable, struct err *err);
/* Gives it back; harmless when there is none. */
void permit_release(struct call *call);
/* Gives it back when it was held for a while (20 ms) and others wait: the next permit_take queues behind them. */
void permit_yield(struct call *call);
/* The call was cancelled: a wait of its thread ends. */
void permits_wake(struct call *call);

#endif
