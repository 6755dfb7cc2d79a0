/* SPDX-License-Identifier: Apache-2.0 */
#include "query/cache.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "query/backend.h"
#include "query/cache_internal.h"
#include "selfstats/selfstats.h"

#define ENTRIES_MAX 65536u
#define RECENT_NS QUERY_NOW_NS
#define OLDEST_NS (30 * NS_PER_S)
#define PARTIAL_NS (15 * NS_PER_S)
#define CLOCK_SLACK_NS NS_PER_S
/* What an entry takes beside its result: itself, its names, their places. */
#define ENTRY_BYTES 768u
/* No result may push out more than this part of all others. */
#define LARGEST_PART 4u
#define HITS_AT_ONCE 64u

/* A result and what it answers. */
struct entry {
    struct entry *newer;
    struct entry *older;
    struct query_key key;
    struct result *result;
    size_t bytes;
    bool in_table;
    uint32_t hits; /* not yet told to the table */
};

struct cache {
    pthread_mutex_t lock;
    struct cache_settings settings; /* under lock, as all below; budget and store never change */
    struct map names;               /* to entries */
    struct entry *newest;
    struct entry *oldest;
    size_t entries;
    size_t bytes;
    struct cache_table table;
};

static struct stat_family lookups = {
    .name = "sonde_cache_lookups_total",
    .help = "Queries looked up in the cache, by layer and whether an answer was there.",
    .type = STAT_COUNTER,
    .labels = {"layer", "outcome"}};
static struct stat_family stored = {.name = "sonde_cache_stored_total",
                                    .help = "Results put into the cache, by layer.",
                                    .type = STAT_COUNTER,
                                    .labels = {"layer"}};
static struct stat_family evicted = {.name = "sonde_cache_evicted_total",
                                     .help = "Results that left the cache in memory, by reason.",
                                     .type = STAT_COUNTER,
                                     .labels = {"reason"}};

static const char *const reasons[] = {"size", "age", "replaced", "budget", "connection"};

void cache_count_lookup(enum cache_layer layer, bool hit)
{
    static const char *const values[2][2][2] = {{{"memory", "miss"}, {"memory", "hit"}},
                                                {{"table", "miss"}, {"table", "hit"}}};
    static _Atomic(struct stat_child *) children[2][2];
    struct stat_child *child = atomic_load_explicit(&children[layer][hit], memory_order_acquire);
    if (!child) {
        child = stat_child(&lookups, values[layer][hit]);
        atomic_store_explicit(&children[layer][hit], child, memory_order_release);
    }
    stat_add(child, 1);
}

void cache_count_stored(enum cache_layer layer)
{
    static const char *const names[] = {"memory", "table"};
    stat_add(stat_child(&stored, &names[layer]), 1);
}

/* Hits of it are told to the table from now on. */
static void written(void *user, const struct query_key *key, const struct result *result)
{
    struct cache *cache = user;
    char name[QUERY_NAME_BYTES];
    query_name(key, QUERY_EXACT, name);
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = map_get(&cache->names, name, sizeof name);
    if (entry && entry->result == result)
        entry->in_table = true;
    pthread_mutex_unlock(&cache->lock);
}

int cache_create(const struct cache_settings *settings, struct cache **ret_cache, struct err *err)
{
    struct cache *cache = mem_alloc(sizeof *cache);
    if (!cache)
        return err_set(err, ERR_MEMORY, "no memory for the cache");
    if (cache_table_init(&cache->table, settings, written, cache)) {
        mem_free(cache);
        return err_set(err, ERR_SYSTEM, "no lock for the cache");
    }
    pthread_mutex_init(&cache->lock, NULL);
    cache->settings = *settings;
    map_init(&cache->names, (size_t)ENTRIES_MAX * 3);
    if (settings->budget)
        budget_set_give_way(settings->budget, cache_give_way, cache);
    *ret_cache = cache;
    return 0;
}

static void name_entry(struct cache *cache, struct entry *entry, enum query_match match)
{
    char name[QUERY_NAME_BYTES];
    query_name(&entry->key, match, name);
    struct entry *other = map_get(&cache->names, name, sizeof name);
    /* The one that ends last serves longest; unless the clock was set back since. */
    if (other && other->key.end_ns > entry->key.end_ns &&
        other->key.end_ns <= entry->result->fetched_at_ns + CLOCK_SLACK_NS)
        return;
    /* Without memory for it the entry is found by its exact window alone. */
    (void)map_set(&cache->names, name, sizeof name, entry, NULL);
}

static void unname_entry(struct cache *cache, const struct entry *entry, enum query_match match)
{
    char name[QUERY_NAME_BYTES];
    query_name(&entry->key, match, name);
    if (map_get(&cache->names, name, sizeof name) == entry)
        map_remove(&cache->names, name, sizeof name);
}

static void unlink_entry(struct cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
    entry->newer = NULL;
    entry->older = NULL;
}

static void link_newest(struct cache *cache, struct entry *entry)
{
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* Out of the cache, into the list of those to be freed without the lock. */
static void take_out(struct cache *cache, struct entry *entry, enum cache_reason reason,
                     struct entry **list)
{
    unname_entry(cache, entry, QUERY_EXACT);
    unname_entry(cache, entry, QUERY_LENGTH);
    unname_entry(cache, entry, QUERY_START);
    unlink_entry(cache, entry);
    cache->entries--;
    cache->bytes -= entry->bytes;
    entry->older = *list;
    *list = entry;
    stat_add(stat_child(&evicted, &reasons[reason]), 1);
}

static void free_list(struct cache *cache, struct entry *list, bool tell)
{
    while (list) {
        struct entry *entry = list;
        list = entry->older;
        if (entry->hits && tell)
            cache_table_hits(&cache->table, &entry->key, entry->hits);
        result_unref(entry->result);
        budget_give(cache->settings.budget, ENTRY_BYTES);
        mem_free(entry);
    }
}

static bool too_old(const struct cache *cache, const struct entry *entry, int64_t now_ns)
{
    const struct result *result = entry->result;
    int64_t age = now_ns - result->fetched_at_ns;
    int64_t most = result->partial_reason          ? PARTIAL_NS
                   : entry->key.when == QUERY_PAST ? cache->settings.keep_ns
                                                   : OLDEST_NS;
    /* Of the future: the clock was set back, and nothing is known of its age. */
    return age > most || age < -CLOCK_SLACK_NS;
}

/* Whether what was fetched for entry answers what is asked now. */
static bool answers(const struct entry *entry, const struct query_key *key, int64_t now_ns)
{
    int64_t age = now_ns - entry->result->fetched_at_ns;
    int64_t behind = key->end_ns - entry->key.end_ns;
    if (!behind)
        return entry->key.when == QUERY_PAST || age <= RECENT_NS;
    return key->when == QUERY_NOW && behind > 0 && behind <= QUERY_NOW_NS &&
           now_ns - entry->key.end_ns <= OLDEST_NS;
}

static struct entry *find(struct cache *cache, const struct query_key *key, enum query_match match,
                          int64_t now_ns, struct entry **dead)
{
    char name[QUERY_NAME_BYTES];
    query_name(key, match, name);
    struct entry *entry = map_get(&cache->names, name, sizeof name);
    if (!entry)
        return NULL;
    if (too_old(cache, entry, now_ns)) {
        take_out(cache, entry, CACHE_AGE, dead);
        return NULL;
    }
    return answers(entry, key, now_ns) ? entry : NULL;
}

static struct result *get_from_memory(struct cache *cache, const struct query_key *key,
                                      int64_t now_ns)
{
    struct entry *dead = NULL;
    struct result *result = NULL;
    uint32_t hits = 0;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = find(cache, key, QUERY_EXACT, now_ns, &dead);
    if (!entry && key->when == QUERY_NOW && key->end_ns) {
        entry = find(cache, key, QUERY_LENGTH, now_ns, &dead);
        if (!entry)
            entry = find(cache, key, QUERY_START, now_ns, &dead);
    }
    if (entry) {
        unlink_entry(cache, entry);
        link_newest(cache, entry);
        result = result_ref(entry->result);
        if (entry->in_table && ++entry->hits >= HITS_AT_ONCE) {
            hits = entry->hits;
            entry->hits = 0;
        }
    }
    pthread_mutex_unlock(&cache->lock);
    if (hits)
        cache_table_hits(&cache->table, key, hits);
    free_list(cache, dead, true);
    return result;
}

/* Room for so many more bytes, and what is long dead goes. Under the lock. */
static void make_room(struct cache *cache, size_t bytes, int64_t now_ns, struct entry **dead)
{
    while (cache->oldest && too_old(cache, cache->oldest, now_ns))
        take_out(cache, cache->oldest, CACHE_AGE, dead);
    while (cache->oldest &&
           (cache->bytes + bytes > cache->settings.max_bytes || cache->entries >= ENTRIES_MAX))
        take_out(cache, cache->oldest, CACHE_SIZE, dead);
}

static void insert(struct cache *cache, const struct backend *backend, struct entry *entry,
                   struct entry **dead)
{
    char name[QUERY_NAME_BYTES];
    query_name(&entry->key, QUERY_EXACT, name);
    struct entry *same = map_get(&cache->names, name, sizeof name);
    if (same)
        take_out(cache, same, CACHE_REPLACED, dead);
    make_room(cache, entry->bytes, entry->result->fetched_at_ns, dead);
    /* A connection that was retired before the lock was had is not looked for again. */
    if (backend_retired(backend) || cache->bytes + entry->bytes > cache->settings.max_bytes ||
        map_set(&cache->names, name, sizeof name, entry, NULL)) {
        entry->older = *dead;
        *dead = entry;
        return;
    }
    link_newest(cache, entry);
    cache->entries++;
    cache->bytes += entry->bytes;
    if (entry->key.when == QUERY_NOW && entry->key.end_ns) {
        name_entry(cache, entry, QUERY_LENGTH);
        if (entry->key.start_ns != entry->key.end_ns)
            name_entry(cache, entry, QUERY_START);
    }
    cache_count_stored(CACHE_MEMORY);
}

static bool fits(struct cache *cache, size_t bytes)
{
    pthread_mutex_lock(&cache->lock);
    bool fits = bytes <= cache->settings.max_bytes / LARGEST_PART;
    pthread_mutex_unlock(&cache->lock);
    return fits;
}

static void put(struct cache *cache, const struct backend *backend, const struct query_key *key,
                struct result *result, bool in_table)
{
    size_t bytes = result->arena.used + result->block_bytes + ENTRY_BYTES;
    if (!fits(cache, bytes) || budget_take(cache->settings.budget, ENTRY_BYTES))
        return;
    struct entry *entry = mem_alloc(sizeof *entry);
    if (!entry) {
        budget_give(cache->settings.budget, ENTRY_BYTES);
        return;
    }
    entry->key = *key;
    entry->result = result_ref(result);
    entry->bytes = bytes;
    entry->in_table = in_table;
    struct entry *dead = NULL;
    pthread_mutex_lock(&cache->lock);
    insert(cache, backend, entry, &dead);
    pthread_mutex_unlock(&cache->lock);
    free_list(cache, dead, true);
}

/* Log bodies are in the table only when the operator asked for it. */
static bool use_table(struct cache *cache, const struct sonde_query *query,
                      const struct query_key *key)
{
    bool bodies = query->kind == SONDE_KIND_LOGS || query->kind == SONDE_KIND_LOG_CONTEXT ||
                  query->kind == SONDE_KIND_LOG_PATTERNS;
    pthread_mutex_lock(&cache->lock);
    bool use = cache->settings.store && cache->settings.table && cache->settings.max_bytes &&
               key->connection[0] && (!bodies || cache->settings.logs);
    pthread_mutex_unlock(&cache->lock);
    return use;
}

bool cache_takes(const struct sonde_query *query)
{
    /* What they are asked for is how the backend is this moment. */
    return query->kind != SONDE_KIND_PROBE && query->kind != SONDE_KIND_HEALTH &&
           query->kind != SONDE_KIND_EXPLAIN;
}

struct result *cache_get(struct cache *cache, struct backend *backend,
                         const struct sonde_query *query, const struct query_key *key,
                         int64_t now_ns)
{
    if (!cache)
        return NULL;
    struct result *result = get_from_memory(cache, key, now_ns);
    cache_count_lookup(CACHE_MEMORY, result != NULL);
    if (result || key->when != QUERY_PAST || !use_table(cache, query, key))
        return result;
    result = cache_table_get(&cache->table, key, now_ns, cache->settings.budget);
    if (result)
        put(cache, backend, key, result, true);
    return result;
}

void cache_put(struct cache *cache, const struct backend *backend, const struct query_key *key,
               struct result *result)
{
    if (cache)
        put(cache, backend, key, result, false);
}

void cache_put_table(struct cache *cache, const struct backend *backend,
                     const struct sonde_query *query, const struct query_key *key,
                     struct result *result)
{
    if (!cache || key->when != QUERY_PAST || result->partial_reason || backend_retired(backend) ||
        !use_table(cache, query, key))
        return;
    pthread_mutex_lock(&cache->lock);
    int64_t keep_ns = cache->settings.keep_ns;
    pthread_mutex_unlock(&cache->lock);
    cache_table_put(&cache->table, query, key, result, keep_ns);
}

/* Takes out what fits, oldest first, until so many bytes are free. Under the lock. */
static void take_out_bytes(struct cache *cache, size_t bytes, struct entry **dead)
{
    size_t freed = 0;
    while (cache->oldest && freed < bytes) {
        struct entry *entry = cache->oldest;
        /* What a call still holds frees nothing yet. */
        bool ours = atomic_load_explicit(&entry->result->references, memory_order_relaxed) == 1;
        freed += ours ? entry->bytes : ENTRY_BYTES;
        take_out(cache, entry, CACHE_BUDGET, dead);
    }
}

void cache_give_way(void *user, size_t bytes)
{
    struct cache *cache = user;
    struct entry *dead = NULL;
    pthread_mutex_lock(&cache->lock);
    take_out_bytes(cache, bytes, &dead);
    pthread_mutex_unlock(&cache->lock);
    /* Whoever is short may be anybody, a loop or the store itself: the table hears nothing of it. */
    free_list(cache, dead, false);
}

void cache_forget(struct cache *cache, uint64_t backend_serial)
{
    if (!cache)
        return;
    struct entry *dead = NULL;
    pthread_mutex_lock(&cache->lock);
    for (struct entry *entry = cache->newest, *older; entry; entry = older) {
        older = entry->older;
        if (entry->key.serial == backend_serial)
            take_out(cache, entry, CACHE_CONNECTION, &dead);
    }
    pthread_mutex_unlock(&cache->lock);
    free_list(cache, dead, true);
}

void cache_configure(struct cache *cache, const struct cache_settings *settings)
{
    struct entry *dead = NULL;
    pthread_mutex_lock(&cache->lock);
    cache->settings.max_bytes = settings->max_bytes;
    cache->settings.keep_ns = settings->keep_ns;
    cache->settings.table = settings->table;
    cache->settings.logs = settings->logs;
    make_room(cache, 0, clock_unix_ns(), &dead);
    pthread_mutex_unlock(&cache->lock);
    free_list(cache, dead, true);
}

void cache_destroy(struct cache *cache)
{
    if (!cache)
        return;
    cache_table_finish(&cache->table);
    if (cache->settings.budget)
        budget_set_give_way(cache->settings.budget, NULL, NULL);
    struct entry *dead = NULL;
    while (cache->oldest)
        take_out(cache, cache->oldest, CACHE_SIZE, &dead);
    free_list(cache, dead, true);
    map_finish(&cache->names);
    pthread_mutex_destroy(&cache->lock);
    mem_free(cache);
}

void cache_state(struct cache *cache, struct cache_state *ret_state)
{
    pthread_mutex_lock(&cache->lock);
    *ret_state = (struct cache_state){
        .entries = cache->entries, .bytes = cache->bytes, .max_bytes = cache->settings.max_bytes};
    pthread_mutex_unlock(&cache->lock);
}
