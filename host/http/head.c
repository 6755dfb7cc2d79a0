/* SPDX-License-Identifier: Apache-2.0 */
/* What a well-formed head must also fulfil (RFC 9112 3.2, 6.1, 6.3), so that no two readers could frame it differently. */
#include <string.h>

#include "base/str.h"
#include "http/message.h"

static int refuse(struct message *message, int status, const char *detail)
{
    message->refusal = (struct refusal){status, detail};
    return -1;
}

/* The next element of a comma-separated list, blanks trimmed; false at its end. */
static bool list_next(const char **at, const char **ret_item, size_t *ret_size)
{
    const char *p = *at;
    if (!p)
        return false;
    const char *comma = strchr(p, ',');
    const char *end = comma ? comma : p + strlen(p);
    *at = comma ? comma + 1 : NULL;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *ret_item = p;
    *ret_size = (size_t)(end - p);
    return true;
}

static bool item_is(const char *item, size_t size, const char *word)
{
    if (size != strlen(word))
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = item[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) != word[i])
            return false;
    }
    return true;
}

bool head_list_has(const char *list, const char *token)
{
    const char *item;
    size_t size;
    while (list_next(&list, &item, &size))
        if (item_is(item, size, token))
            return true;
    return false;
}

/* ---- Framing ---- */

struct codings {
    size_t chunked, other;
    bool chunked_last;
};

static void count_codings(struct codings *codings, const char *value)
{
    const char *item;
    size_t size;
    while (list_next(&value, &item, &size)) {
        codings->chunked_last = item_is(item, size, "chunked");
        if (codings->chunked_last)
            codings->chunked++;
        else
            codings->other++;
    }
}

static int check_coding(struct message *message, const struct codings *codings)
{
    if (message->old)
        return refuse(message, 400, "Transfer-Encoding is not taken on HTTP/1.0.");
    if (codings->chunked != 1 || !codings->chunked_last)
        return refuse(message, 400, "Transfer-Encoding must be chunked, once and last.");
    if (codings->other)
        return refuse(message, 501, "Transfer-Encoding may be chunked only.");
    return 0;
}

static int check_length(struct message *message, const char *value)
{
    size_t n = 0;
    while (value[n] >= '0' && value[n] <= '9')
        n++;
    if (!n || value[n])
        return refuse(message, 400, "Content-Length must be one decimal number.");
    if (n > 18)
        return refuse(message, 400, "Content-Length is too large a number.");
    return 0;
}

struct seen {
    size_t hosts, lengths, encodings, authorizations, origins;
    const char *length, *expect;
    struct codings codings;
};

static void see_lines(struct message *message, struct seen *seen)
{
    for (uint16_t i = 0; i < message->line_count; i++) {
        const char *name = message->text + message->lines[i].name;
        const char *value = message->text + message->lines[i].value;
        if (str_eq_nocase(name, "host")) {
            seen->hosts++;
        } else if (str_eq_nocase(name, "content-length")) {
            seen->lengths++;
            seen->length = value;
        } else if (str_eq_nocase(name, "transfer-encoding")) {
            seen->encodings++;
            count_codings(&seen->codings, value);
        } else if (str_eq_nocase(name, "authorization")) {
            seen->authorizations++;
        } else if (str_eq_nocase(name, "origin")) {
            seen->origins++;
        } else if (str_eq_nocase(name, "expect")) {
            seen->expect = value;
        }
    }
}

static int check_lines(struct message *message)
{
    struct seen seen = {0};
    see_lines(message, &seen);
    if (seen.hosts != 1)
        return refuse(message, 400,
                      seen.hosts ? "There is more than one Host header."
                                 : "The Host header is missing.");
    if (seen.lengths > 1)
        return refuse(message, 400, "There is more than one Content-Length header.");
    if (seen.encodings && seen.lengths)
        return refuse(message, 400, "Transfer-Encoding and Content-Length exclude each other.");
    if (seen.length && check_length(message, seen.length) != 0)
        return -1;
    if (seen.encodings && check_coding(message, &seen.codings) != 0)
        return -1;
    /* The library frames the body: what it saw must be what was checked here. */
    if (message->framed && (message->framing.chunked != (seen.encodings > 0) ||
                            message->framing.has_length != (seen.lengths > 0)))
        return refuse(message, 400, "The framing of the body is malformed.");
    if (seen.authorizations > 1 || seen.origins > 1)
        return refuse(message, 400, "Authorization and Origin may be sent once each.");
    if (seen.expect) {
        if (!item_is(seen.expect, strlen(seen.expect), "100-continue"))
            return refuse(message, 417, "Expect may be 100-continue only.");
        message->expects = !message->old;
    }
    return 0;
}

/* ---- The target ---- */

/* http://authority/path: the scheme is cut off, the authority kept; the slash moves one to the left to make room for a NUL. */
static int split_absolute(struct message *message, char *target)
{
    char *authority = strstr(target, "://");
    if (!authority)
        return refuse(message, 400, "The target must begin with '/'.");
    *authority = 0;
    if (!str_eq_nocase(target, "http") && !str_eq_nocase(target, "https"))
        return refuse(message, 400, "The scheme of the target must be http or https.");
    authority += 3;
    size_t n = strcspn(authority, "/?");
    if (!n || memchr(authority, '@', n))
        return refuse(message, 400, "The target must be http://host/path without user.");
    /* "://" leaves room: the authority moves to where it began. */
    memmove(authority - 2, authority, n);
    char *rest = authority + n;
    authority -= 2;
    authority[n] = 0;
    message->authority = authority;
    if (*rest != '/') /* "http://host" and "http://host?query" have the path "/" */
        *--rest = '/';
    message->path = rest;
    return 0;
}

static int check_target(struct message *message, char *target)
{
    if (*target == '/') {
        message->path = target;
    } else if (str_eq(target, "*")) {
        if (!str_eq(message->method, "OPTIONS"))
            return refuse(message, 400, "The target * belongs to OPTIONS only.");
        message->path = target;
    } else if (split_absolute(message, target) != 0) {
        return -1;
    }
    char *query = strchr(message->path, '?');
    if (query)
        *query++ = 0;
    message->query = query ? query : "";
    return 0;
}

int head_check(struct message *message, char *request_line)
{
    /* Method, target and version, with one blank between: the scan has seen to it. */
    char *target = strchr(request_line, ' ');
    char *version = strrchr(request_line, ' ');
    *target++ = 0;
    *version++ = 0;
    message->method = request_line;
    message->old = str_eq(version, "HTTP/1.0");
    message->keep_alive = message->framing.keep_alive && !message->old;
    if (check_lines(message) != 0)
        return -1;
    return check_target(message, target);
}
