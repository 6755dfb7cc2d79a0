/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <pthread.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"

static uint64_t sip_key[2];
static pthread_once_t sip_once = PTHREAD_ONCE_INIT;

static void sip_make_key(void)
{
    rand_bytes(sip_key, sizeof sip_key);
}

static inline uint64_t rotate(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012). */
uint64_t hash_bytes(const void *data, size_t size)
{
    pthread_once(&sip_once, sip_make_key);
    uint64_t v[4] = {sip_key[0] ^ 0x736f6d6570736575ULL, sip_key[1] ^ 0x646f72616e646f6dULL,
                     sip_key[0] ^ 0x6c7967656e657261ULL, sip_key[1] ^ 0x7465646279746573ULL};
    const unsigned char *p = data;
    size_t left = size;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *map, size_t max)
{
    *map = (struct map){.max = max < UINT32_MAX - 1 ? max : UINT32_MAX - 1};
}

void map_finish(struct map *map)
{
    for (size_t i = 0; i < map->entry_count; i++)
        mem_free(map->entries[i].key);
    mem_free(map->entries);
    mem_free(map->slots);
    *map = (struct map){.max = map->max};
}

/* The slot of the key, or the empty one where it would go. Slots hold entry index + 1; holes keep theirs. */
static size_t find_slot(const struct map *map, uint64_t hash, const char *key, size_t key_size)
{
    size_t mask = map->slot_count - 1;
    size_t slot = (size_t)hash & mask;
    for (;; slot = (slot + 1) & mask) {
        uint32_t index = map->slots[slot];
        if (!index)
            return slot;
        const struct map_entry *entry = &map->entries[index - 1];
        if (entry->key && entry->hash == hash && entry->key_size == key_size &&
            memcmp(entry->key, key, key_size) == 0)
            return slot;
    }
}

void *map_get(const struct map *map, const char *key, size_t key_size)
{
    if (!map->slot_count)
        return NULL;
    uint32_t index = map->slots[find_slot(map, hash_bytes(key, key_size), key, key_size)];
    return index ? map->entries[index - 1].value : NULL;
}

/* Larger tables, holes dropped. */
static int rebuild(struct map *map, size_t slot_count)
{
    uint32_t *slots = mem_alloc_array(slot_count, sizeof *slots);
    size_t capacity = slot_count / 2;
    struct map_entry *entries = mem_alloc_array(capacity, sizeof *entries);
    if (!slots || !entries) {
        mem_free(slots);
        mem_free(entries);
        return ERR_MEMORY;
    }
    size_t n = 0;
    for (size_t i = 0; i < map->entry_count; i++) {
        if (!map->entries[i].key)
            continue;
        entries[n] = map->entries[i];
        size_t slot = (size_t)entries[n].hash & (slot_count - 1);
        while (slots[slot])
            slot = (slot + 1) & (slot_count - 1);
        slots[slot] = (uint32_t)++n;
    }
    mem_free(map->slots);
    mem_free(map->entries);
    map->slots = slots;
    map->entries = entries;
    map->slot_count = slot_count;
    map->entry_capacity = capacity;
    map->entry_count = n;
    return 0;
}

int map_set(struct map *map, const char *key, size_t key_size, void *value, void **ret_old)
{
    uint64_t hash = hash_bytes(key, key_size);
    if (map->slot_count) {
        uint32_t index = map->slots[find_slot(map, hash, key, key_size)];
        if (index) {
            if (ret_old)
                *ret_old = map->entries[index - 1].value;
            map->entries[index - 1].value = value;
            return 0;
        }
    }
    if (map->count >= map->max)
        return ERR_LIMIT;
    if (map->entry_count == map->entry_capacity) {
        size_t slots = 16;
        while (slots / 2 < map->count + map->count / 2 + 1)
            slots *= 2;
        int r = rebuild(map, slots);
        if (r)
            return r;
    }
    char *copy = mem_strndup(key, key_size);
    if (!copy)
        return ERR_MEMORY;
    size_t slot = find_slot(map, hash, key, key_size);
    map->entries[map->entry_count] =
        (struct map_entry){.key = copy, .key_size = key_size, .hash = hash, .value = value};
    map->slots[slot] = (uint32_t)++map->entry_count;
    map->count++;
    if (ret_old)
        *ret_old = NULL;
    return 0;
}

void *map_remove(struct map *map, const char *key, size_t key_size)
{
    if (!map->slot_count)
        return NULL;
    uint32_t index = map->slots[find_slot(map, hash_bytes(key, key_size), key, key_size)];
    if (!index)
        return NULL;
    struct map_entry *entry = &map->entries[index - 1];
    void *value = entry->value;
    mem_free(entry->key);
    entry->key = NULL;
    entry->value = NULL;
    map->count--;
    return value;
}

struct map_entry *map_next(const struct map *map, size_t *position)
{
    while (*position < map->entry_count) {
        struct map_entry *entry = &map->entries[(*position)++];
        if (entry->key)
            return entry;
    }
    return NULL;
}
