/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double of host/io that answers from a script instead of a network; links in its place.
 *
 * Ownership: rules are copied, their strings are not. Threads: safe like the real one.
 */
#ifndef SUPPORT_FAKE_IO_H
#define SUPPORT_FAKE_IO_H

#include "io/io.h"

struct fake_rule {
    const char *path; /* substring of url and path together; NULL any */
    unsigned times;   /* how often it answers; 0 always */
    uint32_t status;  /* 0: no head */
    const struct sonde_pair *headers;
    size_t header_count;
    const char *body;
    size_t body_size; /* 0: strlen */
    size_t repeat;    /* the body this often; 0 once */
    size_t chunk;     /* 0: whole */
    uint32_t outcome;
    const char *text;
    bool hang; /* answers only when let go, cancelled or late */
};

struct fake_sent {
    char path[512];
    char url[256];
    char method[16];
    char headers[512]; /* "name: value\n"..., the target's behind the request's */
    char body[512];
    uint32_t tag;
    bool detached;
    bool cancelled;
    bool ended;
    int64_t at_ns;
};

void fake_io_reset(void);
void fake_io_add(const struct fake_rule *rule);
size_t fake_io_count(void);
/* Copy of what was sent as number i, from 0. */
struct fake_sent fake_io_sent(size_t i);
/* Lets the hanging exchanges whose path holds this go on. */
void fake_io_let(const char *path);
/* Waits until n requests were sent; false after 10 s. */
bool fake_io_wait_sent(size_t n);
/* The largest number of exchanges that were under way at once. */
unsigned fake_io_peak(void);
/* Mailboxes and targets that live. */
unsigned fake_io_alive(void);

#endif
