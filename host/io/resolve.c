/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/resolve.h"

#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/thread.h"
#include "io/address.h"
#include "io/loop.h"
#include "io/runtime.h"
#include "io/transfer.h"

#define HELPERS 4u
#define HELPER_STACK ((size_t)256 * 1024)
#define HELPER_IDLE_NS (5 * NS_PER_S)
#define FLIGHTS_MAX 512
#define KEEP_NS (30 * NS_PER_S)
#define KEEP_FAILURE_NS NS_PER_S

/* One name: being looked up, or known until expiry. */
struct flight {
    struct flight *next;           /* in the queue or the done list, under the lock */
    struct resolution *resolution; /* the helper's until done */
    struct link waiting;
    int64_t expires_ns; /* 0: not done */
    char *name;
};

struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned references; /* the loop's and one a helper; under lock, as all down to `helpers` */
    bool closed;
    struct flight *queue;
    struct flight **queue_end;
    struct flight *done;
    unsigned queued;
    unsigned idle;
    unsigned helpers;
    struct io *io;
    struct map flights; /* the loop's */
};

struct resolver *resolver_new(struct io *io)
{
    struct resolver *resolver = mem_alloc(sizeof *resolver);
    if (!resolver)
        return NULL;
    if (pthread_mutex_init(&resolver->lock, NULL)) {
        mem_free(resolver);
        return NULL;
    }
    if (cond_init(&resolver->cond) < 0) {
        pthread_mutex_destroy(&resolver->lock);
        mem_free(resolver);
        return NULL;
    }
    resolver->references = 1;
    resolver->queue_end = &resolver->queue;
    resolver->io = io;
    map_init(&resolver->flights, FLIGHTS_MAX);
    return resolver;
}

void resolution_unref(struct resolution *resolution)
{
    if (resolution && !--resolution->references)
        mem_free(resolution);
}

static void flight_free(struct flight *flight)
{
    resolution_unref(flight->resolution);
    mem_free(flight->name);
    mem_free(flight);
}

/* Under the lock, which is given up. */
static void resolver_unref(struct resolver *resolver)
{
    bool last = !--resolver->references;
    pthread_mutex_unlock(&resolver->lock);
    if (!last)
        return;
    pthread_cond_destroy(&resolver->cond);
    pthread_mutex_destroy(&resolver->lock);
    mem_free(resolver);
}

void resolver_close(struct resolver *resolver)
{
    if (!resolver)
        return;
    pthread_mutex_lock(&resolver->lock);
    resolver->closed = true;
    /* A flight that a helper is busy with is freed by that helper. */
    struct flight *queued = resolver->queue;
    resolver->queue = NULL;
    for (struct flight *f = queued; f; f = f->next)
        f->expires_ns = 1;
    for (struct flight *f = resolver->done; f; f = f->next)
        f->expires_ns = 1;
    resolver->done = NULL;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&resolver->flights, &i));) {
        struct flight *flight = entry->value;
        if (flight->expires_ns)
            flight_free(flight);
    }
    map_finish(&resolver->flights);
    pthread_cond_broadcast(&resolver->cond);
    resolver_unref(resolver);
}

/* Adds what the system says of a name; its error, or 0. */
static int add_addresses(struct resolution *resolution, const char *name, int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(name, NULL, &hints, &list);
    for (struct addrinfo *a = error ? NULL : list; a; a = a->ai_next)
        if (resolution->count < RESOLUTION_ADDRESSES &&
            a->ai_addrlen <= sizeof(struct sockaddr_storage))
            memcpy(&resolution->addresses[resolution->count++], a->ai_addr, a->ai_addrlen);
    if (list)
        freeaddrinfo(list);
    return error;
}

bool is_localhost(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t size = strlen(name);
    size_t n = sizeof suffix - 1;
    if (size && name[size - 1] == '.') /* the same, written as a whole name */
        size--;
    if (size == n - 1)
        return strncasecmp(name, suffix + 1, n - 1) == 0;
    return size > n && strncasecmp(name + size - n, suffix, n) == 0;
}

static void look_up(struct flight *flight)
{
    struct resolution *resolution = flight->resolution;
    if (!is_localhost(flight->name)) {
        resolution->error = add_addresses(resolution, flight->name, 0);
        return;
    }
    resolution->error = add_addresses(resolution, "127.0.0.1", AI_NUMERICHOST);
    add_addresses(resolution, "::1", AI_NUMERICHOST); /* a machine without IPv6 has the other */
}

static void *help(void *argument)
{
    struct resolver *resolver = argument;
    pthread_mutex_lock(&resolver->lock);
    for (;;) {
        int64_t until = clock_mono_ns() + HELPER_IDLE_NS;
        int late = 0;
        resolver->idle++;
        while (!resolver->queue && !resolver->closed && !late)
            late = cond_wait_until(&resolver->cond, &resolver->lock, until);
        resolver->idle--;
        struct flight *flight = resolver->queue;
        if (!flight || resolver->closed)
            break;
        resolver->queue = flight->next;
        resolver->queued--;
        if (!resolver->queue)
            resolver->queue_end = &resolver->queue;
        pthread_mutex_unlock(&resolver->lock);
        look_up(flight);
        pthread_mutex_lock(&resolver->lock);
        if (resolver->closed) {
            flight_free(flight);
            break;
        }
        flight->next = resolver->done;
        resolver->done = flight;
        loop_wake(resolver->io);
    }
    resolver->helpers--;
    resolver_unref(resolver);
    return NULL;
}

/* Under the lock. */
static int add_helper(struct resolver *resolver)
{
    pthread_t thread;
    resolver->references++;
    resolver->helpers++;
    if (!thread_start(&thread, "sonde-resolve", HELPER_STACK, help, resolver)) {
        pthread_detach(thread);
        return 0;
    }
    resolver->references--;
    resolver->helpers--;
    return resolver->helpers ? 0 : ERR_SYSTEM;
}

static void deliver_one(struct exchange *exchange, struct resolution *resolution)
{
    link_remove(&exchange->waiting);
    resolution->references++;
    transfer_resolved(exchange, resolution);
}

/* Makes room by forgetting what is known and expired, or else anything known. */
static void forget(struct resolver *resolver)
{
    int64_t now = clock_mono_ns();
    struct flight *victim = NULL;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&resolver->flights, &i));) {
        struct flight *flight = entry->value;
        if (flight->expires_ns && (!victim || flight->expires_ns < victim->expires_ns))
            victim = flight;
        if (victim && victim->expires_ns < now)
            break;
    }
    if (victim) {
        map_remove(&resolver->flights, victim->name, strlen(victim->name));
        flight_free(victim);
    }
}

static struct flight *flight_new(const char *name)
{
    struct flight *flight = mem_alloc(sizeof *flight);
    if (!flight)
        return NULL;
    flight->name = mem_strdup(name);
    flight->resolution = mem_alloc(sizeof *flight->resolution);
    if (!flight->name || !flight->resolution) {
        mem_free(flight->name);
        mem_free(flight->resolution);
        mem_free(flight);
        return NULL;
    }
    flight->resolution->references = 1;
    link_init(&flight->waiting, NULL);
    return flight;
}

static int take_off(struct resolver *resolver, const char *host, struct flight **ret_flight)
{
    if (resolver->flights.count >= FLIGHTS_MAX)
        forget(resolver);
    struct flight *flight = flight_new(host);
    if (!flight)
        return ERR_MEMORY;
    int r = map_set(&resolver->flights, host, strlen(host), flight, NULL);
    if (r < 0) {
        flight_free(flight);
        return r;
    }
    pthread_mutex_lock(&resolver->lock);
    if (resolver->queued >= resolver->idle && resolver->helpers < HELPERS)
        r = add_helper(resolver);
    if (!r) {
        *resolver->queue_end = flight;
        resolver->queue_end = &flight->next;
        resolver->queued++;
        pthread_cond_signal(&resolver->cond);
    }
    pthread_mutex_unlock(&resolver->lock);
    if (r < 0) {
        map_remove(&resolver->flights, host, strlen(host));
        flight_free(flight);
        return r;
    }
    *ret_flight = flight;
    return 0;
}

static int find_address(struct exchange *exchange, const struct sockaddr_storage *address)
{
    struct resolution *resolution = mem_alloc(sizeof *resolution);
    if (!resolution)
        return ERR_MEMORY;
    resolution->count = 1;
    resolution->addresses[0] = *address;
    deliver_one(exchange, resolution);
    return 0;
}

int resolver_find(struct resolver *resolver, struct exchange *exchange, const char *host)
{
    struct sockaddr_storage address;
    if (address_parse(host, &address))
        return find_address(exchange, &address);
    struct flight *flight = map_get(&resolver->flights, host, strlen(host));
    if (flight && flight->expires_ns && flight->expires_ns < clock_mono_ns()) {
        map_remove(&resolver->flights, host, strlen(host));
        flight_free(flight);
        flight = NULL;
    }
    if (!flight) {
        int r = take_off(resolver, host, &flight);
        if (r < 0)
            return r;
    }
    if (flight->expires_ns)
        deliver_one(exchange, flight->resolution);
    else
        link_add(&flight->waiting, &exchange->waiting);
    return 0;
}

void resolver_deliver(struct resolver *resolver)
{
    pthread_mutex_lock(&resolver->lock);
    struct flight *done = resolver->done;
    resolver->done = NULL;
    pthread_mutex_unlock(&resolver->lock);
    while (done) {
        struct flight *flight = done;
        done = flight->next;
        struct resolution *resolution = flight->resolution;
        flight->expires_ns = clock_mono_ns() + (resolution->error ? KEEP_FAILURE_NS : KEEP_NS);
        /* Held, for what is delivered may look up another name and have this flight forgotten. */
        resolution->references++;
        struct link batch;
        link_init(&batch, NULL);
        struct exchange *exchange;
        while ((exchange = link_first(&flight->waiting))) {
            link_remove(&exchange->waiting);
            link_add(&batch, &exchange->waiting);
        }
        while ((exchange = link_first(&batch)))
            deliver_one(exchange, resolution);
        resolution_unref(resolution);
    }
}
