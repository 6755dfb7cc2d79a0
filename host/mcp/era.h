/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which protocol era a message belongs to: its own _meta decides, never the connection. Legacy: initialize,
 * revisions up to 2025-11-25. Modern: 2026-07-28, an envelope in each request.
 *
 * Ownership: static strings. Threads: pure functions.
 */
#ifndef MCP_ERA_H
#define MCP_ERA_H

#include "mcp/jsonrpc.h"

enum era { ERA_LEGACY, ERA_MODERN };

#define ERA_MODERN_VERSION "2026-07-28"
#define ERA_BATCH_VERSION "2025-03-26" /* the only revision with batches */

/* Member names of the envelope. */
#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_CLIENT_INFO "io.modelcontextprotocol/clientInfo"
#define META_SERVER_INFO "io.modelcontextprotocol/serverInfo"
#define META_SESSION "sonde/session" /* ours: what history groups a client's calls by */
#define META_SUBSCRIPTION "io.modelcontextprotocol/subscriptionId"

/*
 * 0 and the era; else the error's code: RPC_INVALID_PARAMS for a malformed envelope (data names the key),
 * RPC_UNSUPPORTED_VERSION with data.supported and data.requested.
 */
int era_of(const struct rpc_message *message, enum era *ret_era, struct rpc_error *error);
/* Sets RPC_INVALID_PARAMS: that key of _meta is missing or wrong. data names it. Returns the code. */
int era_bad_envelope(struct rpc_error *error, const char *key, const char *must);
/* True when its params carry an envelope, or a part of one, of another version than a legacy one. */
bool era_looks_modern(struct json_object *document);
/* True when any element of a batch carries an envelope: modern messages are never batched. */
bool era_batch_is_modern(struct json_object *batch);
/* True for a revision with initialize that is served here. */
bool era_is_legacy_version(const char *version);
/* What initialize answers to a requested version: itself where supported, else the newest legacy one; static. */
const char *era_negotiate(const char *requested);

#endif
