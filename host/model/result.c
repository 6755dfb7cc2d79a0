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

struct result *result_over(struct result *base)
{
    CLEANUP(result_unrefp)
    struct result *over = result_new(base->kind, base->max_bytes, base->arena.budget);
    if (!over)
        return NULL;
    struct series *series = result_alloc(over, base->series_count, sizeof *series);
    if (!series)
        return NULL;
    if (base->series_count)
        memcpy(series, base->series, base->series_count * sizeof *series);
    over->series = series;
    over->series_count = base->series_count;
    over->names = base->names;
    over->name_count = base->name_count;
    over->scopes = base->scopes;
    over->scope_count = base->scope_count;
    over->notes = base->notes;
    over->note_count = base->note_count;
    over->product = base->product;
    over->version = base->version;
    over->status = base->status;
    over->features = base->features;
    over->feature_count = base->feature_count;
    over->executed = base->executed;
    over->partial_reason = base->partial_reason;
    over->partial_text = base->partial_text;
    over->total = base->total;
    over->total_kind = base->total_kind;
    over->resume = base->resume;
    over->resume_size = base->resume_size;
    over->samples_read = base->samples_read;
    over->reduced = base->reduced;
    over->newest_sample_ns = base->newest_sample_ns;
    over->fetched_at_ns = base->fetched_at_ns;
    over->elapsed_ns = base->elapsed_ns;
    over->wire_bytes = base->wire_bytes;
    over->base = result_ref(base);
    return STEAL(over);
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
    result_unref(result->base);
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
