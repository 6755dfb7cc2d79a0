/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes two queries the same one, for flights and for the cache: a digest of all that decides the answer but where the window lies,
 * and the window with how far back it ends.
 *
 * Ownership: plain values. Threads: pure.
 */
#ifndef QUERY_QUERY_KEY_H
#define QUERY_QUERY_KEY_H

#include <stdbool.h>
#include <sonde/plugin.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"

struct backend;
struct scope_row;

/* A window that ends within this of the wall clock ends now, and an answer may end this much before what was asked. */
#define QUERY_NOW_NS (20 * NS_PER_S)

enum query_when {
    QUERY_NOW,    /* the window ends now, or there is none: what the backend holds at present */
    QUERY_RECENT, /* it ends earlier, but what lies in it may still change */
    QUERY_PAST    /* it ends so long ago that it no longer changes */
};

struct query_key {
    uint64_t serial; /* of the backend */
    unsigned char
        digest[SHA256_BYTES]; /* all but the window: connection, user, limits, the query */
    int64_t start_ns;
    int64_t end_ns; /* 0, and start_ns as well: it has no window */
    enum query_when when;
    char connection
        [37]; /* its id; "" the digest means nothing to another process or after a restart */
};

/* 0, or ERR_MEMORY, ERR_SYSTEM. */
int query_key(const struct backend *backend, const struct sonde_query *query, int64_t now_ns,
              struct query_key *ret_key);
/* Every member of the query that changes the answer but its window, in one byte string; equal strings, equal questions. */
void query_words(struct buf *buf, const struct sonde_query *query);
/* How it is said to people: "metrics", "label names"; "this kind of query" when unknown. */
const char *query_kind_name(uint32_t kind);

/* What makes one scope another than the next. 0, or as query_key. */
int query_scope_digest(const struct scope_row *scope, unsigned char ret_digest[SHA256_BYTES]);

/* Ways in which two windows are the same. */
enum query_match {
    QUERY_EXACT = 'E',  /* same start, same end */
    QUERY_LENGTH = 'L', /* as long: "the last hour", asked again */
    QUERY_START = 'S'   /* same start: "since 10:20", asked again */
};
#define QUERY_NAME_BYTES (SHA256_BYTES + 17u)
/* Key and way as bytes to look up by; without the backend's serial. */
void query_name(const struct query_key *key, enum query_match match, char out[QUERY_NAME_BYTES]);

#endif
