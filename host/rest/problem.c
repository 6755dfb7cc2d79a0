/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rest/internal.h"

#define PROBLEM_MAX ((size_t)256 * 1024)

/* "path: what is accepted" as the two members. */
static void add_mistake(struct buf *buf, const char *text)
{
    const char *colon = strstr(text, ": ");
    buf_json_sep(buf);
    buf_add(buf, "{\"path\":");
    buf_json_string(buf, text, colon ? (size_t)(colon - text) : 0);
    buf_add(buf, ",\"detail\":");
    const char *detail = colon ? colon + 2 : text;
    buf_json_string(buf, detail, strlen(detail));
    buf_add_char(buf, '}');
}

void problem_reply(struct http_request *request, int status, const char *detail,
                   const struct manage_mistakes *mistakes, int64_t wait_ms)
{
    const char *title = http_status_title(status);
    struct buf body = BUF(PROBLEM_MAX);
    if (wait_ms > 0) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%" PRId64, (wait_ms + 999) / 1000);
        http_set_header(request, "Retry-After", seconds);
    }
    http_set_header(request, "Cache-Control", "no-store");
    buf_add(&body, "{\"type\":\"about:blank\",\"title\":");
    buf_json_string(&body, title, strlen(title));
    buf_printf(&body, ",\"status\":%d,\"detail\":", status);
    buf_json_string(&body, detail, strlen(detail));
    buf_printf(&body, ",\"instance\":\"%s\"", http_request_id(request));
    if (mistakes && mistakes->count) {
        buf_add(&body, ",\"errors\":[");
        for (size_t i = 0; i < mistakes->count; i++)
            add_mistake(&body, mistakes->list[i].text);
        buf_add_char(&body, ']');
    }
    buf_add(&body, "}\n");
    if (body.failed)
        http_problem(request, status, title, detail);
    else
        http_reply(request, status, "application/problem+json", body.data, body.size);
    buf_finish(&body);
}

int problem_status(const struct work *work, int code)
{
    switch (code) {
    case ERR_INVALID:
        return work->operation->body ? 422 : 400;
    case ERR_NOT_FOUND:
        return work->operation->parts.count ? 404 : 400;
    case ERR_FORBIDDEN:
        return 403;
    case ERR_CONFLICT:
        return work->operation->if_match && (work->revision || !work->operation->names) ? 412 : 409;
    case ERR_LIMIT:
        /* What ends by itself says when; the rest is more than is taken. */
        return !work->err.wait_ms && work->operation->body ? 422 : 429;
    case ERR_BUSY:
    case ERR_UNAVAILABLE:
    case ERR_MEMORY:
    case SONDE_E_CANCELLED:
        return 503;
    case SONDE_E_DEADLINE:
        return work->operation->cancel ? 504 : 503;
    default:
        return 500;
    }
}
