/* SPDX-License-Identifier: Apache-2.0 */
#include "model/result.h"

#include "base/mem.h"

struct result *result_new(uint32_t kind, size_t max_bytes, struct budget *budget)
{
    struct result *result = mem_alloc(sizeof *result);
    if (!result)
        return NULL;
    atomic_init(&result->references, 1);
    arena_init(&result->arena, max_bytes, budget);
    result->kind = kind;
    result->max_bytes = max_bytes;
    result->product = "";
    result->version = "";
    result->executed = "";
    result->partial_text = "";
    return result;
}

struct result *result_ref(struct result *result)
{
    if (result)
        atomic_fetch_add_explicit(&result->references, 1, memory_order_relaxed);
    return result;
}

void result_unref(struct result *result)
{
    if (!result || atomic_fetch_sub_explicit(&result->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < result->block_count; i++)
        mem_free(result->blocks[i]);
    mem_free(result->blocks);
    budget_give(result->arena.budget, result->block_bytes);
    arena_finish(&result->arena);
    mem_free(result);
}

/* Room for more bytes within max_bytes and the budget: 0, or -1. */
static int charge(struct result *result, size_t more)
{
    size_t used = result->arena.used + result->block_bytes;
    if (used > result->max_bytes || more > result->max_bytes - used ||
        budget_take(result->arena.budget, more))
        return -1;
    result->block_bytes += more;
    return 0;
}

static void discharge(struct result *result, size_t less)
{
    result->block_bytes -= less;
    budget_give(result->arena.budget, less);
}

void *result_resize(struct result *result, void *block, size_t old_size, size_t new_size)
{
    if (!new_size) {
        mem_free(block);
        discharge(result, old_size);
        return NULL;
    }
    if (new_size > old_size && charge(result, new_size - old_size))
        return NULL;
    void *resized = mem_resize(block, new_size, 1);
    if (!resized) {
        if (new_size > old_size)
            discharge(result, new_size - old_size);
        return NULL;
    }
    if (new_size < old_size)
        discharge(result, old_size - new_size);
    return resized;
}

int result_keep(struct result *result, void *block)
{
    if (result->block_count == result->block_capacity) {
        size_t capacity = result->block_capacity + result->block_capacity / 2 + 16;
        void *grown =
            result_resize(result, result->blocks, result->block_capacity * sizeof *result->blocks,
                          capacity * sizeof *result->blocks);
        if (!grown)
            return ERR_MEMORY;
        result->blocks = grown;
        result->block_capacity = capacity;
    }
    result->blocks[result->block_count++] = block;
    return 0;
}

void *result_alloc(struct result *result, size_t n, size_t size)
{
    /* The arena's own maximum does not know of the blocks. */
    result->arena.max =
        result->max_bytes > result->block_bytes ? result->max_bytes - result->block_bytes : 0;
    return arena_alloc_array(&result->arena, n, size);
}
