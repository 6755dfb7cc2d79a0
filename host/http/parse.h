/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser library, llhttp or http-parser, behind four functions and without I/O. It is fed what scan.h has passed, and decides
 * how the body is framed and how long it is.
 *
 * Ownership: plain state; nothing to free. Threads: one parser, one thread.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSER_LIBRARY_BYTES 128

struct framing {
    uint64_t content_length; /* 0 when there is none */
    bool has_length;
    bool chunked;
    bool keep_alive;
};

struct parser {
    _Alignas(8) unsigned char library[PARSER_LIBRARY_BYTES];
    /* What the last parser_feed found. */
    size_t body_bytes;  /* bytes of it that belong to the body */
    int64_t chunk_size; /* a size line ended: that size; else -1 */
    bool done;          /* the message ended */
    bool head_done;
    struct framing framing; /* taken when the head was complete: libraries forget it at the end */
};

void parser_init(struct parser *parser);
/* A whole head, its blank line included. 0, or -1: the library refuses it. */
int parser_head(struct parser *parser, const char *head, size_t size, struct framing *ret_framing);
/* Bytes of the body as framed, at most to the end of the message. 0, or -1: the library refuses them. */
int parser_feed(struct parser *parser, const char *data, size_t size);
/* "llhttp 9.2.1" or "http-parser 2.9.4"; static. */
const char *parser_name(void);

#endif
