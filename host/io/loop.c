/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/loop.h"

#include <errno.h>
#include <event2/thread.h>
#include <fcntl.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "io/policy.h"
#include "io/resolve.h"
#include "io/runtime.h"
#include "io/target.h"
#include "io/transfer.h"

#define LOOP_STACK ((size_t)512 * 1024)
#define MAX_CONNECTIONS 1024L
#define KEPT_CONNECTIONS 256L
#define AT_ONCE 8            /* rounds of what is due before other events are looked at */
#define HTTP2_CONNECTIONS 4L /* per host: one cannot carry a big answer and small ones well */

static struct timeval from_ns(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timeval){.tv_sec = ns / NS_PER_S, .tv_usec = ns % NS_PER_S / NS_PER_US};
}

/* ---- Finished transfers and the end of a turn ---- */

static void take_finished(struct io *io, CURLM *multi)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char *pointer = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
        transfer_done((struct exchange *)(void *)pointer, code);
    }
    loop_flush(io);
}

void loop_flush(struct io *io)
{
    struct exchange *exchange;
    while ((exchange = link_first(&io->filled))) {
        link_remove(&exchange->filled);
        exchange_flush(exchange);
    }
}

static void pool_free(struct pool *pool)
{
    curl_multi_cleanup(pool->multi);
    event_del(&pool->timer);
    mem_free(pool);
}

/* Not while one of their callbacks runs. */
static void free_retired(struct io *io)
{
    for (struct pool **link = &io->pools; *link;) {
        struct pool *pool = *link;
        if (!pool->retired || pool->running) {
            link = &pool->next;
            continue;
        }
        *link = pool->next;
        pool_free(pool);
    }
}

/* Another policy: a connection that is kept open would pass by it. The operator's ones do not go by it. */
static void retire_pools(struct io *io)
{
    for (unsigned i = 0; i < POOL_COUNT; i++) {
        if (i & POOL_OPERATOR || !io->pool_of[i])
            continue;
        io->pool_of[i]->retired = true;
        io->pool_of[i] = NULL;
    }
}

/*
 * What curl asked to do at once, mostly the begin of a request, is done now and not after another look at all sockets. Last in every
 * event's function.
 */
static void run_due(struct io *io)
{
    bool again = true;
    for (unsigned i = 0; i < AT_ONCE && again; i++) {
        again = false;
        for (struct pool *pool = io->pools; pool; pool = pool->next) {
            if (!pool->due)
                continue;
            int running;
            pool->due = false;
            again = true;
            curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
            take_finished(io, pool->multi);
        }
    }
    for (struct pool *pool = io->pools; pool; pool = pool->next) {
        struct timeval now = {0};
        if (pool->due)
            evtimer_add(&pool->timer, &now);
        pool->due = false;
    }
    free_retired(io);
}

static void on_turn(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct io *io = argument;
    io->turn_due = false;
    io->turn++;
    /* Those that pause again go to the next turn. */
    struct link batch;
    link_init(&batch, NULL);
    struct exchange *exchange;
    while ((exchange = link_first(&io->paused))) {
        link_remove(&exchange->paused);
        link_add(&batch, &exchange->paused);
    }
    while ((exchange = link_first(&batch))) {
        link_remove(&exchange->paused);
        transfer_resume(exchange);
    }
    loop_flush(io);
    run_due(io);
}

void loop_next_turn(struct io *io)
{
    if (io->turn_due)
        return;
    io->turn_due = true;
    struct timeval now = {0};
    evtimer_add(&io->turn_timer, &now);
}

/* ---- curl's sockets and timers ---- */

struct socket_watch {
    struct event event;
    struct pool *pool;
    struct socket_watch *next;
    struct socket_watch **link; /* what points to it */
};

static void watch_add(struct io *io, struct socket_watch *watch)
{
    watch->next = io->watches;
    watch->link = &io->watches;
    if (watch->next)
        watch->next->link = &watch->next;
    io->watches = watch;
}

static void watch_remove(struct socket_watch *watch)
{
    *watch->link = watch->next;
    if (watch->next)
        watch->next->link = watch->link;
    mem_free(watch);
}

void loop_close_socket(struct io *io, curl_socket_t fd)
{
    for (struct socket_watch *watch = io->watches; watch; watch = watch->next)
        if (event_get_fd(&watch->event) == fd)
            event_del(&watch->event);
    close(fd);
}

void loop_opened_socket(struct io *io, curl_socket_t fd)
{
    for (struct socket_watch *watch = io->watches; watch; watch = watch->next) {
        if (event_get_fd(&watch->event) != fd ||
            !event_pending(&watch->event, EV_READ | EV_WRITE, NULL))
            continue;
        event_del(&watch->event);
        event_add(&watch->event, NULL);
    }
}

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
    struct socket_watch *watch = argument;
    struct pool *pool = watch->pool;
    int mask = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;
    pool->io->turn++; /* each transfer has its share again: this is the only one on this socket */
    curl_multi_socket_action(pool->multi, fd, mask, &running);
    take_finished(pool->io, pool->multi);
    run_due(pool->io);
}

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *argument, void *watched)
{
    (void)easy;
    struct pool *pool = argument;
    struct socket_watch *watch = watched;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            event_del(&watch->event);
            watch_remove(watch);
            curl_multi_assign(pool->multi, fd, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = mem_alloc(sizeof *watch);
        if (!watch)
            return -1; /* curl fails the transfer */
        watch->pool = pool;
        watch_add(pool->io, watch);
        curl_multi_assign(pool->multi, fd, watch);
    } else {
        event_del(&watch->event);
    }
    short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
                           (what & CURL_POLL_OUT ? EV_WRITE : 0));
    event_assign(&watch->event, pool->io->base, fd, events, on_socket, watch);
    return event_add(&watch->event, NULL);
}

static void on_pool_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct pool *pool = argument;
    int running;
    curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(pool->io, pool->multi);
    run_due(pool->io);
}

static int on_set_timer(CURLM *multi, long milliseconds, void *argument)
{
    (void)multi;
    struct pool *pool = argument;
    pool->due = milliseconds == 0;
    if (milliseconds <= 0)
        return evtimer_del(&pool->timer);
    struct timeval wait = from_ns(milliseconds * NS_PER_MS);
    return evtimer_add(&pool->timer, &wait);
}

static struct pool *pool_new(struct io *io, bool http2)
{
    struct pool *pool = mem_alloc(sizeof *pool);
    CURLM *multi = pool ? curl_multi_init() : NULL;
    if (!multi) {
        mem_free(pool);
        return NULL;
    }
    pool->io = io;
    pool->multi = multi;
    evtimer_assign(&pool->timer, io->base, on_pool_timer, pool);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, MAX_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
    if (http2)
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, HTTP2_CONNECTIONS);
    pool->next = io->pools;
    io->pools = pool;
    return pool;
}

struct pool *loop_pool(struct io *io, const struct io_target *target)
{
    bool http2 = target->connection->http2;
    struct pool **pool =
        &io->pool_of[(target->operator_policy ? POOL_OPERATOR : 0) | (http2 ? POOL_HTTP2 : 0)];
    if (!*pool)
        *pool = pool_new(io, http2);
    return *pool;
}

/* ---- Commands ---- */

static void on_exchange_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct exchange *exchange = argument;
    struct io *io = exchange->io; /* the exchange may end here */
    int64_t now = clock_mono_ns();
    if (now >= exchange->deadline_ns) {
        transfer_deadline(exchange);
    } else if (exchange->state == EXCHANGE_DELAYED) {
        if (now >= exchange->send_at_ns)
            transfer_begin(exchange);
        else
            loop_set_timer(exchange, exchange->send_at_ns);
    } else {
        loop_set_timer(exchange, exchange->deadline_ns);
    }
    run_due(io);
}

void loop_set_timer(struct exchange *exchange, int64_t at_ns)
{
    if (!exchange->timer_made)
        evtimer_assign(&exchange->timer, exchange->io->base, on_exchange_timer, exchange);
    exchange->timer_made = true;
    if (at_ns > exchange->deadline_ns)
        at_ns = exchange->deadline_ns;
    /* A timer that fires early only comes again; one millisecond more spares that. */
    struct timeval wait = from_ns(at_ns - clock_mono_ns() + NS_PER_MS);
    if (at_ns < INT64_MAX - NS_PER_DAY)
        evtimer_add(&exchange->timer, &wait);
}

static void obey(struct exchange *exchange, unsigned commands)
{
    if (exchange->state == EXCHANGE_ENDED)
        return;
    if (commands & COMMAND_START) {
        link_add(&exchange->io->live, &exchange->live);
        exchange->state = EXCHANGE_DELAYED;
    }
    if (commands & COMMAND_CANCEL) {
        transfer_cancel(exchange);
        return;
    }
    if (commands & COMMAND_START) {
        if (exchange->send_at_ns > exchange->begun_ns)
            loop_set_timer(exchange, exchange->send_at_ns);
        else
            transfer_begin(exchange);
        return;
    }
    if (commands & (COMMAND_LOGIN_NEW | COMMAND_LOGIN_SAME))
        transfer_login(exchange, (commands & COMMAND_LOGIN_NEW) != 0);
    else if ((commands & COMMAND_RESUME) && exchange->window_paused)
        transfer_resume(exchange);
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct io *io = argument;
    char bytes[64];
    ssize_t ignored = read(fd, bytes, sizeof bytes); /* what is left wakes again */
    (void)ignored;
    pthread_mutex_lock(&io->lock);
    struct exchange *list = io->inbox;
    io->inbox = NULL;
    io->inbox_end = &io->inbox;
    bool stopping = io->stopping;
    struct address_policy *before = io->loop_policy;
    bool other = before != io->policy;
    if (other)
        io->loop_policy = policy_ref(io->policy);
    pthread_mutex_unlock(&io->lock);
    if (other) {
        policy_unref(before);
        retire_pools(io);
    }
    io->turn++;
    while (list) {
        struct exchange *exchange = list;
        pthread_mutex_lock(&io->lock);
        list = exchange->inbox_next;
        unsigned commands = exchange->commands;
        exchange->commands = 0;
        exchange->queued = false;
        pthread_mutex_unlock(&io->lock);
        obey(exchange, commands);
        exchange_unref(exchange);
    }
    resolver_deliver(io->resolver);
    loop_flush(io);
    run_due(io);
    if (!stopping)
        return;
    struct exchange *exchange;
    while ((exchange = link_first(&io->live)))
        transfer_cancel(exchange);
    event_base_loopbreak(io->base);
}

static void initialize_curl(void)
{
    /* Never undone: other parts of the process may use what it set up. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        log_line(LOG_ERROR, "io", "libcurl could not be initialized; requests will fail");
}

static void *run(void *argument)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct io *io = argument;
    pthread_once(&once, initialize_curl);
    event_base_loop(io->base, EVLOOP_NO_EXIT_ON_EMPTY);
    for (size_t i = 0; i < io->idle_count; i++)
        curl_easy_cleanup(io->idle[i]);
    io->idle_count = 0;
    while (io->pools) {
        struct pool *pool = io->pools;
        io->pools = pool->next;
        pool_free(pool);
    }
    return NULL;
}

static void initialize_events(void)
{
    if (evthread_use_pthreads() < 0)
        log_line(LOG_ERROR, "io", "libevent has no thread support");
}

/* Not event_active: it takes the base's lock, which the loop wants the moment it is woken. */
static int open_wake(struct io *io)
{
#ifdef __linux__
    io->wake_in = io->wake_out = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return io->wake_in < 0 ? -1 : 0;
#else
    int fds[2];
    if (pipe(fds))
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    io->wake_out = fds[0];
    io->wake_in = fds[1];
    return 0;
#endif
}

void loop_close(struct io *io)
{
    if (io->wake_in >= 0)
        close(io->wake_in);
    if (io->wake_out >= 0 && io->wake_out != io->wake_in)
        close(io->wake_out);
    io->wake_in = io->wake_out = -1;
}

/* Under the lock. */
static int start_locked(struct io *io, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize_events);
    io->base = event_base_new();
    if (!io->base)
        return err_set(err, ERR_SYSTEM, "cannot start the network loop: no event base");
    if (open_wake(io)) {
        event_base_free(io->base);
        io->base = NULL;
        return err_set(err, ERR_SYSTEM, "cannot start the network loop: %s", strerror(errno));
    }
    event_assign(&io->wake, io->base, io->wake_out, EV_READ | EV_PERSIST, on_wake, io);
    event_add(&io->wake, NULL);
    evtimer_assign(&io->turn_timer, io->base, on_turn, io);
    io->resolver = resolver_new(io);
    if (!io->resolver || thread_start(&io->thread, "sonde-io", LOOP_STACK, run, io) < 0) {
        resolver_close(io->resolver);
        io->resolver = NULL;
        event_base_free(io->base);
        io->base = NULL;
        loop_close(io);
        return err_set(err, ERR_SYSTEM, "cannot start the network loop: no thread or memory left");
    }
    io->started = true;
    return 0;
}

void loop_wake(struct io *io)
{
    static const uint64_t one = 1;
    ssize_t ignored = write(io->wake_in, &one, sizeof one); /* full: it wakes anyway */
    (void)ignored;
}

int loop_command(struct exchange *exchange, unsigned command, struct err *err)
{
    struct io *io = exchange->io;
    bool wake = false;
    int r = 0;
    pthread_mutex_lock(&io->lock);
    if (io->stopping)
        r = err_set(err, ERR_BUSY, "sonde is stopping");
    else if (!io->started)
        r = command == COMMAND_START ? start_locked(io, err) : ERR_BUSY;
    if (!r) {
        exchange->commands |= command;
        wake = !io->inbox;
        if (!exchange->queued) {
            exchange->queued = true;
            exchange->inbox_next = NULL;
            atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
            *io->inbox_end = exchange;
            io->inbox_end = &exchange->inbox_next;
        }
    }
    pthread_mutex_unlock(&io->lock);
    if (wake)
        loop_wake(io);
    return r;
}

void loop_stop(struct io *io)
{
    pthread_mutex_lock(&io->lock);
    io->stopping = true;
    bool started = io->started;
    if (started)
        loop_wake(io);
    pthread_mutex_unlock(&io->lock);
    if (!started)
        return;
    pthread_join(io->thread, NULL);
    resolver_close(io->resolver);
    event_base_free(io->base);
}
