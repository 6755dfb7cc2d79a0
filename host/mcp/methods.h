/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of methods. A method has a legacy face, a modern one, or both; the envelope of its result is written
 * here.
 *
 * Ownership: a request owns its document until a method takes it. Threads: the peer's receiving thread, but for
 * methods_finish_result.
 */
#ifndef MCP_METHODS_H
#define MCP_METHODS_H

#include "mcp/peer.h"

struct request {
    struct mcp_peer *peer;
    struct mcp_channel *channel;
    struct json_object *document; /* NULL once taken */
    struct rpc_message message;   /* points into it */
    struct mcp_batch *batch;
    enum era era;
    size_t size; /* of the text it came in */
};

/* A method's result other than 0 (members of the result were written) and an error's code. */
#define METHOD_LATER 1 /* the answer comes from another thread */

/* Runs a request or notification; answers a request unless it is answered later. */
void methods_run(struct request *request);
/*
 * What follows a result's members: what the era wants in every result, and the closing braces. subscription: id of the
 * subscription it ends, else NULL.
 */
void methods_finish_result(struct buf *buf, enum era era, struct json_object *subscription);

#endif
