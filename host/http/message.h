/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, from its first byte to its last, without I/O: bytes in; head, end or refusal out. What a refused message was followed
 * by is never looked at.
 *
 * Ownership: message_finish frees what the message holds. Threads: one thread at a time.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "http/parse.h"
#include "http/scan.h"

enum message_event {
    MESSAGE_MORE,   /* all bytes taken, the message goes on */
    MESSAGE_HEAD,   /* once, before any byte of the body is taken: check it, set max_body, go on */
    MESSAGE_DONE,   /* whole; bytes not taken belong to what follows */
    MESSAGE_REFUSED /* see refusal */
};

/* Offsets into text; both ends are NUL there. */
struct head_line {
    uint16_t name;
    uint16_t value;
};

struct message {
    struct scan_head scan;
    struct scan_chunk chunk;
    struct parser parser;
    struct framing framing;
    struct refusal refusal;
    char *partial; /* a head that came in pieces */
    uint32_t partial_size;
    uint32_t partial_capacity;
    uint8_t stage;
    bool framed;     /* the library accepted the head */
    bool old;        /* HTTP/1.0 */
    bool keep_alive; /* as the client wishes */
    bool expects;    /* 100-continue */
    bool discard;    /* the body is read and dropped: the answer is made already */
    uint16_t line_count;
    char *text; /* the head, cut into texts */
    struct head_line *lines;
    const char *method;
    const char *authority; /* of an absolute target, else NULL */
    const char *path;
    const char *query;
    char *body; /* NUL after it once done; NULL when empty */
    size_t body_size;
    size_t body_capacity;
    size_t max_body;
    uint64_t body_left;  /* of the length, or of the chunk */
    uint64_t body_raw;   /* bytes of chunked framing */
    uint64_t body_total; /* decoded bytes, dropped ones too */
    bool body_inline;    /* body lies in the block of text */
};

void message_init(struct message *message, size_t max_body);
void message_finish(struct message *message);
/* Call again with what was not taken (size 0 is allowed) after HEAD. */
enum message_event message_feed(struct message *message, const char *data, size_t size,
                                size_t *ret_used);
bool message_has_body(const struct message *message); /* after HEAD */
/* Value of the first line of that name, any case; NULL when there is none. */
const char *message_header(const struct message *message, const char *name);
size_t message_header_count(const struct message *message, const char *name);
/* Overwrites the value and forgets the lines of that name. */
void message_wipe_header(struct message *message, const char *name);
/* The checks of head.c on a head cut into lines. 0, or -1 with refusal set. */
int head_check(struct message *message, char *request_line);
/* True when token is in the comma-separated list, in any case. */
bool head_list_has(const char *list, const char *token);

#endif
