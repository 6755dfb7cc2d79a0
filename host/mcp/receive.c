/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "base/mem.h"
#include "mcp/headers.h"
#include "mcp/methods.h"
#include "mcp/peer.h"

/* What may be received: HTTP looks at the headers first, then at the envelope. */
static int find_era(struct request *request, struct rpc_error *error)
{
    int r = 0;
    if (request->channel->headers)
        r = headers_agree_version(request->channel->headers, &request->message, error);
    if (!r)
        r = era_of(&request->message, &request->era, error);
    if (r)
        error->status = 400;
    return r;
}

/* Takes the document over. */
static void receive_one(struct mcp_peer *peer, struct mcp_channel *channel,
                        struct json_object *document, struct mcp_batch *batch, size_t size)
{
    struct request request = {
        .peer = peer, .channel = channel, .document = document, .batch = batch, .size = size};
    struct rpc_error error = {0};
    bool answerable;
    int r = rpc_read(document, &request.message, &answerable, &error);
    /* A notification is heard in either era: it is never answered, so its envelope decides nothing. */
    if (!r && request.message.kind == RPC_REQUEST)
        r = find_era(&request, &error);
    if (r && answerable) {
        CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
        rpc_write_error(&buf, request.message.id, &error);
        peer_answer(peer, channel, batch, &buf, error.status ? error.status : 400);
    } else if (r || request.message.kind == RPC_RESPONSE) {
        peer_answer_nothing(peer, channel, batch);
    } else {
        methods_run(&request);
        if (request.message.kind == RPC_NOTIFICATION)
            peer_answer_nothing(peer, channel, batch);
    }
    json_object_put(request.document);
}

static void refuse(struct mcp_peer *peer, struct mcp_channel *channel,
                   const struct rpc_error *error)
{
    CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
    rpc_write_error(&buf, NULL, error);
    peer_answer(peer, channel, NULL, &buf, 400);
}

void mcp_refuse(struct mcp_peer *peer, struct mcp_channel *channel, const char *why)
{
    struct rpc_error error;
    rpc_fail(&error, RPC_INVALID_REQUEST, "%s", why);
    refuse(peer, channel, &error);
}

static int check_batch(struct mcp_peer *peer, struct json_object *document, struct rpc_error *error)
{
    size_t n = json_object_array_length(document);
    if (era_batch_is_modern(document))
        return rpc_fail(error, RPC_INVALID_REQUEST,
                        "requests of " ERA_MODERN_VERSION " cannot be sent as a batch");
    if (!peer->negotiated || peer->negotiated != era_negotiate(ERA_BATCH_VERSION))
        return rpc_fail(error, RPC_INVALID_REQUEST,
                        "batches exist only where " ERA_BATCH_VERSION
                        " was negotiated; send each message on its own");
    if (!n || n > MCP_MAX_BATCH)
        return rpc_fail(error, RPC_INVALID_REQUEST, "a batch holds 1 to %d messages, not %zu",
                        MCP_MAX_BATCH, n);
    return 0;
}

static void receive_batch(struct mcp_peer *peer, struct mcp_channel *channel,
                          struct json_object *document, size_t size)
{
    struct rpc_error error;
    int r = check_batch(peer, document, &error);
    struct mcp_batch *batch = r ? NULL : mem_alloc(sizeof *batch);
    if (!r && !batch)
        r = rpc_fail(&error, RPC_INTERNAL_ERROR, "no memory for a batch");
    if (r) {
        refuse(peer, channel, &error);
        return;
    }
    *batch = (struct mcp_batch){.channel = channel, .open = 1, .text = BUF(MCP_MAX_MESSAGE)};
    size_t n = json_object_array_length(document);
    for (size_t i = 0; i < n; i++) {
        /* Out of the array, so that a call thread shares no reference count with this one. */
        struct json_object *element = json_object_get(json_object_array_get_idx(document, i));
        json_object_array_put_idx(document, i, NULL);
        receive_one(peer, channel, element, batch, size / n);
    }
    pthread_mutex_lock(&peer->send_lock);
    peer_leave_batch(peer, batch);
    pthread_mutex_unlock(&peer->send_lock);
}

void mcp_receive_document(struct mcp_peer *peer, struct mcp_channel *channel,
                          struct json_object *document, size_t size)
{
    if (json_object_is_type(document, json_type_array)) {
        receive_batch(peer, channel, document, size);
        json_object_put(document);
    } else {
        receive_one(peer, channel, document, NULL, size);
    }
}

void mcp_receive(struct mcp_peer *peer, struct mcp_channel *channel, const char *text, size_t size)
{
    struct json_object *document = NULL;
    struct rpc_error error;
    if (rpc_parse(text, size, &document, &error))
        refuse(peer, channel, &error);
    else
        mcp_receive_document(peer, channel, document, size);
}
