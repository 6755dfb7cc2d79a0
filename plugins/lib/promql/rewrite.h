/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds matchers to every selector of a native query, and finds the way back from a position in the
 * text that was sent to the text the user wrote.
 *
 * Ownership: the rewrite's memory is the op's. Threads: one rewrite, one thread.
 */
#ifndef SONDE_PROMQL_REWRITE_H
#define SONDE_PROMQL_REWRITE_H

#include "matcher.h"

struct promql_insert {
    size_t at;   /* byte in the user's text */
    size_t size; /* bytes that were put there */
};

#define PROMQL_MAX_INSERTS 1024

struct promql_rewrite {
    const char *text; /* as sent */
    size_t size;
    const struct promql_insert *inserts;
    size_t insert_count;
    const char *original; /* the user's text; NULL where the text was built from a structure */
    size_t original_size;
};

/* 0, or an error class after host->fail; without filters the text stays as it is, unread. */
int32_t promql_rewrite(const struct promql_context *context, const struct promql_filters *filters,
                       struct promql_rewrite *ret_rewrite);
/*
 * Reads "line:column" (both from 1, columns in bytes, as Prometheus writes them) of the text sent;
 * gives the byte in the user's text, or -1 where the text names none.
 */
int64_t promql_original_position(const struct promql_rewrite *rewrite, uint64_t line,
                                 uint64_t column);
/*
 * Copies a message of the backend, with every position in it ("1:17: parse error", "(1:17)")
 * moved to the user's text. Returns the byte of the first one, or -1.
 */
int64_t promql_translate_message(const struct promql_rewrite *rewrite, const char *message,
                                 struct sonde_text *text);

#endif
