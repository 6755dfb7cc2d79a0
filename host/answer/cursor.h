/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: random handles to what a next page needs, in memory, 15 minutes, bounded in number and bytes. The seam
 * where a table comes in when restarts must be survived.
 *
 * Ownership: a cursor keeps references to its results. Threads: safe.
 */
#ifndef ANSWER_CURSOR_H
#define ANSWER_CURSOR_H

#include "base/err.h"
#include "base/timeinput.h"
#include "model/result.h"

struct cursor_store;

/* What a page needs to go on. All copied or referenced by cursor_put. */
struct cursor_page {
    const char *owner; /* user id: another's cursor is "unknown" */
    const char *tool;
    const char *digest;        /* of the arguments but cursor and max_tokens */
    struct time_window window; /* resolved, absolute */
    struct result **results;
    const char **connection_names; /* per result */
    size_t result_count;
    const char *state; /* JSON: whatever else the tool wants back */
    size_t skip;
};

int cursor_store_create(size_t max_count, size_t max_bytes, struct cursor_store **ret_store);
void cursor_store_destroy(struct cursor_store *store);
/* A handle of at most 64 characters into out; its length, or 0 when there is no room. */
size_t cursor_put(struct cursor_store *store, const struct cursor_page *page, char out[65]);
/*
 * 0 and a page with references taken and strings in arena, or ERR_NOT_FOUND: expired or unknown (start over without cursor), ERR_INVALID: other tool or
 * changed arguments (names them).
 */
int cursor_get(struct cursor_store *store, const char *handle, const char *owner, const char *tool,
               const char *digest, struct arena *arena, struct cursor_page *ret_page,
               struct err *err);
void cursor_page_release(struct cursor_page *page);

#endif
