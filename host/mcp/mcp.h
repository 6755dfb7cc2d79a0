/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Model Context Protocol: JSON-RPC in both eras (legacy with initialize, up to 2025-11-25; modern, 2026-07-28), one
 * table of methods with two faces. No I/O here but in mcp_stdio_run: a transport feeds messages and gets bytes to send.
 *
 * Ownership: a peer belongs to its transport. Threads: mcp_receive, mcp_refuse and mcp_peer_tick from one thread per
 * peer; answers come through send on any thread.
 */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include <stdbool.h>
#include "base/buf.h"
#include "service/service.h"

struct mcp_peer;

/*
 * Takes one complete message (UTF-8 JSON). Called with the peer's lock held, so that what belongs to one call keeps its
 * order: it must only queue, never block and never call back into the peer.
 */
typedef void (*mcp_send_fn)(void *user, const char *message, size_t size);

/* 0, ERR_MEMORY or ERR_SYSTEM. */
int mcp_peer_create(struct service *service, mcp_send_fn send, void *user,
                    struct mcp_peer **ret_peer);
/* One JSON-RPC message (or a batch where 2025-03-26 was negotiated). Every failure is answered as the protocol says. */
void mcp_receive(struct mcp_peer *peer, const char *text, size_t size);
/* Answers a message the transport would not read: -32600, id null, with the reason. */
void mcp_refuse(struct mcp_peer *peer, const char *why);
/* Sends what progress is due and returns when (clock_mono_ns) it wants to be called again; INT64_MAX: no wish. */
int64_t mcp_peer_tick(struct mcp_peer *peer);
/* Waits at most wait_ms until no call runs; true when none does. */
bool mcp_peer_wait_idle(struct mcp_peer *peer, int64_t wait_ms);
/* Cancels running calls and waits at most grace_ms for them; send is not called any more; then frees. */
void mcp_peer_destroy(struct mcp_peer *peer, int64_t grace_ms);

/*
 * `sonde mcp`: one message a line, until end of input, TERM or INT (0), or a failure to read or write (1). Ends within
 * 0.6 s: running calls get 0.25 s to finish after end of input (none after a signal) before they are cancelled.
 */
int mcp_stdio_run(struct service *service, int in_fd, int out_fd);

#endif
