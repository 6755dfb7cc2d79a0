/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/cursor.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

#define LIFETIME_NS (15 * NS_PER_MIN)
#define HANDLE_SIZE 22 /* 131 bits: not to be guessed */
#define ENTRY_MAX (1u << 20)

struct entry {
    struct entry *older;
    struct entry *newer;
    struct arena arena; /* strings and arrays of page */
    struct cursor_page page;
    char handle[HANDLE_SIZE + 1];
    int64_t made_ns;
    size_t bytes;
};

/*
 * Concurrency: the lock guards all; results are released outside of it only where that costs nothing extra.
 * The wall clock is used because tests can set it; a jump costs a reader one "start over".
 */
struct cursor_store {
    pthread_mutex_t lock;
    struct map map;
    struct entry *oldest;
    struct entry *newest;
    size_t count;
    size_t bytes;
    size_t max_count;
    size_t max_bytes;
};

int cursor_store_create(size_t max_count, size_t max_bytes, struct cursor_store **ret_store)
{
    struct cursor_store *store = mem_alloc(sizeof *store);
    if (!store)
        return ERR_MEMORY;
    pthread_mutex_init(&store->lock, NULL);
    map_init(&store->map, max_count);
    store->max_count = max_count;
    store->max_bytes = max_bytes;
    *ret_store = store;
    return 0;
}

static void entry_free(struct entry *entry)
{
    cursor_page_release(&entry->page);
    arena_finish(&entry->arena);
    mem_free(entry);
}

static void drop(struct cursor_store *store, struct entry *entry)
{
    map_remove(&store->map, entry->handle, HANDLE_SIZE);
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        store->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        store->newest = entry->older;
    store->count--;
    store->bytes -= entry->bytes;
    entry_free(entry);
}

void cursor_store_destroy(struct cursor_store *store)
{
    if (!store)
        return;
    while (store->oldest)
        drop(store, store->oldest);
    map_finish(&store->map);
    pthread_mutex_destroy(&store->lock);
    mem_free(store);
}

/* Copies into arena; takes references. 0 or ERR_MEMORY with nothing held. */
static int copy_page(const struct cursor_page *from, struct arena *arena, struct cursor_page *ret)
{
    struct cursor_page page = *from;
    page.owner = arena_strdup(arena, from->owner ? from->owner : "");
    page.tool = arena_strdup(arena, from->tool);
    page.digest = arena_strdup(arena, from->digest);
    page.state = from->state ? arena_strdup(arena, from->state) : NULL;
    struct result **results = arena_alloc_array(arena, from->result_count, sizeof(struct result *));
    const char **names = arena_alloc_array(arena, from->result_count, sizeof *names);
    for (size_t i = 0; i < from->result_count && names && from->connection_names; i++)
        names[i] =
            from->connection_names[i] ? arena_strdup(arena, from->connection_names[i]) : NULL;
    if (arena->failed)
        return ERR_MEMORY;
    for (size_t i = 0; i < from->result_count; i++)
        results[i] = from->results[i] ? result_ref(from->results[i]) : NULL;
    page.results = results;
    page.connection_names = from->connection_names ? names : NULL;
    *ret = page;
    return 0;
}

void cursor_page_release(struct cursor_page *page)
{
    for (size_t i = 0; i < page->result_count; i++)
        if (page->results[i])
            result_unref(page->results[i]);
    page->result_count = 0;
}

static struct entry *entry_new(const struct cursor_page *page)
{
    struct entry *entry = mem_alloc(sizeof *entry);
    if (!entry)
        return NULL;
    arena_init(&entry->arena, ENTRY_MAX, NULL);
    if (copy_page(page, &entry->arena, &entry->page)) {
        arena_finish(&entry->arena);
        mem_free(entry);
        return NULL;
    }
    rand_handle(entry->handle, HANDLE_SIZE);
    entry->made_ns = clock_unix_ns();
    /* Pages of one result count it each: too much rather than too little. */
    entry->bytes = sizeof *entry + entry->arena.used;
    for (size_t i = 0; i < page->result_count; i++)
        if (page->results[i])
            entry->bytes += page->results[i]->arena.used + page->results[i]->block_bytes;
    return entry;
}

static void drop_expired(struct cursor_store *store)
{
    int64_t now = clock_unix_ns();
    while (store->oldest && now - store->oldest->made_ns >= LIFETIME_NS)
        drop(store, store->oldest);
}

size_t cursor_put(struct cursor_store *store, const struct cursor_page *page, char out[65])
{
    struct entry *entry = entry_new(page);
    if (!entry)
        return 0;
    if (entry->bytes > store->max_bytes || !store->max_count) {
        entry_free(entry);
        return 0;
    }
    pthread_mutex_lock(&store->lock);
    drop_expired(store);
    /* The oldest is the least likely to be asked for. */
    while (store->count >= store->max_count || store->bytes > store->max_bytes - entry->bytes)
        drop(store, store->oldest);
    if (map_set(&store->map, entry->handle, HANDLE_SIZE, entry, NULL)) {
        pthread_mutex_unlock(&store->lock);
        entry_free(entry);
        return 0;
    }
    entry->older = store->newest;
    if (store->newest)
        store->newest->newer = entry;
    else
        store->oldest = entry;
    store->newest = entry;
    store->count++;
    store->bytes += entry->bytes;
    memcpy(out, entry->handle, HANDLE_SIZE + 1);
    pthread_mutex_unlock(&store->lock);
    return HANDLE_SIZE;
}

int cursor_get(struct cursor_store *store, const char *handle, const char *owner, const char *tool,
               const char *digest, struct arena *arena, struct cursor_page *ret_page,
               struct err *err)
{
    int r = 0;
    pthread_mutex_lock(&store->lock);
    drop_expired(store);
    struct entry *entry = map_get(&store->map, handle, strlen(handle));
    if (!entry || !str_eq(entry->page.owner, owner ? owner : ""))
        r = err_set(err, ERR_NOT_FOUND,
                    "the cursor is unknown or has expired (a cursor lives 15 minutes): call %s "
                    "again with the same arguments and without cursor",
                    tool);
    else if (!str_eq(entry->page.tool, tool))
        r = err_set(err, ERR_INVALID,
                    "the cursor was given by %s, not by %s: send it to %s, or call %s without "
                    "cursor",
                    entry->page.tool, tool, entry->page.tool, tool);
    else if (!str_eq(entry->page.digest, digest))
        r = err_set(err, ERR_INVALID,
                    "the arguments differ from those of the call that gave the cursor: repeat them "
                    "unchanged (only cursor and max_tokens may differ), or call %s without cursor",
                    tool);
    else if (copy_page(&entry->page, arena, ret_page))
        r = err_set(err, ERR_MEMORY, "out of memory while going on from a cursor");
    pthread_mutex_unlock(&store->lock);
    return r;
}
