/* SPDX-License-Identifier: Apache-2.0 */
#include "query/request.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "io/request.h"

#define MAX_BODY (8u * 1024u * 1024u)
#define KEPT_MAX (16u * 1024u * 1024u)

int request_vet(const struct sonde_plugin *table, const struct sonde_request *request,
                struct err *err)
{
    struct err why = {0};
    if (request->header_count && !request->headers)
        return err_set(err, SONDE_E_REFUSED, "not sent: %zu headers at NULL",
                       request->header_count);
    for (size_t i = 0; i < request->header_count && i < 64; i++)
        if (!request->headers[i].key || !request->headers[i].value)
            return err_set(err, SONDE_E_REFUSED, "not sent: header %zu is NULL", i);
    /* Path and headers have one set of rules, next to the wire. */
    if (request_check(request, &why))
        return err_set(err, SONDE_E_REFUSED, "not sent: %s", why.text);
    bool allowed = false;
    size_t path_size = strcspn(request->path, "?");
    for (size_t i = 0; i < table->allowed_count && !allowed; i++) {
        const struct sonde_allowed *row = table->allowed[i];
        allowed =
            str_eq(row->method, request->method) && str_starts(request->path, row->path_prefix);
    }
    if (!allowed)
        return err_set(err, SONDE_E_REFUSED,
                       "not sent: %s %.*s: plugin %s did not declare it among its allowed requests",
                       request->method, (int)(path_size < 128 ? path_size : 128), request->path,
                       table->name);
    if (request->body_size > MAX_BODY || (request->body_size && !request->body))
        return err_set(err, SONDE_E_REFUSED,
                       "not sent: a body of %zu bytes, at most %u are accepted", request->body_size,
                       MAX_BODY);
    return 0;
}

static const char *keep_string(struct arena *arena, const char *string)
{
    return string ? arena_strdup(arena, string) : NULL;
}

int request_keep(struct kept_request *kept, const struct sonde_request *request,
                 struct budget *budget)
{
    struct arena *arena = &kept->arena;
    arena_init(arena, KEPT_MAX, budget);
    kept->request = *request;
    struct sonde_request *copy = &kept->request;
    copy->struct_size = sizeof *copy;
    copy->endpoint = keep_string(arena, request->endpoint);
    copy->method = keep_string(arena, request->method);
    copy->path = keep_string(arena, request->path);
    copy->rate_key = keep_string(arena, request->rate_key);
    struct sonde_pair *headers = arena_alloc_array(arena, request->header_count, sizeof *headers);
    for (size_t i = 0; headers && i < request->header_count; i++) {
        headers[i].key = keep_string(arena, request->headers[i].key);
        headers[i].value = keep_string(arena, request->headers[i].value);
    }
    copy->headers = headers;
    void *body = arena_alloc(arena, request->body_size);
    if (body && request->body_size)
        memcpy(body, request->body, request->body_size);
    copy->body = request->body_size ? body : NULL;
    if (!arena->failed)
        return 0;
    request_drop(kept);
    return ERR_MEMORY;
}

void request_drop(struct kept_request *kept)
{
    arena_finish(&kept->arena);
    kept->request = (struct sonde_request){0};
}
