/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client: its calls in flight, its batches, its locks. The inside of mcp.h, for the files of this folder.
 *
 * Ownership: a peer lives until its transport and its last call let go. Threads: what is marked "locked" belongs to
 * lock, "sending" to send_lock, the rest to the receiving thread. send_lock comes first and is held while send runs;
 * lock never is, so that a transport may cancel while it holds locks that its send needs.
 */
#ifndef MCP_PEER_H
#define MCP_PEER_H

#include <pthread.h>
#include "mcp/era.h"
#include "mcp/mcp.h"
#include "service/args.h"

#define MCP_MAX_CALLS 256 /* running calls of one peer, cancelled ones included */
#define MCP_MAX_CALL_BYTES ((size_t)16 << 20) /* text of their requests together */
#define MCP_MAX_LISTENS 16                    /* open subscriptions of one peer */
#define MCP_MAX_BATCH 100                     /* messages */
#define MCP_MAX_MESSAGE ((size_t)64 << 20)    /* an answer or a batch of answers */
#define MCP_PROGRESS_NS \
    (5 * INT64_C(1000000000)) /* of silence, before a progress notification of our own */
#define MCP_PROGRESS_GAP_NS (10 * INT64_C(1000000)) /* between two that a call makes */

struct mcp_batch {
    struct mcp_channel *channel;
    size_t open;     /* locked: answers still to come, and 1 while it is being read */
    struct buf text; /* locked */
};

/* A call that runs, or a subscription (no tool, no thread). */
struct mcp_call {
    struct mcp_peer *peer;
    struct mcp_channel *channel;
    struct json_object *document; /* the request, owned; the next three point into it */
    struct json_object *id;
    struct json_object *arguments;
    struct json_object *token; /* of progress, or NULL */
    const struct tool_spec *tool;
    struct mcp_batch *batch;
    enum era era;
    size_t size; /* of the request's text */
    char trace_id[33];
    int64_t started_ns;
    int64_t next_progress_ns; /* sending */
    int64_t last_progress_ns; /* sending: of the call's own; 0 none */
    double progress;          /* sending: the last one sent, below 0 none */
    double total;             /* sending: what the call gave; 0 unknown */
    struct call *call;        /* locked: set while service_call runs */
    bool cancelled;           /* locked */
    struct mcp_call *next;    /* locked: of the peer's list */
    struct mcp_call *prev;
};

struct mcp_peer {
    struct service *service;
    struct principal principal;
    mcp_send_fn send;
    void *user;
    const char *negotiated; /* version of the last initialize, or NULL */
    pthread_mutex_t send_lock;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* running went down */
    struct mcp_call
        *calls;     /* locked: what may still answer; at most MCP_MAX_CALLS + MCP_MAX_LISTENS */
    size_t listens; /* locked: how many of them are subscriptions */
    size_t running; /* locked */
    size_t running_bytes; /* locked */
    size_t references;    /* locked: the transport and each call */
    bool closed;          /* sending: send is gone */
};

/* Under send_lock: to the transport. message NULL: no bytes. status 0: 200. */
void peer_send(struct mcp_peer *peer, struct mcp_channel *channel, enum mcp_kind kind, int status,
               const struct buf *message);
/*
 * Under send_lock: the last answer of a batch sends it; a batch without answers (notifications, cancelled calls) ends
 * its channel with nothing.
 */
void peer_leave_batch(struct mcp_peer *peer, struct mcp_batch *batch);
/* Ends a channel without an answer; of a batch: does nothing. */
void peer_answer_nothing(struct mcp_peer *peer, struct mcp_channel *channel,
                         struct mcp_batch *batch);
/* Ends a channel with a message, or adds it to its batch. status is for HTTP. */
void peer_answer(struct mcp_peer *peer, struct mcp_channel *channel, struct mcp_batch *batch,
                 const struct buf *message, int status);
/*
 * Enters a call in the list and takes it over: 0; RPC_INVALID_REQUEST when its id is in flight already; ERR_BUSY at a
 * bound.
 */
int peer_enter(struct mcp_call *call, struct rpc_error *error);
/* The same for a subscription, whose first message is sent before anybody can end it. */
int peer_listen(struct mcp_call *listen, const struct buf *first, struct rpc_error *error);
/* At the begin of the call's thread: false when it was cancelled meanwhile. */
bool peer_begin(struct mcp_call *call, struct call *thread_call);
/* From its thread: how far it is. Sent where the client gave a token and it is more than was sent before. */
void peer_progress(struct mcp_call *call, double done, double total, const char *message);
/* At its end: sends message (NULL: none) unless cancelled, leaves the list, frees the call. */
void peer_end(struct mcp_call *call, const struct buf *message);
/* Stops the call or subscription with that id; nothing more is sent for it. Unknown ids are ignored. */
void peer_cancel(struct mcp_peer *peer, struct json_object *id);

#endif
