/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked and how it went, one line a request: the path without what follows '?', which may be a secret. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal.h"

#define PATH_SHOWN 200
#define REFUSALS_A_SECOND 50u

/* Whoever is refused decides how often that happens, so what it writes is bounded. */
static bool may_write_refusal(void)
{
    static atomic_int_least64_t window_ends_ns;
    static atomic_uint written, left_out;
    int64_t now = clock_mono_ns();
    int64_t ends = atomic_load(&window_ends_ns);
    if (now >= ends && atomic_compare_exchange_strong(&window_ends_ns, &ends, now + NS_PER_S)) {
        atomic_store(&written, 0);
        unsigned more = atomic_exchange(&left_out, 0);
        if (more)
            log_line(LOG_INFO, HTTP_AREA, "%u more requests were refused than are told of", more);
    }
    if (atomic_fetch_add(&written, 1) < REFUSALS_A_SECOND)
        return true;
    atomic_fetch_add(&left_out, 1);
    return false;
}

void access_log(const struct http_request *request)
{
    bool well = request->status >= 200 && request->status < 400;
    enum log_level level = well ? LOG_DEBUG : LOG_INFO;
    if (!log_enabled(level) || (request->status >= 400 && !may_write_refusal()))
        return;
    const struct message *message = &request->message;
    char status[16] = "left";
    char before[32];
    if (request->status)
        snprintf(status, sizeof status, "%d", request->status);
    snprintf(before, sizeof before, "%s", log_request());
    log_set_request(request->id);
    log_line(level, HTTP_AREA, "%s %.*s: %s to %s%s%s, %lld ms%s%s",
             message->method ? message->method : "-", PATH_SHOWN,
             message->path ? message->path : "-", status, request->conn->peer,
             request->principal.name[0] ? " for " : "", request->principal.name,
             (long long)((clock_mono_ns() - request->started_ns) / NS_PER_MS),
             request->why ? ": " : "", request->why ? request->why : "");
    log_set_request(before);
}
