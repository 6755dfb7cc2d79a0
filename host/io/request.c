/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/request.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

#define PATH_MAX_BYTES (64 * 1024)
#define HEADER_MAX_BYTES (32 * 1024)
#define HEADER_MAX_COUNT 64

/* Bytes of one dot at text, plain or encoded; 0 none. */
static size_t dot(const char *text)
{
    if (*text == '.')
        return 1;
    if (text[0] == '%' && text[1] == '2' && (text[2] == 'e' || text[2] == 'E'))
        return 3;
    return 0;
}

static int is_dot_segment(const char *segment)
{
    size_t n = dot(segment);
    if (!n)
        return 0;
    n += dot(segment + n);
    char end = segment[n];
    return end == '/' || end == '\\' || end == '?' || end == '\0' ||
           (end == '%' && (str_starts(segment + n, "%2f") || str_starts(segment + n, "%2F") ||
                           str_starts(segment + n, "%5c") || str_starts(segment + n, "%5C")));
}

int request_check_path(const char *path, struct err *err)
{
    if (!path || path[0] != '/' || path[1] == '/')
        return err_set(err, ERR_INVALID, "path must begin with exactly one '/'");
    size_t size = strlen(path);
    if (size > PATH_MAX_BYTES)
        return err_set(err, ERR_INVALID, "path of %zu bytes; at most %d are sent", size,
                       PATH_MAX_BYTES);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)path[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return err_set(err, ERR_INVALID,
                           "path holds the byte 0x%02x at %zu; it must be percent-encoded", c, i);
    }
    for (size_t i = 0; i < size && path[i] != '?'; i++) {
        int encoded = str_starts(path + i, "%2f") || str_starts(path + i, "%2F") ||
                      str_starts(path + i, "%5c") || str_starts(path + i, "%5C");
        size_t skip = encoded ? 3 : 1;
        if ((encoded || path[i] == '/' || path[i] == '\\') && is_dot_segment(path + i + skip))
            return err_set(err, ERR_INVALID, "path holds a '.' or '..' segment");
    }
    return 0;
}

static int is_token(const char *text)
{
    if (!*text)
        return 0;
    for (; *text; text++) {
        char c = *text;
        int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !strchr("!#$%&'*+-.^_`|~", c))
            return 0;
    }
    return 1;
}

static int is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, names[i]))
            return 1;
    return 0;
}

static int starts_nocase(const char *name, const char *lower)
{
    for (; *lower; name++, lower++)
        if ((*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name) != *lower)
            return 0;
    return 1;
}

int request_check_own_header(const char *name, struct err *err)
{
    static const char *const framing[] = {
        "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer",
        "expect",         "accept-encoding",   "keep-alive"};
    if (!name || !is_token(name))
        return err_set(err, ERR_INVALID, "headers: \"%s\" is not a header name", name ? name : "");
    if (is_one_of(name, framing, ARRAY_SIZE(framing)) || starts_nocase(name, "proxy-"))
        return err_set(err, ERR_INVALID, "headers: %s is sonde's own to set; leave it out", name);
    return 0;
}

int request_check_header(const char *name, const char *value, struct err *err)
{
    static const char *const owned[] = {"host", "authorization", "cookie"};
    int r = request_check_own_header(name, err);
    if (r < 0)
        return r;
    if (is_one_of(name, owned, ARRAY_SIZE(owned)))
        return err_set(err, ERR_INVALID, "headers: %s is sonde's own to set; leave it out", name);
    size_t size = value ? strlen(value) : 0;
    if (!value || size > HEADER_MAX_BYTES)
        return err_set(err, ERR_INVALID, "headers: %s has no value or more than %d bytes", name,
                       HEADER_MAX_BYTES);
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
            return err_set(err, ERR_INVALID, "headers: %s holds a control character", name);
    return 0;
}

int request_check(const struct sonde_request *request, struct err *err)
{
    const char *method = request->method ? request->method : "";
    int r = request_check_path(request->path, err);
    if (r < 0)
        return r;
    for (const char *c = method; *c; c++)
        if (*c < 'A' || *c > 'Z')
            return err_set(err, ERR_INVALID, "method must be upper-case letters, such as GET");
    if (!*method || strlen(method) > 16 || str_eq(method, "CONNECT") || str_eq(method, "TRACE"))
        return err_set(err, ERR_INVALID, "method %s is not sent", method);
    if (request->header_count > HEADER_MAX_COUNT)
        return err_set(err, ERR_INVALID, "more than %d headers", HEADER_MAX_COUNT);
    for (size_t i = 0; i < request->header_count; i++) {
        r = request_check_header(request->headers[i].key, request->headers[i].value, err);
        if (r < 0)
            return r;
    }
    return 0;
}
