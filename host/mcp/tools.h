/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tools/list and tools/call over the table of service/args.h.
 *
 * Ownership: tools_call takes the request's document when it returns METHOD_LATER. Threads: the peer's receiving
 * thread; the answer to a call is made on its call thread.
 */
#ifndef MCP_TOOLS_H
#define MCP_TOOLS_H

#include "mcp/methods.h"

/* Both write members of the result, or fail with a code. */
int tools_list(struct request *request, struct buf *buf, struct rpc_error *error);
int tools_call(struct request *request, struct buf *buf, struct rpc_error *error);

#endif
