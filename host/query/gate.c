/* SPDX-License-Identifier: Apache-2.0 */
#include "query/gate.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define KEEPER_EVERY 8u
#define SPARE_MAX 16u

/*
 * Invariant, under the lock: while a place is free, everyone who waits has used up places of their own. So a newcomer with places
 * left needs to look at nobody else.
 */

static void set_max(struct gate *gate, unsigned max, unsigned per_user)
{
    gate->max = max ? max : 1;
    gate->per_user = per_user && per_user < gate->max ? per_user : gate->max;
    gate->keeper.max = gate->per_user < gate->max / 4 ? gate->per_user : gate->max / 4;
    gate->keeper.max = gate->keeper.max ? gate->keeper.max : 1;
    gate->crowd.max = gate->per_user;
    for (struct gate_user *user = gate->users; user; user = user->next)
        user->max = gate->per_user;
}

void gate_init(struct gate *gate, unsigned max, unsigned per_user, const struct gate_stats *stats)
{
    *gate = (struct gate){.stats = *stats};
    set_max(gate, max, per_user);
    pthread_mutex_init(&gate->lock, NULL);
}

static void free_users(struct gate_user *user)
{
    while (user) {
        struct gate_user *next = user->next;
        mem_free(user);
        user = next;
    }
}

void gate_finish(struct gate *gate)
{
    free_users(gate->users);
    free_users(gate->spare);
    pthread_mutex_destroy(&gate->lock);
}

static struct gate_user *find_user(struct gate *gate, const struct principal *principal)
{
    if (principal_is_keeper(principal))
        return &gate->keeper;
    for (struct gate_user *user = gate->users; user; user = user->next)
        if (strcmp(user->id, principal->id) == 0)
            return user;
    struct gate_user *user = gate->spare;
    if (user) {
        gate->spare = user->next;
        gate->spare_count--;
    } else {
        user = mem_alloc(sizeof *user);
    }
    if (!user)
        return &gate->crowd;
    *user = (struct gate_user){.max = gate->per_user, .next = gate->users};
    memcpy(user->id, principal->id, sizeof user->id);
    gate->users = user;
    return user;
}

/* Forgets a user with nothing here. */
static void release_user(struct gate *gate, struct gate_user *user)
{
    if (user->used || user->first || user == &gate->keeper || user == &gate->crowd)
        return;
    struct gate_user **link = &gate->users;
    while (*link != user)
        link = &(*link)->next;
    *link = user->next;
    if (gate->spare_count == SPARE_MAX) {
        mem_free(user);
        return;
    }
    user->next = gate->spare;
    gate->spare = user;
    gate->spare_count++;
}

static void add_turn(struct gate *gate, struct gate_user *user)
{
    user->next_turn = NULL;
    if (gate->turns_last)
        gate->turns_last->next_turn = user;
    else
        gate->turns = user;
    gate->turns_last = user;
}

static void remove_turn(struct gate *gate, struct gate_user *user)
{
    struct gate_user *before = NULL;
    for (struct gate_user *u = gate->turns; u && u != user; u = u->next_turn)
        before = u;
    if (before)
        before->next_turn = user->next_turn;
    else
        gate->turns = user->next_turn;
    if (gate->turns_last == user)
        gate->turns_last = before;
}

static void queue(struct gate *gate, struct gate_place *place)
{
    struct gate_user *user = place->user;
    place->queued = true;
    place->since_ns = clock_mono_ns();
    if (user->last)
        user->last->next = place;
    else
        user->first = place;
    if (!user->last && user != &gate->keeper)
        add_turn(gate, user);
    user->last = place;
    if (gate->stats.waiting)
        stat_shift(gate->stats.waiting, 1);
}

static void unqueue(struct gate *gate, struct gate_place *place)
{
    struct gate_user *user = place->user;
    struct gate_place *before = NULL;
    for (struct gate_place *p = user->first; p && p != place; p = p->next)
        before = p;
    if (before)
        before->next = place->next;
    else
        user->first = place->next;
    if (user->last == place)
        user->last = before;
    if (!user->first && user != &gate->keeper)
        remove_turn(gate, user);
    place->queued = false;
    place->next = NULL;
    if (gate->stats.waiting)
        stat_shift(gate->stats.waiting, -1);
    if (gate->stats.waited)
        stat_observe(gate->stats.waited, clock_mono_ns() - place->since_ns);
}

/* Whose turn it is; NULL: nobody's who may. */
static struct gate_user *pick(struct gate *gate)
{
    struct gate_user *user = gate->turns;
    while (user && user->used >= user->max)
        user = user->next_turn;
    struct gate_user *keeper = &gate->keeper;
    if (!keeper->first || keeper->used >= keeper->max)
        return user;
    if (user && ++gate->passed < KEEPER_EVERY)
        return user;
    gate->passed = 0;
    return keeper;
}

static void grant(struct gate *gate, struct gate_place *place)
{
    gate->used++;
    place->user->used++;
    place->granted = true;
}

static void grant_waiting(struct gate *gate)
{
    while (gate->used < gate->max) {
        struct gate_user *user = pick(gate);
        if (!user)
            return;
        struct gate_place *place = user->first;
        unqueue(gate, place);
        if (user->first && user != &gate->keeper) {
            remove_turn(gate, user);
            add_turn(gate, user);
        }
        grant(gate, place);
        /* Whoever it wakes lives at least until it leaves the gate, for which it needs this lock. */
        place->wake(place->argument);
    }
}

void gate_set_max(struct gate *gate, unsigned max, unsigned per_user)
{
    pthread_mutex_lock(&gate->lock);
    set_max(gate, max, per_user);
    grant_waiting(gate);
    pthread_mutex_unlock(&gate->lock);
}

void gate_limits(struct gate *gate, unsigned *ret_max, unsigned *ret_per_user)
{
    pthread_mutex_lock(&gate->lock);
    *ret_max = gate->max;
    *ret_per_user = gate->per_user;
    pthread_mutex_unlock(&gate->lock);
}

bool gate_enter(struct gate *gate, struct gate_place *place, const struct principal *principal)
{
    pthread_mutex_lock(&gate->lock);
    place->user = find_user(gate, principal);
    if (gate->used < gate->max && place->user->used < place->user->max)
        grant(gate, place);
    else
        queue(gate, place);
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

enum gate_wait gate_waits(struct gate *gate, struct gate_place *place)
{
    enum gate_wait wait = GATE_NO_WAIT;
    pthread_mutex_lock(&gate->lock);
    if (place->queued)
        wait = place->user->used >= place->user->max ? GATE_WAITS_FOR_OWN : GATE_WAITS_FOR_ANY;
    pthread_mutex_unlock(&gate->lock);
    return wait;
}

void gate_leave(struct gate *gate, struct gate_place *place)
{
    pthread_mutex_lock(&gate->lock);
    struct gate_user *user = place->user;
    if (place->queued) {
        unqueue(gate, place);
    } else if (place->granted) {
        place->granted = false;
        user->used--;
        gate->used--;
        grant_waiting(gate);
    }
    if (user)
        release_user(gate, user);
    place->user = NULL;
    pthread_mutex_unlock(&gate->lock);
}
