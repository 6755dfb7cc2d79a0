/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of MCP over HTTP: what a client accepts and sends, and whether the headers of a modern request say the
 * same as its body, so that whoever routes by them cannot be misled.
 *
 * Ownership: points into the request. Threads: pure functions.
 */
#ifndef MCP_HEADERS_H
#define MCP_HEADERS_H

#include "mcp/jsonrpc.h"
#include "service/args.h"

/* Of one request, as they came; NULL where absent. */
struct mcp_headers {
    const char *version;  /* MCP-Protocol-Version */
    const char *method;   /* Mcp-Method */
    const char *name;     /* Mcp-Name */
    const char *repeated; /* one of them that came more than once, or NULL */
    /* Of any other header: its value, NULL where absent. */
    const char *(*find)(void *user, const char *header);
    void *user;
};

/* Whether an Accept header lets in that media type; NULL lets in nothing: MCP wants it said. */
bool header_accepts(const char *accept, const char *type);
/* Whether a Content-Type is that media type, whatever its parameters. */
bool header_is_type(const char *content_type, const char *type);
/*
 * What a value means: =?base64?...?= is decoded, anything else is itself. Appends to out. 0, or ERR_INVALID for base64
 * that is none.
 */
int header_decode(const char *value, struct buf *out);

/* 0, or a code: the version in _meta is missing (RPC_INVALID_PARAMS) or not the header's (RPC_HEADER_MISMATCH). */
int headers_agree_version(const struct mcp_headers *headers, const struct rpc_message *message,
                          struct rpc_error *error);
/* The method, and the member of params that Mcp-Name repeats (NULL: none). 0 or RPC_HEADER_MISMATCH. */
int headers_agree(const struct mcp_headers *headers, const struct rpc_message *message,
                  const char *named_by, struct rpc_error *error);

/*
 * The arguments that are repeated in headers Mcp-Param-NAME, for those of the tool that want it: numbers count by value,
 * an argument that is absent or null has no header. 0 or RPC_HEADER_MISMATCH.
 */
int headers_agree_arguments(const struct mcp_headers *headers, const struct tool_spec *tool,
                            struct json_object *arguments, struct rpc_error *error);

#endif
