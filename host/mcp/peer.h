/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client: its calls in flight, its batches, its lock. The inside of mcp.h, for the files of this folder.
 *
 * Ownership: a peer lives until its transport and its last call let go. Threads: what is marked "locked" belongs to
 * the lock, the rest to the receiving thread.
 */
#ifndef MCP_PEER_H
#define MCP_PEER_H

#include <pthread.h>
#include "base/map.h"
#include "mcp/era.h"
#include "mcp/mcp.h"
#include "service/args.h"

#define MCP_MAX_CALLS 256 /* running calls of one peer, cancelled ones included */
#define MCP_MAX_CALL_BYTES ((size_t)16 << 20)     /* text of their requests together */
#define MCP_MAX_BATCH 100                         /* messages */
#define MCP_MAX_MESSAGE ((size_t)64 << 20)        /* an answer or a batch of answers */
#define MCP_PROGRESS_NS (5 * INT64_C(1000000000)) /* between two progress notifications */

struct mcp_batch {
    size_t open;     /* locked: answers still to come, and 1 while it is being read */
    struct buf text; /* locked */
};

struct mcp_call {
    struct mcp_peer *peer;
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
    int64_t next_progress_ns; /* locked */
    int64_t progress_s;       /* locked: the last one sent */
    struct call *call;        /* locked: set while service_call runs */
    bool cancelled;           /* locked */
};

struct mcp_peer {
    struct service *service;
    mcp_send_fn send;
    void *user;
    const char *negotiated; /* version of the last initialize, or NULL */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* running went down */
    struct map calls;       /* locked: id as JSON -> mcp_call that may still answer */
    size_t running;         /* locked */
    size_t running_bytes;   /* locked */
    size_t references;      /* locked: the transport and each running call */
    bool closed;            /* locked: send is gone */
};

/* Sends a message, or adds it to its batch. */
void peer_answer(struct mcp_peer *peer, struct mcp_batch *batch, const struct buf *message);
/*
 * Enters a call in the table and takes it over: 0; RPC_INVALID_REQUEST when its id is in flight already; ERR_BUSY at a
 * bound; ERR_MEMORY.
 */
int peer_enter(struct mcp_call *call, struct rpc_error *error);
/* At the begin of the call's thread: false when it was cancelled meanwhile. */
bool peer_begin(struct mcp_call *call, struct call *thread_call);
/* At its end: sends message (NULL: none) unless cancelled, leaves the table, frees the call. */
void peer_end(struct mcp_call *call, const struct buf *message);
/* Stops the call with that id; nothing more is sent for it. Unknown ids are ignored. */
void peer_cancel(struct mcp_peer *peer, struct json_object *id);

#endif
