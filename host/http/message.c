/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

#define PARTIAL_FIRST 1024u
#define INLINE_BODY ((size_t)16 * 1024) /* shares the head's block */
#define BODY_FIRST ((size_t)16 * 1024) /* then doubled as bytes come, whatever length was claimed */
#define FRAMING_ALLOWANCE ((uint64_t)16 * 1024)
#define FRAMING_RATIO 8u /* raw bytes per byte of the body */

enum {
    STAGE_HEAD,
    STAGE_LENGTH,
    STAGE_CHUNK_SIZE,
    STAGE_CHUNK_DATA,
    STAGE_CHUNK_END,
    STAGE_TRAILERS,
    STAGE_DONE,
    STAGE_REFUSED
};

void message_init(struct message *message, size_t max_body)
{
    memset(message, 0, sizeof *message);
    message->max_body = max_body;
}

static void drop_partial(struct message *message)
{
    if (message->partial)
        wipe(message->partial, message->partial_size); /* it may hold a token */
    mem_free(message->partial);
    message->partial = NULL;
    message->partial_size = message->partial_capacity = 0;
}

void message_finish(struct message *message)
{
    drop_partial(message);
    if (!message->body_inline)
        mem_free(message->body);
    message->body = NULL;
    mem_free(message->text);
    message->text = NULL;
}

static enum message_event refuse(struct message *message, int status, const char *detail)
{
    message->refusal = (struct refusal){status, detail};
    message->stage = STAGE_REFUSED;
    return MESSAGE_REFUSED;
}

static enum message_event refused(struct message *message)
{
    message->stage = STAGE_REFUSED;
    return MESSAGE_REFUSED;
}

/* ---- The head ---- */

/* Cuts the text at its colons and line ends. The scan has made sure that they are there. */
static void cut_lines(struct message *message, char *text, size_t size)
{
    char *p = memchr(text, '\r', size);
    *p = 0;
    p += 2;
    for (uint16_t i = 0; i < message->line_count; i++) {
        char *end = memchr(p, '\r', size - (size_t)(p - text));
        char *colon = memchr(p, ':', (size_t)(end - p));
        char *value = colon + 1;
        char *last = end;
        while (*value == ' ' || *value == '\t')
            value++;
        while (last > value && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        *colon = 0;
        *last = 0;
        message->lines[i] = (struct head_line){(uint16_t)(p - text), (uint16_t)(value - text)};
        p = end + 2;
    }
}

/* One block: lines, head, and the body when it is small. */
static int keep_head(struct message *message, const char *head, size_t size)
{
    size_t table = message->scan.lines * sizeof(struct head_line);
    size_t body = 0;
    if (!message->framing.chunked && message->framing.content_length <= INLINE_BODY)
        body = (size_t)message->framing.content_length + 1;
    char *block = mem_resize(NULL, table + size + body + 1, 1);
    if (!block)
        return -1;
    message->text = block;
    message->lines = (struct head_line *)(void *)block;
    message->line_count = message->scan.lines;
    char *text = block + table;
    memcpy(text, head, size);
    text[size] = 0;
    if (body) {
        message->body_inline = true;
        message->body = text + size + 1;
        message->body_capacity = body - 1;
        message->body[0] = 0;
    }
    cut_lines(message, text, size);
    /* Offsets are counted from the block from here on. */
    for (uint16_t i = 0; i < message->line_count; i++) {
        message->lines[i].name = (uint16_t)(message->lines[i].name + table);
        message->lines[i].value = (uint16_t)(message->lines[i].value + table);
    }
    return head_check(message, text);
}

static enum message_event head_complete(struct message *message, const char *head, size_t size)
{
    parser_init(&message->parser);
    int r = parser_head(&message->parser, head, size, &message->framing);
    /* The checks of head.c often know better why; the library's word stands in any case. */
    message->framed = r == 0;
    if (keep_head(message, head, size) != 0)
        return message->refusal.status
                   ? refused(message)
                   : refuse(message, 503, "There is no memory for the request.");
    if (r != 0)
        return refuse(message, 400, "The head is malformed.");
    drop_partial(message);
    if (message->framing.chunked) {
        message->stage = STAGE_CHUNK_SIZE;
        scan_chunk_begin(&message->chunk, CHUNK_SIZE);
    } else {
        message->stage = STAGE_LENGTH;
        message->body_left = message->framing.content_length;
    }
    return MESSAGE_HEAD;
}

static int keep_partial(struct message *message, const char *data, size_t size)
{
    size_t room = HEAD_MAX_BYTES - message->partial_size;
    if (size > room)
        size = room;
    size_t want = message->partial_size + size;
    if (want > message->partial_capacity) {
        size_t capacity = message->partial_capacity ? message->partial_capacity : PARTIAL_FIRST;
        while (capacity < want)
            capacity *= 2;
        char *grown = mem_resize(NULL, capacity, 1);
        if (!grown)
            return -1;
        uint32_t kept = message->partial_size;
        if (kept)
            memcpy(grown, message->partial, kept);
        drop_partial(message);
        message->partial = grown;
        message->partial_size = kept;
        message->partial_capacity = (uint32_t)capacity;
    }
    memcpy(message->partial + message->partial_size, data, size);
    message->partial_size += (uint32_t)size;
    return 0;
}

static enum message_event feed_head(struct message *message, const char *data, size_t size,
                                    size_t *ret_used)
{
    const char *head = data;
    size_t head_size = size;
    size_t before = message->partial_size;
    if (message->partial) {
        if (keep_partial(message, data, size) != 0)
            return refuse(message, 503, "There is no memory for the request.");
        head = message->partial;
        head_size = message->partial_size;
    }
    enum scan_result result = scan_head(&message->scan, head, head_size, &message->refusal);
    if (result == SCAN_REFUSED)
        return refused(message);
    if (result == SCAN_MORE) {
        *ret_used = size;
        if (!message->partial && keep_partial(message, data, size) != 0)
            return refuse(message, 503, "There is no memory for the request.");
        return MESSAGE_MORE;
    }
    *ret_used = message->scan.at - before;
    size_t skipped = message->scan.skipped;
    return head_complete(message, head + skipped, message->scan.at - skipped);
}

/* ---- The body ---- */

static int body_room(struct message *message, size_t size)
{
    size_t want = message->body_size + size;
    if (message->body && want <= message->body_capacity)
        return 0;
    size_t capacity = message->body_capacity ? message->body_capacity : BODY_FIRST;
    while (capacity < want)
        capacity *= 2;
    char *grown = mem_resize(message->body, capacity + 1, 1);
    if (!grown)
        return -1;
    message->body = grown;
    message->body_capacity = capacity;
    return 0;
}

/* Bytes of the body proper, at most body_left. */
static enum message_event take_body(struct message *message, const char *data, size_t size)
{
    if (parser_feed(&message->parser, data, size) != 0 || message->parser.body_bytes != size)
        return refuse(message, 400, "The body is malformed.");
    message->body_left -= size;
    message->body_total += size;
    if (message->body_total > message->max_body)
        return refuse(message, 413, "The body is larger than what is taken here.");
    if (message->discard)
        return MESSAGE_MORE;
    if (body_room(message, size) != 0)
        return refuse(message, 503, "There is no memory for the body.");
    memcpy(message->body + message->body_size, data, size);
    message->body_size += size;
    message->body[message->body_size] = 0;
    return MESSAGE_MORE;
}

static enum message_event done(struct message *message)
{
    message->stage = STAGE_DONE;
    return MESSAGE_DONE;
}

static enum message_event feed_length(struct message *message, const char *data, size_t size,
                                      size_t *ret_used)
{
    if (message->body_left) {
        size_t n = size < message->body_left ? size : (size_t)message->body_left;
        *ret_used = n;
        if (n) {
            enum message_event event = take_body(message, data, n);
            if (event != MESSAGE_MORE)
                return event;
        }
        if (message->body_left)
            return MESSAGE_MORE;
    }
    if (!message->parser.done)
        return refuse(message, 400, "The body is malformed.");
    return done(message);
}

/* A line of framing ended: what comes next. */
static enum message_event next_stage(struct message *message)
{
    if (message->stage == STAGE_CHUNK_END) {
        message->stage = STAGE_CHUNK_SIZE;
        scan_chunk_begin(&message->chunk, CHUNK_SIZE);
        return MESSAGE_MORE;
    }
    if (message->parser.chunk_size < 0)
        return refuse(message, 400, "A chunk's size is malformed.");
    message->body_left = (uint64_t)message->parser.chunk_size;
    if (message->body_left > message->max_body - message->body_total)
        return refuse(message, 413, "The body is larger than what is taken here.");
    message->stage = message->body_left ? STAGE_CHUNK_DATA : STAGE_TRAILERS;
    if (!message->body_left)
        scan_chunk_begin(&message->chunk, CHUNK_TRAILERS);
    return MESSAGE_MORE;
}

static enum message_event feed_framing(struct message *message, const char *data, size_t size,
                                       size_t *ret_used)
{
    enum scan_result result = scan_chunk(&message->chunk, data, size, ret_used, &message->refusal);
    if (result == SCAN_REFUSED)
        return refused(message);
    message->body_raw += *ret_used;
    if (message->body_raw > FRAMING_ALLOWANCE + FRAMING_RATIO * message->body_total)
        return refuse(message, 400, "The body comes in chunks that are too small.");
    if (message->stage == STAGE_TRAILERS)
        return result == SCAN_DONE ? done(message) : MESSAGE_MORE;
    if (parser_feed(&message->parser, data, *ret_used) != 0)
        return refuse(message, 400, "The chunks of the body are malformed.");
    return result == SCAN_DONE ? next_stage(message) : MESSAGE_MORE;
}

static enum message_event feed_chunked(struct message *message, const char *data, size_t size,
                                       size_t *ret_used)
{
    enum message_event event = MESSAGE_MORE;
    while (event == MESSAGE_MORE && *ret_used < size) {
        const char *p = data + *ret_used;
        size_t left = size - *ret_used;
        size_t used = 0;
        if (message->stage == STAGE_CHUNK_DATA) {
            used = left < message->body_left ? left : (size_t)message->body_left;
            event = take_body(message, p, used);
            if (event == MESSAGE_MORE && !message->body_left) {
                message->stage = STAGE_CHUNK_END;
                scan_chunk_begin(&message->chunk, CHUNK_DATA_END);
            }
        } else {
            event = feed_framing(message, p, left, &used);
        }
        *ret_used += used;
    }
    return event;
}

enum message_event message_feed(struct message *message, const char *data, size_t size,
                                size_t *ret_used)
{
    *ret_used = 0;
    switch (message->stage) {
    case STAGE_HEAD:
        return feed_head(message, data, size, ret_used);
    case STAGE_LENGTH:
        return feed_length(message, data, size, ret_used);
    case STAGE_DONE:
        return MESSAGE_DONE;
    case STAGE_REFUSED:
        return MESSAGE_REFUSED;
    default:
        return feed_chunked(message, data, size, ret_used);
    }
}

bool message_has_body(const struct message *message)
{
    return message->framing.chunked || message->framing.content_length > 0;
}

/* ---- Looking things up ---- */

const char *message_header(const struct message *message, const char *name)
{
    for (uint16_t i = 0; i < message->line_count; i++)
        if (message->lines[i].name && str_eq_nocase(message->text + message->lines[i].name, name))
            return message->text + message->lines[i].value;
    return NULL;
}

size_t message_header_count(const struct message *message, const char *name)
{
    size_t n = 0;
    for (uint16_t i = 0; i < message->line_count; i++)
        n += message->lines[i].name && str_eq_nocase(message->text + message->lines[i].name, name);
    return n;
}

void message_wipe_header(struct message *message, const char *name)
{
    for (uint16_t i = 0; i < message->line_count; i++) {
        struct head_line *line = &message->lines[i];
        if (!line->name || !str_eq_nocase(message->text + line->name, name))
            continue;
        char *value = message->text + line->value;
        wipe(value, strlen(value));
        line->name = 0;
    }
}
