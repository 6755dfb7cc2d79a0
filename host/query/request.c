/* SPDX-License-Identifier: Apache-2.0 */
#include "query/request.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define MAX_PATH (64u * 1024u)
#define MAX_HEADERS 64u
#define MAX_HEADER_VALUE 8192u
#define MAX_BODY (8u * 1024u * 1024u)
#define KEPT_MAX (16u * 1024u * 1024u)

static bool token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                    *text))
            return false;
    return true;
}

static bool owned_by_host(const char *name)
{
    static const char *const owned[] = {"host",           "authorization", "cookie",
                                        "content-length", "connection",    "transfer-encoding"};
    for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
        if (str_eq_nocase(name, owned[i]))
            return true;
    char prefix[7] = "";
    for (size_t i = 0; i < 6 && name[i]; i++)
        prefix[i] = name[i];
    return str_eq_nocase(prefix, "proxy-");
}

static int check_headers(const struct sonde_request *request, struct err *err)
{
    if (request->header_count > MAX_HEADERS || (request->header_count && !request->headers))
        return err_set(err, SONDE_E_REFUSED,
                       "a request with %zu headers is not sent: at most %u are accepted",
                       request->header_count, MAX_HEADERS);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct sonde_pair *header = &request->headers[i];
        if (!header->key || !header->value || !token(header->key))
            return err_set(err, SONDE_E_REFUSED,
                           "a request whose header %zu has a malformed name is not sent", i);
        if (owned_by_host(header->key))
            return err_set(err, SONDE_E_REFUSED,
                           "a request that sets the header %.64s is not sent: the host owns it",
                           header->key);
        size_t n = strnlen(header->value, MAX_HEADER_VALUE + 1);
        for (size_t k = 0; k < n; k++)
            if ((unsigned char)header->value[k] < 0x20 || header->value[k] == 0x7f)
                n = MAX_HEADER_VALUE + 1;
        if (n > MAX_HEADER_VALUE)
            return err_set(err, SONDE_E_REFUSED,
                           "a request whose header %.64s holds control characters or more than %u "
                           "bytes is not sent",
                           header->key, MAX_HEADER_VALUE);
    }
    return 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "." or ".." as a segment, however encoded: the server would resolve it to another path than the one checked. */
static bool dot_segment(const char *path)
{
    size_t dots = 0;
    bool only_dots = false;
    for (const char *p = path;; p++) {
        char c = *p;
        if (c == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            c = (char)(hex(p[1]) * 16 + hex(p[2]));
            p += 2;
            if (c == '?' || c == '#' || !c)
                c = 'x';
        }
        if (c == '/' || c == '\\' || c == '?' || c == '\0') {
            if (only_dots && dots && dots <= 2)
                return true;
            if (c == '?' || c == '\0')
                return false;
            only_dots = true;
            dots = 0;
        } else if (c == '.') {
            dots++;
        } else {
            only_dots = false;
        }
    }
}

static int check_path(const char *path, struct err *err)
{
    if (!path || path[0] != '/' || path[1] == '/')
        return err_set(err, SONDE_E_REFUSED,
                       "the path \"%.128s\" is not sent: it must begin with exactly one /",
                       path ? path : "");
    size_t n = strnlen(path, MAX_PATH + 1);
    if (n > MAX_PATH)
        return err_set(err, SONDE_E_REFUSED, "a path of more than %u bytes is not sent", MAX_PATH);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)path[i];
        if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
            return err_set(
                err, SONDE_E_REFUSED,
                "a path with the byte 0x%02x at %zu is not sent: it must be percent-encoded", c, i);
    }
    if (dot_segment(path))
        return err_set(err, SONDE_E_REFUSED, "the path %.128s is not sent: it holds a dot segment",
                       path);
    return 0;
}

int request_allowed(const struct sonde_plugin *table, const struct sonde_request *request,
                  struct err *err)
{
    int r = check_path(request->path, err);
    if (r)
        return r;
    if (!request->method || !token(request->method))
        return err_set(err, SONDE_E_REFUSED, "a request without a method is not sent");
    bool allowed = false;
    size_t path_size = strcspn(request->path, "?");
    for (size_t i = 0; i < table->allowed_count && !allowed; i++) {
        const struct sonde_allowed *row = table->allowed[i];
        size_t n = strlen(row->path_prefix);
        allowed = str_eq(row->method, request->method) && n <= path_size &&
                  memcmp(row->path_prefix, request->path, n) == 0;
    }
    if (!allowed)
        return err_set(
            err, SONDE_E_REFUSED,
            "%s %.*s is not sent: plugin %s did not declare it among its allowed requests",
            request->method, (int)(path_size < 128 ? path_size : 128), request->path, table->name);
    if (request->body_size > MAX_BODY || (request->body_size && !request->body))
        return err_set(err, SONDE_E_REFUSED,
                       "a request with a body of %zu bytes is not sent: at most %u are accepted",
                       request->body_size, MAX_BODY);
    return check_headers(request, err);
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
