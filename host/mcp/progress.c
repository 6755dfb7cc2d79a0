/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "mcp/peer.h"

/* Under send_lock, of a call that has a token. total 0: unknown. */
static void send_progress(struct mcp_call *call, double done, double total, const char *message)
{
    CLEANUP(buf_finish) struct buf buf = BUF(16 * RPC_MAX_ID + 4096);
    buf_add(&buf, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                  "progress\",\"params\":{\"progressToken\":");
    buf_json_object(&buf, call->token);
    buf_json_key(&buf, "progress");
    buf_json_double(&buf, done);
    if (total > 0) {
        buf_json_key(&buf, "total");
        buf_json_double(&buf, total);
    }
    if (message) {
        buf_json_key(&buf, "message");
        buf_json_string(&buf, message, strlen(message));
    }
    buf_add(&buf, "}}");
    call->progress = done;
    peer_send(call->peer, call->channel, MCP_NOTIFICATION, 0, &buf);
}

static bool still_wanted(struct mcp_call *call)
{
    pthread_mutex_lock(&call->peer->lock);
    bool wanted = !call->cancelled;
    pthread_mutex_unlock(&call->peer->lock);
    return wanted;
}

void peer_progress(struct mcp_call *call, double done, double total, const char *message)
{
    struct mcp_peer *peer = call->peer;
    if (!call->token || !isfinite(done))
        return;
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&peer->send_lock);
    if (done > call->progress && done >= 0 && now - call->last_progress_ns >= MCP_PROGRESS_GAP_NS &&
        still_wanted(call)) {
        call->last_progress_ns = now;
        call->next_progress_ns = now + MCP_PROGRESS_NS;
        call->total = isfinite(total) && total > 0 ? total : 0;
        send_progress(call, done, call->total, message);
    }
    pthread_mutex_unlock(&peer->send_lock);
}

/* A call that is silent: seconds of its timeout; where it speaks by itself, a little more than it said last. */
static void tick_call(struct mcp_call *call, int64_t now)
{
    int64_t elapsed_s = (now - call->started_ns) / NS_PER_S;
    char message[128];
    snprintf(message, sizeof message, "%s: %lld s", call->tool->name, (long long)elapsed_s);
    if (call->last_progress_ns)
        send_progress(call, call->progress + 0.01, call->total, message);
    else if ((double)elapsed_s > call->progress)
        send_progress(call, (double)elapsed_s,
                      (double)(service_timeout_ns(call->peer->service) / NS_PER_S), message);
}

/* The calls of the list; while send_lock is held none of them is freed. */
static size_t list_calls(struct mcp_peer *peer, struct mcp_call *out[MCP_MAX_CALLS])
{
    size_t n = 0;
    pthread_mutex_lock(&peer->lock);
    for (struct mcp_call *call = peer->calls; call && n < MCP_MAX_CALLS; call = call->next)
        if (call->tool && (call->token || call->channel->tell_waiting))
            out[n++] = call;
    pthread_mutex_unlock(&peer->lock);
    return n;
}

int64_t mcp_peer_tick(struct mcp_peer *peer)
{
    struct mcp_call *calls[MCP_MAX_CALLS];
    int64_t now = clock_mono_ns();
    int64_t next = INT64_MAX;
    pthread_mutex_lock(&peer->send_lock);
    size_t n = list_calls(peer, calls);
    for (size_t i = 0; i < n; i++) {
        struct mcp_call *call = calls[i];
        if (now >= call->next_progress_ns && still_wanted(call)) {
            if (call->token)
                tick_call(call, now);
            else if (call->channel->tell_waiting)
                peer_send(peer, call->channel, MCP_WAITING, 0, NULL);
            call->channel->tell_waiting = false;
            call->next_progress_ns = call->token ? now + MCP_PROGRESS_NS : INT64_MAX;
        }
        if (call->next_progress_ns < next)
            next = call->next_progress_ns;
    }
    pthread_mutex_unlock(&peer->send_lock);
    return next;
}
