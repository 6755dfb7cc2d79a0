/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/peer.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "mcp/methods.h"

int mcp_peer_create(struct service *service, mcp_send_fn send, void *user,
                    struct mcp_peer **ret_peer)
{
    struct mcp_peer *peer = mem_alloc(sizeof *peer);
    if (!peer)
        return ERR_MEMORY;
    peer->service = service;
    peer->send = send;
    peer->user = user;
    peer->references = 1;
    map_init(&peer->calls, MCP_MAX_CALLS);
    if (pthread_mutex_init(&peer->lock, NULL)) {
        mem_free(peer);
        return ERR_SYSTEM;
    }
    if (cond_init(&peer->changed)) {
        pthread_mutex_destroy(&peer->lock);
        mem_free(peer);
        return ERR_SYSTEM;
    }
    *ret_peer = peer;
    return 0;
}

/* Gives up the lock and one reference. */
static void unlock_and_leave(struct mcp_peer *peer)
{
    size_t left = --peer->references;
    pthread_mutex_unlock(&peer->lock);
    if (left)
        return;
    map_finish(&peer->calls);
    pthread_cond_destroy(&peer->changed);
    pthread_mutex_destroy(&peer->lock);
    mem_free(peer);
}

static void send_locked(struct mcp_peer *peer, const struct buf *message)
{
    if (message->failed)
        log_line(LOG_ERROR, "mcp", "no memory for an answer; it is lost");
    else if (!peer->closed)
        peer->send(peer->user, message->data, message->size);
}

static void answer_locked(struct mcp_peer *peer, struct mcp_batch *batch, const struct buf *message)
{
    if (!batch) {
        send_locked(peer, message);
        return;
    }
    buf_add_char(&batch->text, batch->text.size ? ',' : '[');
    buf_add_n(&batch->text, message->data, message->size);
}

void peer_answer(struct mcp_peer *peer, struct mcp_batch *batch, const struct buf *message)
{
    pthread_mutex_lock(&peer->lock);
    answer_locked(peer, batch, message);
    pthread_mutex_unlock(&peer->lock);
}

/* The last answer of a batch sends it; a batch without answers (notifications, cancelled calls) sends nothing. */
static void leave_batch_locked(struct mcp_peer *peer, struct mcp_batch *batch)
{
    if (!batch || --batch->open)
        return;
    if (batch->text.size) {
        buf_add_char(&batch->text, ']');
        send_locked(peer, &batch->text);
    }
    buf_finish(&batch->text);
    mem_free(batch);
}

static struct mcp_call *find_locked(struct mcp_peer *peer, struct json_object *id, struct buf *key)
{
    buf_json_object(key, id);
    return map_get(&peer->calls, buf_text(key), key->size);
}

int peer_enter(struct mcp_call *call, struct rpc_error *error)
{
    struct mcp_peer *peer = call->peer;
    CLEANUP(buf_finish) struct buf key = BUF(16 * RPC_MAX_ID);
    int r = 0;
    pthread_mutex_lock(&peer->lock);
    if (find_locked(peer, call->id, &key)) {
        r = rpc_fail(error, RPC_INVALID_REQUEST,
                     "id %.64s is in flight already; each request needs its own", buf_text(&key));
    } else if (peer->running >= MCP_MAX_CALLS ||
               call->size > MCP_MAX_CALL_BYTES - peer->running_bytes) {
        rpc_fail(error, ERR_BUSY,
                 "%zu calls of this client are running; wait until one has ended, then ask again",
                 peer->running);
        r = ERR_BUSY;
    } else if (key.failed || map_set(&peer->calls, key.data, key.size, call, NULL)) {
        r = rpc_fail(error, RPC_INTERNAL_ERROR, "no memory for the call; try again later");
    } else {
        peer->running++;
        peer->running_bytes += call->size;
        peer->references++;
        if (call->batch)
            call->batch->open++;
    }
    pthread_mutex_unlock(&peer->lock);
    return r;
}

bool peer_begin(struct mcp_call *call, struct call *thread_call)
{
    pthread_mutex_lock(&call->peer->lock);
    bool go = !call->cancelled;
    if (go)
        call->call = thread_call;
    pthread_mutex_unlock(&call->peer->lock);
    return go;
}

void peer_end(struct mcp_call *call, const struct buf *message)
{
    struct mcp_peer *peer = call->peer;
    CLEANUP(buf_finish) struct buf key = BUF(16 * RPC_MAX_ID);
    pthread_mutex_lock(&peer->lock);
    call->call = NULL;
    if (!call->cancelled) {
        if (find_locked(peer, call->id, &key) == call)
            map_remove(&peer->calls, key.data, key.size);
        if (message)
            answer_locked(peer, call->batch, message);
    }
    leave_batch_locked(peer, call->batch);
    peer->running--;
    peer->running_bytes -= call->size;
    json_object_put(call->document);
    mem_free(call);
    pthread_cond_broadcast(&peer->changed);
    unlock_and_leave(peer);
}

static void cancel_locked(struct mcp_call *call)
{
    call->cancelled = true;
    if (call->call)
        call_cancel(call->call);
}

void peer_cancel(struct mcp_peer *peer, struct json_object *id)
{
    CLEANUP(buf_finish) struct buf key = BUF(16 * RPC_MAX_ID);
    pthread_mutex_lock(&peer->lock);
    struct mcp_call *call = find_locked(peer, id, &key);
    if (call) {
        map_remove(&peer->calls, key.data, key.size);
        cancel_locked(call);
    }
    pthread_mutex_unlock(&peer->lock);
}

/* Takes the document over. */
static void receive_one(struct mcp_peer *peer, struct json_object *document,
                        struct mcp_batch *batch, size_t size)
{
    struct request request = {.peer = peer, .document = document, .batch = batch, .size = size};
    struct rpc_error error = {0};
    bool answerable;
    int r = rpc_read(document, &request.message, &answerable, &error);
    /* A notification is heard in either era: it is never answered, so its envelope decides nothing. */
    if (!r && request.message.kind == RPC_REQUEST)
        r = era_of(&request.message, &request.era, &error);
    if (r && answerable) {
        CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
        rpc_write_error(&buf, request.message.id, &error);
        peer_answer(peer, batch, &buf);
    }
    if (!r && request.message.kind != RPC_RESPONSE)
        methods_run(&request);
    json_object_put(request.document);
}

static void refuse(struct mcp_peer *peer, const struct rpc_error *error)
{
    CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
    rpc_write_error(&buf, NULL, error);
    peer_answer(peer, NULL, &buf);
}

void mcp_refuse(struct mcp_peer *peer, const char *why)
{
    struct rpc_error error;
    rpc_fail(&error, RPC_INVALID_REQUEST, "%s", why);
    refuse(peer, &error);
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
                        " was negotiated; send each message on a line of its own");
    if (!n || n > MCP_MAX_BATCH)
        return rpc_fail(error, RPC_INVALID_REQUEST, "a batch holds 1 to %d messages, not %zu",
                        MCP_MAX_BATCH, n);
    return 0;
}

static void receive_batch(struct mcp_peer *peer, struct json_object *document, size_t size)
{
    struct rpc_error error;
    int r = check_batch(peer, document, &error);
    struct mcp_batch *batch = r ? NULL : mem_alloc(sizeof *batch);
    if (!r && !batch)
        r = rpc_fail(&error, RPC_INTERNAL_ERROR, "no memory for a batch");
    if (r) {
        refuse(peer, &error);
        return;
    }
    *batch = (struct mcp_batch){.open = 1, .text = BUF(MCP_MAX_MESSAGE)};
    size_t n = json_object_array_length(document);
    for (size_t i = 0; i < n; i++) {
        /* Out of the array, so that a call thread shares no reference count with this one. */
        struct json_object *element = json_object_get(json_object_array_get_idx(document, i));
        json_object_array_put_idx(document, i, NULL);
        receive_one(peer, element, batch, size / n);
    }
    pthread_mutex_lock(&peer->lock);
    leave_batch_locked(peer, batch);
    pthread_mutex_unlock(&peer->lock);
}

void mcp_receive(struct mcp_peer *peer, const char *text, size_t size)
{
    struct json_object *document = NULL;
    struct rpc_error error;
    if (rpc_parse(text, size, &document, &error)) {
        refuse(peer, &error);
        return;
    }
    if (json_object_is_type(document, json_type_array)) {
        receive_batch(peer, document, size);
        json_object_put(document);
    } else {
        receive_one(peer, document, NULL, size);
    }
}

static void send_progress_locked(struct mcp_peer *peer, struct mcp_call *call, int64_t now)
{
    int64_t elapsed_s = (now - call->started_ns) / NS_PER_S;
    if (elapsed_s <= call->progress_s)
        return;
    call->progress_s = elapsed_s;
    CLEANUP(buf_finish) struct buf buf = BUF(16 * RPC_MAX_ID + 1024);
    buf_add(&buf, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                  "progress\",\"params\":{\"progressToken\":");
    buf_json_object(&buf, call->token);
    buf_json_key(&buf, "progress");
    buf_json_int(&buf, elapsed_s);
    buf_json_key(&buf, "total");
    buf_json_int(&buf, service_timeout_ns(peer->service) / NS_PER_S);
    buf_json_key(&buf, "message");
    buf_printf(&buf, "\"%s: %lld s\"}}", call->tool->name, (long long)elapsed_s);
    send_locked(peer, &buf);
}

int64_t mcp_peer_tick(struct mcp_peer *peer)
{
    int64_t now = clock_mono_ns();
    int64_t next = INT64_MAX;
    pthread_mutex_lock(&peer->lock);
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&peer->calls, &i));) {
        struct mcp_call *call = entry->value;
        if (!call->token)
            continue;
        if (now >= call->next_progress_ns) {
            send_progress_locked(peer, call, now);
            call->next_progress_ns = now + MCP_PROGRESS_NS;
        }
        if (call->next_progress_ns < next)
            next = call->next_progress_ns;
    }
    pthread_mutex_unlock(&peer->lock);
    return next;
}

static bool wait_idle_locked(struct mcp_peer *peer, int64_t wait_ms)
{
    int64_t deadline = clock_mono_ns() + wait_ms * NS_PER_MS;
    while (peer->running && !cond_wait_until(&peer->changed, &peer->lock, deadline))
        continue;
    return !peer->running;
}

bool mcp_peer_wait_idle(struct mcp_peer *peer, int64_t wait_ms)
{
    pthread_mutex_lock(&peer->lock);
    bool idle = wait_idle_locked(peer, wait_ms);
    pthread_mutex_unlock(&peer->lock);
    return idle;
}

void mcp_peer_destroy(struct mcp_peer *peer, int64_t grace_ms)
{
    pthread_mutex_lock(&peer->lock);
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&peer->calls, &i));)
        cancel_locked(entry->value);
    map_finish(&peer->calls);
    map_init(&peer->calls, MCP_MAX_CALLS);
    if (!wait_idle_locked(peer, grace_ms))
        log_line(LOG_WARN, "mcp", "%zu calls did not end in time; they are left behind",
                 peer->running);
    peer->closed = true;
    unlock_and_leave(peer);
}
