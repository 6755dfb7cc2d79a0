/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Model Context Protocol: JSON-RPC in both eras (legacy with initialize, up to 2025-11-25; modern, 2026-07-28), one
 * table of methods with two faces. No I/O here but in mcp_stdio_run: a transport feeds messages, each with the channel
 * its answer goes to, and gets bytes to send. A peer is one stdio process, one legacy HTTP session or one modern POST.
 *
 * Ownership: a peer belongs to its transport, a channel too: it must stay until it got MCP_ANSWER or MCP_NOTHING.
 * Threads: mcp_receive, mcp_refuse and mcp_peer_version from one thread per peer; the rest from any; answers come
 * through send on any thread.
 */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include <stdbool.h>
#include "base/buf.h"
#include "service/service.h"

struct mcp_peer;
struct mcp_headers;

/* Where the answer to one message goes; the first member of what a transport keeps for it. */
struct mcp_channel {
    const char *request_id; /* for log lines, valid until the answer; "" on stdio */
    /* Of a modern POST: the message must be of the modern era and agree with them. NULL: no headers to look at. */
    const struct mcp_headers *headers;
    bool tell_waiting; /* the transport wants MCP_WAITING, once */
    bool streams;      /* set before the first output: notifications may come before the answer */
    bool listens;      /* set likewise: a subscription; it ends by mcp_peer_end_listens */
};

enum mcp_kind {
    MCP_NOTIFICATION, /* comes before the answer, on the same channel */
    MCP_WAITING,      /* no bytes: the call runs for a while already */
    MCP_ANSWER,       /* the last of its channel */
    MCP_NOTHING       /* the last of its channel: a notification, or a call that was cancelled */
};

struct mcp_out {
    struct mcp_channel *channel;
    enum mcp_kind kind;
    int status; /* of an answer over HTTP: 200, or 400 or 404 where a gate refused the message */
    const char *text;
    size_t size;
};

/*
 * Takes one complete message (UTF-8 JSON). One at a time for a peer. It must not block and never call back into the
 * peer, but for mcp_peer_ref, mcp_peer_release and mcp_peer_version.
 */
typedef void (*mcp_send_fn)(void *user, const struct mcp_out *out);

/* 0, ERR_MEMORY or ERR_SYSTEM. */
int mcp_peer_create(struct service *service, const struct principal *principal, mcp_send_fn send,
                    void *user, struct mcp_peer **ret_peer);
/*
 * One JSON-RPC message (or a batch where 2025-03-26 was negotiated). Every failure is answered as the protocol says;
 * each channel gets exactly one MCP_ANSWER or MCP_NOTHING, possibly before this returns.
 */
void mcp_receive(struct mcp_peer *peer, struct mcp_channel *channel, const char *text, size_t size);
/* The same for a message that was read already (rpc_parse); takes the document over. size: of its text. */
void mcp_receive_document(struct mcp_peer *peer, struct mcp_channel *channel,
                          struct json_object *document, size_t size);
/* Answers a message the transport would not read: -32600, id null, with the reason. */
void mcp_refuse(struct mcp_peer *peer, struct mcp_channel *channel, const char *why);
/* The version the last initialize settled on; NULL before. Static. */
const char *mcp_peer_version(const struct mcp_peer *peer);
/* Sends what progress is due and returns when (clock_mono_ns) it wants to be called again; INT64_MAX: no wish. */
int64_t mcp_peer_tick(struct mcp_peer *peer);
/* Waits at most wait_ms until no call runs; true when none does. */
bool mcp_peer_wait_idle(struct mcp_peer *peer, int64_t wait_ms);
/* Cancels all calls that run now; their channels get MCP_NOTHING as they end. Never calls send, takes no lock that is held while it runs. */
void mcp_peer_cancel_all(struct mcp_peer *peer);
/* Ends subscriptions with their result. */
void mcp_peer_end_listens(struct mcp_peer *peer);
/* Further references: the peer lives until the last one and the last call are gone. */
void mcp_peer_ref(struct mcp_peer *peer);
void mcp_peer_release(struct mcp_peer *peer);
/* Cancels running calls and waits at most grace_ms for them; send is not called any more; then lets go. */
void mcp_peer_destroy(struct mcp_peer *peer, int64_t grace_ms);

/*
 * `sonde mcp`: one message a line, until end of input, TERM or INT (0), or a failure to read or write (1). Ends within
 * 0.6 s: running calls get 0.25 s to finish after end of input (none after a signal) before they are cancelled.
 */
int mcp_stdio_run(struct service *service, int in_fd, int out_fd);

#endif
