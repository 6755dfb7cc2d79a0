/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener: HTTP/1.1 over TCP, with or without TLS. One thread (the loop) reads requests strictly (RFC 9112), checks Host,
 * Origin and token, finds the route and hands a whole request to its handler. Answers come from any thread, as one body or as a
 * stream of server-sent events. Whatever may not be answered in no time is handed to a call thread: the loop never blocks.
 *
 * Ownership: a request belongs to its handler from the call of handle until one of the three functions that end it
 * (http_reply, http_stream_end, http_drop) was called, whether or not the client is still there. Threads: those three and
 * http_stream_begin, http_stream_send from any thread, one at a time for one request; the rest as each says.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "model/principal.h"

struct http_server;
struct http_request;

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_DELETE = 16,
    HTTP_OPTIONS = 32,
    HTTP_OTHER = 64
};

/* On the loop, with the whole body read. It must not block. */
typedef void (*http_handle_fn)(void *user, struct http_request *request);
/*
 * On the loop, once the head is read and before the body. Fills ret_principal and returns 0, or 401 or 403 with the reason (one
 * sentence, no secrets) in err; or HTTP_LATER, when it cannot be told without waiting. token is what follows "Bearer ", NULL when
 * there is no Authorization header.
 */
typedef int (*http_authenticate_fn)(void *user, const char *token, struct principal *ret_principal,
                                    struct err *err);
#define HTTP_LATER 1
/*
 * On the loop, with the whole body of a request that HTTP_LATER was said of. It must not block: it hands request and token, which lasts
 * until then, to a thread that calls http_let_in or http_turn_away.
 */
typedef void (*http_authenticate_later_fn)(void *user, const char *token,
                                           struct http_request *request);

struct http_route {
    /*
     * Exact, or with parts in braces, each of which stands for one part that is not empty: "/connections/{id}/test". Of several routes
     * that fit the first with the method is taken.
     */
    const char *path;
    unsigned
        methods; /* of enum http_method; others get 405 with Allow. HEAD comes with GET by itself */
    bool open;   /* needs no token */
    unsigned rights; /* of model/principal.h: all of them are needed, else 403 */
    const char
        *scope; /* what an authorization server calls them, for WWW-Authenticate; NULL: not said */
    size_t max_body; /* 0: the server's; above it 413 before it is read */
    http_handle_fn handle;
    void *user;
};

struct http_settings {
    const char *listen;     /* "127.0.0.1:7464", "[::1]:0": port 0 takes a free one */
    const char *cert, *key; /* PEM files; NULL: no TLS */
    const char *const *
        hosts; /* names accepted in Host and Origin beside loopback names and the address connected to */
    size_t host_count;
    const struct http_route *routes; /* kept, must outlive the server */
    size_t route_count;
    http_authenticate_fn authenticate;
    http_authenticate_later_fn authenticate_later; /* NULL: authenticate never says HTTP_LATER */
    void *user;                                    /* of both */
    /* Where clients learn which authorization server to go to (RFC 9728); kept, must outlive the server; NULL: there is none. */
    const char *resource_metadata;
    /* Limits; 0 takes the default. */
    uint32_t
        max_connections; /* default 16,384, and at most what descriptors allow; then accepting pauses */
    uint32_t
        max_per_peer; /* connections of one address that is not loopback; default 1,024; more are closed at once */
    size_t max_body; /* default 4 MiB: HTTP bodies of MCP and REST are questions, not data */
    size_t
        max_output; /* bytes waiting for a reader that does not read, per connection; default 4 MiB beyond the
                                     one answer being written; then it is closed */
    int64_t head_timeout_ns;  /* for the whole head; default 10 s */
    int64_t body_timeout_ns;  /* for the whole body; default 30 s */
    int64_t idle_timeout_ns;  /* between requests; default 75 s */
    int64_t write_timeout_ns; /* without a byte taken by the reader; default 30 s */
    int64_t heartbeat_ns;     /* between comment lines on a silent stream; default 15 s */
};

/* What the outside sees of the server; for /metrics. */
struct http_counts {
    uint64_t accepted, requests, refused_heads, slow_closed, gone_while_pending;
    uint32_t connections, streams, pending; /* now */
    bool accept_paused;
};

/*
 * Binds, then starts the loop's thread; no handler runs before *ret_server is set. 0; ERR_INVALID (listen, certificate or key cannot be used: says which and why),
 * ERR_SYSTEM (address in use, ...).
 */
int http_server_start(const struct http_settings *settings, struct http_server **ret_server,
                      struct err *err);
/* Where it listens: "127.0.0.1:41234". Lives as long as the server. */
const char *http_server_address(const struct http_server *server);
uint16_t http_server_port(const struct http_server *server);
/* Reads certificate and key again for new connections; a bad pair keeps the old and says why. Any thread. */
int http_server_reload_tls(struct http_server *server, const char *cert, const char *key,
                           struct err *err);
/*
 * No new connections, no new requests (idle ones close; answers say Connection: close); streams end as their owners end them. Returns
 * at once. http_server_idle: true once no request is pending.
 */
void http_server_drain(struct http_server *server);
bool http_server_idle(struct http_server *server);
/* Closes what is left, ends the thread. Requests still owned by handlers stay valid until ended. */
void http_server_stop(struct http_server *server);
void http_server_counts(struct http_server *server, struct http_counts *ret_counts);

/*
 * What authenticate_later comes to, from any thread: the request goes to its handler, on the loop as always, or is answered with 401, 403 or 503
 * and the reason (one sentence, no secrets).
 */
void http_let_in(struct http_request *request, const struct principal *principal);
void http_turn_away(struct http_request *request, int status, const char *reason);

/* --- a request; all text is valid until the request is ended --- */
enum http_method http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);
/* What stands in the place of the n-th braces of the route, decoded: UTF-8 without control characters. NULL: it has fewer. */
const char *http_part(const struct http_request *request, size_t n);
/* What follows '?', undecoded (uri.h); "" when there is none. */
const char *http_query(const struct http_request *request);
/* Value of a header, name in any case, outer white space gone; of several lines the first. NULL when absent. */
const char *http_header(const struct http_request *request, const char *name);
/* How many lines have that name. */
size_t http_header_count(const struct http_request *request, const char *name);
const char *http_body(const struct http_request *request, size_t *ret_size);
const struct principal *http_principal(const struct http_request *request);
/* "r-" and 16 hex digits, unique in the process; also sent as X-Request-Id. */
const char *http_request_id(const struct http_request *request);
const char *http_peer(const struct http_request *request); /* "127.0.0.1" */

/*
 * gone(user) is called once on the loop when the client leaves before the answer is complete; at once if it has left already (then
 * on the calling thread). Not called any more when a function that ends the request has returned: that one waits for it, so hold no lock
 * there that gone takes. One per request. To leave is to end one's side of the connection: who half-closes and reads on has left, too
 * (MCP cancels so). An answer given by the handler before it returns is still sent to one who closed right after asking.
 */
void http_on_gone(struct http_request *request, void (*gone)(void *user), void *user);
/* A line of the head of the answer, before http_reply or http_stream_begin. value must be free of CR and LF, else it is left out and logged. */
void http_set_header(struct http_request *request, const char *name, const char *value);
/* The whole answer; body is copied. type NULL: no body (202, 204). Ends the request. */
void http_reply(struct http_request *request, int status, const char *type, const void *body,
                size_t size);
/* "Not Found" of 404; "Unknown". */
const char *http_status_title(int status);
/* An RFC 9457 problem document with that title and detail, and the request's id as instance. Ends the request. */
void http_problem(struct http_request *request, int status, const char *title, const char *detail);
/* 200 with text/event-stream, X-Accel-Buffering: no and Cache-Control: no-cache; comment lines keep it alive from here on. */
void http_stream_begin(struct http_request *request);
/*
 * Sends bytes of the stream as they are: whole events (http_event). 0, or ERR_NOT_FOUND when the client has left or was closed
 * for not reading.
 */
int http_stream_send(struct http_request *request, const void *data, size_t size);
/* Ends the stream and the request; the connection stays open for the next one. */
void http_stream_end(struct http_request *request);
/* Closes the connection without an answer. Ends the request. */
void http_drop(struct http_request *request);

/* One server-sent event (WHATWG HTML 9.2): lines "event:", "id:", "retry:", "data:"; NULL or 0 members are left out. data may hold newlines. */
struct http_event {
    const char *event;
    const char *id;
    uint32_t retry_ms;
    const char *data;
    size_t data_size;
    bool empty_data; /* an empty data line: a priming event */
};
struct buf;
void http_write_event(struct buf *buf, const struct http_event *event);

#endif
