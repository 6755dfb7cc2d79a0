/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from byte strings to pointers, keyed SipHash-1-3 (keys come from outside), with a maximum.
 *
 * Ownership: keys are copied, values stay the caller's. Threads: one thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
    char *key;
    size_t key_size;
    uint64_t hash;
    void *value; /* never NULL */
};

struct map {
    struct map_entry *entries; /* insertion order, holes have key NULL */
    uint32_t *slots;
    size_t entry_count; /* holes included */
    size_t count;
    size_t entry_capacity;
    size_t slot_count; /* power of two */
    size_t max;
};

void map_init(struct map *map, size_t max);
void map_finish(struct map *map);
void *map_get(const struct map *map, const char *key, size_t key_size);
/* Sets or replaces; 0, ERR_LIMIT or ERR_MEMORY. ret_old may be NULL. */
int map_set(struct map *map, const char *key, size_t key_size, void *value, void **ret_old);
/* Takes out and returns the value, or NULL. */
void *map_remove(struct map *map, const char *key, size_t key_size);
/* Iterates in insertion order: `for (size_t i = 0; (e = map_next(map, &i));)`. */
struct map_entry *map_next(const struct map *map, size_t *position);
uint64_t hash_bytes(const void *data, size_t size);

#endif
