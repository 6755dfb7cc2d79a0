/* SPDX-License-Identifier: Apache-2.0 */
#include "query/flight.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define MAX_FLIGHTS 4096u
#define END_SLACK_NS (5 * NS_PER_S)

struct flight {
    unsigned references; /* under the lock, like everything here */
    char *key;
    size_t key_size;
    struct flight_waiter *waiters;
    struct mailbox *driver;
    struct result *result;
    struct err err;
    int64_t deadline_ns;
    int64_t end_ns; /* of its window */
    bool done;
    bool abandoned;
};

void flights_init(struct flights *flights)
{
    pthread_mutex_init(&flights->lock, NULL);
    map_init(&flights->map, MAX_FLIGHTS);
}

void flights_finish(struct flights *flights)
{
    map_finish(&flights->map);
    pthread_mutex_destroy(&flights->lock);
}

static void wake(struct mailbox *mailbox)
{
    if (mailbox_post(mailbox, NULL, 0))
        log_line(LOG_WARN, "query", "no memory to wake a call; it goes on at its next message");
}

static struct flight *make(struct flights *flights, const void *key, size_t key_size,
                           int64_t end_ns, struct mailbox *driver)
{
    struct flight *flight = mem_alloc(sizeof *flight);
    if (!flight)
        return NULL;
    flight->key = mem_strndup(key, key_size);
    flight->key_size = key_size;
    flight->references = 1; /* the driver's */
    flight->driver = driver;
    flight->end_ns = end_ns;
    if (!flight->key || map_set(&flights->map, key, key_size, flight, NULL)) {
        mem_free(flight->key);
        mem_free(flight);
        return NULL;
    }
    return flight;
}

static void unref(struct flight *flight)
{
    if (--flight->references)
        return;
    result_unref(flight->result);
    mem_free(flight->key);
    mem_free(flight);
}

/* Newcomers no longer find it. */
static void hide(struct flights *flights, struct flight *flight)
{
    if (map_get(&flights->map, flight->key, flight->key_size) == flight)
        map_remove(&flights->map, flight->key, flight->key_size);
}

struct flight *flight_join(struct flights *flights, const void *key, size_t key_size,
                           int64_t end_ns, struct flight_waiter *waiter, struct mailbox *mailbox,
                           int64_t deadline_ns, bool *ret_lead)
{
    pthread_mutex_lock(&flights->lock);
    struct flight *flight = map_get(&flights->map, key, key_size);
    bool lead = !flight || end_ns < flight->end_ns || end_ns - flight->end_ns > END_SLACK_NS;
    if (lead)
        flight = make(flights, key, key_size, end_ns, mailbox);
    if (flight) {
        flight->references++;
        *waiter = (struct flight_waiter){.next = flight->waiters, .mailbox = mailbox};
        flight->waiters = waiter;
        if (deadline_ns > flight->deadline_ns)
            flight->deadline_ns = deadline_ns;
        *ret_lead = lead;
    }
    pthread_mutex_unlock(&flights->lock);
    return flight;
}

void flight_leave(struct flights *flights, struct flight *flight, struct flight_waiter *waiter)
{
    pthread_mutex_lock(&flights->lock);
    struct flight_waiter **link = &flight->waiters;
    while (*link && *link != waiter)
        link = &(*link)->next;
    if (*link)
        *link = waiter->next;
    if (!flight->waiters && !flight->done) {
        flight->abandoned = true;
        hide(flights, flight);
        wake(flight->driver);
    }
    unref(flight);
    pthread_mutex_unlock(&flights->lock);
}

bool flight_result(struct flights *flights, struct flight *flight, struct result **ret_result,
                   struct err *ret_err)
{
    pthread_mutex_lock(&flights->lock);
    bool done = flight->done;
    if (done) {
        *ret_result = result_ref(flight->result);
        *ret_err = flight->err;
    }
    pthread_mutex_unlock(&flights->lock);
    return done;
}

bool flight_abandoned(struct flights *flights, struct flight *flight)
{
    pthread_mutex_lock(&flights->lock);
    bool abandoned = flight->abandoned;
    pthread_mutex_unlock(&flights->lock);
    return abandoned;
}

int64_t flight_deadline(struct flights *flights, struct flight *flight)
{
    pthread_mutex_lock(&flights->lock);
    int64_t deadline = flight->deadline_ns;
    pthread_mutex_unlock(&flights->lock);
    return deadline;
}

void flight_done(struct flights *flights, struct flight *flight, struct result *result,
                 const struct err *err)
{
    pthread_mutex_lock(&flights->lock);
    flight->done = true;
    flight->result = result_ref(result);
    flight->err = *err;
    hide(flights, flight);
    for (struct flight_waiter *waiter = flight->waiters; waiter; waiter = waiter->next)
        wake(waiter->mailbox);
    unref(flight);
    pthread_mutex_unlock(&flights->lock);
}
