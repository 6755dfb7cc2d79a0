/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/peer.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "mcp/methods.h"

static int init_locks(struct mcp_peer *peer)
{
    if (pthread_mutex_init(&peer->lock, NULL))
        return ERR_SYSTEM;
    if (pthread_mutex_init(&peer->send_lock, NULL)) {
        pthread_mutex_destroy(&peer->lock);
        return ERR_SYSTEM;
    }
    if (cond_init(&peer->changed)) {
        pthread_mutex_destroy(&peer->send_lock);
        pthread_mutex_destroy(&peer->lock);
        return ERR_SYSTEM;
    }
    return 0;
}

int mcp_peer_create(struct service *service, const struct principal *principal, mcp_send_fn send,
                    void *user, struct mcp_peer **ret_peer)
{
    struct mcp_peer *peer = mem_alloc(sizeof *peer);
    if (!peer)
        return ERR_MEMORY;
    peer->service = service;
    peer->principal = *principal;
    peer->send = send;
    peer->user = user;
    peer->references = 1;
    if (init_locks(peer)) {
        mem_free(peer);
        return ERR_SYSTEM;
    }
    *ret_peer = peer;
    return 0;
}

const char *mcp_peer_version(const struct mcp_peer *peer)
{
    return peer->negotiated;
}

void mcp_peer_ref(struct mcp_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    peer->references++;
    pthread_mutex_unlock(&peer->lock);
}

/* Gives up the lock and one reference. */
static void unlock_and_leave(struct mcp_peer *peer)
{
    size_t left = --peer->references;
    pthread_mutex_unlock(&peer->lock);
    if (left)
        return;
    pthread_cond_destroy(&peer->changed);
    pthread_mutex_destroy(&peer->send_lock);
    pthread_mutex_destroy(&peer->lock);
    mem_free(peer);
}

void mcp_peer_release(struct mcp_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    unlock_and_leave(peer);
}

void peer_send(struct mcp_peer *peer, struct mcp_channel *channel, enum mcp_kind kind, int status,
               const struct buf *message)
{
    if (peer->closed)
        return;
    if (message && message->failed) {
        log_line(LOG_ERROR, "mcp", "no memory for an answer; it is lost");
        if (kind == MCP_NOTIFICATION)
            return;
        kind = MCP_NOTHING;
        message = NULL;
    }
    struct mcp_out out = {.channel = channel, .kind = kind, .status = status ? status : 200};
    if (message) {
        out.text = buf_text(message);
        out.size = message->size;
    }
    peer->send(peer->user, &out);
}

void peer_leave_batch(struct mcp_peer *peer, struct mcp_batch *batch)
{
    pthread_mutex_lock(&peer->lock);
    bool last = !--batch->open;
    pthread_mutex_unlock(&peer->lock);
    if (!last)
        return;
    if (batch->text.size) {
        buf_add_char(&batch->text, ']');
        peer_send(peer, batch->channel, MCP_ANSWER, 0, &batch->text);
    } else {
        peer_send(peer, batch->channel, MCP_NOTHING, 0, NULL);
    }
    buf_finish(&batch->text);
    mem_free(batch);
}

static void add_to_batch(struct mcp_peer *peer, struct mcp_batch *batch, const struct buf *message)
{
    pthread_mutex_lock(&peer->lock);
    buf_add_char(&batch->text, batch->text.size ? ',' : '[');
    buf_add_n(&batch->text, message->data, message->size);
    pthread_mutex_unlock(&peer->lock);
}

void peer_answer(struct mcp_peer *peer, struct mcp_channel *channel, struct mcp_batch *batch,
                 const struct buf *message, int status)
{
    if (batch) {
        add_to_batch(peer, batch, message);
        return;
    }
    pthread_mutex_lock(&peer->send_lock);
    peer_send(peer, channel, MCP_ANSWER, status, message);
    pthread_mutex_unlock(&peer->send_lock);
}

void peer_answer_nothing(struct mcp_peer *peer, struct mcp_channel *channel,
                         struct mcp_batch *batch)
{
    if (batch)
        return;
    pthread_mutex_lock(&peer->send_lock);
    peer_send(peer, channel, MCP_NOTHING, 0, NULL);
    pthread_mutex_unlock(&peer->send_lock);
}

/* A list, no map: one client has a few calls in flight, and entering one must cost nothing. */
static struct mcp_call *find_locked(struct mcp_peer *peer, struct json_object *id)
{
    for (struct mcp_call *call = peer->calls; call; call = call->next)
        if (json_object_get_type(call->id) == json_object_get_type(id) &&
            json_object_equal(call->id, id))
            return call;
    return NULL;
}

static void link_locked(struct mcp_call *call)
{
    struct mcp_peer *peer = call->peer;
    call->next = peer->calls;
    if (call->next)
        call->next->prev = call;
    peer->calls = call;
    peer->references++;
}

static void unlink_locked(struct mcp_call *call)
{
    struct mcp_peer *peer = call->peer;
    if (call->prev)
        call->prev->next = call->next;
    else
        peer->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->next = call->prev = NULL;
    peer->listens -= !call->tool;
}

static int refuse_twin(const struct mcp_call *call, struct rpc_error *error)
{
    CLEANUP(buf_finish) struct buf key = BUF(16 * RPC_MAX_ID);
    buf_json_object(&key, call->id);
    rpc_fail(error, RPC_INVALID_REQUEST,
             "id %.64s is in flight already; each request needs its own", buf_text(&key));
    error->status = 400;
    return error->code;
}

int peer_enter(struct mcp_call *call, struct rpc_error *error)
{
    struct mcp_peer *peer = call->peer;
    int r = 0;
    pthread_mutex_lock(&peer->lock);
    if (find_locked(peer, call->id)) {
        r = refuse_twin(call, error);
    } else if (peer->running >= MCP_MAX_CALLS ||
               call->size > MCP_MAX_CALL_BYTES - peer->running_bytes) {
        rpc_fail(error, ERR_BUSY,
                 "%zu calls of this client are running; wait until one has ended, then ask again",
                 peer->running);
        r = ERR_BUSY;
    } else {
        link_locked(call);
        peer->running++;
        peer->running_bytes += call->size;
        if (call->batch)
            call->batch->open++;
    }
    pthread_mutex_unlock(&peer->lock);
    return r;
}

int peer_listen(struct mcp_call *listen, const struct buf *first, struct rpc_error *error)
{
    struct mcp_peer *peer = listen->peer;
    int r = 0;
    pthread_mutex_lock(&peer->send_lock);
    pthread_mutex_lock(&peer->lock);
    if (find_locked(peer, listen->id)) {
        r = refuse_twin(listen, error);
    } else if (peer->listens >= MCP_MAX_LISTENS) {
        r = ERR_BUSY;
        rpc_fail(error, r,
                 "%d subscriptions are open already; end one with notifications/cancelled",
                 MCP_MAX_LISTENS);
    } else {
        link_locked(listen);
        peer->listens++;
    }
    pthread_mutex_unlock(&peer->lock);
    if (!r)
        peer_send(peer, listen->channel, MCP_NOTIFICATION, 0, first);
    pthread_mutex_unlock(&peer->send_lock);
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

/* Frees a call that was taken out of the list; running: its thread counted. */
static void free_call(struct mcp_call *call, bool running)
{
    struct mcp_peer *peer = call->peer;
    pthread_mutex_lock(&peer->lock);
    if (running) {
        peer->running--;
        peer->running_bytes -= call->size;
        pthread_cond_broadcast(&peer->changed);
    }
    json_object_put(call->document);
    mem_free(call);
    unlock_and_leave(peer);
}

void peer_end(struct mcp_call *call, const struct buf *message)
{
    struct mcp_peer *peer = call->peer;
    pthread_mutex_lock(&peer->send_lock);
    pthread_mutex_lock(&peer->lock);
    call->call = NULL;
    if (call->cancelled)
        message = NULL;
    else
        unlink_locked(call);
    pthread_mutex_unlock(&peer->lock);
    if (!call->batch) {
        peer_send(peer, call->channel, message ? MCP_ANSWER : MCP_NOTHING, 0, message);
    } else {
        if (message)
            add_to_batch(peer, call->batch, message);
        peer_leave_batch(peer, call->batch);
    }
    pthread_mutex_unlock(&peer->send_lock);
    free_call(call, true);
}

/* Takes it out of the list; a thread that works for it hears of it. */
static void cancel_locked(struct mcp_call *call)
{
    unlink_locked(call);
    call->cancelled = true;
    if (call->call)
        call_cancel(call->call);
}

void peer_cancel(struct mcp_peer *peer, struct json_object *id)
{
    /* With send_lock, so that an answer on its way is sent before, or not at all. */
    pthread_mutex_lock(&peer->send_lock);
    pthread_mutex_lock(&peer->lock);
    struct mcp_call *call = find_locked(peer, id);
    bool listens = call && !call->tool;
    if (call)
        cancel_locked(call);
    pthread_mutex_unlock(&peer->lock);
    if (listens)
        peer_send(peer, call->channel, MCP_NOTHING, 0, NULL);
    pthread_mutex_unlock(&peer->send_lock);
    if (listens)
        free_call(call, false);
}

void mcp_peer_cancel_all(struct mcp_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    for (struct mcp_call *call = peer->calls, *next; call; call = next) {
        next = call->next;
        if (call->tool)
            cancel_locked(call);
    }
    pthread_mutex_unlock(&peer->lock);
}

/* The first subscription, out of the list; NULL when there is none. */
static struct mcp_call *take_listen(struct mcp_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    struct mcp_call *call = peer->calls;
    while (call && call->tool)
        call = call->next;
    if (call)
        unlink_locked(call);
    pthread_mutex_unlock(&peer->lock);
    return call;
}

void mcp_peer_end_listens(struct mcp_peer *peer)
{
    mcp_peer_ref(peer);
    struct mcp_call *call;
    while ((call = take_listen(peer))) {
        CLEANUP(buf_finish) struct buf buf = BUF(MCP_MAX_MESSAGE);
        rpc_begin_result(&buf, call->id);
        methods_finish_result(&buf, ERA_MODERN, call->id);
        pthread_mutex_lock(&peer->send_lock);
        peer_send(peer, call->channel, MCP_ANSWER, 0, &buf);
        pthread_mutex_unlock(&peer->send_lock);
        free_call(call, false);
    }
    mcp_peer_release(peer);
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
    mcp_peer_cancel_all(peer);
    mcp_peer_wait_idle(peer, grace_ms);
    pthread_mutex_lock(&peer->send_lock);
    peer->closed = true;
    pthread_mutex_unlock(&peer->send_lock);
    mcp_peer_end_listens(peer);
    pthread_mutex_lock(&peer->lock);
    if (peer->running)
        log_line(LOG_WARN, "mcp", "%zu calls did not end in time; they are left behind",
                 peer->running);
    unlock_and_leave(peer);
}
