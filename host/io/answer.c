/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/answer.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/file_endpoint.h"
#include "io/provider.h"
#include "io/loop.h"
#include "io/runtime.h"
#include "io/target.h"

/* ---- Headers ---- */

static void first_byte(struct exchange *exchange)
{
    if (exchange->got_bytes)
        return;
    exchange->got_bytes = 1;
    exchange->first_byte_ns = clock_mono_ns();
}

/* "HTTP/1.1 200 OK": a new head begins, also after a 100. */
static void take_status(struct exchange *exchange, const char *line, size_t size)
{
    const char *space = memchr(line, ' ', size);
    int64_t status = 0;
    char digits[4] = "";
    if (space && (size_t)(line + size - space) > 3)
        memcpy(digits, space + 1, 3);
    str_to_int(digits, 100, 999, &status);
    exchange->status = (uint32_t)status;
    buf_clear(&exchange->head);
    exchange->head_pairs = 0;
}

static void take_field(struct exchange *exchange, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon)
        return; /* curl hands on what it tolerates */
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (memchr(line, '\0', size))
        return;
    for (const char *c = line; c < colon; c++)
        buf_add_char(&exchange->head, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
    buf_add_char(&exchange->head, '\0');
    buf_add_n(&exchange->head, value, (size_t)(end - value));
    buf_add_char(&exchange->head, '\0');
    exchange->head_pairs++;
}

/* How the body is packed. Only what was asked for is read. */
static int take_codings(struct exchange *exchange)
{
    const char *coding = exchange_header(exchange, "content-encoding");
    const char *transfer = exchange_header(exchange, "transfer-encoding");
    if (transfer && !str_eq_nocase(transfer, "chunked") && !str_eq_nocase(transfer, "identity")) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "%s answered with Transfer-Encoding \"%s\", which was not asked for",
                      exchange->target->shown, transfer);
        return -1;
    }
    if (!coding || !*coding || str_eq_nocase(coding, "identity"))
        return 0;
    if (!decoder_knows(coding)) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "%s answered with Content-Encoding \"%s\"; only gzip and deflate were asked "
                      "for",
                      exchange->target->shown, coding);
        return -1;
    }
    exchange->decoder = decoder_new();
    if (exchange->decoder)
        return 0;
    exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory to unpack an answer");
    return -1;
}

static void take_length(struct exchange *exchange)
{
    const char *length = exchange_header(exchange, "content-length");
    int64_t number;
    exchange->declared = -1;
    if (!length || str_eq(exchange->method, "HEAD") ||
        str_to_int(length, 0, INT64_MAX, &number) < 0)
        return;
    exchange->declared = number;
    /* One piece of the right size for a short answer; no waste for a shorter one. */
    if (!exchange->decoder && number > 0 && (uint64_t)number < EXCHANGE_TURN)
        exchange->next_capacity = (size_t)number;
    else if (number > 0)
        exchange->next_capacity = EXCHANGE_TURN;
}

/* Has the login's files read and its values fetched again before a 401 is believed. */
static bool hold_for_login(struct exchange *exchange)
{
    if (exchange->status != 401 || exchange->login_retried ||
        !login_may_change(&exchange->target->login) || !exchange->mailbox)
        return false;
    exchange->login_retried = true;
    return login_has_providers(&exchange->target->login) ? provider_fetch_for(exchange) == 0
                                                         : file_worker_reread(exchange) == 0;
}

static int head_complete(struct exchange *exchange)
{
    if (exchange->status >= 100 && exchange->status < 200)
        return 0; /* the real one follows */
    exchange->head_done = true;
    if (exchange->head.failed) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory for the headers of %s",
                      exchange->target->shown);
        return -1;
    }
    if (take_codings(exchange) < 0)
        return -1;
    take_length(exchange);
    if (hold_for_login(exchange)) {
        exchange->hold_head = true;
        return 0;
    }
    if (exchange_put_head(exchange) < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory for an answer's headers");
        return -1;
    }
    link_add(&exchange->io->filled, &exchange->filled); /* flushed at the end of this turn */
    return exchange_check_declared(exchange, exchange->decoder != NULL);
}

size_t answer_on_header(char *data, size_t unit, size_t size, void *argument)
{
    struct exchange *exchange = argument;
    size *= unit;
    first_byte(exchange);
    if (exchange->head_done)
        return size; /* trailers say nothing we use */
    exchange->head_bytes += size;
    if (exchange->head_bytes > EXCHANGE_HEADERS_MAX) {
        exchange_fail(
            exchange, SONDE_OUTCOME_TOO_LARGE,
            "%s sent more than %zu KiB of headers; that is not what a backend does, check "
            "what listens there (url)",
            exchange->target->shown, EXCHANGE_HEADERS_MAX / 1024);
        return 0;
    }
    if (size >= 5 && memcmp(data, "HTTP/", 5) == 0 && !exchange->in_header) {
        exchange->in_header = true;
        take_status(exchange, data, size);
        return size;
    }
    bool blank = size == 0 || data[0] == '\r' || data[0] == '\n';
    if (!blank) {
        take_field(exchange, data, size);
        return size;
    }
    exchange->in_header = false;
    return head_complete(exchange) < 0 ? 0 : size;
}

/* ---- Body ---- */

static size_t turn_left(struct exchange *exchange)
{
    if (exchange->turn != exchange->io->turn) {
        exchange->turn = exchange->io->turn;
        exchange->turn_bytes = 0;
    }
    return EXCHANGE_TURN - exchange->turn_bytes;
}

#define STEP_ERROR (-1)
#define STEP_PAUSE 1

/* Moves some bytes on. 0, STEP_PAUSE or STEP_ERROR. */
static int step(struct exchange *exchange, const char *data, size_t size, size_t *used)
{
    char *to;
    size_t share = turn_left(exchange);
    if (!share) {
        link_add(&exchange->io->paused, &exchange->paused);
        loop_next_turn(exchange->io);
        return STEP_PAUSE;
    }
    ptrdiff_t room = exchange_room(exchange, &to);
    if (room < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "no memory for an answer's body");
        return STEP_ERROR;
    }
    if (!room) {
        exchange->window_paused = true;
        return STEP_PAUSE;
    }
    size_t out = (size_t)room < share ? (size_t)room : share;
    size_t in = size;
    if (!exchange->decoder) {
        in = out = size < out ? size : out;
        memcpy(to, data, in);
    } else if (decoder_step(exchange->decoder, data, &in, to, &out) < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "the compressed answer of %s is damaged after %llu bytes",
                      exchange->target->shown, (unsigned long long)exchange->wire);
        return STEP_ERROR;
    }
    if (exchange_count(exchange, in, out) < 0)
        return STEP_ERROR;
    exchange_wrote(exchange, out);
    exchange->turn_bytes += out;
    link_add(&exchange->io->filled, &exchange->filled);
    *used = in;
    return 0;
}

/* Nobody reads it: only the limit counts. */
static size_t discard(struct exchange *exchange, size_t size)
{
    return exchange_count(exchange, size, size) < 0 ? 0 : size;
}

size_t answer_on_body(char *data, size_t unit, size_t size, void *argument)
{
    struct exchange *exchange = argument;
    size *= unit;
    first_byte(exchange);
    if (exchange->failed)
        return size ? 0 : 1;
    if (exchange->hold_head)
        return CURL_WRITEFUNC_PAUSE;
    if (!exchange->mailbox)
        return discard(exchange, size);
    /* A paused chunk is offered again from its start, in pieces of any size. */
    if (exchange->skip > size) {
        exchange->skip -= size;
        return size;
    }
    size_t at = exchange->skip;
    while (at < size || (exchange->decoder && decoder_holds(exchange->decoder))) {
        size_t used = 0;
        int r = step(exchange, data + at, size - at, &used);
        if (r == STEP_ERROR)
            return size ? 0 : 1;
        if (r == STEP_PAUSE) {
            exchange->skip = at;
            return CURL_WRITEFUNC_PAUSE;
        }
        at += used;
    }
    exchange->skip = 0;
    return size;
}

void answer_check_whole(struct exchange *exchange)
{
    if (exchange->decoder && !decoder_complete(exchange->decoder))
        exchange_fail(exchange, SONDE_OUTCOME_LOST,
                      "the compressed answer of %s ends before it is complete (after %llu bytes)",
                      exchange->target->shown, (unsigned long long)exchange->wire);
    else if (!exchange->head_done)
        exchange_fail(exchange, SONDE_OUTCOME_LOST, "%s closed the connection without an answer",
                      exchange->target->shown);
}

void answer_start_over(struct exchange *exchange)
{
    buf_clear(&exchange->head);
    decoder_finish(exchange->decoder);
    exchange->decoder = NULL;
    exchange->head_pairs = 0;
    exchange->head_done = exchange->in_header = false;
    exchange->skip = 0;
    exchange->declared = -1;
    exchange->got_bytes = 0;
    exchange->next_capacity = 16 * 1024;
}
