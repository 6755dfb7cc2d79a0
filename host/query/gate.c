/* SPDX-License-Identifier: Apache-2.0 */
#include "query/gate.h"

#include "base/log.h"

void gate_init(struct gate *gate, unsigned max)
{
    *gate = (struct gate){.max = max ? max : 1};
    pthread_mutex_init(&gate->lock, NULL);
}

void gate_finish(struct gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
}

bool gate_enter(struct gate *gate, struct gate_place *place, struct mailbox *mailbox)
{
    pthread_mutex_lock(&gate->lock);
    *place = (struct gate_place){.mailbox = mailbox};
    if (gate->used < gate->max && !gate->first) {
        gate->used++;
        place->granted = true;
    } else {
        place->queued = true;
        if (gate->last)
            gate->last->next = place;
        else
            gate->first = place;
        gate->last = place;
    }
    bool granted = place->granted;
    pthread_mutex_unlock(&gate->lock);
    return granted;
}

bool gate_granted(struct gate *gate, struct gate_place *place)
{
    pthread_mutex_lock(&gate->lock);
    bool granted = place->granted;
    pthread_mutex_unlock(&gate->lock);
    return granted;
}

static void unlink_place(struct gate *gate, struct gate_place *place)
{
    struct gate_place *before = NULL;
    for (struct gate_place *p = gate->first; p && p != place; p = p->next)
        before = p;
    if (before)
        before->next = place->next;
    else
        gate->first = place->next;
    if (gate->last == place)
        gate->last = before;
    place->queued = false;
    place->next = NULL;
}

void gate_leave(struct gate *gate, struct gate_place *place)
{
    pthread_mutex_lock(&gate->lock);
    if (place->queued) {
        unlink_place(gate, place);
    } else if (place->granted) {
        place->granted = false;
        struct gate_place *next = gate->first;
        if (next) {
            unlink_place(gate, next);
            next->granted = true;
            /* Its mailbox lives at least until it leaves the gate, for which it needs this lock. */
            if (mailbox_post(next->mailbox, NULL, 0))
                log_line(LOG_WARN, "query",
                         "no memory to wake a waiting exchange; it goes on at its next message");
        } else {
            gate->used--;
        }
    }
    pthread_mutex_unlock(&gate->lock);
}
