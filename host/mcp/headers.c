/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/headers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "mcp/era.h"

#define MAX_VALUE ((size_t)64 << 10)
#define WRAP_BEGIN "=?base64?"
#define WRAP_END "?="

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t");
}

/* At the parameters of a media range: the end of the element, and whether q=0 forbids it. */
static const char *read_parameters(const char *p, bool *ret_forbidden)
{
    *ret_forbidden = false;
    bool quoted = false;
    for (; *p && (quoted || *p != ','); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (quoted && *p == '\\' && p[1]) {
            p++;
        } else if (!quoted && *p == ';') {
            const char *q = skip_space(p + 1);
            if ((q[0] == 'q' || q[0] == 'Q') && q[1] == '=') {
                q += 2;
                size_t zeros = strspn(q, "0.");
                *ret_forbidden = zeros && strchr(", \t;", q[zeros]);
            }
        }
    }
    return p;
}

/* Whether a range of size bytes ("text/html", "text/ *" without the space) takes in the type. 0 no, else how closely. */
static int range_matches(const char *range, size_t size, const char *type)
{
    size_t whole = strlen(type);
    if (size == whole && !strncasecmp(range, type, size))
        return 3;
    if (size == 3 && !memcmp(range, "*/*", 3))
        return 1;
    size_t major = (size_t)(strchr(type, '/') - type) + 1;
    if (size == major + 1 && range[major] == '*' && !strncasecmp(range, type, major))
        return 2;
    return 0;
}

bool header_accepts(const char *accept, const char *type)
{
    int best = 0;
    bool accepts = false;
    for (const char *p = accept; p && *p;) {
        p = skip_space(p);
        size_t size = strcspn(p, ",; \t");
        bool forbidden;
        const char *end = read_parameters(p + size, &forbidden);
        int matches = range_matches(p, size, type);
        if (matches > best) {
            best = matches;
            accepts = !forbidden;
        }
        p = *end ? end + 1 : end;
    }
    return accepts;
}

bool header_is_type(const char *content_type, const char *type)
{
    if (!content_type)
        return false;
    size_t size = strcspn(content_type, "; \t");
    return size == strlen(type) && !strncasecmp(content_type, type, size) &&
           strchr(";", *skip_space(content_type + size));
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4, with padding and with no bits left over (3.5): one text has one form. */
static int decode_base64(const char *text, size_t size, struct buf *out)
{
    if (size % 4)
        return ERR_INVALID;
    for (size_t i = 0; i < size; i += 4) {
        size_t digits = 4;
        if (i + 4 == size)
            digits = text[i + 3] != '=' ? 4 : text[i + 2] != '=' ? 3 : 2;
        unsigned bits = 0;
        for (size_t k = 0; k < 4; k++) {
            int digit = k < digits ? base64_digit(text[i + k]) : 0;
            if (digit < 0)
                return ERR_INVALID;
            bits = bits << 6 | (unsigned)digit;
        }
        unsigned char bytes[3] = {(unsigned char)(bits >> 16), (unsigned char)(bits >> 8),
                                  (unsigned char)bits};
        if ((digits == 2 && bytes[1]) || (digits < 4 && bytes[2]))
            return ERR_INVALID;
        buf_add_n(out, bytes, digits - 1);
    }
    return out->failed ? ERR_INVALID : 0;
}

int header_decode(const char *value, struct buf *out)
{
    size_t size = strlen(value);
    size_t around = strlen(WRAP_BEGIN) + strlen(WRAP_END);
    if (size >= around && str_starts(value, WRAP_BEGIN) && str_ends(value, WRAP_END))
        return decode_base64(value + strlen(WRAP_BEGIN), size - around, out);
    buf_add_n(out, value, size);
    return out->failed ? ERR_INVALID : 0;
}

static int missing(struct rpc_error *error, const char *header, const char *what)
{
    return rpc_fail(error, RPC_HEADER_MISMATCH,
                    "the header %s is missing: each request of " ERA_MODERN_VERSION
                    " repeats %s there",
                    header, what);
}

static int differs(struct rpc_error *error, const char *header, const char *value, const char *what,
                   const char *wanted)
{
    char has[96];
    char wants[96];
    utf8_clean(has, sizeof has, value, strlen(value));
    utf8_clean(wants, sizeof wants, wanted, strlen(wanted));
    return rpc_fail(error, RPC_HEADER_MISMATCH,
                    "the header %s says \"%s\", but %s is \"%s\"; they must be the same", header,
                    has, what, wants);
}

/* Whether a header says what the body says. */
static int agree(const char *header, const char *value, const char *what, const char *wanted,
                 size_t wanted_size, struct rpc_error *error)
{
    if (!value)
        return missing(error, header, what);
    if (strlen(value) == wanted_size && !memcmp(value, wanted, wanted_size) &&
        !str_starts(value, WRAP_BEGIN))
        return 0;
    CLEANUP(buf_finish) struct buf decoded = BUF(MAX_VALUE);
    if (header_decode(value, &decoded))
        return rpc_fail(error, RPC_HEADER_MISMATCH,
                        "the header %s begins with " WRAP_BEGIN " but is no valid base64", header);
    if (decoded.size == wanted_size && !memcmp(buf_text(&decoded), wanted, wanted_size))
        return 0;
    return differs(error, header, buf_text(&decoded), what, wanted);
}

int headers_agree_version(const struct mcp_headers *headers, const struct rpc_message *message,
                          struct rpc_error *error)
{
    struct json_object *meta = json_member(message->params, "_meta");
    const char *version = json_string_of(meta, META_VERSION);
    if (headers->repeated)
        return rpc_fail(error, RPC_HEADER_MISMATCH, "the header %s came more than once",
                        headers->repeated);
    if (!version) {
        bool present = json_object_is_type(meta, json_type_object) &&
                       json_object_object_get_ex(meta, META_VERSION, NULL);
        return era_bad_envelope(error, META_VERSION, present ? "must be a string" : "is missing");
    }
    return agree("MCP-Protocol-Version", headers->version, "the version in _meta", version,
                 strlen(version), error);
}

int headers_agree(const struct mcp_headers *headers, const struct rpc_message *message,
                  const char *named_by, struct rpc_error *error)
{
    int r = agree("Mcp-Method", headers->method, "the method", message->method,
                  strlen(message->method), error);
    if (r || !named_by)
        return r;
    struct json_object *name = json_member(message->params, named_by);
    if (!json_object_is_type(name, json_type_string))
        return 0; /* the method itself refuses it */
    char what[64];
    snprintf(what, sizeof what, "params.%s", named_by);
    return agree("Mcp-Name", headers->name, what, json_object_get_string(name),
                 (size_t)json_object_get_string_len(name), error);
}

/* An integer is the same however it is written: 7, 7.0. */
static bool same_number(const char *value, struct json_object *wanted)
{
    double number;
    int64_t integer;
    if (!str_to_int(value, INT64_MIN, INT64_MAX, &integer))
        return json_object_get_int64(wanted) == integer;
    return !str_to_double(value, &number) && number == json_object_get_double(wanted);
}

static int agree_argument(const char *header, const char *value, const char *name,
                          struct json_object *wanted, struct rpc_error *error)
{
    char what[64];
    snprintf(what, sizeof what, "the argument %s", name);
    if (json_object_is_type(wanted, json_type_string))
        return agree(header, value, what, json_object_get_string(wanted),
                     (size_t)json_object_get_string_len(wanted), error);
    if (value && json_object_is_type(wanted, json_type_int) && same_number(value, wanted))
        return 0;
    CLEANUP(buf_finish) struct buf text = BUF(MAX_VALUE);
    buf_json_object(&text, wanted);
    return agree(header, value, what, buf_text(&text), text.size, error);
}

int headers_agree_arguments(const struct mcp_headers *headers, const struct tool_spec *tool,
                            struct json_object *arguments, struct rpc_error *error)
{
    int r = 0;
    for (size_t i = 0; i < tool->arg_count && !r; i++) {
        const struct arg_spec *arg = &tool->args[i];
        if (!arg->header)
            continue;
        char header[128];
        snprintf(header, sizeof header, "Mcp-Param-%s", arg->header);
        const char *value = headers->find(headers->user, header);
        struct json_object *wanted = json_member(arguments, arg->name);
        if (wanted)
            r = agree_argument(header, value, arg->name, wanted, error);
        else if (value)
            r = rpc_fail(error, RPC_HEADER_MISMATCH,
                         "the header %s is there, but the argument %s is not", header, arg->name);
    }
    return r;
}
