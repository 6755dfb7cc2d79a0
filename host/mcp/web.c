/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/web.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "mcp/peer.h"

static void list_add(struct exchange_list *list, struct exchange *exchange)
{
    exchange->prev = list->last;
    exchange->next = NULL;
    if (list->last)
        list->last->next = exchange;
    else
        list->first = exchange;
    list->last = exchange;
    list->count++;
}

static void list_remove(struct exchange_list *list, struct exchange *exchange)
{
    if (exchange->prev)
        exchange->prev->next = exchange->next;
    else
        list->first = exchange->next;
    if (exchange->next)
        exchange->next->prev = exchange->prev;
    else
        list->last = exchange->prev;
    list->count--;
}

void web_wake_locked(struct mcp_http *mcp, int64_t when_ns)
{
    if (when_ns >= mcp->wake_ns)
        return;
    mcp->wake_ns = when_ns;
    pthread_cond_signal(&mcp->work);
}

struct exchange *exchange_create(struct mcp_http *mcp, struct http_request *request)
{
    struct exchange *exchange = mem_alloc(sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->mcp = mcp;
    exchange->request = request;
    exchange->channel.request_id = http_request_id(request);
    return exchange;
}

void exchange_move_locked(struct exchange *exchange, enum exchange_kind kind)
{
    list_remove(&exchange->mcp->lists[exchange->kind], exchange);
    exchange->kind = kind;
    list_add(&exchange->mcp->lists[kind], exchange);
}

void exchange_leave_locked(struct exchange *exchange)
{
    if (exchange->kind == EXCHANGE_LEAVING)
        return;
    if (exchange->kind == EXCHANGE_GET)
        exchange->session->streams--;
    exchange_move_locked(exchange, EXCHANGE_LEAVING);
    web_wake_locked(exchange->mcp, 0);
}

void exchange_enter(struct exchange *exchange, enum exchange_kind kind)
{
    struct mcp_http *mcp = exchange->mcp;
    int64_t due_ns = clock_mono_ns() + WEB_TICK_NS;
    pthread_mutex_lock(&mcp->lock);
    exchange->kind = kind;
    list_add(&mcp->lists[kind], exchange);
    if (kind == EXCHANGE_POST) {
        mcp->begun++;
        exchange->due_ns = due_ns;
        web_wake_locked(mcp, due_ns);
    } else if (atomic_load(&mcp->draining) || atomic_load(&exchange->gone)) {
        exchange_leave_locked(exchange);
    }
    pthread_mutex_unlock(&mcp->lock);
}

void exchange_discard(struct exchange *exchange)
{
    struct mcp_http *mcp = exchange->mcp;
    if (exchange->session) {
        pthread_mutex_lock(&mcp->lock);
        struct session *last = session_leave_locked(mcp, exchange->session);
        pthread_mutex_unlock(&mcp->lock);
        session_free(last);
    }
    mem_free(exchange);
}

void exchange_end(struct exchange *exchange)
{
    struct mcp_http *mcp = exchange->mcp;
    struct session *last = NULL;
    pthread_mutex_lock(&mcp->lock);
    list_remove(&mcp->lists[exchange->kind], exchange);
    if (exchange->session)
        last = session_leave_locked(mcp, exchange->session);
    pthread_cond_signal(&mcp->ended);
    pthread_mutex_unlock(&mcp->lock);
    session_free(last);
    mem_free(exchange);
}

static void begin_stream(struct exchange *exchange)
{
    if (!exchange->streaming)
        http_stream_begin(exchange->request);
    exchange->streaming = true;
}

/* A reader that has gone is seen by http_on_gone, so a failure needs nothing here. */
static void send_event(struct exchange *exchange, const struct http_event *event)
{
    CLEANUP(buf_finish) struct buf buf = BUF(2 * MCP_MAX_MESSAGE);
    http_write_event(&buf, event);
    if (buf.failed)
        log_line(LOG_ERROR, "mcp", "no memory for an event; it is lost");
    else
        http_stream_send(exchange->request, buf.data, buf.size);
}

static void send_message(struct exchange *exchange, const struct mcp_out *out)
{
    begin_stream(exchange);
    send_event(exchange, &(struct http_event){.data = out->text, .data_size = out->size});
}

/* A subscription's first message is out: from here on it is nobody's call. */
static void become_listen(struct exchange *exchange)
{
    struct mcp_http *mcp = exchange->mcp;
    pthread_mutex_lock(&mcp->lock);
    if (exchange->kind == EXCHANGE_POST) {
        exchange_move_locked(exchange, EXCHANGE_LISTEN);
        if (atomic_load(&mcp->draining))
            exchange_leave_locked(exchange);
    }
    pthread_mutex_unlock(&mcp->lock);
}

static void send_answer(struct exchange *exchange, const struct mcp_out *out)
{
    if (exchange->streaming || (exchange->channel.streams && out->status == 200)) {
        send_message(exchange, out);
        http_stream_end(exchange->request);
        return;
    }
    if (exchange->begins_session && mcp_peer_version(exchange->peer))
        http_set_header(exchange->request, "Mcp-Session-Id", exchange->session->id);
    http_reply(exchange->request, out->status, WEB_TYPE_JSON, out->text, out->size);
}

static void send_nothing(struct exchange *exchange)
{
    if (!exchange->answerable && !exchange->streaming) {
        http_reply(exchange->request, 202, NULL, NULL, 0);
    } else if (atomic_load(&exchange->gone)) {
        http_drop(exchange->request);
    } else {
        /* A cancelled request has no answer, but its response must end: a stream without events. */
        begin_stream(exchange);
        http_stream_end(exchange->request);
    }
}

void web_send(void *user, const struct mcp_out *out)
{
    (void)user;
    struct exchange *exchange = (struct exchange *)(void *)out->channel;
    switch (out->kind) {
    case MCP_NOTIFICATION:
        send_message(exchange, out);
        if (out->channel->listens)
            become_listen(exchange);
        return;
    case MCP_WAITING:
        begin_stream(exchange);
        return;
    case MCP_ANSWER:
        send_answer(exchange, out);
        break;
    case MCP_NOTHING:
        send_nothing(exchange);
        break;
    }
    exchange_end(exchange);
}

/* Ends streams that were told to go. Gives the lock up meanwhile. */
static void end_leaving_locked(struct mcp_http *mcp)
{
    struct exchange *exchange;
    while ((exchange = mcp->lists[EXCHANGE_LEAVING].first)) {
        pthread_mutex_unlock(&mcp->lock);
        /* Nobody else ends a leaving one. A subscription's peer sends its result, which ends it. */
        if (exchange->peer) {
            mcp_peer_end_listens(exchange->peer);
        } else {
            http_stream_end(exchange->request);
            exchange_end(exchange);
        }
        pthread_mutex_lock(&mcp->lock);
    }
}

/* Calls that run for a while: progress, or a stream with heartbeats. Gives the lock up meanwhile. */
static void tick_due_locked(struct mcp_http *mcp, int64_t now)
{
    struct exchange *exchange;
    while ((exchange = mcp->lists[EXCHANGE_POST].first) && exchange->due_ns <= now) {
        exchange->due_ns = now + WEB_TICK_NS;
        exchange_move_locked(exchange, EXCHANGE_POST);
        struct mcp_peer *peer = exchange->peer;
        mcp_peer_ref(peer);
        pthread_mutex_unlock(&mcp->lock);
        mcp_peer_tick(peer);
        mcp_peer_release(peer);
        pthread_mutex_lock(&mcp->lock);
    }
}

static void expire_locked(struct mcp_http *mcp, int64_t now)
{
    struct session *session;
    while ((session = session_expire_locked(mcp, now - mcp->settings.session_idle_ns + 1)))
        session_free(session);
}

static int64_t next_wake_locked(struct mcp_http *mcp, int64_t now, uint64_t *seen)
{
    int64_t next = INT64_MAX;
    if (mcp->lists[EXCHANGE_POST].first)
        next = mcp->lists[EXCHANGE_POST].first->due_ns;
    else if (mcp->begun != *seen)
        next =
            now +
            WEB_TICK_NS; /* more calls are likely, and none of them shall have to wake this thread */
    *seen = mcp->begun;
    if (mcp->idle_first && mcp->idle_first->idle_since_ns + mcp->settings.session_idle_ns < next)
        next = mcp->idle_first->idle_since_ns + mcp->settings.session_idle_ns;
    return next;
}

static void *ticker(void *argument)
{
    struct mcp_http *mcp = argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&mcp->lock);
    while (!mcp->stopping || mcp->lists[EXCHANGE_LEAVING].first) {
        int64_t now = clock_mono_ns();
        end_leaving_locked(mcp);
        tick_due_locked(mcp, now);
        expire_locked(mcp, now);
        if (mcp->lists[EXCHANGE_LEAVING].first || mcp->stopping)
            continue;
        mcp->wake_ns = next_wake_locked(mcp, now, &seen);
        cond_wait_until(&mcp->work, &mcp->lock, mcp->wake_ns);
    }
    pthread_mutex_unlock(&mcp->lock);
    return NULL;
}

static void free_all(struct mcp_http *mcp)
{
    map_finish(&mcp->sessions);
    pthread_cond_destroy(&mcp->ended);
    pthread_cond_destroy(&mcp->work);
    pthread_mutex_destroy(&mcp->lock);
    mem_free(mcp);
}

static int init_locks(struct mcp_http *mcp)
{
    if (pthread_mutex_init(&mcp->lock, NULL))
        return ERR_SYSTEM;
    if (cond_init(&mcp->work)) {
        pthread_mutex_destroy(&mcp->lock);
        return ERR_SYSTEM;
    }
    if (cond_init(&mcp->ended)) {
        pthread_cond_destroy(&mcp->work);
        pthread_mutex_destroy(&mcp->lock);
        return ERR_SYSTEM;
    }
    return 0;
}

int mcp_http_create(struct service *service, const struct mcp_http_settings *settings,
                    struct mcp_http **ret_mcp, struct err *err)
{
    struct mcp_http *mcp = mem_alloc(sizeof *mcp);
    if (!mcp)
        return err_set(err, ERR_MEMORY, "no memory for MCP over HTTP");
    mcp->service = service;
    mcp->settings = *settings;
    if (!mcp->settings.max_sessions)
        mcp->settings.max_sessions = 10000;
    if (!mcp->settings.session_idle_ns)
        mcp->settings.session_idle_ns = 30 * NS_PER_MIN;
    if (!mcp->settings.max_streams)
        mcp->settings.max_streams = 4;
    map_init(&mcp->sessions, mcp->settings.max_sessions);
    if (init_locks(mcp)) {
        mem_free(mcp);
        return err_set(err, ERR_SYSTEM, "no lock for MCP over HTTP");
    }
    if (thread_start(&mcp->ticker, "mcp", (size_t)256 << 10, ticker, mcp)) {
        free_all(mcp);
        return err_set(err, ERR_SYSTEM, "the thread of MCP over HTTP does not start");
    }
    *ret_mcp = mcp;
    return 0;
}

void mcp_http_drain(struct mcp_http *mcp)
{
    pthread_mutex_lock(&mcp->lock);
    atomic_store(&mcp->draining, true);
    while (mcp->lists[EXCHANGE_GET].first)
        exchange_leave_locked(mcp->lists[EXCHANGE_GET].first);
    while (mcp->lists[EXCHANGE_LISTEN].first)
        exchange_leave_locked(mcp->lists[EXCHANGE_LISTEN].first);
    pthread_mutex_unlock(&mcp->lock);
}

static void cancel_running_locked(struct mcp_http *mcp)
{
    for (struct exchange *exchange = mcp->lists[EXCHANGE_POST].first; exchange;
         exchange = exchange->next)
        mcp_peer_cancel_all(exchange->peer);
}

static size_t open_locked(const struct mcp_http *mcp)
{
    size_t open = 0;
    for (int i = 0; i < EXCHANGE_KINDS; i++)
        open += mcp->lists[i].count;
    return open;
}

void mcp_http_destroy(struct mcp_http *mcp, int64_t grace_ms)
{
    if (!mcp)
        return;
    mcp_http_drain(mcp);
    int64_t deadline = clock_mono_ns() + grace_ms * NS_PER_MS;
    pthread_mutex_lock(&mcp->lock);
    cancel_running_locked(mcp);
    while (open_locked(mcp) && !cond_wait_until(&mcp->ended, &mcp->lock, deadline))
        continue;
    mcp->stopping = true;
    web_wake_locked(mcp, 0);
    pthread_mutex_unlock(&mcp->lock);
    pthread_join(mcp->ticker, NULL);
    pthread_mutex_lock(&mcp->lock);
    struct session *session;
    while ((session = session_expire_locked(mcp, INT64_MAX)))
        session_free(session);
    size_t left = open_locked(mcp);
    pthread_mutex_unlock(&mcp->lock);
    /* A thread that is stuck may yet come back to its exchange; what it needs stays, the process is about to end. */
    if (left)
        log_line(LOG_WARN, "mcp", "%zu calls over HTTP did not end in time; they are left behind",
                 left);
    else
        free_all(mcp);
}
