/* SPDX-License-Identifier: Apache-2.0 */
#include "http/scan.h"

#include <string.h>

#include "base/cleanup.h"

#define BIT(c) (UINT64_C(1) << ((c)&63))
#define CHUNK_LINE_MAX 256u  /* a size and extensions nobody uses */
#define CHUNK_DIGITS_MAX 15u /* libraries differ at the edge of 64 bits */
#define TRAILERS_MAX 4096u

bool is_token_char(unsigned char c)
{
    /* RFC 9110 5.6.2; 0 to 63 and 64 to 127. */
    static const uint64_t low = BIT('!') | BIT('#') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') |
                                BIT('*') | BIT('+') | BIT('-') | BIT('.') |
                                (UINT64_C(0x3ff) << '0');
    static const uint64_t high = (UINT64_C(0x3ffffff) << ('A' - 64)) |
                                 (UINT64_C(0x3ffffff) << ('a' - 64)) | BIT('^') | BIT('_') |
                                 BIT('`') | BIT('|') | BIT('~');
    return c < 128 && ((c < 64 ? low : high) & BIT(c));
}

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

static enum scan_result refuse(struct refusal *ret_refusal, int status, const char *detail)
{
    *ret_refusal = (struct refusal){status, detail};
    return SCAN_REFUSED;
}

/* ---- The request line ---- */

static enum scan_result check_version(const char *text, size_t size, struct refusal *ret_refusal)
{
    if (size != 8 || memcmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' ||
        text[6] != '.' || text[7] < '0' || text[7] > '9')
        return refuse(ret_refusal, 400,
                      "The request line must end in HTTP/1.1 after one blank and the target.");
    if (text[5] != '1' || text[7] > '1')
        return refuse(ret_refusal, 505, "This server speaks HTTP/1.1.");
    return SCAN_MORE;
}

static enum scan_result check_method(const char *text, size_t size, struct refusal *ret_refusal)
{
    static const char *const known[] = {"GET",    "HEAD",    "POST",  "PUT",
                                        "DELETE", "OPTIONS", "PATCH", "TRACE"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (size == strlen(known[i]) && memcmp(text, known[i], size) == 0)
            return SCAN_DONE;
    return refuse(ret_refusal, 501, "This server does not know that method.");
}

static enum scan_result check_request_line(const char *line, size_t size,
                                           struct refusal *ret_refusal)
{
    const char *end = line + size;
    size_t method = 0;
    while (method < size && line[method] != ' ') {
        unsigned char c = (unsigned char)line[method];
        if (!is_token_char(c) || (c >= 'a' && c <= 'z'))
            return refuse(ret_refusal, 400, "The method must be a token in capital letters.");
        method++;
    }
    if (!method || method == size)
        return refuse(ret_refusal, 400, "The request line must be: method, target, HTTP/1.1.");
    const char *target = line + method + 1;
    const char *p = target;
    for (; p < end && *p != ' '; p++)
        if ((unsigned char)*p >= 0x80 || *p == '#' || *p == '\t')
            return refuse(ret_refusal, 400,
                          "The target holds a byte that must be percent-encoded.");
    if (p == target || p == end)
        return refuse(ret_refusal, 400, "The request line must be: method, target, HTTP/1.1.");
    if ((size_t)(p - target) > URI_MAX_BYTES)
        return refuse(ret_refusal, 414, "The target is longer than 8 KiB.");
    enum scan_result result = check_version(p + 1, (size_t)(end - p - 1), ret_refusal);
    if (result == SCAN_REFUSED)
        return result;
    return check_method(line, method, ret_refusal);
}

/* ---- Header lines ---- */

static enum scan_result check_header_line(const char *line, size_t size,
                                          struct refusal *ret_refusal)
{
    if (line[0] == ' ' || line[0] == '\t')
        return refuse(ret_refusal, 400,
                      "A header line begins with a blank (folded headers are not taken).");
    size_t name = 0;
    while (name < size && is_token_char((unsigned char)line[name]))
        name++;
    if (!name || name == size || line[name] != ':')
        return refuse(ret_refusal, 400,
                      "A header line must be a name, a colon right after it, and a value.");
    return SCAN_MORE;
}

/* The line [line_start, at - 1) ended with CR LF at at. */
static enum scan_result end_line(struct scan_head *scan, const char *head,
                                 struct refusal *ret_refusal)
{
    const char *line = head + scan->line_start;
    size_t size = scan->at - scan->line_start - 2;
    scan->line_start = scan->at;
    if (!scan->first_done) {
        if (!size && !scan->skipped) {
            scan->skipped = 2;
            return SCAN_MORE;
        }
        scan->first_done = true;
        return check_request_line(line, size, ret_refusal) == SCAN_REFUSED ? SCAN_REFUSED
                                                                           : SCAN_MORE;
    }
    if (!size)
        return SCAN_DONE;
    if (++scan->lines > HEAD_MAX_LINES)
        return refuse(ret_refusal, 431, "There are more than 64 header lines.");
    return check_header_line(line, size, ret_refusal);
}

enum scan_result scan_head(struct scan_head *scan, const char *head, size_t size,
                           struct refusal *ret_refusal)
{
    while (scan->at < size) {
        unsigned char c = (unsigned char)head[scan->at++];
        if (scan->cr) {
            scan->cr = false;
            if (c != '\n')
                return refuse(ret_refusal, 400, "A carriage return stands alone in the head.");
            enum scan_result result = end_line(scan, head, ret_refusal);
            if (result != SCAN_MORE)
                return result;
        } else if (c == '\r') {
            scan->cr = true;
        } else if (c == '\n') {
            return refuse(ret_refusal, 400, "Lines of the head must end in CR LF.");
        } else if (is_control(c)) {
            return refuse(ret_refusal, 400, "The head holds a control character.");
        }
        if (!scan->first_done && scan->at > URI_MAX_BYTES + 64)
            return refuse(ret_refusal, 414, "The target is longer than 8 KiB.");
        if (scan->at >= HEAD_MAX_BYTES)
            return refuse(ret_refusal, 431, "The head is longer than 16 KiB.");
    }
    return SCAN_MORE;
}

/* ---- Chunked framing ---- */

enum { AT_START, IN_DIGITS, IN_REST, AFTER_CR, IN_NAME, AFTER_BLANK_CR };

void scan_chunk_begin(struct scan_chunk *scan, enum scan_chunk_kind kind)
{
    uint16_t trailer_bytes = kind == CHUNK_TRAILERS ? scan->trailer_bytes : 0;
    *scan = (struct scan_chunk){.kind = kind, .trailer_bytes = trailer_bytes, .state = AT_START};
}

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One byte of "1a;name=value CR LF". */
static enum scan_result size_byte(struct scan_chunk *scan, unsigned char c,
                                  struct refusal *ret_refusal)
{
    if (++scan->line_bytes > CHUNK_LINE_MAX)
        return refuse(ret_refusal, 400, "The line of a chunk's size is too long.");
    switch (scan->state) {
    case AT_START:
    case IN_DIGITS:
        if (is_hex(c)) {
            if (scan->line_bytes > CHUNK_DIGITS_MAX)
                return refuse(ret_refusal, 400, "A chunk's size is too large a number.");
            scan->state = IN_DIGITS;
            return SCAN_MORE;
        }
        if (scan->state == IN_DIGITS && c == '\r') {
            scan->state = AFTER_CR;
            return SCAN_MORE;
        }
        if (scan->state == IN_DIGITS && c == ';') {
            scan->state = IN_REST;
            return SCAN_MORE;
        }
        return refuse(ret_refusal, 400, "A chunk's size must be hexadecimal digits.");
    case IN_REST:
        if (c == '\r')
            scan->state = AFTER_CR;
        else if (is_control(c))
            return refuse(ret_refusal, 400, "A chunk's extension holds a control character.");
        return SCAN_MORE;
    default:
        if (c != '\n')
            return refuse(ret_refusal, 400, "The line of a chunk's size must end in CR LF.");
        return SCAN_DONE;
    }
}

static enum scan_result data_end_byte(struct scan_chunk *scan, unsigned char c,
                                      struct refusal *ret_refusal)
{
    if (scan->state == AT_START && c == '\r') {
        scan->state = AFTER_CR;
        return SCAN_MORE;
    }
    if (scan->state == AFTER_CR && c == '\n')
        return SCAN_DONE;
    return refuse(ret_refusal, 400, "A chunk's data must be followed by CR LF.");
}

/* Trailers are checked like a head and then ignored. */
static enum scan_result trailer_byte(struct scan_chunk *scan, unsigned char c,
                                     struct refusal *ret_refusal)
{
    if (++scan->trailer_bytes > TRAILERS_MAX)
        return refuse(ret_refusal, 431, "The trailers are longer than 4 KiB.");
    switch (scan->state) {
    case AT_START:
        if (c == '\r')
            scan->state = AFTER_BLANK_CR;
        else if (is_token_char(c))
            scan->state = IN_NAME;
        else
            return refuse(ret_refusal, 400, "A trailer line must begin with a name.");
        return SCAN_MORE;
    case IN_NAME:
        if (c == ':')
            scan->state = IN_REST;
        else if (!is_token_char(c))
            return refuse(ret_refusal, 400, "A trailer line must be a name, a colon and a value.");
        return SCAN_MORE;
    case IN_REST:
        if (c == '\r')
            scan->state = AFTER_CR;
        else if (is_control(c))
            return refuse(ret_refusal, 400, "A trailer holds a control character.");
        return SCAN_MORE;
    default:
        if (c != '\n')
            return refuse(ret_refusal, 400, "Trailer lines must end in CR LF.");
        if (scan->state == AFTER_BLANK_CR)
            return SCAN_DONE;
        scan->state = AT_START;
        return SCAN_MORE;
    }
}

enum scan_result scan_chunk(struct scan_chunk *scan, const char *data, size_t size,
                            size_t *ret_used, struct refusal *ret_refusal)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        enum scan_result result = scan->kind == CHUNK_SIZE ? size_byte(scan, c, ret_refusal)
                                  : scan->kind == CHUNK_DATA_END
                                      ? data_end_byte(scan, c, ret_refusal)
                                      : trailer_byte(scan, c, ret_refusal);
        if (result != SCAN_MORE) {
            *ret_used = i + 1;
            return result;
        }
    }
    *ret_used = size;
    return SCAN_MORE;
}
