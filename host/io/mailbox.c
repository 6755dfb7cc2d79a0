/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/mailbox.h"

#include <string.h>

#include "base/mem.h"
#include "io/runtime.h"

#define PIECE_MIN ((size_t)16 * 1024)

static struct mail *mail_of(struct message *message)
{
    return message->internal_;
}

struct message *mail_new(int type, size_t capacity, struct exchange *exchange)
{
    /* Not mem_alloc: zeroing 128 KiB for each piece costs as much as filling it. */
    struct mail *mail = mem_resize(NULL, 1, sizeof *mail + capacity);
    if (!mail)
        return NULL;
    *mail = (struct mail){.exchange = exchange, .capacity = capacity};
    mail->message = (struct message){.type = type, .internal_ = mail, .text = ""};
    if (exchange) {
        atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
        mail->message.tag = exchange->tag;
        mail->message.owner = exchange->owner;
    }
    if (type == MESSAGE_DATA)
        mail->message.data = mail->data;
    return &mail->message;
}

int mailbox_create(struct io *io, struct mailbox **ret_mailbox)
{
    struct mailbox *mailbox = mem_alloc(sizeof *mailbox);
    if (!mailbox)
        return ERR_MEMORY;
    atomic_init(&mailbox->references, 1);
    if (pthread_mutex_init(&mailbox->lock, NULL)) {
        mem_free(mailbox);
        return ERR_SYSTEM;
    }
    if (wake_init(&mailbox->wake)) {
        pthread_mutex_destroy(&mailbox->lock);
        mem_free(mailbox);
        return ERR_SYSTEM;
    }
    mailbox->io = io_ref(io);
    *ret_mailbox = mailbox;
    return 0;
}

struct mailbox *mailbox_ref(struct mailbox *mailbox)
{
    atomic_fetch_add_explicit(&mailbox->references, 1, memory_order_relaxed);
    return mailbox;
}

void mailbox_unref(struct mailbox *mailbox)
{
    if (!mailbox || atomic_fetch_sub_explicit(&mailbox->references, 1, memory_order_acq_rel) != 1)
        return;
    wake_finish(&mailbox->wake);
    pthread_mutex_destroy(&mailbox->lock);
    io_unref(mailbox->io);
    mem_free(mailbox);
}

void mailbox_destroy(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    struct message *message = mailbox->first;
    mailbox->first = mailbox->last = NULL;
    for (struct message *m = message; m; m = m->next_)
        if (m->type == MESSAGE_DATA)
            mail_of(m)->exchange->last_queued = NULL;
    pthread_mutex_unlock(&mailbox->lock);
    while (message) {
        struct message *next = message->next_;
        mailbox_release(mailbox, message);
        message = next;
    }
    mailbox_unref(mailbox);
}

static void put_locked(struct mailbox *mailbox, struct message *message)
{
    message->next_ = NULL;
    if (mailbox->last)
        mailbox->last->next_ = message;
    else
        mailbox->first = message;
    mailbox->last = message;
    if (message->type == MESSAGE_DATA)
        mail_of(message)->exchange->last_queued = message;
}

void mailbox_wake(struct mailbox *mailbox)
{
    wake_up(&mailbox->wake);
}

void mailbox_put(struct mailbox *mailbox, struct message *message, bool wake)
{
    pthread_mutex_lock(&mailbox->lock);
    bool closed = mailbox->closed;
    if (!closed)
        put_locked(mailbox, message);
    pthread_mutex_unlock(&mailbox->lock);
    if (closed)
        mailbox_release(mailbox, message);
    else if (wake)
        mailbox_wake(mailbox);
}

void mailbox_put_data(struct mailbox *mailbox, struct message *message, bool wake)
{
    struct exchange *exchange = mail_of(message)->exchange;
    pthread_mutex_lock(&mailbox->lock);
    struct message *last = exchange->last_queued;
    bool fits = last && mail_of(last)->capacity - last->size >= message->size;
    bool queued = !fits && !mailbox->closed;
    if (fits) {
        memcpy(mail_of(last)->data + last->size, message->data, message->size);
        last->size += message->size;
    } else if (queued) {
        put_locked(mailbox, message);
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (!queued)
        mailbox_release(mailbox, message);
    if (wake)
        mailbox_wake(mailbox);
}

static struct message *take(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    struct message *message = mailbox->first;
    if (message) {
        mailbox->first = message->next_;
        if (!mailbox->first)
            mailbox->last = NULL;
        if (message->type == MESSAGE_DATA && mail_of(message)->exchange->last_queued == message)
            mail_of(message)->exchange->last_queued = NULL;
        message->next_ = NULL;
    }
    pthread_mutex_unlock(&mailbox->lock);
    return message;
}

struct message *mailbox_wait(struct mailbox *mailbox, int64_t deadline_ns)
{
    struct message *message = take(mailbox);
    /* 0: only a look */
    for (bool late = false; !message && !late && deadline_ns > 0; message = take(mailbox))
        late = wake_wait(&mailbox->wake, deadline_ns) != 0;
    return message;
}

/* Gives a piece back to its window; true when a parked transfer can go on. */
static bool give_window(struct mailbox *mailbox, struct exchange *exchange, size_t size)
{
    pthread_mutex_lock(&mailbox->lock);
    exchange->window_used -= size;
    bool resume = exchange->parked && exchange->window_used <= EXCHANGE_WINDOW / 2;
    if (resume)
        exchange->parked = false;
    pthread_mutex_unlock(&mailbox->lock);
    return resume;
}

void mailbox_release(struct mailbox *mailbox, struct message *message)
{
    if (!message)
        return;
    struct mail *mail = mail_of(message);
    struct exchange *exchange = mail->exchange;
    if (message->type == MESSAGE_DATA && give_window(mailbox, exchange, mail->capacity))
        exchange_command(exchange, COMMAND_RESUME, NULL);
    mem_free(mail);
    if (exchange)
        exchange_unref(exchange);
}

int mailbox_post(struct mailbox *mailbox, void *owner, uint32_t tag)
{
    struct message *message = mail_new(MESSAGE_POST, 0, NULL);
    if (!message)
        return ERR_MEMORY;
    message->owner = owner;
    message->tag = tag;
    /* Its reader may end, and the mailbox with it, as soon as the message is seen. */
    mailbox_ref(mailbox);
    mailbox_put(mailbox, message, true);
    mailbox_unref(mailbox);
    return 0;
}

bool mailbox_take_window(struct mailbox *mailbox, struct exchange *exchange, size_t *capacity)
{
    pthread_mutex_lock(&mailbox->lock);
    size_t left = EXCHANGE_WINDOW - exchange->window_used;
    bool taken = left >= PIECE_MIN || left >= *capacity;
    if (taken) {
        if (*capacity > left)
            *capacity = left;
        exchange->window_used += *capacity;
    } else {
        exchange->parked = true;
    }
    pthread_mutex_unlock(&mailbox->lock);
    return taken;
}
