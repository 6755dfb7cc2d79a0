/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many may be at something at once (exchanges of one connection, threads that compute); the rest wait their turn: users take
 * turns, whatever each has queued, and one user alone may hold no more than per_user places. The keeper's own work comes after
 * everybody's, but comes: it gets every eighth turn where others wait, and at most a quarter of the places.
 *
 * Ownership: a place belongs to whoever enters with it, who leaves before it goes away. Threads: safe; the one granted is told
 * through its wake, under the gate's lock.
 */
#ifndef QUERY_GATE_H
#define QUERY_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "model/principal.h"
#include "selfstats/selfstats.h"

struct gate_user;

struct gate_place {
    struct gate_place *next;
    struct gate_user *user;
    /* Called once when a place that had to wait is granted; must not call the gate. */
    void (*wake)(void *argument);
    void *argument;
    int64_t since_ns; /* it waits */
    bool queued;
    bool granted;
};

/* Who holds places or waits for them. */
struct gate_user {
    char id[sizeof((struct principal *)0)->id];
    unsigned used;
    unsigned max;
    struct gate_place *first; /* waiting, oldest first */
    struct gate_place *last;
    struct gate_user *next;      /* of all users, or of the spare ones */
    struct gate_user *next_turn; /* of those with somebody waiting; the head's turn is next */
};

struct gate_stats {
    struct stat_child *waiting; /* a gauge; NULL none */
    struct stat_child *waited;  /* a histogram of those who had to; NULL none */
};

struct gate {
    pthread_mutex_t lock;
    unsigned max;
    unsigned per_user;
    struct gate_stats stats;
    /* under lock */
    unsigned used;
    unsigned passed; /* turns given to others while the keeper waited */
    struct gate_user keeper;
    struct gate_user crowd; /* those for whom there was no memory, together */
    struct gate_user *users;
    struct gate_user *spare;
    unsigned spare_count;
    struct gate_user *turns;
    struct gate_user *turns_last;
};

enum gate_wait { GATE_NO_WAIT, GATE_WAITS_FOR_ANY, GATE_WAITS_FOR_OWN };

/* per_user 0: no more than max. stats is copied. */
void gate_init(struct gate *gate, unsigned max, unsigned per_user, const struct gate_stats *stats);
void gate_finish(struct gate *gate);
/* From now on: higher ones let in who waits, lower ones hold as places are left. */
void gate_set_max(struct gate *gate, unsigned max, unsigned per_user);
void gate_limits(struct gate *gate, unsigned *ret_max, unsigned *ret_per_user);
/* Takes a place or a turn in the queue; place holds wake and argument, the rest zero. Returns whether it is granted at once. */
bool gate_enter(struct gate *gate, struct gate_place *place, const struct principal *principal);
bool gate_granted(struct gate *gate, struct gate_place *place);
/* Why a place waits: everything is taken, or the user has all its own. */
enum gate_wait gate_waits(struct gate *gate, struct gate_place *place);
/* Gives the place or the turn back; harmless when there is neither. */
void gate_leave(struct gate *gate, struct gate_place *place);

#endif
