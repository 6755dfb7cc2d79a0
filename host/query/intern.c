/* SPDX-License-Identifier: Apache-2.0 */
#include "query/intern.h"

#include "base/map.h"
#include "base/mem.h"
#include "query/text.h"

#define POOL_SIZE 8192u

void intern_init(struct intern *intern, struct result *result)
{
    *intern = (struct intern){.result = result};
}

void intern_finish(struct intern *intern)
{
    result_resize(intern->result, intern->slots, intern->slot_count * sizeof *intern->slots, 0);
    intern->slots = NULL;
    intern->slot_count = 0;
}

static int grow(struct intern *intern)
{
    size_t count = intern->slot_count ? intern->slot_count * 2 : 256;
    struct intern_slot *slots = result_resize(intern->result, NULL, 0, count * sizeof *slots);
    if (!slots)
        return -1;
    memset(slots, 0, count * sizeof *slots);
    for (size_t i = 0; i < intern->slot_count; i++) {
        if (!intern->slots[i].text)
            continue;
        size_t k = intern->slots[i].hash & (count - 1);
        while (slots[k].text)
            k = (k + 1) & (count - 1);
        slots[k] = intern->slots[i];
    }
    result_resize(intern->result, intern->slots, intern->slot_count * sizeof *intern->slots, 0);
    intern->slots = slots;
    intern->slot_count = count;
    return 0;
}

static char *place(struct intern *intern, size_t size)
{
    if (size > POOL_SIZE / 4)
        return result_alloc(intern->result, size, 1);
    if (size > intern->pool_left) {
        intern->pool = result_alloc(intern->result, POOL_SIZE, 1);
        intern->pool_left = intern->pool ? POOL_SIZE : 0;
    }
    if (!intern->pool)
        return NULL;
    char *text = intern->pool;
    intern->pool += size;
    intern->pool_left -= size;
    return text;
}

static const char *intern_storable(struct intern *intern, const char *data, size_t size)
{
    if (4 * intern->count >= 3 * intern->slot_count && grow(intern))
        return NULL;
    uint32_t hash = (uint32_t)hash_bytes(data, size);
    size_t k = hash & (intern->slot_count - 1);
    for (; intern->slots[k].text; k = (k + 1) & (intern->slot_count - 1))
        if (intern->slots[k].hash == hash && intern->slots[k].size == size &&
            memcmp(intern->slots[k].text, data, size) == 0)
            return intern->slots[k].text;
    char *text = place(intern, size + 1);
    if (!text)
        return NULL;
    memcpy(text, data, size);
    text[size] = '\0';
    intern->slots[k] = (struct intern_slot){.text = text, .size = (uint32_t)size, .hash = hash};
    intern->count++;
    return text;
}

const char *intern_text(struct intern *intern, const char *data, size_t size, size_t *ret_size)
{
    if (!size) {
        *ret_size = 0;
        return "";
    }
    if (size > UINT32_MAX / 4)
        return NULL;
    const char *text = NULL;
    if (text_storable(data, size)) {
        text = intern_storable(intern, data, size);
        *ret_size = size;
        return text;
    }
    char *clean = mem_alloc(3 * size);
    if (!clean)
        return NULL;
    size_t n = text_store(clean, data, size);
    text = intern_storable(intern, clean, n);
    mem_free(clean);
    *ret_size = n;
    return text;
}
