/* SPDX-License-Identifier: Apache-2.0 */
/* Taking connections, and pausing when there is no room for one: by events, never by trying again and again. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal.h"

#define ACCEPTS_PER_TURN 64
#define PAUSE_NS (250 * NS_PER_MS)

static void pause_accepting(struct http_server *server, const char *why, bool timed)
{
    if (atomic_exchange(&server->accept_paused, true))
        return;
    event_del(server->accept_event);
    log_line(LOG_WARN, HTTP_AREA, "no new connections for now: %s (%u are open)", why,
             atomic_load(&server->connections));
    if (timed) {
        struct timeval later = {.tv_usec = PAUSE_NS / NS_PER_US};
        evtimer_add(server->accept_timer, &later);
    }
}

static void resume_accepting(struct http_server *server)
{
    if (server->listener < 0 || !atomic_load(&server->accept_paused))
        return;
    atomic_store(&server->accept_paused, false);
    event_add(server->accept_event, NULL);
}

static void on_pause_over(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    resume_accepting(user);
}

/* ---- Connections of one address ---- */

static bool is_loopback(const char *peer)
{
    return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;
}

/* False: the address has as many as it may have. */
static bool count_peer(struct http_server *server, const char *peer)
{
    size_t size = strlen(peer);
    uintptr_t count = (uintptr_t)map_get(&server->peers, peer, size);
    return count < server->settings.max_per_peer &&
           map_set(&server->peers, peer, size, (void *)(count + 1), NULL) == 0;
}

static void uncount_peer(struct http_server *server, const char *peer)
{
    size_t size = strlen(peer);
    uintptr_t count = (uintptr_t)map_get(&server->peers, peer, size);
    if (count > 1) {
        if (map_set(&server->peers, peer, size, (void *)(count - 1), NULL) != 0)
            log_line(LOG_ERROR, HTTP_AREA, "connections of %s cannot be counted", peer);
    } else {
        map_remove(&server->peers, peer, size);
    }
}

void accept_conn_closed(struct http_server *server, const struct conn *conn)
{
    if (conn->counted_peer)
        uncount_peer(server, conn->peer);
    if (atomic_load(&server->accept_paused) && !evtimer_pending(server->accept_timer, NULL) &&
        atomic_load(&server->connections) < server->settings.max_connections)
        resume_accepting(server);
}

/* ---- Accepting ---- */

static void take(struct http_server *server, int fd, const struct sockaddr *address)
{
    char peer[PEER_TEXT] = "";
    listen_address_text(address, peer, sizeof peer);
    bool counted = !is_loopback(peer);
    if (counted && !count_peer(server, peer)) {
        log_line(LOG_DEBUG, HTTP_AREA, "%s has too many connections: one more is closed", peer);
        close(fd);
        return;
    }
    struct conn *conn = conn_open(server, fd, peer);
    if (!conn) {
        if (counted)
            uncount_peer(server, peer);
        close(fd);
        return;
    }
    conn->counted_peer = counted;
    atomic_fetch_add(&server->accepted, 1);
}

static void on_accept(evutil_socket_t listener, short what, void *user)
{
    (void)what;
    struct http_server *server = user;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (atomic_load(&server->connections) >= server->settings.max_connections) {
            pause_accepting(server, "there are as many as are allowed", false);
            return;
        }
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd =
            accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(server, fd, (struct sockaddr *)&address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(server, strerror(errno), true);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } /* else: that client has left already */
    }
}

int accept_create(struct http_server *server)
{
    server->accept_event =
        event_new(server->base, server->listener, EV_READ | EV_PERSIST, on_accept, server);
    server->accept_timer = evtimer_new(server->base, on_pause_over, server);
    if (!server->accept_event || !server->accept_timer)
        return -1;
    return event_add(server->accept_event, NULL);
}

void accept_stop(struct http_server *server)
{
    if (server->listener < 0)
        return;
    event_del(server->accept_event);
    evtimer_del(server->accept_timer);
    close(server->listener);
    server->listener = -1;
}

void accept_destroy(struct http_server *server)
{
    if (server->accept_event)
        event_free(server->accept_event);
    if (server->accept_timer)
        event_free(server->accept_timer);
    if (server->listener >= 0)
        close(server->listener);
}
