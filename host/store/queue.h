/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that wait for the writer: bounded in bytes, never in anybody's way. Cached results go first when it is full.
 *
 * Ownership: a row put in is the queue's until it is settled, also while it is taken. Threads: any thread puts, one takes.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include <pthread.h>

#include "store/driver.h"

#define QUEUE_DEFAULT_BYTES (32u << 20)
#define QUEUE_BATCH 1024u
#define QUEUE_WAIT_NS (50 * NS_PER_MS) /* so long a row waits for others to be written with */

struct queued_list {
    struct queued *first, *last;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t more;    /* the writer sleeps on it */
    pthread_cond_t settled; /* whoever wants all written does */
    struct queued_list rows;
    struct queued_list cache;
    size_t count, bytes, max; /* taken rows are in them */
    size_t taken;
    int64_t oldest_taken_ms;
    int64_t since_ns;   /* the oldest waits since then */
    int64_t not_before; /* after a failure: when to try again */
    int64_t stop_ns;    /* after queue_stop: until when rows may still be taken */
    uint64_t put_rows;  /* of the list rows, ever */
    uint64_t gone_rows; /* those of them that are settled */
    uint64_t attempts;  /* batches that failed, ever */
    bool hurry;         /* somebody waits for what is in it */
    bool stop;
    uint64_t written, lost_rows, lost_samples, lost_cache, bad;
};

int queue_init(struct queue *queue, size_t max);
/* Frees what is left; returns how many rows that were. */
size_t queue_finish(struct queue *queue);

/* Puts a row in, which is the queue's then, and lets cached results go for it if it is none; false when there is no room all the same. */
bool queue_put(struct queue *queue, struct queued *row);
/* Counts what did not get in. */
enum queue_loss { LOST_ROW, LOST_SAMPLE, LOST_CACHE, LOST_BAD };
void queue_count(struct queue *queue, enum queue_loss loss);

/* Sleeps until there is work; fills rows with up to QUEUE_BATCH, oldest first. 0: the end. */
size_t queue_take(struct queue *queue, struct queued **rows);
/* Taken rows are written, or dropped as bad ones: frees them. */
void queue_settle(struct queue *queue, struct queued *const *rows, size_t n, bool bad);
/* Taken rows go back to where they were, to be taken not before pause_ns from now. */
void queue_put_back(struct queue *queue, struct queued *const *rows, size_t n, int64_t pause_ns);
/* Waits until all rows put before are settled, one attempt failed, or deadline. */
void queue_flush(struct queue *queue, int64_t deadline_ns);
void queue_stop(struct queue *queue, int64_t stop_ns);
void queue_state(struct queue *queue, struct store_state *state);

#endif
