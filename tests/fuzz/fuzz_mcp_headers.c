/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers against a body: lines Accept, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Param-Region, then
 * the body. What agrees must be the same text; what a value means must be found again by its base64.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "fuzz.h"
#include "mcp/era.h"
#include "mcp/headers.h"

#define LINES 6

static const char *find(void *user, const char *header)
{
    if (!str_eq(header, "Mcp-Param-Region"))
        abort();
    return user;
}

/* The next line as a string of its own; an empty one is an absent header. */
static char *next_line(const char **data, size_t *size)
{
    const char *end = *size ? memchr(*data, '\n', *size) : NULL;
    size_t length = end ? (size_t)(end - *data) : *size;
    char *line = length ? mem_strndup(*data, length) : NULL;
    length += end != NULL;
    *data += length;
    *size -= length;
    return line;
}

/* A text wrapped as clients wrap it. */
static void wrap(struct buf *out, const char *text, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf_add(out, "=?base64?");
    for (size_t i = 0; i < size; i += 3) {
        unsigned char bytes[3] = {0};
        size_t n = size - i < 3 ? size - i : 3;
        memcpy(bytes, text + i, n);
        unsigned bits = (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2];
        for (size_t k = 0; k < 4; k++)
            buf_add_char(out, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
    buf_add(out, "?=");
}

static void check_wrapped(const char *value)
{
    struct buf plain = BUF(1 << 20);
    if (!header_decode(value, &plain)) {
        struct buf wrapped = BUF(1 << 21);
        struct buf again = BUF(1 << 20);
        wrap(&wrapped, buf_text(&plain), plain.size);
        if (header_decode(buf_text(&wrapped), &again) || again.size != plain.size ||
            memcmp(buf_text(&again), buf_text(&plain), plain.size))
            abort();
        /* Base64 has one form for a text. */
        if (str_starts(value, "=?base64?") && str_ends(value, "?=") && strlen(value) >= 11 &&
            !str_eq(value, buf_text(&wrapped)))
            abort();
        buf_finish(&again);
        buf_finish(&wrapped);
    }
    buf_finish(&plain);
}

static void check_body(const char *text, size_t size, char *const lines[LINES])
{
    static const struct arg_spec args[] = {{.name = "region", .header = "Region"}};
    static const struct tool_spec tool = {.name = "t", .args = args, .arg_count = 1};
    struct mcp_headers headers = {
        .version = lines[2], .method = lines[3], .name = lines[4], .find = find, .user = lines[5]};
    struct json_object *document = NULL;
    struct rpc_message message;
    struct rpc_error error;
    bool answerable;
    if (rpc_parse(text, size, &document, &error))
        return;
    if (!rpc_read(document, &message, &answerable, &error) && message.kind == RPC_REQUEST) {
        if (!headers_agree_version(&headers, &message, &error) &&
            (!lines[2] || !json_member(json_member(message.params, "_meta"), META_VERSION)))
            abort();
        if (!headers_agree(&headers, &message, "name", &error) && !lines[3])
            abort();
        struct json_object *arguments = json_member(message.params, "arguments");
        struct json_object *region = json_member(arguments, "region");
        if (!headers_agree_arguments(&headers, &tool, arguments, &error) && !lines[5] != !region)
            abort();
    }
    json_object_put(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *lines[LINES];
    for (int i = 0; i < LINES; i++)
        lines[i] = next_line(&text, &size);
    /* What takes in everything takes in each. */
    bool json = header_accepts(lines[0], "application/json");
    bool any = header_accepts(lines[0], "x/y");
    if (any && !lines[0])
        abort();
    if (json && header_is_type(lines[1], "application/json") && !lines[1])
        abort();
    for (int i = 0; i < LINES; i++)
        if (lines[i])
            check_wrapped(lines[i]);
    check_body(text, size, lines);
    for (int i = 0; i < LINES; i++)
        mem_free(lines[i]);
    return 0;
}
