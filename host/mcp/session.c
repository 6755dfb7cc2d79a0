/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "mcp/web.h"
#include "service/sessions.h"

static void add_idle(struct mcp_http *mcp, struct session *session)
{
    session->idle_since_ns = clock_mono_ns();
    session->prev = mcp->idle_last;
    session->next = NULL;
    if (mcp->idle_last)
        mcp->idle_last->next = session;
    else
        mcp->idle_first = session;
    mcp->idle_last = session;
    web_wake_locked(mcp, session->idle_since_ns + mcp->settings.session_idle_ns);
}

static void remove_idle(struct mcp_http *mcp, struct session *session)
{
    if (session->prev)
        session->prev->next = session->next;
    else
        mcp->idle_first = session->next;
    if (session->next)
        session->next->prev = session->prev;
    else
        mcp->idle_last = session->prev;
    session->next = session->prev = NULL;
}

static void take_out(struct mcp_http *mcp, struct session *session)
{
    map_remove(&mcp->sessions, session->id, SESSION_ID_SIZE);
    session->ended = true;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    mcp_peer_release(session->peer);
    mem_free(session);
}

int session_create_locked(struct mcp_http *mcp, const struct principal *principal,
                          struct session **ret_session)
{
    if (mcp->sessions.count >= mcp->settings.max_sessions) {
        struct session *oldest = session_expire_locked(mcp, INT64_MAX);
        if (!oldest)
            return ERR_BUSY;
        session_free(oldest);
    }
    struct session *session = mem_alloc(sizeof *session);
    if (!session)
        return ERR_MEMORY;
    struct principal owner = *principal;
    session_begin(&owner, "http");
    if (mcp_peer_create(mcp->service, &owner, web_send, mcp, &session->peer)) {
        mem_free(session);
        return ERR_MEMORY;
    }
    rand_handle(session->id, SESSION_ID_SIZE);
    session->principal = *principal;
    session->open = 1;
    if (map_set(&mcp->sessions, session->id, SESSION_ID_SIZE, session, NULL)) {
        session_free(session);
        return ERR_MEMORY;
    }
    *ret_session = session;
    return 0;
}

struct session *session_take_locked(struct mcp_http *mcp, const char *id,
                                    const struct principal *principal)
{
    struct session *session = map_get(&mcp->sessions, id, strlen(id));
    if (!session || !str_eq(session->principal.id, principal->id))
        return NULL;
    if (!session->open++)
        remove_idle(mcp, session);
    return session;
}

struct session *session_leave_locked(struct mcp_http *mcp, struct session *session)
{
    if (--session->open)
        return NULL;
    if (session->ended)
        return session;
    add_idle(mcp, session);
    return NULL;
}

void session_end_locked(struct mcp_http *mcp, struct session *session)
{
    if (session->ended)
        return;
    take_out(mcp, session);
    mcp_peer_cancel_all(session->peer);
    if (!session->streams)
        return;
    for (struct exchange *stream = mcp->lists[EXCHANGE_GET].first, *next; stream; stream = next) {
        next = stream->next;
        if (stream->session == session)
            exchange_leave_locked(stream);
    }
}

struct session *session_expire_locked(struct mcp_http *mcp, int64_t before_ns)
{
    struct session *session = mcp->idle_first;
    if (!session || session->idle_since_ns >= before_ns)
        return NULL;
    remove_idle(mcp, session);
    take_out(mcp, session);
    return session;
}
