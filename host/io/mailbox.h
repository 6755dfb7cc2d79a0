/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mailbox's inside: a queue bounded by the windows of its exchanges, and messages with their memory.
 *
 * Ownership: reference-counted (the owner's and one an exchange), so that an END may come late. Threads:
 * one lock a mailbox.
 */
#ifndef IO_MAILBOX_H
#define IO_MAILBOX_H

#include <pthread.h>
#include "base/wake.h"
#include "io/exchange.h"

struct mailbox {
    atomic_uint references;
    struct io *io;
    pthread_mutex_t lock;
    struct wake wake; /* its reader sleeps on */
    struct message *first;
    struct message *last;
    bool closed;
};

/* A message as it is allocated. */
struct mail {
    struct message message;
    struct exchange *exchange; /* DATA, END */
    size_t capacity;           /* of data */
    char data[];
};

#define END_TEXT ((size_t)1024)

struct mailbox *mailbox_ref(struct mailbox *mailbox);
void mailbox_unref(struct mailbox *mailbox);
/* data's bytes are not zeroed. */
struct message *mail_new(int type, size_t capacity, struct exchange *exchange);
/*
 * Queues it, or frees it when the mailbox is closed. The caller holds a reference. wake false: the reader may sleep on; another put or
 * mailbox_wake follows shortly, so that an answer that comes all at once wakes it once.
 */
void mailbox_put(struct mailbox *mailbox, struct message *message, bool wake);
/* Like put for DATA, but copies into the newest DATA of the exchange when the reader left that untaken and it has room. */
void mailbox_put_data(struct mailbox *mailbox, struct message *message, bool wake);
void mailbox_wake(struct mailbox *mailbox);
/* Takes up to *capacity from the window (less when little is left, at least 16 KiB); false and parked when full. */
bool mailbox_take_window(struct mailbox *mailbox, struct exchange *exchange, size_t *capacity);

#endif
