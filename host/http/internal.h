/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: server, connection, request.
 *
 * Concurrency and locking: the loop thread owns the list of connections, their events and the request being read. What both the
 * loop and an answering thread touch lies below `lock` of the connection. An answering thread sends by itself while nothing else waits to
 * be sent; only the loop closes a descriptor. A connection is counted: by the loop while it is open, by a request that belongs to a
 * handler. The server is touched by an answering thread only under the lock of a connection that is not closed yet.
 *
 * Ownership: server_start to server_stop; conn_unref; request_free. Threads: as said with each member.
 */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/map.h"
#include "http/guard.h"
#include "http/http.h"
#include "http/message.h"
#include "http/tls.h"

#define HTTP_AREA "http"
#define SCRATCH_BYTES ((size_t)64 * 1024)
#define PEER_TEXT 46

struct http_server {
    struct http_settings settings; /* limits filled in; texts are not kept beyond start but hosts */
    struct guard_names names;
    char **hosts;
    char address[64];
    uint16_t port;
    int listener;
    struct event_base *base;
    pthread_t thread;
    struct event *accept_event;
    struct event *accept_timer;
    struct event *tick;
    struct event *wake;
    struct event *let_in_event;
    struct http_request *let_in; /* under lock: may go to their handlers, the last first */
    size_t unsure_bytes; /* loop: of bodies being read for tokens that are not checked yet */
    char *scratch;       /* loop: what was just read */
    struct conn *conns;
    struct map peers; /* loop: address to how many connections */
    int64_t tick_ns;
    bool ticking;
    pthread_mutex_t lock;
    struct tls_context *tls; /* under lock; for new connections */
    uint64_t id_seed;
    uint64_t id_next; /* loop */
    atomic_bool draining, stopping, accept_paused;
    atomic_uint_least64_t accepted, requests, refused_heads, slow_closed, gone_while_pending;
    atomic_uint connections, streams, pending, flushing;
};

/* What the deadline of a connection is for. */
enum conn_wait {
    WAIT_NOTHING,
    WAIT_HEAD,
    WAIT_BODY,
    WAIT_IDLE,
    WAIT_WRITE,
    WAIT_HEARTBEAT,
    WAIT_LINGER
};

struct conn {
    pthread_mutex_t lock;
    atomic_uint refs;
    atomic_int_least64_t deadline; /* clock_mono_ns; INT64_MAX: none */
    struct http_server *server;
    struct conn *next; /* loop */
    struct conn *previous;
    struct event read_event;
    struct event write_event;
    struct http_request *reading; /* loop */
    size_t dropped;               /* loop: bytes read and not looked at */
    int fd;
    /* Under lock: */
    enum conn_wait wait;
    struct tls *tls;
    struct http_request *pending; /* a handler's */
    struct buf out;               /* not sent yet */
    size_t out_at;
    bool closed;           /* the descriptor is gone */
    bool broken;           /* shut down; the loop will close it */
    bool close_after;      /* the next answer is the last */
    bool lingering;        /* all is said: reads to the end of what the client sends */
    bool writing;          /* out waits for the descriptor */
    bool read_wants_write; /* loop: TLS cannot read before it has written */
    bool counted_peer;     /* loop */
    atomic_bool gone_running;
    pthread_t loop;
    char peer[PEER_TEXT];
};

struct http_request {
    struct message message;
    struct conn *conn;
    const struct http_route *route;
    struct principal principal;
    char id[20];
    enum http_method method;
    struct buf extra; /* lines of the answer's head */
    void (*gone)(void *user);
    void *gone_user;
    /* A refusal that waits for the body to be dropped. */
    struct refusal refusal;
    char reason[400]; /* of the authentication, or what is wrong with the path */
    char *parts; /* texts one after the other: what stands in the place of the route's braces */
    size_t part_count;
    char *token; /* not checked yet; NULL: it is */
    size_t unsure_bytes;
    struct http_request *next_let_in;
    bool streaming;
    bool chunked;
    bool body_hidden;   /* HEAD */
    int status;         /* of the head that was made; 0 none */
    int64_t started_ns; /* it was whole; clock_mono_ns */
    const char *why;    /* it was refused; NULL: it was not */
};

/* access.c: one line for a request that has ended, before it is freed. Successes at debug, the rest at info. */
void access_log(const struct http_request *request);

/* conn.c: on the loop */
struct conn *conn_open(struct http_server *server, int fd, const char *peer);
void conn_close(struct conn *conn);
void conn_expire(struct conn *conn, int64_t now);
void conn_unref(struct conn *conn);
/* Nothing was ever asked on it, or all was answered. */
bool conn_is_idle(struct conn *conn);

/* output.c: under the connection's lock, any thread */
void conn_send_locked(struct conn *conn, struct iovec *parts, int count);
void conn_flush_locked(struct conn *conn);
void conn_settle_locked(struct conn *conn); /* what to wait for after something was sent */
void conn_linger_locked(struct conn *conn);
void conn_break_locked(struct conn *conn);
void conn_wait_locked(struct conn *conn, enum conn_wait wait, int64_t deadline);

/* reply.c */
/* Ends the request's part in its connection, under its lock; the request itself is still to be released. */
void reply_finish_locked(struct http_request *request);
/* Unlocks, waits for a callback that runs, frees. */
void reply_release(struct http_request *request);
/* The loop has called gone: those who wait go on. */
void reply_gone_done(struct conn *conn);
struct head_writer {
    char *at;
    char *end;
    bool failed;
};
/* Status line and the lines every answer has. */
void head_begin(struct head_writer *writer, const struct http_request *request, int status);
void head_put(struct head_writer *writer, const char *text);
void head_put_number(struct head_writer *writer, uint64_t number, unsigned base);

/* stream.c: one piece, framed */
void stream_send_locked(struct http_request *request, const void *data, size_t size);

/* request.c */
struct http_request *request_new(struct conn *conn);
void request_free(struct http_request *request);

/* admit.c: on the loop, when the head is complete. 0, or -1 with request->refusal set. */
int admit(struct http_request *request);
/* auth.c: on the loop, from admit: who asks, and whether they may. */
int auth_begin(struct http_request *request);
/* After it: room for the body, where it is not known yet who sends it. */
int auth_expect_body(struct http_request *request);
/* The body is read, or will not be. */
void auth_body_ends(struct http_request *request);
/* Those that were let in go to their handlers; and without a loop, when all connections are closed, they end. */
void auth_take_let_in(struct http_server *server);
void auth_wipe_token(struct http_request *request);

/* route.c: on the loop */
enum http_method route_method(const char *name);
/* Whether a path is of a pattern with braces: struct http_route. */
bool route_fits(const char *pattern, const char *path);
/* 0 with request->route set, or -1 with request->refusal set. */
int route_find(struct http_request *request);

/* listen.c */
/* "127.0.0.1:7464", "[::1]:0", "localhost:80": a descriptor that listens there. 0, ERR_INVALID, ERR_SYSTEM. */
int listen_at(const char *where, int *ret_fd, struct err *err);
/* The address alone, of version 4 when it is one in the dress of version 6. 0 or -1. */
int listen_address_text(const struct sockaddr *address, char *out, size_t size);
/* "127.0.0.1:41234" and the port of a descriptor. */
int listen_name(int fd, char *out, size_t size, uint16_t *ret_port);
/* accept.c: on the loop */
void accept_start(struct http_server *server);
void accept_stop(struct http_server *server);
void accept_conn_closed(struct http_server *server, const struct conn *conn);
int accept_create(struct http_server *server);
void accept_destroy(struct http_server *server);

/* server.c */
void server_conn_added(struct http_server *server, struct conn *conn);
void server_conn_removed(struct http_server *server, struct conn *conn);

#endif
