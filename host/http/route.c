/* SPDX-License-Identifier: Apache-2.0 */
/* Which route a path and a method belong to. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/internal.h"
#include "http/uri.h"

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", HTTP_GET}, {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
    {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS},
};

enum http_method route_method(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (str_eq(methods[i].name, name))
            return methods[i].method;
    return HTTP_OTHER;
}

static int refuse(struct http_request *request, int status, const char *detail)
{
    request->refusal = (struct refusal){status, detail};
    return -1;
}

static void set_allow(struct http_request *request, unsigned allowed)
{
    char text[64] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (!(allowed & (unsigned)methods[i].method))
            continue;
        const char *name = methods[i].name;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? ", " : "", name);
    }
    http_set_header(request, "Allow", text);
}

static unsigned allowed_by(const struct http_route *route)
{
    return route->methods | (route->methods & HTTP_GET ? HTTP_HEAD : 0u);
}

/* The next part of a path, from one '/' to the next; NULL at the end. */
static const char *next_part(const char *path, size_t *ret_size)
{
    if (*path != '/')
        return NULL;
    *ret_size = strcspn(path + 1, "/");
    return path + 1;
}

bool route_fits(const char *pattern, const char *path)
{
    if (!strchr(pattern, '{'))
        return str_eq(pattern, path);
    for (;;) {
        size_t wanted_size = 0, part_size = 0;
        const char *wanted = next_part(pattern, &wanted_size);
        const char *part = next_part(path, &part_size);
        if (!wanted || !part)
            return !wanted && !part && !*pattern && !*path;
        bool same = *wanted == '{' ? part_size > 0
                                   : wanted_size == part_size && !memcmp(wanted, part, part_size);
        if (!same)
            return false;
        pattern = wanted + wanted_size;
        path = part + part_size;
    }
}

/* What stands in the place of braces, decoded one after the other into one block. */
static int read_parts(struct http_request *request)
{
    const char *pattern = request->route->path;
    const char *path = request->message.path;
    size_t size = 0, wanted_size = 0;
    const char *part, *wanted;
    if (!strchr(pattern, '{'))
        return 0;
    char *out = mem_alloc(strlen(path) + 1);
    if (!out)
        return refuse(request, 503, "There is no memory for the request.");
    request->parts = out;
    for (; (wanted = next_part(pattern, &wanted_size)) && (part = next_part(path, &size));
         pattern = wanted + wanted_size, path = part + size) {
        if (*wanted != '{')
            continue;
        struct err err = {0};
        if (uri_decode(part, size, false, out, &err)) {
            utf8_clean(request->reason, sizeof request->reason, err.text, strlen(err.text));
            return refuse(request, 400, request->reason);
        }
        out += strlen(out) + 1;
        request->part_count++;
    }
    return 0;
}

int route_find(struct http_request *request)
{
    const struct http_settings *settings = &request->conn->server->settings;
    unsigned allowed = 0;
    for (size_t i = 0; i < settings->route_count; i++) {
        const struct http_route *route = &settings->routes[i];
        if (!route_fits(route->path, request->message.path))
            continue;
        if (allowed_by(route) & (unsigned)request->method) {
            request->route = route;
            return read_parts(request);
        }
        allowed |= allowed_by(route);
    }
    if (!allowed)
        return refuse(request, 404, "There is nothing at that path.");
    set_allow(request, allowed);
    return refuse(request, 405, "That path does not take that method; Allow lists those it takes.");
}

const char *http_part(const struct http_request *request, size_t n)
{
    if (n >= request->part_count)
        return NULL;
    const char *part = request->parts;
    while (n--)
        part += strlen(part) + 1;
    return part;
}
