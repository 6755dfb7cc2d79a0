/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked and how it went, one line a request: the path without what follows '?', which may be a secret. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal.h"

#define PATH_SHOWN 200

void access_log(const struct http_request *request)
{
    bool well = request->status >= 200 && request->status < 400;
    enum log_level level = well ? LOG_DEBUG : LOG_INFO;
    if (!log_enabled(level))
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
