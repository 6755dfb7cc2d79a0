/* SPDX-License-Identifier: Apache-2.0 */
#include <sonde/json.h>

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_DEFAULT 64u
#define DEPTH_MAX 1024u
#define TOKEN_DEFAULT ((size_t)1 << 20)
#define TOKEN_MAX ((size_t)16 << 20)
#define TOKEN_FIRST ((size_t)256)

enum expect {
    EXPECT_VALUE,
    EXPECT_FIRST_VALUE, /* or ']' */
    EXPECT_KEY,
    EXPECT_FIRST_KEY, /* or '}' */
    EXPECT_COLON,
    EXPECT_COMMA, /* or the end of the container */
    EXPECT_SPACE, /* between the values of SONDE_JSON_LINES */
    EXPECT_NOTHING
};

enum kind { KIND_NONE, KIND_STRING, KIND_NUMBER, KIND_LITERAL };

/* Within a string: after a backslash, or 1 to 4 hex digits still to come. */
enum { SUB_PLAIN = 0, SUB_HEX_LAST = 4, SUB_ESCAPE = 5 };

static const char *const LITERALS[] = {"true", "false", "null"};
static const uint32_t LITERAL_SIZES[] = {4, 5, 4};
static const uint32_t LITERAL_EVENTS[] = {SONDE_JSON_TRUE, SONDE_JSON_FALSE, SONDE_JSON_NULL};

static int is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static int is_number_byte(unsigned char c)
{
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static int emit(struct sonde_json *json, uint32_t type, const unsigned char *text, size_t size)
{
    return json->event(json->user, type, json->depth, (const char *)text, size);
}

static int token_add(struct sonde_json *json, const void *data, size_t size)
{
    if (size > json->max_token - json->token_size)
        return SONDE_JSON_E_TOKEN;
    if (json->token_size + size > json->token_capacity) {
        size_t capacity = json->token_capacity ? json->token_capacity : TOKEN_FIRST;
        while (capacity < json->token_size + size)
            capacity *= 2;
        if (capacity > json->max_token)
            capacity = json->max_token;
        char *grown = realloc(json->token, capacity);
        if (!grown)
            return SONDE_JSON_E_MEMORY;
        json->token = grown;
        json->token_capacity = capacity;
    }
    if (size)
        memcpy(json->token + json->token_size, data, size);
    json->token_size += size;
    return 0;
}

static int token_add_code(struct sonde_json *json, uint32_t code)
{
    unsigned char out[4];
    size_t n = 0;
    if (code < 0x80) {
        out[n++] = (unsigned char)code;
    } else if (code < 0x800) {
        out[n++] = (unsigned char)(0xc0u | code >> 6);
        out[n++] = (unsigned char)(0x80u | (code & 0x3fu));
    } else if (code < 0x10000) {
        out[n++] = (unsigned char)(0xe0u | code >> 12);
        out[n++] = (unsigned char)(0x80u | (code >> 6 & 0x3fu));
        out[n++] = (unsigned char)(0x80u | (code & 0x3fu));
    } else {
        out[n++] = (unsigned char)(0xf0u | code >> 18);
        out[n++] = (unsigned char)(0x80u | (code >> 12 & 0x3fu));
        out[n++] = (unsigned char)(0x80u | (code >> 6 & 0x3fu));
        out[n++] = (unsigned char)(0x80u | (code & 0x3fu));
    }
    return token_add(json, out, n);
}

/* Strict readers refuse what is no Unicode, lenient ones put U+FFFD in its place. */
static int not_unicode(struct sonde_json *json)
{
    if (!(json->flags & SONDE_JSON_LENIENT))
        return SONDE_JSON_E_UTF8;
    return token_add_code(json, 0xfffd);
}

/* Past everything that stands in a string as it is. */
static const unsigned char *scan_plain(const unsigned char *p, const unsigned char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones * 0x80;
    for (;;) {
        while (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, sizeof(word));
            const uint64_t quote = word ^ (ones * '"');
            const uint64_t slash = word ^ (ones * '\\');
            if (((word - ones * 0x20) | (quote - ones) | (slash - ones) | word) & tops)
                break;
            p += 8;
        }
        const unsigned char *stop = end - p > 8 ? p + 8 : end;
        while (p < stop && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
            p++;
        if (p == end)
            return p;
        if (p == stop)
            continue;
        const size_t n = *p >= 0x80 ? utf8_size(p, (size_t)(end - p)) : 0;
        if (!n)
            return p;
        p += n;
    }
}

static const unsigned char *scan_digits(const unsigned char *p, const unsigned char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

/* Past the number at p; NULL when it is none, or when the input ends where more must come. */
static const unsigned char *scan_number(const unsigned char *p, const unsigned char *end)
{
    if (p < end && *p == '-')
        p++;
    const unsigned char *first = p;
    p = scan_digits(p, end);
    if (p == first)
        return NULL;
    if (*first == '0')
        p = first + 1;
    if (p < end && *p == '.') {
        first = ++p;
        p = scan_digits(p, end);
        if (p == first)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        first = p;
        p = scan_digits(p, end);
        if (p == first)
            return NULL;
    }
    return p;
}

static int value_done(struct sonde_json *json)
{
    if (json->depth) {
        json->state = EXPECT_COMMA;
        return 0;
    }
    json->values++;
    if (!(json->flags & SONDE_JSON_LINES)) {
        json->state = EXPECT_NOTHING;
        return 0;
    }
    json->state = EXPECT_SPACE;
    return emit(json, SONDE_JSON_LINE_END, NULL, 0);
}

static int open_container(struct sonde_json *json, unsigned char c)
{
    if (json->depth >= json->max_depth)
        return SONDE_JSON_E_DEPTH;
    const int rc = emit(json, c == '{' ? SONDE_JSON_OBJECT_BEGIN : SONDE_JSON_ARRAY_BEGIN, NULL, 0);
    if (rc)
        return rc;
    json->stack[json->depth++] = c;
    json->state = c == '{' ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
    return 0;
}

static int close_container(struct sonde_json *json, unsigned char c)
{
    if (!json->depth || json->stack[json->depth - 1] != (c == '}' ? '{' : '['))
        return SONDE_JSON_E_SYNTAX;
    json->depth--;
    const int rc = emit(json, c == '}' ? SONDE_JSON_OBJECT_END : SONDE_JSON_ARRAY_END, NULL, 0);
    return rc ? rc : value_done(json);
}

static int string_done(struct sonde_json *json, const unsigned char *text, size_t size)
{
    if (size > json->max_token)
        return SONDE_JSON_E_TOKEN;
    const int rc = emit(json, json->is_key ? SONDE_JSON_KEY : SONDE_JSON_STRING, text, size);
    if (rc)
        return rc;
    if (!json->is_key)
        return value_done(json);
    json->is_key = 0;
    json->state = EXPECT_COLON;
    return 0;
}

static int number_done(struct sonde_json *json, const unsigned char *text, size_t size)
{
    if (size > json->max_token)
        return SONDE_JSON_E_TOKEN;
    const int rc = emit(json, SONDE_JSON_NUMBER, text, size);
    return rc ? rc : value_done(json);
}

/* *cursor stands behind the opening quote. */
static int begin_string(struct sonde_json *json, const unsigned char **cursor,
                        const unsigned char *end)
{
    const unsigned char *p = *cursor;
    const unsigned char *stop = scan_plain(p, end);
    if (stop < end && *stop == '"') {
        *cursor = stop + 1;
        return string_done(json, p, (size_t)(stop - p));
    }
    *cursor = stop;
    json->kind = KIND_STRING;
    json->sub = SUB_PLAIN;
    json->token_size = 0;
    return token_add(json, p, (size_t)(stop - p));
}

static int begin_number(struct sonde_json *json, const unsigned char **cursor,
                        const unsigned char *end)
{
    const unsigned char *p = *cursor;
    const unsigned char *stop = scan_number(p, end);
    if (stop && stop < end && !is_number_byte(*stop)) {
        *cursor = stop;
        return number_done(json, p, (size_t)(stop - p));
    }
    json->kind = KIND_NUMBER;
    json->token_size = 0;
    return 0;
}

static int begin_literal(struct sonde_json *json, uint32_t literal)
{
    json->kind = KIND_LITERAL;
    json->code = literal;
    json->sub = 0;
    return 0;
}

static int begin_value(struct sonde_json *json, const unsigned char **cursor,
                       const unsigned char *end)
{
    const unsigned char c = **cursor;
    switch (c) {
    case '{':
    case '[':
        ++*cursor;
        return open_container(json, c);
    case '"':
        ++*cursor;
        return begin_string(json, cursor, end);
    case 't':
        return begin_literal(json, 0);
    case 'f':
        return begin_literal(json, 1);
    case 'n':
        return begin_literal(json, 2);
    default:
        if (c != '-' && !is_digit(c))
            return SONDE_JSON_E_SYNTAX;
        return begin_number(json, cursor, end);
    }
}

static int lone_surrogate(struct sonde_json *json)
{
    json->surrogate = 0;
    return not_unicode(json);
}

static int escape_done(struct sonde_json *json)
{
    const uint32_t code = json->code;
    const int is_high = code >= 0xd800 && code <= 0xdbff;
    const int is_low = code >= 0xdc00 && code <= 0xdfff;
    if (json->surrogate && is_low) {
        const uint32_t high = json->surrogate;
        json->surrogate = 0;
        return token_add_code(json, 0x10000u + ((high - 0xd800u) << 10) + (code - 0xdc00u));
    }
    if (json->surrogate) {
        const int rc = lone_surrogate(json);
        if (rc)
            return rc;
    }
    if (is_high) {
        json->surrogate = code;
        return 0;
    }
    return is_low ? not_unicode(json) : token_add_code(json, code);
}

static int escape_byte(struct sonde_json *json, unsigned char c)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (json->sub == SUB_ESCAPE) {
        if (c == 'u') {
            json->sub = SUB_HEX_LAST;
            json->code = 0;
            return 0;
        }
        const char *at = c ? strchr(from, c) : NULL;
        if (!at)
            return SONDE_JSON_E_SYNTAX;
        const int rc = json->surrogate ? lone_surrogate(json) : 0;
        json->sub = SUB_PLAIN;
        return rc ? rc : token_add(json, &to[at - from], 1);
    }
    uint32_t digit;
    if (is_digit(c))
        digit = c - (uint32_t)'0';
    else if (c >= 'a' && c <= 'f')
        digit = c - (uint32_t)'a' + 10;
    else if (c >= 'A' && c <= 'F')
        digit = c - (uint32_t)'A' + 10;
    else
        return SONDE_JSON_E_SYNTAX;
    json->code = json->code << 4 | digit;
    return --json->sub == SUB_PLAIN ? escape_done(json) : 0;
}

/* A byte of a character whose lead byte was seen; *ret_taken 0: it belongs to what comes next. */
static int utf8_byte(struct sonde_json *json, const unsigned char *p, int *ret_taken)
{
    *ret_taken = *p >= json->utf8_low && *p <= json->utf8_high;
    if (*ret_taken) {
        json->utf8_left--;
        json->utf8_seen++;
        json->utf8_low = 0x80;
        json->utf8_high = 0xbf;
        return token_add(json, p, 1);
    }
    json->utf8_left = 0;
    json->token_size -= json->utf8_seen;
    return not_unicode(json);
}

static int utf8_begin(struct sonde_json *json, const unsigned char *p)
{
    json->utf8_left = utf8_lead(*p, &json->utf8_low, &json->utf8_high);
    json->utf8_seen = 1;
    return json->utf8_left ? token_add(json, p, 1) : not_unicode(json);
}

/* Goes on with a string that has escapes or that a chunk cut. */
static int resume_string(struct sonde_json *json, const unsigned char **cursor,
                         const unsigned char *end)
{
    const unsigned char *p = *cursor;
    int rc = 0;
    while (p < end) {
        int taken = 1;
        if (json->utf8_left) {
            rc = utf8_byte(json, p, &taken);
        } else if (json->sub != SUB_PLAIN) {
            rc = escape_byte(json, *p);
        } else if (*p == '\\') {
            json->sub = SUB_ESCAPE;
        } else if (json->surrogate) {
            rc = lone_surrogate(json);
            taken = 0;
        } else if (*p == '"') {
            *cursor = p + 1;
            json->kind = KIND_NONE;
            return string_done(json, (const unsigned char *)json->token, json->token_size);
        } else if (*p < 0x20) {
            rc = SONDE_JSON_E_SYNTAX;
        } else {
            const unsigned char *stop = scan_plain(p, end);
            if (stop > p) {
                rc = token_add(json, p, (size_t)(stop - p));
                p = rc ? p : stop;
                taken = 0;
            } else {
                rc = utf8_begin(json, p);
            }
        }
        if (rc)
            break;
        p += taken;
    }
    *cursor = p;
    return rc;
}

static int finish_number(struct sonde_json *json)
{
    const unsigned char *text = (const unsigned char *)json->token;
    json->kind = KIND_NONE;
    if (scan_number(text, text + json->token_size) != text + json->token_size)
        return SONDE_JSON_E_SYNTAX;
    return number_done(json, text, json->token_size);
}

static int resume_number(struct sonde_json *json, const unsigned char **cursor,
                         const unsigned char *end)
{
    const unsigned char *p = *cursor;
    while (p < end && is_number_byte(*p))
        p++;
    const int rc = token_add(json, *cursor, (size_t)(p - *cursor));
    if (rc)
        return rc;
    *cursor = p;
    return p < end ? finish_number(json) : 0;
}

static int resume_literal(struct sonde_json *json, const unsigned char **cursor,
                          const unsigned char *end)
{
    const char *literal = LITERALS[json->code];
    while (*cursor < end) {
        if (**cursor != (unsigned char)literal[json->sub])
            return SONDE_JSON_E_SYNTAX;
        ++*cursor;
        if (++json->sub < LITERAL_SIZES[json->code])
            continue;
        json->kind = KIND_NONE;
        const int rc = emit(json, LITERAL_EVENTS[json->code], NULL, 0);
        return rc ? rc : value_done(json);
    }
    return 0;
}

/* Elements that whoever uses the reader reads itself; 1 when there were any. */
static int take_elements(struct sonde_json *json, const unsigned char **cursor,
                         const unsigned char *end, int *ret_rc)
{
    *ret_rc = 0;
    if (json->elements == NULL || **cursor != '[' || json->depth == 0 ||
        json->stack[json->depth - 1] != '[')
        return 0;
    const size_t size =
        json->elements(json->user, (const char *)*cursor, (size_t)(end - *cursor), ret_rc);
    *cursor += size;
    if (size)
        json->state = EXPECT_VALUE;
    return size || *ret_rc;
}

/* The next mark or token; *cursor stands on a byte that is no white space. */
static int step(struct sonde_json *json, const unsigned char **cursor, const unsigned char *end)
{
    const unsigned char c = **cursor;
    int rc;
    switch ((enum expect)json->state) {
    case EXPECT_FIRST_VALUE:
        if (c == ']') {
            ++*cursor;
            return close_container(json, c);
        }
        __attribute__((fallthrough));
    case EXPECT_VALUE:
        return take_elements(json, cursor, end, &rc) ? rc : begin_value(json, cursor, end);
    case EXPECT_FIRST_KEY:
        if (c == '}') {
            ++*cursor;
            return close_container(json, c);
        }
        __attribute__((fallthrough));
    case EXPECT_KEY:
        if (c != '"')
            return SONDE_JSON_E_SYNTAX;
        ++*cursor;
        json->is_key = 1;
        return begin_string(json, cursor, end);
    case EXPECT_COLON:
        if (c != ':')
            return SONDE_JSON_E_SYNTAX;
        ++*cursor;
        json->state = EXPECT_VALUE;
        return 0;
    case EXPECT_COMMA:
        if (c == ',') {
            ++*cursor;
            json->state = json->stack[json->depth - 1] == '{' ? EXPECT_KEY : EXPECT_VALUE;
            return 0;
        }
        if (c != ']' && c != '}')
            return SONDE_JSON_E_SYNTAX;
        if (json->stack[json->depth - 1] != (c == '}' ? '{' : '['))
            return SONDE_JSON_E_SYNTAX;
        ++*cursor;
        return close_container(json, c);
    case EXPECT_SPACE:
    case EXPECT_NOTHING:
        break;
    }
    return SONDE_JSON_E_SYNTAX;
}

static int resume(struct sonde_json *json, const unsigned char **cursor, const unsigned char *end)
{
    if (json->kind == KIND_STRING)
        return resume_string(json, cursor, end);
    if (json->kind == KIND_NUMBER)
        return resume_number(json, cursor, end);
    return resume_literal(json, cursor, end);
}

int sonde_json_feed(struct sonde_json *json, const void *data, size_t size)
{
    if (json->failed)
        return json->failed;
    if (!size)
        return 0;
    const unsigned char *p = data;
    const unsigned char *const end = p + size;
    int rc = 0;
    while (p < end && !rc) {
        if (json->kind != KIND_NONE) {
            rc = resume(json, &p, end);
        } else if (is_space(*p)) {
            if (json->state == EXPECT_SPACE)
                json->state = EXPECT_VALUE;
            p++;
        } else {
            rc = step(json, &p, end);
        }
    }
    json->offset += (uint64_t)(p - (const unsigned char *)data);
    json->failed = rc;
    return rc;
}

int sonde_json_end(struct sonde_json *json)
{
    if (json->failed)
        return json->failed;
    if (json->kind == KIND_NUMBER && !json->depth)
        json->failed = finish_number(json);
    if (json->failed)
        return json->failed;
    const int at_top = json->kind == KIND_NONE && json->depth == 0;
    if (!at_top || (!json->values && !(json->flags & SONDE_JSON_LINES)))
        json->failed = SONDE_JSON_E_END;
    return json->failed;
}

int sonde_json_init(struct sonde_json *json, sonde_json_event_fn event, void *user, uint32_t flags,
                    uint32_t max_depth, size_t max_token)
{
    memset(json, 0, sizeof(*json));
    json->event = event;
    json->user = user;
    json->flags = flags;
    json->max_depth = max_depth ? max_depth : DEPTH_DEFAULT;
    if (json->max_depth > DEPTH_MAX)
        json->max_depth = DEPTH_MAX;
    json->max_token = max_token ? max_token : TOKEN_DEFAULT;
    if (json->max_token > TOKEN_MAX)
        json->max_token = TOKEN_MAX;
    json->stack = malloc(json->max_depth);
    if (!json->stack) {
        json->failed = SONDE_JSON_E_MEMORY;
        return SONDE_JSON_E_MEMORY;
    }
    return 0;
}

void sonde_json_reset(struct sonde_json *json)
{
    json->offset = 0;
    json->token_size = 0;
    json->depth = 0;
    json->state = EXPECT_VALUE;
    json->kind = KIND_NONE;
    json->sub = 0;
    json->surrogate = 0;
    json->utf8_left = 0;
    json->is_key = 0;
    json->values = 0;
    json->failed = json->stack ? 0 : SONDE_JSON_E_MEMORY;
}

void sonde_json_free(struct sonde_json *json)
{
    free(json->stack);
    free(json->token);
    memset(json, 0, sizeof(*json));
    json->failed = SONDE_JSON_E_MEMORY;
}

const char *sonde_json_error(int code)
{
    switch (code) {
    case 0:
        return "no error";
    case SONDE_JSON_E_SYNTAX:
        return "this is no valid JSON";
    case SONDE_JSON_E_DEPTH:
        return "the JSON is nested too deep";
    case SONDE_JSON_E_TOKEN:
        return "a string or number in the JSON is too long";
    case SONDE_JSON_E_UTF8:
        return "a string in the JSON is no valid UTF-8";
    case SONDE_JSON_E_MEMORY:
        return "out of memory";
    case SONDE_JSON_E_END:
        return "the JSON ends too early";
    default:
        return "stopped by the reader of the events";
    }
}
