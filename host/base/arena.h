/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one lifetime: allocate many, free once.
 *
 * Ownership: the arena owns all it gives; arena_finish frees it. Threads: one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include "base/mem.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes taken from the system */
    size_t max;
    struct budget *budget; /* may be NULL */
    int failed;            /* sticky: something was NULL */
};

/* max: bytes this arena may take; a budget, if any, is charged for them. No allocation happens yet. */
void arena_init(struct arena *arena, size_t max, struct budget *budget);
void arena_finish(struct arena *arena);
/* Zeroed, aligned for any type; NULL (and failed) beyond max or budget. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t n, size_t size);
/* A larger copy of an array of n elements (which it may extend in place); NULL on failure. */
void *arena_grow(struct arena *arena, void *array, size_t n, size_t new_n, size_t size);
char *arena_strdup(struct arena *arena, const char *string);
char *arena_strndup(struct arena *arena, const char *data, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments);

#endif
