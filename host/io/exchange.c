/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "selfstats/limit_hits.h"
#include "io/file_endpoint.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "io/probe.h"
#include "io/request.h"
#include "io/runtime.h"
#include "io/target.h"

#define REQUEST_MEMORY ((size_t)16 * 1024 * 1024)
#define BODY_MAX ((size_t)8 * 1024 * 1024)
#define LINE_MAX_BYTES ((size_t)128 * 1024)
#define OVERHEAD ((size_t)64 * 1024) /* curl's handle and buffers, the head */
#define RATIO_FLOOR ((uint64_t)1024 * 1024)
#define DETACHED_NS (2 * NS_PER_S)
#define DETACHED_MAX ((uint64_t)1024 * 1024)

void link_init(struct link *link, struct exchange *exchange)
{
    *link = (struct link){link, link, exchange};
}

void link_add(struct link *list, struct link *link)
{
    if (link->next != link)
        return;
    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

void link_remove(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = link;
}

void size_text(char out[32], uint64_t bytes)
{
    if (bytes < 10240)
        snprintf(out, 32, "%" PRIu64 " bytes", bytes);
    else if (bytes < UINT64_C(10) << 20)
        snprintf(out, 32, "%.0f KiB", (double)bytes / 1024);
    else
        snprintf(out, 32, "%.0f MiB", (double)bytes / (1024 * 1024));
}

void wire_wipe(struct wire *wire)
{
    if (wire->url)
        wipe(wire->url, strlen(wire->url));
    for (struct curl_slist *line = wire->lines; line; line = line->next)
        wipe(line->data, strlen(line->data));
    *wire = (struct wire){0};
}

static void exchange_free(struct exchange *exchange)
{
    wire_wipe(&exchange->sent);
    wire_wipe(&exchange->next_sent);
    if (exchange->body_size) /* a login to a token server may stand in it */
        wipe((void *)(uintptr_t)exchange->body, exchange->body_size);
    arena_finish(&exchange->arena);
    buf_finish(&exchange->head);
    buf_finish(&exchange->listing);
    decoder_finish(exchange->decoder);
    io_target_unref(exchange->target);
    budget_give(exchange->io->budget, exchange->budgeted);
    mailbox_unref(exchange->mailbox);
    io_unref(exchange->io);
    mem_free(exchange);
}

void exchange_unref(struct exchange *exchange)
{
    if (atomic_fetch_sub_explicit(&exchange->references, 1, memory_order_acq_rel) == 1)
        exchange_free(exchange);
}

/* ---- Making one ---- */

static char *join_line(struct arena *arena, const char *name, const char *value)
{
    /* curl reads "Name:" as "leave out", and "Name;" as an empty value. */
    return *value ? arena_printf(arena, "%s: %s", name, value) : arena_printf(arena, "%s;", name);
}

static int add_line(struct arena *arena, struct curl_slist ***end, char *text)
{
    struct curl_slist *line = arena_alloc(arena, sizeof *line);
    if (!line || !text)
        return ERR_MEMORY;
    line->data = text;
    **end = line;
    *end = &line->next;
    return 0;
}

/* Whether the target sets this header, which outranks the adapter's. */
static bool target_sets(const struct io_target *target, const char *name)
{
    for (size_t i = 0; i < target->header_count; i++)
        if (str_eq_nocase(target->headers[i].key, name))
            return true;
    for (size_t i = 0; i < target->login.placement_count; i++)
        if (target->login.placements[i].place != SONDE_PLACE_QUERY &&
            str_eq_nocase(target->login.placements[i].name, name))
            return true;
    return false;
}

static void add_plain_lines(struct exchange *exchange, struct curl_slist ***end)
{
    const struct io_target *target = exchange->target;
    struct arena *arena = &exchange->arena;
    bool has_type = false;
    for (size_t i = 0; i < exchange->header_count; i++) {
        const struct sonde_pair *header = &exchange->headers[i];
        has_type = has_type || str_eq_nocase(header->key, "content-type");
        if (!target_sets(target, header->key))
            add_line(arena, end, join_line(arena, header->key, header->value));
    }
    for (size_t i = 0; i < target->header_count; i++)
        add_line(arena, end, join_line(arena, target->headers[i].key, target->headers[i].value));
    if (target->host_header && !target_sets(target, "host"))
        add_line(arena, end, arena_strdup(arena, target->host_header));
    add_line(arena, end, arena_strdup(arena, "Accept-Encoding: gzip, deflate"));
    add_line(arena, end,
             arena_strdup(arena, "Expect:")); /* else curl waits 1 s before a big body */
    if (!has_type)
        add_line(arena, end, arena_strdup(arena, "Content-Type:"));
}

static int add_login(struct exchange *exchange, struct wire *wire, struct curl_slist ***end,
                     struct err *err)
{
    struct login *login = &exchange->target->login;
    struct arena *arena = &exchange->arena;
    struct buf text = BUF(LINE_MAX_BYTES);
    int r = 0;
    if (buf_reserve(&text, 4096)) /* so that no copy is left behind by growing */
        for (size_t i = 0; !r && i < login->placement_count; i++) {
            const struct login_placement *placement = &login->placements[i];
            buf_clear(&text);
            r = login_write(login, i, &text, err);
            if (r < 0)
                break;
            if (placement->place != SONDE_PLACE_QUERY) {
                add_line(arena, end, join_line(arena, placement->name, buf_text(&text)));
                continue;
            }
            char *url =
                arena_printf(arena, "%s%c%s=%s", wire->url, strchr(wire->url, '?') ? '&' : '?',
                             placement->name, buf_text(&text));
            wipe(wire->url, strlen(wire->url));
            wire->url = url ? url : wire->url;
        }
    if (text.data)
        wipe(text.data, text.capacity);
    buf_finish(&text);
    return r;
}

int exchange_compose(struct exchange *exchange, struct wire *ret_wire, struct err *err)
{
    login_take_fetched(&exchange->target->login); /* before the generation is noted */
    struct wire wire = {.generation = login_generation(&exchange->target->login)};
    wire.url = arena_printf(&exchange->arena, "%s%s", exchange->target->base, exchange->path);
    if (!wire.url)
        return err_set(err, ERR_MEMORY, "no memory for a request");
    struct curl_slist **end = &wire.lines;
    add_plain_lines(exchange, &end);
    int r = add_login(exchange, &wire, &end, err);
    if (!r && exchange->arena.failed)
        r = err_set(err, ERR_MEMORY, "no memory for a request");
    if (r < 0) {
        wire_wipe(&wire);
        return r;
    }
    *ret_wire = wire;
    return 0;
}

static int copy_request(struct exchange *exchange, const struct sonde_request *request)
{
    struct arena *arena = &exchange->arena;
    exchange->method = arena_strdup(arena, request->method);
    exchange->path = arena_strdup(arena, request->path);
    exchange->body_size = request->body_size;
    if (request->body_size) {
        void *body = arena_alloc(arena, request->body_size);
        if (body)
            memcpy(body, request->body, request->body_size);
        exchange->body = body;
    }
    struct sonde_pair *headers =
        arena_alloc_array(arena, request->header_count + 1, sizeof *headers);
    for (size_t i = 0; headers && i < request->header_count; i++) {
        headers[i].key = arena_strdup(arena, request->headers[i].key);
        headers[i].value = arena_strdup(arena, request->headers[i].value);
    }
    exchange->headers = headers;
    exchange->header_count = request->header_count;
    return arena->failed ? ERR_MEMORY : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return b && b < a ? b : a;
}

static struct exchange *exchange_new(struct io *io, struct mailbox *mailbox,
                                     const struct exchange_request *given)
{
    struct exchange *exchange = mem_alloc(sizeof *exchange);
    if (!exchange)
        return NULL;
    atomic_init(&exchange->references, 1);
    exchange->io = io_ref(io);
    exchange->target = io_target_ref(given->target);
    exchange->mailbox = given->detached ? NULL : mailbox_ref(mailbox);
    exchange->owner = given->owner;
    exchange->tag = given->request->tag;
    exchange->flags = given->request->flags;
    exchange->fd = -1;
    exchange->begun_ns = clock_mono_ns();
    exchange->deadline_ns = given->deadline_ns;
    exchange->max_body = least(least(io->max_body, given->max_body), given->request->max_size);
    if (given->detached) {
        exchange->max_body = least(exchange->max_body, DETACHED_MAX);
        if (exchange->deadline_ns > exchange->begun_ns + DETACHED_NS)
            exchange->deadline_ns = exchange->begun_ns + DETACHED_NS;
    }
    exchange->send_at_ns = exchange->begun_ns + given->request->delay_ms * NS_PER_MS;
    exchange->next_capacity = 16 * 1024;
    exchange->declared = -1;
    exchange->head = BUF(EXCHANGE_HEADERS_MAX);
    exchange->listing = BUF(exchange->max_body);
    arena_init(&exchange->arena, REQUEST_MEMORY, NULL);
    link_init(&exchange->live, exchange);
    link_init(&exchange->paused, exchange);
    link_init(&exchange->filled, exchange);
    link_init(&exchange->waiting, exchange);
    link_init(&exchange->login_wait, exchange);
    return exchange;
}

/* Checks and copies; what the adapter did wrong becomes a failure that END tells. */
static int prepare(struct exchange *exchange, const struct exchange_request *given, struct err *err)
{
    struct err reason = {0};
    if (exchange->mailbox) {
        exchange->end = mail_new(MESSAGE_END, END_TEXT, exchange);
        if (!exchange->end)
            return err_set(err, ERR_MEMORY, "no memory for a request");
    }
    if (request_check(given->request, &reason) < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_REFUSED, "not sent: %s", reason.text);
        return 0;
    }
    if (given->request->body_size > BODY_MAX) {
        exchange_fail(exchange, SONDE_OUTCOME_REFUSED,
                      "not sent: a request body of %zu bytes; at most %zu are sent",
                      given->request->body_size, BODY_MAX);
        return 0;
    }
    if (copy_request(exchange, given->request) < 0)
        return err_set(err, ERR_MEMORY, "no memory for a request");
    exchange->wants_login = !exchange->target->is_file && !login_is_ready(&exchange->target->login);
    if (exchange->target->is_file || exchange->wants_login)
        return 0;
    int r = exchange_compose(exchange, &exchange->sent, &reason);
    if (r == ERR_MEMORY)
        return err_set(err, r, "%s", reason.text);
    if (r < 0) {
        exchange_fail(exchange, SONDE_OUTCOME_REFUSED, "not sent: %s", reason.text);
        /* "auth.token: ...": the text begins with the setting. */
        exchange->stage = PROBE_UNBEGUN;
        probe_blame(exchange, reason.text, strcspn(reason.text, ": "));
        probe_tell(exchange);
    }
    return 0;
}

/* Undoes exchange_new without an END. */
static void discard(struct exchange *exchange)
{
    mem_free(exchange->end ? exchange->end->internal_ : NULL);
    exchange_free(exchange);
}

int exchange_start(struct io *io, struct mailbox *mailbox, const struct exchange_request *given,
                   struct exchange **ret_exchange, struct err *err)
{
    size_t need = given->request->body_size + OVERHEAD + (given->detached ? 0 : EXCHANGE_WINDOW);
    if (budget_take(io->budget, need) < 0)
        return limit_memory(err, io->budget, "another request");
    struct exchange *exchange = exchange_new(io, mailbox, given);
    if (!exchange) {
        budget_give(io->budget, need);
        return err_set(err, ERR_MEMORY, "no memory for a request");
    }
    exchange->budgeted = need;
    int r = prepare(exchange, given, err);
    atomic_fetch_add_explicit(&io->exchanges, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&io->in_flight, 1, memory_order_relaxed);
    struct exchange *result = given->detached ? NULL : exchange;
    if (!r && exchange->failed)
        exchange_finish(exchange);
    else if (!r)
        r = exchange_command(exchange, COMMAND_START, err);
    if (r < 0) {
        atomic_fetch_sub_explicit(&io->in_flight, 1, memory_order_relaxed);
        discard(exchange);
        return r;
    }
    if (ret_exchange)
        *ret_exchange = result;
    return 0;
}

void exchange_cancel(struct exchange *exchange)
{
    exchange_command(exchange, COMMAND_CANCEL, NULL);
}

int exchange_command(struct exchange *exchange, unsigned command, struct err *err)
{
    if (exchange->target->is_file)
        return file_worker_command(exchange, command, err);
    return loop_command(exchange, command, err);
}

/* ---- Handing on what comes ---- */

ptrdiff_t exchange_room(struct exchange *exchange, char **ret_to)
{
    struct mail *mail = exchange->filling ? exchange->filling->internal_ : NULL;
    if (mail && mail->message.size == mail->capacity) {
        exchange_flush(exchange);
        mail = NULL;
    }
    if (!mail) {
        size_t capacity = exchange->next_capacity;
        if (!mailbox_take_window(exchange->mailbox, exchange, &capacity))
            return 0;
        exchange->filling = mail_new(MESSAGE_DATA, capacity, exchange);
        if (!exchange->filling)
            return -1;
        if (exchange->next_capacity < EXCHANGE_TURN)
            exchange->next_capacity *= 2;
        mail = exchange->filling->internal_;
    }
    *ret_to = mail->data + mail->message.size;
    return (ptrdiff_t)(mail->capacity - mail->message.size);
}

void exchange_wrote(struct exchange *exchange, size_t size)
{
    exchange->filling->size += size;
}

/* Puts what was written into the mailbox, without waking. */
static void hand_on(struct exchange *exchange)
{
    struct message *message = exchange->filling;
    if (!message)
        return;
    exchange->filling = NULL;
    if (message->size) {
        mailbox_put_data(exchange->mailbox, message, false);
        exchange->unseen = true;
    } else {
        mailbox_release(exchange->mailbox, message);
    }
}

void exchange_flush(struct exchange *exchange)
{
    hand_on(exchange);
    if (exchange->unseen)
        mailbox_wake(exchange->mailbox);
    exchange->unseen = false;
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    const char *at = exchange->head.data;
    const char *found = NULL;
    for (size_t i = 0; i < exchange->head_pairs; i++) {
        const char *value = at + strlen(at) + 1;
        if (str_eq(at, name))
            found = value;
        at = value + strlen(value) + 1;
    }
    return found;
}

/* Headers that describe the body as it came, not as it is handed on. */
static bool is_stale(const struct exchange *exchange, const char *name)
{
    return exchange->decoder &&
           (str_eq(name, "content-encoding") || str_eq(name, "content-length"));
}

int exchange_put_head(struct exchange *exchange)
{
    if (!exchange->mailbox)
        return 0;
    size_t pairs_size = exchange->head_pairs * sizeof(struct sonde_pair);
    size_t size = sizeof(struct sonde_response_head) + pairs_size + exchange->head.size;
    struct message *message = mail_new(MESSAGE_HEAD, size, NULL);
    if (!message)
        return ERR_MEMORY;
    char *memory = ((struct mail *)message->internal_)->data;
    struct sonde_response_head *head = (void *)memory;
    struct sonde_pair *pairs = (void *)(memory + sizeof *head);
    char *text = memory + sizeof *head + pairs_size;
    if (exchange->head.size)
        memcpy(text, exchange->head.data, exchange->head.size);
    *head = (struct sonde_response_head){
        .struct_size = sizeof *head, .status = exchange->status, .headers = pairs};
    for (size_t i = 0; i < exchange->head_pairs; i++) {
        const char *value = text + strlen(text) + 1;
        if (!is_stale(exchange, text))
            pairs[head->header_count++] = (struct sonde_pair){text, value};
        text += (size_t)(value - text) + strlen(value) + 1;
    }
    message->head = head;
    message->tag = exchange->tag;
    message->owner = exchange->owner;
    mailbox_put(exchange->mailbox, message, false);
    exchange->unseen = true;
    return 0;
}

void exchange_fail(struct exchange *exchange, uint32_t outcome, const char *format, ...)
{
    if (exchange->failed)
        return;
    exchange->failed = true;
    exchange->outcome = outcome;
    if (!exchange->end)
        return;
    struct mail *mail = exchange->end->internal_;
    va_list arguments;
    va_start(arguments, format);
    char text[END_TEXT];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    utf8_clean(mail->data, END_TEXT, text, strlen(text));
    exchange->end->text = mail->data;
}

static int too_large(struct exchange *exchange, const char *what, uint64_t bytes, uint64_t max)
{
    char have[32];
    char limit[32];
    size_text(have, bytes);
    size_text(limit, max);
    limit_hit(LIMIT_BODY);
    exchange_fail(exchange, SONDE_OUTCOME_TOO_LARGE,
                  "the answer of %s is too large: %s %s, at most %s are read (limits.body); ask "
                  "for less: a shorter time range, a larger step, more filters",
                  exchange->target->shown, have, what, limit);
    return -1;
}

int exchange_check_declared(struct exchange *exchange, bool encoded)
{
    if (exchange->declared < 0)
        return 0;
    uint64_t declared = (uint64_t)exchange->declared;
    if (declared > exchange->io->max_wire)
        return too_large(exchange, "announced on the wire", declared, exchange->io->max_wire);
    if (!encoded && declared > exchange->max_body)
        return too_large(exchange, "announced", declared, exchange->max_body);
    return 0;
}

static int check_counts(struct exchange *exchange)
{
    const struct io *io = exchange->io;
    if (exchange->wire > io->max_wire)
        return too_large(exchange, "on the wire so far", exchange->wire, io->max_wire);
    if (exchange->decoded > exchange->max_body)
        return too_large(exchange, "so far", exchange->decoded, exchange->max_body);
    if (!exchange->decoder || exchange->decoded <= RATIO_FLOOR ||
        exchange->decoded / io->max_ratio <= exchange->wire)
        return 0;
    exchange_fail(exchange, SONDE_OUTCOME_TOO_LARGE,
                  "the answer of %s unpacks to more than %" PRIu32 " times its size (%" PRIu64
                  " bytes made of %" PRIu64 "): taken for a compression bomb",
                  exchange->target->shown, io->max_ratio, exchange->decoded, exchange->wire);
    return -1;
}

int exchange_count(struct exchange *exchange, size_t wire, size_t decoded)
{
    exchange->wire += wire;
    exchange->decoded += decoded;
    if (check_counts(exchange) == 0)
        return 0;
    exchange->decoded -= decoded; /* not handed on */
    return -1;
}

static void count_end(struct exchange *exchange)
{
    struct io *io = exchange->io;
    atomic_fetch_add_explicit(&io->bytes_wire, exchange->wire, memory_order_relaxed);
    atomic_fetch_add_explicit(&io->bytes_decoded, exchange->decoded, memory_order_relaxed);
    if (exchange->failed)
        atomic_fetch_add_explicit(&io->failed, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&io->in_flight, 1, memory_order_relaxed);
}

void exchange_finish(struct exchange *exchange)
{
    exchange->state = EXCHANGE_ENDED;
    hand_on(exchange);
    count_end(exchange);
    struct message *end = exchange->end;
    if (end) {
        end->outcome = exchange->failed ? exchange->outcome : SONDE_OUTCOME_OK;
        end->got_bytes = exchange->got_bytes;
        end->body_bytes = exchange->decoded;
        end->wire_bytes = exchange->wire;
        end->elapsed_ns = clock_mono_ns() - exchange->begun_ns;
        exchange->end = NULL;
        mailbox_put(exchange->mailbox, end, true);
    }
    exchange_unref(exchange);
}
