/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of mcp_http.h: exchanges (one HTTP request and what answers it) and sessions.
 *
 * An exchange ends where its peer says so, on any thread; streams that nobody answers (GET, subscriptions) are ended by
 * the ticker, because neither the loop's callbacks nor a holder of lock may end a request.
 *
 * Ownership: an exchange frees itself when its request is ended; a session is freed when it is out of the table and no
 * exchange uses it. Threads: "locked" belongs to lock of struct mcp_http, "sending" to the send_lock of the peer, the
 * rest is set before others know of it. Order of locks: send_lock of a peer, lock here, lock of a peer; none of http/
 * is taken with lock held.
 */
#ifndef MCP_WEB_H
#define MCP_WEB_H

#include <pthread.h>
#include "base/map.h"
#include "mcp/headers.h"
#include "mcp/mcp.h"
#include "mcp/mcp_http.h"

#define SESSION_ID_SIZE 32
#define WEB_TYPE_JSON "application/json"
#define WEB_TYPE_EVENTS "text/event-stream"
/* A little more than what mcp_peer_tick waits for, so that each tick finds its call due. */
#define WEB_TICK_NS (5050 * INT64_C(1000000))
#define WEB_RETRY_MS 2000           /* after which a client opens its GET stream again */
#define WEB_MAX_LISTENS 1024        /* subscriptions over HTTP */
#define WEB_MAX_LISTENS_OF_ONE 64   /* of one principal */
#define LEGACY_BAD_REQUEST (-32000) /* what legacy clients know: no session, or a version we lack */
#define LEGACY_NO_SESSION (-32001)  /* unknown or ended: begin a new one */

struct session {
    char id[SESSION_ID_SIZE + 1];
    struct principal principal;
    struct mcp_peer *peer;
    uint64_t streams_begun; /* the loop's: numbers of streams, for event ids */
    uint32_t open;          /* locked: exchanges that use it */
    uint32_t streams;       /* locked: GET streams of them */
    bool ended;             /* locked: out of the table */
    int64_t idle_since_ns;  /* locked */
    struct session *next;   /* locked: among the idle ones, longest idle first */
    struct session *prev;
};

enum exchange_kind {
    EXCHANGE_POST,
    EXCHANGE_LISTEN,
    EXCHANGE_GET,
    EXCHANGE_LEAVING,
    EXCHANGE_KINDS
};

struct exchange {
    struct mcp_channel channel; /* first: the peer knows only this */
    struct mcp_http *mcp;
    struct http_request *request;
    struct mcp_peer *peer;   /* NULL: a GET stream */
    struct session *session; /* NULL: modern */
    struct mcp_headers headers;
    bool begins_session;     /* its answer names the session */
    bool answerable;         /* it is a request: without an answer its stream just ends */
    bool streaming;          /* sending: the stream has begun */
    atomic_bool gone;        /* the client left */
    enum exchange_kind kind; /* locked: the list it is in */
    int64_t due_ns;          /* locked: next tick, of EXCHANGE_POST */
    struct exchange *next;   /* locked */
    struct exchange *prev;
};

struct exchange_list {
    struct exchange *first;
    struct exchange *last;
    size_t count;
};

struct mcp_http {
    struct service *service;
    struct mcp_http_settings settings;
    atomic_bool draining;
    pthread_mutex_t lock;
    pthread_cond_t work;  /* the ticker has something to do earlier than it thinks */
    pthread_cond_t ended; /* an exchange ended */
    struct exchange_list lists[EXCHANGE_KINDS]; /* locked */
    uint64_t begun;                             /* locked: exchanges so far */
    int64_t wake_ns;                            /* locked: when the ticker wakes by itself */
    bool stopping;                              /* locked */
    struct map sessions;                        /* locked: id -> session */
    struct session *idle_first;                 /* locked */
    struct session *idle_last;
    pthread_t ticker;
};

/* --- exchanges: web.c --- */

/* A new exchange for a request, in no list yet; NULL without memory. */
struct exchange *exchange_create(struct mcp_http *mcp, struct http_request *request);
/* Puts it in a list; with LISTEN and GET it goes to the leaving ones at once where nothing new may stay. */
void exchange_enter(struct exchange *exchange, enum exchange_kind kind);
/* Takes it out of its list, lets go of its session and frees it. The request must be ended. */
void exchange_end(struct exchange *exchange);
/* Frees one that was never entered; lets go of its session. */
void exchange_discard(struct exchange *exchange);
void exchange_move_locked(struct exchange *exchange, enum exchange_kind kind);
/* The ticker will end it soon. */
void exchange_leave_locked(struct exchange *exchange);
/* What peers send goes out through this; user is the struct mcp_http. */
void web_send(void *user, const struct mcp_out *out);
/* The ticker wakes at that time at the latest. */
void web_wake_locked(struct mcp_http *mcp, int64_t when_ns);

/* --- sessions: session.c; all with lock held --- */

/* A session of its own for that principal, in use (open 1). 0; ERR_BUSY when all there may be are in use; ERR_MEMORY. */
int session_create_locked(struct mcp_http *mcp, const struct principal *principal,
                          struct session **ret_session);
/* The session with that id, put in use, or NULL: unknown, or another principal's. */
struct session *session_take_locked(struct mcp_http *mcp, const char *id,
                                    const struct principal *principal);
/* Ends a use. Returns the session when it must be freed by session_free, without the lock; else NULL. */
struct session *session_leave_locked(struct mcp_http *mcp, struct session *session);
/* Takes it out of the table; its calls are cancelled, its streams end. It must be in use. */
void session_end_locked(struct mcp_http *mcp, struct session *session);
/* Takes out the one that is idle longest if it is idle since before that time; NULL when there is none. To be freed. */
struct session *session_expire_locked(struct mcp_http *mcp, int64_t before_ns);
void session_free(struct session *session);

/* --- web_post.c --- */
void web_post(struct mcp_http *mcp, struct http_request *request);
/* A JSON-RPC error with id null as the whole answer. */
void web_refuse(struct http_request *request, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* True when the header MCP-Protocol-Version is absent or names a legacy revision; else it was refused. */
bool web_version_fits(struct http_request *request);
/* The session that the request names, in use; NULL when it was refused. */
struct session *web_session(struct mcp_http *mcp, struct http_request *request);

#endif
