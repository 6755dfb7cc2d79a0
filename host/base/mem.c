/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void mem_setup(void)
{
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 4); /* with 2, many calls at once wait for each other */
    /* Large blocks go back to the system when freed, whatever was freed before them. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
#endif
}

void *mem_alloc(size_t size)
{
    return calloc(1, size ? size : 1);
}

void *mem_alloc_array(size_t n, size_t size)
{
    return calloc(n ? n : 1, size ? size : 1);
}

void *mem_resize(void *pointer, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return realloc(pointer, bytes ? bytes : 1);
}

void mem_free(void *pointer)
{
    free(pointer);
}

char *mem_strndup(const char *data, size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    char *copy = malloc(size + 1);
    if (!copy)
        return NULL;
    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *mem_strdup(const char *string)
{
    return mem_strndup(string, strlen(string));
}

void mem_freep(void *pointer_to_pointer)
{
    void *pointer;
    memcpy(&pointer, pointer_to_pointer, sizeof pointer);
    free(pointer);
}

void mem_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void budget_init(struct budget *budget, size_t max)
{
    atomic_init(&budget->used, 0);
    atomic_init(&budget->max, max);
    budget->give_way = NULL;
    budget->user = NULL;
}

void budget_set_max(struct budget *budget, size_t max)
{
    atomic_store_explicit(&budget->max, max, memory_order_relaxed);
}

void budget_set_give_way(struct budget *budget, void (*give_way)(void *user, size_t size),
                         void *user)
{
    budget->give_way = give_way;
    budget->user = user;
}

static int try_take(struct budget *budget, size_t size)
{
    size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    size_t max = atomic_load_explicit(&budget->max, memory_order_relaxed);
    do {
        if (size > max || used > max - size)
            return -1;
    } while (!atomic_compare_exchange_weak_explicit(&budget->used, &used, used + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}

int budget_take(struct budget *budget, size_t size)
{
    if (!budget || !size || !try_take(budget, size))
        return 0;
    if (!budget->give_way || size > atomic_load_explicit(&budget->max, memory_order_relaxed))
        return -1;
    budget->give_way(budget->user, size);
    return try_take(budget, size);
}

void budget_give(struct budget *budget, size_t size)
{
    if (budget && size)
        atomic_fetch_sub_explicit(&budget->used, size, memory_order_relaxed);
}
