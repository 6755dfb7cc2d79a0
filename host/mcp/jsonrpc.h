/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 2.0 as MCP uses it: reading messages strictly, writing answers. Pure: no state, no I/O.
 *
 * Ownership: a rpc_message points into the document it was read from. Threads: pure functions.
 */
#ifndef MCP_JSONRPC_H
#define MCP_JSONRPC_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/json.h"

#define RPC_PARSE_ERROR (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS (-32602)
#define RPC_INTERNAL_ERROR (-32603)
/* MCP 2026-07-28: a header is missing or differs from the body; the version in _meta is none of ours. */
#define RPC_HEADER_MISMATCH (-32020)
#define RPC_UNSUPPORTED_VERSION (-32022)

/*
 * Bounds of one message. Values count because a document takes a hundred times the memory of its text
 * when that is all brackets.
 */
#define RPC_MAX_DEPTH 64
#define RPC_MAX_VALUES 20000
#define RPC_MAX_ID 512 /* bytes of an id or a progress token */

enum rpc_kind { RPC_REQUEST, RPC_NOTIFICATION, RPC_RESPONSE };

struct rpc_message {
    enum rpc_kind kind;
    struct json_object *id;     /* string or integer; NULL for a notification */
    const char *method;         /* NULL for a response */
    struct json_object *params; /* an object, or NULL where left out */
};

struct rpc_error {
    int code;
    int status; /* of the answer over HTTP; 0: 200 */
    char text[1600];
    char data[2048]; /* JSON, or "" for none */
};

/* Sets code and text, data and status none, and returns code. */
int rpc_fail(struct rpc_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Gives the error data; a failed buffer or one that is too large gives none. */
void rpc_set_data(struct rpc_error *error, const struct buf *json);
/* The text of one message to a document. 0, RPC_PARSE_ERROR or RPC_INVALID_REQUEST (a bound). */
int rpc_parse(const char *text, size_t size, struct json_object **ret_document,
              struct rpc_error *error);
/*
 * Checks the shape of one message (not a batch). 0, or the error's code with ret_message->id set where a
 * valid one could be read, so that the error can be answered to it. ret_answerable: false when it was a
 * notification, which is never answered.
 */
int rpc_read(struct json_object *document, struct rpc_message *ret_message, bool *ret_answerable,
             struct rpc_error *error);
/* True for a string or an integer of at most RPC_MAX_ID bytes: an id or a progress token. */
bool rpc_id_valid(struct json_object *id);

/* {"jsonrpc":"2.0","id":ID,"result":{ - the members and the two closing braces are the caller's. */
void rpc_begin_result(struct buf *buf, struct json_object *id);
/* A whole error answer; id NULL is written as null. */
void rpc_write_error(struct buf *buf, struct json_object *id, const struct rpc_error *error);

#endif
