/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flights: one operation for many who ask the same at the same time. Joining never blocks; the end comes as a
 * post in the joiner's mailbox. Whoever made the flight drives it, even when its own caller has left, until it is done or
 * its last waiter leaves.
 *
 * Ownership: the driver and each waiter hold a reference. Threads: safe.
 */
#ifndef QUERY_FLIGHT_H
#define QUERY_FLIGHT_H

#include <pthread.h>
#include <stdbool.h>
#include "base/map.h"
#include "io/io.h"
#include "model/result.h"

struct flights {
    pthread_mutex_t lock;
    struct map map;
};

struct flight;

struct flight_waiter {
    struct flight_waiter *next;
    struct mailbox *mailbox;
};

void flights_init(struct flights *flights);
void flights_finish(struct flights *flights);

/*
 * Waits with the others for key, until deadline_ns (clock_mono_ns) at most. end_ns: where the asked window ends, when key does not tell;
 * a flight whose window ends up to 5 s before is joined, else a new one takes its place. *ret_lead: there was no such flight, and the
 * caller must drive it and call flight_done. NULL without memory or when too many are under way.
 */
struct flight *flight_join(struct flights *flights, const void *key, size_t key_size,
                           int64_t end_ns, struct flight_waiter *waiter, struct mailbox *mailbox,
                           int64_t deadline_ns, bool *ret_lead);
/* The waiter leaves and gives up its reference. */
void flight_leave(struct flights *flights, struct flight *flight, struct flight_waiter *waiter);
/* Whether it is done; then a reference to its result (may be NULL) and its error. */
bool flight_result(struct flights *flights, struct flight *flight, struct result **ret_result,
                   struct err *ret_err);
/* For the driver: no one waits any more. */
bool flight_abandoned(struct flights *flights, struct flight *flight);
/* For the driver: the latest deadline of its waiters so far. */
int64_t flight_deadline(struct flights *flights, struct flight *flight);
/* The driver is through: result is referenced, waiters are told. Gives up the driver's reference. */
void flight_done(struct flights *flights, struct flight *flight, struct result *result,
                 const struct err *err);

#endif
