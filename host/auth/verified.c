/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/verified.h"

#include "base/mem.h"

struct entry {
    unsigned char hash[SHA256_BYTES];
    uint64_t generation;
    int64_t expires_ms;
    struct principal principal;
};

void verified_init(struct verified *verified)
{
    pthread_mutex_init(&verified->lock, NULL);
    map_init(&verified->by_hash, VERIFIED_MAX);
}

void verified_finish(struct verified *verified)
{
    struct map_entry *e;
    for (size_t i = 0; (e = map_next(&verified->by_hash, &i));)
        mem_free(e->value);
    map_finish(&verified->by_hash);
    pthread_mutex_destroy(&verified->lock);
}

static void drop_locked(struct verified *verified, const unsigned char hash[SHA256_BYTES])
{
    mem_free(map_remove(&verified->by_hash, (const char *)hash, SHA256_BYTES));
}

bool verified_get(struct verified *verified, const unsigned char hash[SHA256_BYTES],
                  uint64_t generation, int64_t now_ms, struct principal *ret_principal)
{
    pthread_mutex_lock(&verified->lock);
    const struct entry *entry = map_get(&verified->by_hash, (const char *)hash, SHA256_BYTES);
    bool good = entry && entry->generation == generation && now_ms < entry->expires_ms;
    if (good)
        *ret_principal = entry->principal;
    else if (entry)
        drop_locked(verified, hash);
    pthread_mutex_unlock(&verified->lock);
    return good;
}

void verified_put(struct verified *verified, const unsigned char hash[SHA256_BYTES],
                  uint64_t generation, int64_t expires_ms, const struct principal *principal)
{
    struct entry *entry = mem_alloc(sizeof *entry);
    if (!entry)
        return;
    *entry =
        (struct entry){.generation = generation, .expires_ms = expires_ms, .principal = *principal};
    for (size_t i = 0; i < SHA256_BYTES; i++)
        entry->hash[i] = hash[i];
    pthread_mutex_lock(&verified->lock);
    drop_locked(verified, hash);
    /* Full: an eighth goes at once, so that looking for the first ones stays cheap. */
    if (verified->by_hash.count >= VERIFIED_MAX) {
        struct map_entry *e;
        size_t left = VERIFIED_MAX / 8;
        for (size_t i = 0; left && (e = map_next(&verified->by_hash, &i)); left--) {
            struct entry *first = e->value;
            drop_locked(verified, first->hash);
        }
    }
    if (map_set(&verified->by_hash, (const char *)entry->hash, SHA256_BYTES, entry, NULL))
        mem_free(entry);
    pthread_mutex_unlock(&verified->lock);
}
