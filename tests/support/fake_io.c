/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"

#define MAX_RULES 64
#define MAX_SENT 1024

struct mailbox {
    pthread_cond_t cond;
    struct message *first;
    struct message *last;
};

struct io_target {
    unsigned references;
    char url[256];
    char headers[256];
};

struct exchange {
    struct exchange *next;
    struct mailbox *mailbox;
    struct fake_rule rule;
    size_t sent;
    uint32_t tag;
    void *owner;
    int64_t deadline_ns;
    bool ended;
};

struct letter {
    struct message message; /* first */
    struct sonde_response_head head;
    char *data;
    struct exchange *exchange; /* freed with END */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sent_cond = PTHREAD_COND_INITIALIZER;
static struct fake_rule rules[MAX_RULES];
static unsigned used[MAX_RULES];
static size_t rule_count;
static struct fake_sent sent[MAX_SENT];
static size_t sent_count;
static struct exchange *hanging;
static unsigned alive;
static unsigned flying;
static unsigned peak;

void fake_io_reset(void)
{
    pthread_mutex_lock(&lock);
    memset(rules, 0, sizeof rules);
    memset(used, 0, sizeof used);
    rule_count = 0;
    memset(sent, 0, sizeof sent);
    sent_count = 0;
    peak = 0;
    pthread_mutex_unlock(&lock);
}

void fake_io_add(const struct fake_rule *rule)
{
    pthread_mutex_lock(&lock);
    rules[rule_count++] = *rule;
    pthread_mutex_unlock(&lock);
}

size_t fake_io_count(void)
{
    pthread_mutex_lock(&lock);
    size_t n = sent_count;
    pthread_mutex_unlock(&lock);
    return n;
}

struct fake_sent fake_io_sent(size_t i)
{
    pthread_mutex_lock(&lock);
    struct fake_sent copy = sent[i];
    pthread_mutex_unlock(&lock);
    return copy;
}

unsigned fake_io_peak(void)
{
    pthread_mutex_lock(&lock);
    unsigned n = peak;
    pthread_mutex_unlock(&lock);
    return n;
}

unsigned fake_io_alive(void)
{
    pthread_mutex_lock(&lock);
    unsigned n = alive;
    pthread_mutex_unlock(&lock);
    return n;
}

bool fake_io_wait_sent(size_t n)
{
    int64_t until = clock_unix_ns() + 10 * NS_PER_S;
    struct timespec at = {.tv_sec = until / NS_PER_S};
    pthread_mutex_lock(&lock);
    int late = 0;
    while (sent_count < n && !late)
        late = pthread_cond_timedwait(&sent_cond, &lock, &at);
    bool there = sent_count >= n;
    pthread_mutex_unlock(&lock);
    return there;
}

static struct letter *letter_new(struct exchange *exchange, int type)
{
    struct letter *letter = calloc(1, sizeof *letter);
    if (!letter)
        abort();
    letter->message.type = type;
    if (exchange) {
        letter->message.tag = exchange->tag;
        letter->message.owner = exchange->owner;
    }
    return letter;
}

static void deliver(struct mailbox *mailbox, struct letter *letter)
{
    letter->message.next_ = NULL;
    if (mailbox->last)
        mailbox->last->next_ = &letter->message;
    else
        mailbox->first = &letter->message;
    mailbox->last = &letter->message;
    pthread_cond_broadcast(&mailbox->cond);
}

static void end(struct exchange *exchange, uint32_t outcome, const char *text, uint32_t got,
                uint64_t bytes)
{
    struct letter *letter = letter_new(exchange, MESSAGE_END);
    letter->message.outcome = outcome;
    letter->message.text = text ? text : "";
    letter->message.got_bytes = got;
    letter->message.body_bytes = bytes;
    letter->message.wire_bytes = bytes;
    letter->exchange = exchange;
    exchange->ended = true;
    sent[exchange->sent].ended = true;
    deliver(exchange->mailbox, letter);
}

static void answer(struct exchange *exchange)
{
    const struct fake_rule *rule = &exchange->rule;
    if (rule->status) {
        struct letter *letter = letter_new(exchange, MESSAGE_HEAD);
        letter->head = (struct sonde_response_head){.struct_size = sizeof letter->head,
                                                    .status = rule->status,
                                                    .headers = rule->headers,
                                                    .header_count = rule->header_count};
        letter->message.head = &letter->head;
        deliver(exchange->mailbox, letter);
    }
    size_t size = rule->body ? (rule->body_size ? rule->body_size : strlen(rule->body)) : 0;
    size_t chunk = rule->chunk ? rule->chunk : size;
    uint64_t total = 0;
    for (size_t k = 0; rule->status && k < (rule->repeat ? rule->repeat : 1); k++) {
        for (size_t at = 0; at < size; at += chunk) {
            struct letter *letter = letter_new(exchange, MESSAGE_DATA);
            size_t n = size - at < chunk ? size - at : chunk;
            letter->data = malloc(n);
            if (!letter->data)
                abort();
            memcpy(letter->data, rule->body + at, n);
            letter->message.data = letter->data;
            letter->message.size = n;
            deliver(exchange->mailbox, letter);
            total += n;
        }
    }
    end(exchange, rule->outcome, rule->text, rule->status != 0, total);
}

static void unhang(struct exchange *exchange)
{
    for (struct exchange **link = &hanging; *link; link = &(*link)->next) {
        if (*link != exchange)
            continue;
        *link = exchange->next;
        break;
    }
}

void fake_io_let(const char *path)
{
    pthread_mutex_lock(&lock);
    for (struct exchange *exchange = hanging; exchange;) {
        struct exchange *next = exchange->next;
        if (strstr(sent[exchange->sent].path, path)) {
            unhang(exchange);
            answer(exchange);
        }
        exchange = next;
    }
    pthread_mutex_unlock(&lock);
}

int io_target_create(struct io *io, struct connection *connection, const char *url,
                     const char *path_prefix, const struct sonde_pair *headers, size_t header_count,
                     struct io_target **ret_target, struct err *err)
{
    (void)io;
    (void)connection;
    if (strstr(url, "forbidden"))
        return err_set(err, ERR_INVALID, "url %s: the address is not allowed", url);
    struct io_target *target = calloc(1, sizeof *target);
    if (!target)
        return ERR_MEMORY;
    target->references = 1;
    snprintf(target->url, sizeof target->url, "%s%s", url, path_prefix ? path_prefix : "");
    for (size_t i = 0; i < header_count; i++) {
        size_t n = strlen(target->headers);
        snprintf(target->headers + n, sizeof target->headers - n, "%s: %s\n", headers[i].key,
                 headers[i].value);
    }
    pthread_mutex_lock(&lock);
    alive++;
    pthread_mutex_unlock(&lock);
    *ret_target = target;
    return 0;
}

int io_target_use_scheme(struct io_target *target, const struct sonde_auth_scheme *scheme,
                         struct err *err)
{
    (void)err;
    for (size_t i = 0; i < scheme->placement_count; i++) {
        size_t n = strlen(target->headers);
        snprintf(target->headers + n, sizeof target->headers - n, "%s: %s\n",
                 scheme->placements[i]->name, scheme->placements[i]->template_);
    }
    return 0;
}

struct io_target *io_target_ref(struct io_target *target)
{
    pthread_mutex_lock(&lock);
    target->references++;
    pthread_mutex_unlock(&lock);
    return target;
}

void io_target_unref(struct io_target *target)
{
    if (!target)
        return;
    pthread_mutex_lock(&lock);
    bool last = --target->references == 0;
    alive -= last ? 1 : 0;
    pthread_mutex_unlock(&lock);
    if (last)
        free(target);
}

void io_target_probe(struct io_target *target, struct io_probe *ret_probe)
{
    (void)target;
    *ret_probe = (struct io_probe){.stage = 6};
}

int mailbox_create(struct io *io, struct mailbox **ret_mailbox)
{
    (void)io;
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox || cond_init(&mailbox->cond))
        return ERR_MEMORY;
    pthread_mutex_lock(&lock);
    alive++;
    pthread_mutex_unlock(&lock);
    *ret_mailbox = mailbox;
    return 0;
}

static void letter_free(struct message *message)
{
    struct letter *letter = (struct letter *)(void *)message;
    free(letter->data);
    free(letter->exchange);
    free(letter);
}

void mailbox_destroy(struct mailbox *mailbox)
{
    while (mailbox->first) {
        struct message *message = mailbox->first;
        mailbox->first = message->next_;
        if (message->type != MESSAGE_POST)
            abort(); /* an exchange that its call did not drain */
        letter_free(message);
    }
    pthread_mutex_lock(&lock);
    alive--;
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&mailbox->cond);
    free(mailbox);
}

/* Ends hanging exchanges of the mailbox that are late; the deadline of the next one. */
static int64_t late(struct mailbox *mailbox, int64_t until_ns)
{
    int64_t now = clock_mono_ns();
    for (struct exchange *exchange = hanging; exchange;) {
        struct exchange *next = exchange->next;
        if (exchange->mailbox == mailbox && exchange->deadline_ns <= now) {
            unhang(exchange);
            end(exchange, SONDE_OUTCOME_TIMED_OUT, "no answer in time", 0, 0);
        } else if (exchange->mailbox == mailbox && exchange->deadline_ns < until_ns) {
            until_ns = exchange->deadline_ns;
        }
        exchange = next;
    }
    return until_ns;
}

struct message *mailbox_wait(struct mailbox *mailbox, int64_t deadline_ns)
{
    pthread_mutex_lock(&lock);
    struct message *message = NULL;
    for (;;) {
        int64_t until = late(mailbox, deadline_ns);
        message = mailbox->first;
        if (message || clock_mono_ns() >= deadline_ns)
            break;
        cond_wait_until(&mailbox->cond, &lock, until);
    }
    if (message) {
        mailbox->first = message->next_;
        if (!mailbox->first)
            mailbox->last = NULL;
        /* Under way until its call knows that it is not. */
        flying -= message->type == MESSAGE_END ? 1 : 0;
    }
    pthread_mutex_unlock(&lock);
    return message;
}

void mailbox_release(struct mailbox *mailbox, struct message *message)
{
    (void)mailbox;
    letter_free(message);
}

int mailbox_post(struct mailbox *mailbox, void *owner, uint32_t tag)
{
    pthread_mutex_lock(&lock);
    struct letter *letter = letter_new(NULL, MESSAGE_POST);
    letter->message.owner = owner;
    letter->message.tag = tag;
    deliver(mailbox, letter);
    pthread_mutex_unlock(&lock);
    return 0;
}

static void note(const struct exchange_request *request)
{
    const struct sonde_request *row = request->request;
    struct fake_sent *s = &sent[sent_count];
    snprintf(s->path, sizeof s->path, "%s", row->path);
    snprintf(s->url, sizeof s->url, "%s", request->target->url);
    snprintf(s->method, sizeof s->method, "%s", row->method);
    for (size_t i = 0; i < row->header_count; i++) {
        size_t n = strlen(s->headers);
        snprintf(s->headers + n, sizeof s->headers - n, "%s: %s\n", row->headers[i].key,
                 row->headers[i].value);
    }
    size_t n = strlen(s->headers);
    snprintf(s->headers + n, sizeof s->headers - n, "%s", request->target->headers);
    size_t size = row->body_size < sizeof s->body - 1 ? row->body_size : sizeof s->body - 1;
    if (size)
        memcpy(s->body, row->body, size);
    s->tag = row->tag;
    s->detached = request->detached;
    s->at_ns = clock_mono_ns();
}

static const struct fake_rule *rule_for(const struct fake_sent *s)
{
    static const struct fake_rule none = {.outcome = SONDE_OUTCOME_LOST,
                                          .text = "nothing listens there"};
    char whole[800];
    snprintf(whole, sizeof whole, "%s%s", s->url, s->path);
    for (size_t i = 0; i < rule_count; i++) {
        if ((rules[i].path && !strstr(whole, rules[i].path)) ||
            (rules[i].times && used[i] >= rules[i].times))
            continue;
        used[i]++;
        return &rules[i];
    }
    return &none;
}

int exchange_start(struct io *io, struct mailbox *mailbox, const struct exchange_request *request,
                   struct exchange **ret_exchange, struct err *err)
{
    (void)io;
    (void)err;
    pthread_mutex_lock(&lock);
    if (sent_count == MAX_SENT)
        abort();
    note(request);
    struct exchange *exchange = NULL;
    if (!request->detached) {
        exchange = calloc(1, sizeof *exchange);
        if (!exchange)
            abort();
        exchange->mailbox = mailbox;
        exchange->rule = *rule_for(&sent[sent_count]);
        exchange->sent = sent_count;
        exchange->tag = request->request->tag;
        exchange->owner = request->owner;
        exchange->deadline_ns = request->deadline_ns;
        if (++flying > peak)
            peak = flying;
        if (exchange->rule.hang) {
            exchange->next = hanging;
            hanging = exchange;
        } else {
            answer(exchange);
        }
    }
    sent_count++;
    pthread_cond_broadcast(&sent_cond);
    pthread_mutex_unlock(&lock);
    *ret_exchange = exchange;
    return 0;
}

void exchange_cancel(struct exchange *exchange)
{
    pthread_mutex_lock(&lock);
    sent[exchange->sent].cancelled = true;
    if (!exchange->ended) {
        unhang(exchange);
        end(exchange, SONDE_OUTCOME_LOST, "cancelled", 0, 0);
    }
    pthread_mutex_unlock(&lock);
}
