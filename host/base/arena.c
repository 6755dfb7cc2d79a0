/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Small calls stay small; blocks double so that large ones need few. */
#define FIRST_BLOCK 4096u
#define LARGEST_STEP (256u * 1024u)

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    size_t used;
    bool zeroed; /* as it came: its pages are not to be touched only to clear them */
    alignas(max_align_t) unsigned char data[];
};

/*
 * First blocks that are free just now, for all arenas: nearly every arena needs one, and malloc takes a lock for its size too. One that
 * finds the lock taken goes to malloc.
 */
#ifdef SONDE_SANITIZED
static const unsigned spares_max = 0; /* what is freed shall be seen to be */
#else
static const unsigned spares_max = 32;
#endif
static struct {
    pthread_mutex_t lock;
    struct arena_block *first;
    unsigned count;
} spares = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct arena_block *take_spare(void)
{
    struct arena_block *block = NULL;
    if (pthread_mutex_trylock(&spares.lock))
        return NULL;
    block = spares.first;
    if (block) {
        spares.first = block->next;
        spares.count--;
    }
    pthread_mutex_unlock(&spares.lock);
    return block;
}

static void give_block(struct arena_block *block)
{
    if (block->size == FIRST_BLOCK && !block->zeroed && !pthread_mutex_trylock(&spares.lock)) {
        bool kept = spares.count < spares_max;
        if (kept) {
            block->next = spares.first;
            spares.first = block;
            spares.count++;
        }
        pthread_mutex_unlock(&spares.lock);
        if (kept)
            return;
    }
    mem_free(block);
}

void arena_init(struct arena *arena, size_t max, struct budget *budget)
{
    *arena = (struct arena){.max = max, .budget = budget};
}

void arena_finish(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        give_block(block);
    }
    budget_give(arena->budget, arena->used);
    arena->used = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < need)
        size = need;
    size_t total = sizeof(struct arena_block) + size;
    if (total < size || arena->used > arena->max || total > arena->max - arena->used) {
        /* A tail smaller than the usual step is still usable. */
        size = need;
        total = sizeof(struct arena_block) + size;
        if (total < size || arena->used > arena->max || total > arena->max - arena->used)
            return NULL;
    }
    if (budget_take(arena->budget, total))
        return NULL;
    /* A large one comes from the system and zeroed; of a small one only what is handed out is cleared. */
    bool large = need > LARGEST_STEP / 2;
    struct arena_block *block = large                 ? mem_alloc(total)
                                : size == FIRST_BLOCK ? take_spare()
                                                      : NULL;
    if (!block && !large)
        block = mem_resize(NULL, 1, total);
    if (!block) {
        budget_give(arena->budget, total);
        return NULL;
    }
    block->size = size;
    block->used = 0;
    block->zeroed = large;
    arena->used += total;
    /* An oversized block goes second, so that the tail of the current one stays in use. */
    if (arena->blocks && large) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/* Not cleared, unless the block is; *ret_zeroed says so. */
static void *take(struct arena *arena, size_t size, bool *ret_zeroed)
{
    if (size > SIZE_MAX / 2) {
        arena->failed = 1;
        return NULL;
    }
    size_t need = aligned(size ? size : 1);
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < need) {
        block = add_block(arena, need);
        if (!block) {
            arena->failed = 1;
            return NULL;
        }
    }
    void *result = block->data + block->used;
    block->used += need;
    *ret_zeroed = block->zeroed;
    return result;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    bool zeroed;
    void *result = take(arena, size, &zeroed);
    if (result && !zeroed)
        memset(result, 0, size);
    return result;
}

void *arena_alloc_array(struct arena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        arena->failed = 1;
        return NULL;
    }
    return arena_alloc(arena, bytes);
}

void *arena_grow(struct arena *arena, void *array, size_t n, size_t new_n, size_t size)
{
    size_t old_bytes;
    size_t new_bytes;
    if (__builtin_mul_overflow(n, size, &old_bytes) ||
        __builtin_mul_overflow(new_n, size, &new_bytes) || new_bytes > SIZE_MAX / 2) {
        arena->failed = 1;
        return NULL;
    }
    struct arena_block *block = arena->blocks;
    size_t old_need = aligned(old_bytes ? old_bytes : 1);
    size_t new_need = aligned(new_bytes ? new_bytes : 1);
    if (array && block && new_need >= old_need && block->used >= old_need &&
        (unsigned char *)array == block->data + block->used - old_need &&
        block->size - block->used >= new_need - old_need) {
        block->used += new_need - old_need;
        if (!block->zeroed && new_bytes > old_bytes)
            memset((unsigned char *)array + old_bytes, 0, new_bytes - old_bytes);
        return array;
    }
    bool zeroed;
    unsigned char *copy = take(arena, new_bytes, &zeroed);
    size_t kept = !array ? 0 : old_bytes < new_bytes ? old_bytes : new_bytes;
    if (copy && kept)
        memcpy(copy, array, kept);
    if (copy && !zeroed)
        memset(copy + kept, 0, new_bytes - kept);
    return copy;
}

char *arena_strndup(struct arena *arena, const char *data, size_t size)
{
    bool zeroed;
    char *copy = size < SIZE_MAX ? take(arena, size + 1, &zeroed) : NULL;
    if (!copy) {
        arena->failed = 1;
        return NULL;
    }
    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
    return arena_strndup(arena, string, strlen(string));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    bool zeroed;
    char *text = n < 0 ? NULL : take(arena, (size_t)n + 1, &zeroed);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}
