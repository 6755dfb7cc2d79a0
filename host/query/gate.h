/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many exchanges of one connection are in flight at once; the rest wait their turn, first come first served.
 *
 * Ownership: a place belongs to whoever enters with it, who leaves before it goes away. Threads: safe; the one granted is told
 * by a post to its mailbox.
 */
#ifndef QUERY_GATE_H
#define QUERY_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include "io/io.h"

struct gate_place {
    struct gate_place *next;
    struct mailbox *mailbox;
    bool queued;
    bool granted;
};

struct gate {
    pthread_mutex_t lock;
    struct gate_place *first;
    struct gate_place *last;
    unsigned used;
    unsigned max;
};

void gate_init(struct gate *gate, unsigned max);
void gate_finish(struct gate *gate);
/* Takes a place or a turn in the queue. Returns whether it is granted at once. */
bool gate_enter(struct gate *gate, struct gate_place *place, struct mailbox *mailbox);
bool gate_granted(struct gate *gate, struct gate_place *place);
/* Gives the place or the turn back; harmless when there is neither. */
void gate_leave(struct gate *gate, struct gate_place *place);

#endif
