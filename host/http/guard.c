/* SPDX-License-Identifier: Apache-2.0 */
#include "http/guard.h"

#include <string.h>

#include "base/str.h"
#include "http/scan.h"

#define HOST_MAX 255u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_host_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
}

/* Copies the host of host[:port] without brackets. 0, or -1 when it is malformed. */
static int split_authority(const char *authority, char host[HOST_MAX + 1])
{
    const char *p = authority;
    const char *end;
    bool bracket = *p == '[';
    if (bracket) {
        p++;
        end = p + strspn(p, "0123456789abcdefABCDEF:.");
        if (*end != ']')
            return -1;
    } else {
        end = p;
        while (is_host_char(*end))
            end++;
    }
    size_t n = (size_t)(end - p);
    if (!n || n > HOST_MAX)
        return -1;
    memcpy(host, p, n);
    host[n] = 0;
    if (bracket)
        end++;
    if (*end == ':') {
        const char *port = end + 1;
        end = port;
        while (is_digit(*end))
            end++;
        if (end - port > 5)
            return -1;
    }
    return *end ? -1 : 0;
}

static bool is_loopback_name(const char *host)
{
    size_t n = strlen(host);
    return str_eq(host, "127.0.0.1") || str_eq_nocase(host, "localhost") || str_eq(host, "::1") ||
           (n > 10 && str_eq_nocase(host + n - 10, ".localhost"));
}

int guard_authority(const struct guard_names *names, const char *authority, guard_local_fn local,
                    void *user)
{
    char host[HOST_MAX + 1];
    if (split_authority(authority, host) != 0)
        return -1;
    if (is_loopback_name(host))
        return 1;
    for (size_t i = 0; i < names->host_count; i++)
        if (str_eq_nocase(host, names->hosts[i]))
            return 1;
    return local && str_eq_nocase(host, local(user));
}

int guard_origin(const struct guard_names *names, const char *origin, guard_local_fn local,
                 void *user)
{
    const char *colon = strstr(origin, "://");
    if (!colon)
        return 0;
    for (const char *p = origin; p < colon; p++)
        if (!is_token_char((unsigned char)*p))
            return -1;
    return guard_authority(names, colon + 3, local, user);
}

bool guard_token_in_query(const char *query)
{
    for (const char *p = query; *p;) {
        if (str_starts(p, "access_token=") || str_starts(p, "token="))
            return true;
        p = strchr(p, '&');
        if (!p)
            return false;
        p++;
    }
    return false;
}

const char *guard_bearer(const char *authorization)
{
    static const char scheme[] = "bearer";
    const char *p = authorization;
    for (size_t i = 0; i < sizeof scheme - 1; i++, p++)
        if ((*p | 0x20) != scheme[i])
            return NULL;
    if (*p != ' ')
        return NULL;
    p += strspn(p, " ");
    /* RFC 6750 2.1: one word. */
    size_t n = strcspn(p, " \t,");
    return n && !p[n] ? p : NULL;
}
