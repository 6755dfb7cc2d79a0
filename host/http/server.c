/* SPDX-License-Identifier: Apache-2.0 */
/* The server as a whole: start, loop, deadlines, drain, stop. */
#include <event2/thread.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/thread.h"
#include "http/internal.h"

#define LOOP_STACK ((size_t)512 * 1024)
#define TICK_MIN_NS (20 * NS_PER_MS)
#define TICK_MAX_NS NS_PER_S
#define OTHER_DESCRIPTORS 256u /* backends, files, plugins */

/* ---- The list of connections; on the loop ---- */

void server_conn_added(struct http_server *server, struct conn *conn)
{
    conn->next = server->conns;
    if (server->conns)
        server->conns->previous = conn;
    server->conns = conn;
    atomic_fetch_add(&server->connections, 1);
    if (server->ticking)
        return;
    server->ticking = true;
    struct timeval period = {.tv_sec = server->tick_ns / NS_PER_S,
                             .tv_usec = server->tick_ns % NS_PER_S / NS_PER_US};
    event_add(server->tick, &period);
}

void server_conn_removed(struct http_server *server, struct conn *conn)
{
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    conn->next = conn->previous = NULL;
    atomic_fetch_sub(&server->connections, 1);
    accept_conn_closed(server, conn);
}

/* Closing calls into the owners of requests, but none of them can close another connection: next stays. */
static void close_conns(struct http_server *server, bool idle_only)
{
    struct conn *next;
    for (struct conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        if (!idle_only || conn_is_idle(conn))
            conn_close(conn);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct http_server *server = user;
    int64_t now = clock_mono_ns();
    struct conn *next;
    for (struct conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        if (atomic_load_explicit(&conn->deadline, memory_order_relaxed) <= now)
            conn_expire(conn, now);
    }
    if (atomic_load(&server->draining))
        close_conns(server, true);
    if (!server->conns) { /* an idle server sleeps */
        server->ticking = false;
        event_del(server->tick);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    struct http_server *server = user;
    accept_stop(server);
    bool stopping = atomic_load(&server->stopping);
    close_conns(server, !stopping);
    if (stopping)
        event_base_loopbreak(server->base);
}

static void on_let_in(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    auth_take_let_in(user);
}

static void *run_loop(void *user)
{
    struct http_server *server = user;
    /* Handlers may ask for the server: they wait until the caller of start has it. */
    pthread_mutex_lock(&server->lock);
    pthread_mutex_unlock(&server->lock);
    /* EVLOOP_NO_EXIT_ON_EMPTY: a paused listener is no event. */
    event_base_loop(server->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* ---- Start ---- */

/* As many descriptors as the system lets us have: 10,000 idle streams are an ordinary day. */
static uint32_t raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    rlim_t room = limit.rlim_cur;
    room = room > 2 * OTHER_DESCRIPTORS ? room - OTHER_DESCRIPTORS : room / 2;
    return room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
}

static void fill_limits(struct http_settings *settings)
{
    uint32_t room = raise_descriptors();
    if (!settings->max_connections)
        settings->max_connections = 16384;
    if (settings->max_connections > room)
        settings->max_connections = room;
    if (!settings->max_per_peer)
        settings->max_per_peer = 1024;
    if (!settings->max_body)
        settings->max_body = (size_t)4 * 1024 * 1024;
    if (!settings->max_output)
        settings->max_output = (size_t)4 * 1024 * 1024;
    if (!settings->head_timeout_ns)
        settings->head_timeout_ns = 10 * NS_PER_S;
    if (!settings->body_timeout_ns)
        settings->body_timeout_ns = 30 * NS_PER_S;
    if (!settings->idle_timeout_ns)
        settings->idle_timeout_ns = 75 * NS_PER_S;
    if (!settings->write_timeout_ns)
        settings->write_timeout_ns = 30 * NS_PER_S;
    if (!settings->heartbeat_ns)
        settings->heartbeat_ns = 15 * NS_PER_S;
}

/* Fine enough for the shortest of the deadlines, and no finer. */
static int64_t tick_period(const struct http_settings *settings)
{
    int64_t shortest = settings->head_timeout_ns;
    const int64_t others[] = {settings->body_timeout_ns, settings->idle_timeout_ns,
                              settings->write_timeout_ns, settings->heartbeat_ns};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] < shortest)
            shortest = others[i];
    int64_t period = shortest / 8;
    return period < TICK_MIN_NS ? TICK_MIN_NS : period > TICK_MAX_NS ? TICK_MAX_NS : period;
}

static int copy_hosts(struct http_server *server, const struct http_settings *settings)
{
    server->hosts = mem_alloc_array(settings->host_count + 1, sizeof *server->hosts);
    if (!server->hosts)
        return -1;
    for (size_t i = 0; i < settings->host_count; i++) {
        server->hosts[i] = mem_strdup(settings->hosts[i]);
        if (!server->hosts[i])
            return -1;
        server->names.host_count = i + 1;
    }
    server->names.hosts = (const char *const *)server->hosts;
    return 0;
}

static int create_loop(struct http_server *server)
{
    server->base = event_base_new();
    if (!server->base)
        return -1;
    server->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
    server->wake = event_new(server->base, -1, 0, on_wake, server);
    server->let_in_event = event_new(server->base, -1, 0, on_let_in, server);
    server->scratch = mem_resize(NULL, SCRATCH_BYTES, 1);
    return server->tick && server->wake && server->let_in_event && server->scratch
               ? accept_create(server)
               : -1;
}

/* All that start made; half-built is allowed. */
static void server_free(struct http_server *server)
{
    accept_destroy(server);
    if (server->tick)
        event_free(server->tick);
    if (server->wake)
        event_free(server->wake);
    if (server->let_in_event)
        event_free(server->let_in_event);
    if (server->base)
        event_base_free(server->base);
    for (size_t i = 0; i < server->names.host_count; i++)
        mem_free(server->hosts[i]);
    mem_free(server->hosts);
    mem_free(server->scratch);
    map_finish(&server->peers);
    tls_context_free(server->tls);
    pthread_mutex_destroy(&server->lock);
    mem_free(server);
}
DEFINE_CLEANUP(struct http_server *, server_free);

int http_server_start(const struct http_settings *settings, struct http_server **ret_server,
                      struct err *err)
{
    evthread_use_pthreads();
    CLEANUP(server_freep) struct http_server *server = mem_alloc(sizeof *server);
    if (!server)
        return err_set(err, ERR_MEMORY, "no memory for the HTTP server");
    server->listener = -1;
    pthread_mutex_init(&server->lock, NULL);
    server->settings = *settings;
    fill_limits(&server->settings);
    server->tick_ns = tick_period(&server->settings);
    map_init(&server->peers, server->settings.max_connections);
    server->id_seed = rand_u64();
    int r = 0;
    if (settings->cert || settings->key)
        r = tls_context_create(settings->cert, settings->key, &server->tls, err);
    if (r != 0)
        return r;
    r = listen_at(settings->listen, &server->listener, err);
    if (r != 0)
        return r;
    if (copy_hosts(server, settings) != 0 || create_loop(server) != 0 ||
        listen_name(server->listener, server->address, sizeof server->address, &server->port) != 0)
        return err_set(err, ERR_MEMORY, "the HTTP server's loop cannot be made");
    /* Texts of the caller's are not kept. */
    server->settings.listen = server->settings.cert = server->settings.key = NULL;
    server->settings.hosts = NULL;
    pthread_mutex_lock(&server->lock);
    r = thread_start(&server->thread, "sonde-http", LOOP_STACK, run_loop, server);
    if (r == 0)
        *ret_server = server;
    pthread_mutex_unlock(&server->lock);
    if (r != 0)
        return err_set(err, ERR_SYSTEM, "the HTTP server's thread cannot be started");
    (void)STEAL(server);
    return 0;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

int http_server_reload_tls(struct http_server *server, const char *cert, const char *key,
                           struct err *err)
{
    struct tls_context *fresh = NULL;
    int r = tls_context_create(cert, key, &fresh, err);
    if (r != 0)
        return r;
    pthread_mutex_lock(&server->lock);
    struct tls_context *old = server->tls;
    if (old)
        server->tls = fresh;
    pthread_mutex_unlock(&server->lock);
    if (!old) {
        tls_context_free(fresh);
        return err_set(err, ERR_INVALID,
                       "the server was started without TLS: that takes a restart to change");
    }
    tls_context_free(old);
    return 0;
}

/* ---- End ---- */

void http_server_drain(struct http_server *server)
{
    if (!atomic_exchange(&server->draining, true))
        event_active(server->wake, EV_TIMEOUT, 0);
}

bool http_server_idle(struct http_server *server)
{
    return atomic_load(&server->pending) == 0 && atomic_load(&server->flushing) == 0;
}

void http_server_stop(struct http_server *server)
{
    atomic_store(&server->draining, true);
    atomic_store(&server->stopping, true);
    event_active(server->wake, EV_TIMEOUT, 0);
    pthread_join(server->thread, NULL);
    auth_take_let_in(server); /* their connections are closed */
    server_free(server);
}

void http_server_counts(struct http_server *server, struct http_counts *ret_counts)
{
    *ret_counts = (struct http_counts){
        .accepted = atomic_load(&server->accepted),
        .requests = atomic_load(&server->requests),
        .refused_heads = atomic_load(&server->refused_heads),
        .slow_closed = atomic_load(&server->slow_closed),
        .gone_while_pending = atomic_load(&server->gone_while_pending),
        .connections = atomic_load(&server->connections),
        .streams = atomic_load(&server->streams),
        .pending = atomic_load(&server->pending),
        .accept_paused = atomic_load(&server->accept_paused),
    };
}
