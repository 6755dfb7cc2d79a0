/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only callers of malloc in the host, and the budget that mailboxes, call arenas and caches draw
 * from (limits.memory).
 *
 * Ownership: mem_free what mem_alloc gave. Threads: all safe; a budget is shared by design.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdatomic.h>
#include <stddef.h>

/* Once, before threads: few malloc arenas, or each call thread keeps megabytes of its own. */
void mem_setup(void);
/* Zeroed; NULL when there is none. n * size is checked for overflow. */
void *mem_alloc(size_t size);
void *mem_alloc_array(size_t n, size_t size);
/* Like realloc with an overflow check; new bytes are not zeroed; the old block stays on failure. */
void *mem_resize(void *pointer, size_t n, size_t size);
void mem_free(void *pointer);
char *mem_strdup(const char *string);
char *mem_strndup(const char *data, size_t size);
/* CLEANUP(mem_freep) for any pointer type. */
void mem_freep(void *pointer_to_pointer);
/* Gives freed memory back to the system; called after large calls. */
void mem_trim(void);

struct budget {
    atomic_size_t used;
    atomic_size_t max;
    /* What gives way when there is not enough: frees about size bytes if it can. It must not take of the budget. NULL: nothing does. */
    void (*give_way)(void *user, size_t size);
    void *user;
};

void budget_init(struct budget *budget, size_t max);
/* From now on; what is held beyond a lower one goes as its holders let go. */
void budget_set_max(struct budget *budget, size_t max);
/* Before threads start, and with NULL after they ended. */
void budget_set_give_way(struct budget *budget, void (*give_way)(void *user, size_t size),
                         void *user);
/* 0, or -1 when the budget would be exceeded. NULL budget: no limit. */
int budget_take(struct budget *budget, size_t size);
void budget_give(struct budget *budget, size_t size);

#endif
