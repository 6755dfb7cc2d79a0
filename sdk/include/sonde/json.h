/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push reader for JSON: bytes in, in chunks that may end anywhere; events out, as they are read.
 * Memory is the nesting and the longest token, whatever the size of the document.
 *
 * Strict RFC 8259: UTF-8 is checked, lone surrogates and raw control characters are errors, no
 * duplicate detection, no comments, one value (or one a line with SONDE_JSON_LINES).
 *
 * Ownership: the caller owns the reader and calls sonde_json_free; event text is lifetime call.
 * Threads: one reader, one thread at a time; no shared state.
 */
#ifndef SONDE_JSON_H
#define SONDE_JSON_H

#include <sonde/abi.h>

#define SONDE_JSON_OBJECT_BEGIN 1u
#define SONDE_JSON_OBJECT_END 2u
#define SONDE_JSON_ARRAY_BEGIN 3u
#define SONDE_JSON_ARRAY_END 4u
#define SONDE_JSON_KEY 5u    /* text: decoded UTF-8, may hold NUL */
#define SONDE_JSON_STRING 6u /* text: decoded UTF-8, may hold NUL */
#define SONDE_JSON_NUMBER 7u /* text: the number as written */
#define SONDE_JSON_TRUE 8u
#define SONDE_JSON_FALSE 9u
#define SONDE_JSON_NULL 10u
#define SONDE_JSON_LINE_END 11u /* only with SONDE_JSON_LINES: a value is complete */

#define SONDE_JSON_LINES 1u   /* many values, separated by white space */
#define SONDE_JSON_LENIENT 2u /* invalid UTF-8 and lone surrogates become U+FFFD */

#define SONDE_JSON_E_SYNTAX (-1)
#define SONDE_JSON_E_DEPTH (-2)
#define SONDE_JSON_E_TOKEN (-3) /* a token longer than max_token */
#define SONDE_JSON_E_UTF8 (-4)
#define SONDE_JSON_E_MEMORY (-5)
#define SONDE_JSON_E_END (-6) /* input ended inside a value, or there was none */

/*
 * depth: nesting of the containers around this event (0 for the top value itself; a KEY and its value
 * have the depth of their object + 1). A return other than 0 stops the reader, which hands it back.
 */
typedef int (*sonde_json_event_fn)(void *user, uint32_t type, uint32_t depth, const char *text,
                                   size_t size);

/*
 * For arrays with very many short arrays in them, each of one form: offered whatever there is from the '[' of an element on, reads as many
 * whole elements as it knows the form of, each with the comma behind it, and returns how many bytes that were; they cause no events.
 * 0: the reader goes on itself. *ret_stop other than 0 stops the reader, which hands it back. size is what has come so far.
 */
typedef size_t (*sonde_json_elements_fn)(void *user, const char *text, size_t size, int *ret_stop);

struct sonde_json {
    sonde_json_event_fn event;
    void *user;
    uint32_t flags;
    uint32_t max_depth;
    size_t max_token;
    uint64_t offset; /* bytes consumed: where an error is */
    /* below: the reader's own */
    uint8_t *stack; /* a byte a level: '{' or '[' */
    char *token;    /* a token that a chunk cut, or one with escapes */
    size_t token_size;
    size_t token_capacity;
    uint32_t depth;
    uint32_t state; /* what may come next */
    uint32_t kind;  /* of the token begun and not ended */
    uint32_t sub;   /* state within that token */
    uint32_t code;  /* \u escape so far, or the literal */
    uint32_t surrogate;
    uint32_t utf8_left; /* bytes of the character that are still to come */
    uint32_t utf8_seen;
    uint32_t utf8_low; /* bounds of its next byte */
    uint32_t utf8_high;
    uint32_t is_key;
    int32_t failed;
    uint64_t values; /* complete at the top */
    /* NULL after sonde_json_init; may be set then. */
    sonde_json_elements_fn elements;
};

/* max_depth 1 to 1024, max_token up to 16 MiB; 0 takes 64 and 1 MiB. Returns 0 or SONDE_JSON_E_MEMORY. */
int sonde_json_init(struct sonde_json *json, sonde_json_event_fn event, void *user, uint32_t flags,
                    uint32_t max_depth, size_t max_token);
/* 0, a SONDE_JSON_E_* (sticky), or what the event function returned (sticky too). */
int sonde_json_feed(struct sonde_json *json, const void *data, size_t size);
/*
 * The input is complete: 0, SONDE_JSON_E_END, or the sticky error; may still emit a number. With
 * SONDE_JSON_LINES no value at all is no error.
 */
int sonde_json_end(struct sonde_json *json);
/* Ready for a new document, memory kept. */
void sonde_json_reset(struct sonde_json *json);
void sonde_json_free(struct sonde_json *json);
/* The error in words; static. */
const char *sonde_json_error(int code);

/*
 * A number as JSON, Prometheus ("NaN", "+Inf", "-Inf") or Go writes it, of at most 1 KiB; correctly
 * rounded whatever the locale. Beyond a double's range it is an infinity or zero. 0 or -1.
 */
int sonde_parse_double(const char *text, size_t size, double *ret_value);
/* 0, or -1 if it is no integer of 64 bits. A trailing ".0" or exponent that leaves an integer is accepted. */
int sonde_parse_int64(const char *text, size_t size, int64_t *ret_value);
/*
 * Decimal seconds ("1729425600.123", "1.7954208E9") to ns, never through a double; digits beyond the
 * ninth are rounded. 0 or -1.
 */
int sonde_parse_seconds_ns(const char *text, size_t size, int64_t *ret_ns);

#endif
