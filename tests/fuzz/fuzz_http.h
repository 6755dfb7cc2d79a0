/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two targets of HTTP messages share: the verdict on a message must not depend on how it was cut into reads.
 *
 * Ownership: nothing is kept. Threads: one thread.
 */
#ifndef TESTS_FUZZ_HTTP_H
#define TESTS_FUZZ_HTTP_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/message.h"

#define FUZZ_MAX_BODY ((size_t)2000)

struct fuzz_verdict {
    enum message_event event;
    int status;
    size_t used;
};

/* Reads of step bytes, each in a block of its own size, so that a step beyond it is seen. */
static inline struct fuzz_verdict fuzz_feed(struct message *message, const char *data, size_t size,
                                            size_t step)
{
    struct fuzz_verdict verdict = {MESSAGE_MORE, 0, 0};
    message_init(message, FUZZ_MAX_BODY);
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        char byte[1]; /* blocks cost most of the time of reads that small */
        char *piece = n == 1 ? byte : mem_resize(NULL, n, 1);
        if (!piece)
            abort();
        memcpy(piece, data + at, n);
        size_t taken = 0;
        do {
            size_t used = 0;
            verdict.event = message_feed(message, piece + taken, n - taken, &used);
            taken += used;
            if (taken > n)
                abort();
        } while (verdict.event == MESSAGE_HEAD);
        if (n > 1)
            mem_free(piece);
        verdict.used = at + taken;
        if (verdict.event != MESSAGE_MORE)
            break;
        if (taken != n)
            abort();
    }
    if (verdict.event == MESSAGE_REFUSED) {
        verdict.status = message->refusal.status;
        verdict.used = 0;
        if (verdict.status < 400 || verdict.status > 505 || !message->refusal.detail)
            abort();
    }
    return verdict;
}

static inline int fuzz_same(const struct fuzz_verdict *a, const struct fuzz_verdict *b)
{
    return a->event == b->event && a->status == b->status && a->used == b->used;
}

/* One message in one read, byte by byte, and in a step the input chooses. */
static inline void fuzz_message(const char *data, size_t size, size_t step,
                                void (*check)(const struct message *message))
{
    struct message whole, bytes, steps;
    struct fuzz_verdict a = fuzz_feed(&whole, data, size, size ? size : 1);
    struct fuzz_verdict b = fuzz_feed(&bytes, data, size, 1);
    struct fuzz_verdict c = fuzz_feed(&steps, data, size, step);
    if (!fuzz_same(&a, &b) || !fuzz_same(&a, &c))
        abort();
    if (a.event == MESSAGE_DONE) {
        if (whole.body_size > FUZZ_MAX_BODY || whole.body_size != bytes.body_size ||
            whole.body_size != steps.body_size ||
            (whole.body_size && (memcmp(whole.body, bytes.body, whole.body_size) != 0 ||
                                 memcmp(whole.body, steps.body, whole.body_size) != 0)))
            abort();
        check(&whole);
    }
    message_finish(&whole);
    message_finish(&bytes);
    message_finish(&steps);
}

#endif
