/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Model Context Protocol: JSON-RPC in both eras (legacy with initialize, up to 2025-11-25; modern, 2026-07-28), one table of
 * methods with two faces. No I/O here: a transport feeds messages and gets bytes to send.
 *
 * Ownership: a peer belongs to its transport. Threads: mcp_receive from one thread per peer; answers come through send on any thread.
 */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include <stdbool.h>
#include "base/buf.h"
#include "service/service.h"

struct mcp_peer;

/* Sends one complete message (no newline inside). Must not block for long; called under no lock. */
typedef void (*mcp_send_fn)(void *user, const char *message, size_t size);

int mcp_peer_create(struct service *service, mcp_send_fn send, void *user, struct mcp_peer **ret_peer);
/* One JSON-RPC message (or a batch where 2025-03-26 was negotiated). Every failure is answered as the protocol says. */
void mcp_receive(struct mcp_peer *peer, const char *text, size_t size);
/* Cancels running calls and waits at most grace_ms for them; then frees. */
void mcp_peer_destroy(struct mcp_peer *peer, int64_t grace_ms);

/* `sonde mcp`: standard input and output until end of input or a TERM. Exit status. */
int mcp_stdio_run(struct service *service, int in_fd, int out_fd);

#endif
