/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What struct io holds: settings, the loop's thread with its inbox, the curl pools, the resolver and the
 * worker for files.
 *
 * Ownership: reference-counted, so that targets, mailboxes and messages may outlive io_destroy. Threads:
 * the settings are immutable; what `lock` guards and what only the loop touches is said below.
 */
#ifndef IO_RUNTIME_H
#define IO_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <curl/curl.h>
#include "base/arena.h"
#include "io/exchange.h"
#include "io/io.h"

/* One pool a policy and protocol: a connection made under one is never reused under another. */
#define POOL_OPERATOR 1u
#define POOL_HTTP2 2u
#define POOL_COUNT 4u
#define IDLE_HANDLES 32u

struct pool {
    struct io *io;
    CURLM *multi;
    struct event timer;
    bool due; /* curl wants to go on at once */
};

struct io {
    atomic_uint references;
    struct arena arena;
    const char *files; /* real path, no final '/'; NULL none */
    const char *proxy;
    const char *const *no_proxy;
    size_t no_proxy_count;
    uint64_t max_body;
    uint64_t max_wire;
    uint32_t max_ratio;
    struct budget *budget;
    char user_agent[64];

    pthread_mutex_t lock; /* inbox, started, stopping */
    bool started;
    bool stopping;
    pthread_t thread;
    struct exchange *inbox;
    struct exchange **inbox_end;

    struct event_base *base; /* from here on the loop's, once it runs */
    struct event wake;       /* readable when there is something in the inbox */
    int wake_in;             /* what others write to; -1 before the start */
    int wake_out;            /* what the loop reads; the same where there is eventfd */
    struct event turn_timer;
    bool turn_due;
    struct pool pools[POOL_COUNT];
    struct link live;             /* every exchange the loop knows */
    struct socket_watch *watches; /* of curl's sockets */
    struct link paused;           /* had their share of this turn */
    struct link filled;           /* hold bytes not yet in their mailbox */
    uint64_t turn;
    CURL *idle[IDLE_HANDLES];
    size_t idle_count;
    struct resolver *resolver;

    struct file_worker *worker; /* own lock; NULL until first used, under lock */
    struct fetchers *fetchers;  /* the same */

    atomic_uint_least64_t exchanges;
    atomic_uint_least64_t failed;
    atomic_uint_least64_t bytes_wire;
    atomic_uint_least64_t bytes_decoded;
    atomic_uint in_flight;
};

struct io *io_ref(struct io *io);
void io_unref(struct io *io);

#endif
