/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue/internal.h"

#include "base/mem.h"
#include "base/thread.h"

#define KEPT_FRESH_NS (10 * NS_PER_MIN)
#define USABLE_NS NS_PER_HOUR
#define AGAIN_NS NS_PER_S /* trouble is looked at once more */
#define LOOKED_AT_NS (4 * NS_PER_S)

/* Trouble, or its end: looked at again soon, without waiting for the next check's turn. */
static void health_changed(void *user, struct backend *backend);

int catalogue_create(struct engine *engine, struct call_pool *pool,
                     struct catalogue **ret_catalogue, struct err *err)
{
    struct catalogue *catalogue = mem_alloc(sizeof *catalogue);
    if (!catalogue)
        return err_set(err, ERR_MEMORY, "no memory for the catalogue");
    atomic_init(&catalogue->references, 1);
    catalogue->engine = engine;
    catalogue->pool = pool;
    pthread_mutex_init(&catalogue->lock, NULL);
    if (cond_init(&catalogue->wake)) {
        pthread_mutex_destroy(&catalogue->lock);
        mem_free(catalogue);
        return err_set(err, ERR_SYSTEM, "cannot make a condition for the catalogue");
    }
    engine_on_health(engine, health_changed, catalogue);
    *ret_catalogue = catalogue;
    return 0;
}

struct catalogue *catalogue_ref(struct catalogue *catalogue)
{
    atomic_fetch_add_explicit(&catalogue->references, 1, memory_order_relaxed);
    return catalogue;
}

void catalogue_drop(struct catalogue *catalogue)
{
    if (atomic_fetch_sub_explicit(&catalogue->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < catalogue->entry_count; i++)
        entry_free(catalogue->entries[i]);
    mem_free(catalogue->entries);
    pthread_cond_destroy(&catalogue->wake);
    pthread_mutex_destroy(&catalogue->lock);
    mem_free(catalogue);
}

void catalogue_destroy(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    catalogue_keeper_stop(catalogue);
    engine_on_health(catalogue->engine, NULL, NULL);
    catalogue_drop(catalogue);
}

static struct entry *find_entry(const struct catalogue *catalogue, const struct backend *backend)
{
    for (size_t i = 0; i < catalogue->entry_count; i++)
        if (catalogue->entries[i]->backend == backend)
            return catalogue->entries[i];
    return NULL;
}

/* Takes the entry out that nobody looks after and that was fetched longest ago; NULL: there is none. Under the lock. */
static struct entry *take_oldest(struct catalogue *catalogue)
{
    size_t oldest = catalogue->entry_count;
    for (size_t i = 0; i < catalogue->entry_count; i++) {
        const struct entry *entry = catalogue->entries[i];
        if (entry->watched || entry->checking || entry->refreshing || !entry->snapshot)
            continue;
        if (oldest == catalogue->entry_count ||
            entry->snapshot->fetched_ns < catalogue->entries[oldest]->snapshot->fetched_ns)
            oldest = i;
    }
    if (oldest == catalogue->entry_count)
        return NULL;
    struct entry *entry = catalogue->entries[oldest];
    catalogue->entries[oldest] = catalogue->entries[--catalogue->entry_count];
    return entry;
}

static void health_changed(void *user, struct backend *backend)
{
    struct catalogue *catalogue = user;
    pthread_mutex_lock(&catalogue->lock);
    struct entry *entry = find_entry(catalogue, backend);
    bool watched = entry && entry->watched;
    if (watched)
        keeper_check_by(catalogue, entry, clock_mono_ns() + AGAIN_NS);
    void (*tell)(void *) = watched ? catalogue->on_health : NULL;
    void *tell_user = catalogue->on_health_user;
    pthread_mutex_unlock(&catalogue->lock);
    if (tell)
        tell(tell_user);
}

void catalogue_on_health(struct catalogue *catalogue, void (*changed)(void *user), void *user)
{
    pthread_mutex_lock(&catalogue->lock);
    catalogue->on_health = changed;
    catalogue->on_health_user = user;
    pthread_mutex_unlock(&catalogue->lock);
}

void catalogue_look(struct catalogue *catalogue, struct backend *backend)
{
    backend_interest(backend);
    pthread_mutex_lock(&catalogue->lock);
    struct entry *entry = find_entry(catalogue, backend);
    if (entry && entry->watched)
        keeper_check_by(catalogue, entry, entry->checked_at + LOOKED_AT_NS);
    pthread_mutex_unlock(&catalogue->lock);
}

int catalogue_each(struct catalogue *catalogue, void (*each)(void *user, struct backend *backend),
                   void *user)
{
    pthread_mutex_lock(&catalogue->lock);
    struct backend **backends = mem_alloc_array(catalogue->entry_count + 1, sizeof *backends);
    size_t n = 0;
    for (size_t i = 0; backends && i < catalogue->entry_count; i++)
        if (catalogue->entries[i]->watched)
            backends[n++] = backend_ref(catalogue->entries[i]->backend);
    pthread_mutex_unlock(&catalogue->lock);
    for (size_t i = 0; i < n; i++) {
        each(user, backends[i]);
        backend_unref(backends[i]);
    }
    mem_free(backends);
    return backends ? 0 : ERR_MEMORY;
}

/* NULL: no memory, or too many. *ret_gone: for entry_free, outside the lock. Under the lock. */
static struct entry *make_entry(struct catalogue *catalogue, struct backend *backend,
                                struct entry **ret_gone)
{
    struct entry *entry = find_entry(catalogue, backend);
    if (!entry && catalogue->entry_count == CATALOGUE_MAX_ENTRIES)
        *ret_gone = take_oldest(catalogue);
    if (entry || catalogue->entry_count == CATALOGUE_MAX_ENTRIES)
        return entry;
    if (catalogue->entry_count == catalogue->entry_capacity) {
        size_t capacity = catalogue->entry_capacity ? 2 * catalogue->entry_capacity : 8;
        struct entry **entries = mem_resize(catalogue->entries, capacity, sizeof(struct entry *));
        if (!entries)
            return NULL;
        catalogue->entries = entries;
        catalogue->entry_capacity = capacity;
    }
    entry = mem_alloc(sizeof *entry);
    if (!entry)
        return NULL;
    entry->backend = backend_ref(backend);
    catalogue->entries[catalogue->entry_count++] = entry;
    return entry;
}

int catalogue_watch(struct catalogue *catalogue, struct backend *backend)
{
    struct entry *gone = NULL;
    pthread_mutex_lock(&catalogue->lock);
    struct entry *entry = make_entry(catalogue, backend, &gone);
    if (entry && !entry->watched) {
        entry->watched = true;
        keeper_plan_first(entry, clock_mono_ns());
        pthread_cond_signal(&catalogue->wake);
    }
    pthread_mutex_unlock(&catalogue->lock);
    entry_free(gone);
    return entry ? 0 : ERR_MEMORY;
}

void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    catalogue_unref(entry->snapshot);
    backend_unref(entry->backend);
    mem_free(entry);
}

struct entry *entry_take_retired(struct catalogue *catalogue, struct entry *entry)
{
    if (!backend_retired(entry->backend) || entry->checking || entry->refreshing)
        return NULL;
    size_t i = 0;
    while (catalogue->entries[i] != entry)
        i++;
    catalogue->entries[i] = catalogue->entries[--catalogue->entry_count];
    return entry;
}

bool catalogue_unwatch(struct catalogue *catalogue, struct backend *backend)
{
    struct entry *gone = NULL;
    bool watched = false;
    pthread_mutex_lock(&catalogue->lock);
    /* Under the lock, so that no refresh that is just ending makes an entry for it again. */
    backend_retire(backend);
    struct entry *entry = find_entry(catalogue, backend);
    if (entry) {
        watched = entry->watched;
        entry->watched = false;
        keeper_cancel(catalogue, entry);
        gone = entry_take_retired(catalogue, entry);
    }
    pthread_mutex_unlock(&catalogue->lock);
    entry_free(gone);
    return watched;
}

struct catalogue_snapshot *catalogue_peek(struct catalogue *catalogue, struct backend *backend)
{
    pthread_mutex_lock(&catalogue->lock);
    const struct entry *entry = find_entry(catalogue, backend);
    struct catalogue_snapshot *snapshot = entry ? snapshot_ref(entry->snapshot) : NULL;
    pthread_mutex_unlock(&catalogue->lock);
    return snapshot;
}

/* What is kept, if it is young enough. */
static struct catalogue_snapshot *peek_young(struct catalogue *catalogue, struct backend *backend,
                                             int64_t kept_age, int64_t age)
{
    pthread_mutex_lock(&catalogue->lock);
    const struct entry *entry = find_entry(catalogue, backend);
    struct catalogue_snapshot *snapshot = entry ? entry->snapshot : NULL;
    int64_t max = entry && entry->watched && catalogue->keeper ? kept_age : age;
    if (snapshot && clock_unix_ns() - snapshot->fetched_ns > max)
        snapshot = NULL;
    snapshot = snapshot_ref(snapshot);
    pthread_mutex_unlock(&catalogue->lock);
    return snapshot;
}

static void keep(struct catalogue *catalogue, struct backend *backend,
                 struct catalogue_snapshot *snapshot)
{
    pthread_mutex_lock(&catalogue->lock);
    struct entry *gone = NULL;
    struct entry *entry = backend_retired(backend) ? NULL : make_entry(catalogue, backend, &gone);
    struct catalogue_snapshot *old = NULL;
    if (entry && snapshot) {
        old = entry->snapshot;
        entry->snapshot = snapshot_ref(snapshot);
    }
    if (entry && entry->watched)
        keeper_plan_refresh(entry, !snapshot, clock_mono_ns());
    pthread_mutex_unlock(&catalogue->lock);
    catalogue_unref(old);
    entry_free(gone);
}

int catalogue_refresh(struct catalogue *catalogue, struct call *call,
                      struct backend *const *backends, size_t n, struct catalogue_snapshot **ret,
                      struct err *errs)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = NULL;
    int r = snapshot_fetch(catalogue->engine, call, backends, n, ret, errs);
    for (size_t i = 0; i < n; i++) {
        if (!r && (ret[i] || !atomic_load(&call->cancelled)))
            keep(catalogue, backends[i], ret[i]);
        if (r) {
            catalogue_unref(ret[i]);
            ret[i] = NULL;
        }
    }
    return r;
}

int catalogue_fetch(struct catalogue *catalogue, struct call *call, struct backend *const *backends,
                    size_t n, struct catalogue_snapshot **ret, struct err *errs)
{
    struct arena *arena = &call->arena;
    struct backend **missing = arena_alloc_array(arena, n, sizeof(struct backend *));
    size_t *index = arena_alloc_array(arena, n, sizeof *index);
    struct catalogue_snapshot **got = arena_alloc_array(arena, n, sizeof *got);
    struct err *got_errs = arena_alloc_array(arena, n, sizeof *got_errs);
    if (!missing || !index || !got || !got_errs)
        return ERR_MEMORY;
    size_t want = 0;
    for (size_t i = 0; i < n; i++) {
        errs[i] = (struct err){0};
        ret[i] = peek_young(catalogue, backends[i], KEPT_FRESH_NS, CATALOGUE_FRESH_NS);
        if (ret[i])
            continue;
        index[want] = i;
        missing[want++] = backends[i];
    }
    int r = want ? catalogue_refresh(catalogue, call, missing, want, got, got_errs) : 0;
    for (size_t i = 0; i < want && !r; i++) {
        ret[index[i]] = got[i] ? got[i] : peek_young(catalogue, missing[i], USABLE_NS, USABLE_NS);
        if (!ret[index[i]])
            errs[index[i]] = got_errs[i];
    }
    for (size_t i = 0; i < n && r; i++) {
        catalogue_unref(ret[i]);
        ret[i] = NULL;
    }
    return r;
}
