/* SPDX-License-Identifier: Apache-2.0 */
#include "service/user_sets.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "service/internal.h"
#include "service/own.h"

#define IDLE_NS NS_PER_HOUR     /* who did not ask for so long is forgotten */
#define SWEEP_NS NS_PER_MIN     /* how often that is looked for */
#define RETRY_NS (2 * NS_PER_S) /* after the store failed */
#define WATCHED_MAX 512 /* own connections the keeper looks after; others are fetched when asked */
#define KEY_MAX 160

struct user {
    char key[KEY_MAX];
    unsigned pins; /* threads that hold it outside the lock */
    bool making;
    uint64_t generation; /* of the store, when own was read */
    unsigned epoch;      /* another one when all of own must be opened anew */
    unsigned own_epoch;  /* of own */
    int64_t retry_ns;    /* the store failed: not before */
    int64_t used_ns;
    struct own *own; /* NULL: never read */
    struct connection_set
        *set; /* of own and the operator's set; NULL: to be made. Not for bound tokens */
    char missing[256];
};

struct user_sets {
    struct service *service;
    pthread_mutex_t lock;
    pthread_cond_t made;
    struct map users;
    int64_t sweep_ns;
    size_t watched;
};

int user_sets_create(struct service *service, struct user_sets **ret_sets, struct err *err)
{
    struct user_sets *sets = mem_alloc(sizeof *sets);
    if (!sets)
        return err_set(err, ERR_MEMORY, "no memory for the users");
    sets->service = service;
    pthread_mutex_init(&sets->lock, NULL);
    pthread_cond_init(&sets->made, NULL);
    map_init(&sets->users, USERS_KEPT);
    *ret_sets = sets;
    return 0;
}

/* --- what the keeper looks after --- */

static bool own_has(const struct own *own, const struct backend *backend)
{
    for (size_t i = 0; own && i < own->count; i++)
        if (own->slots[i].backend == backend)
            return true;
    return false;
}

/* Those of `now` that `before` did not have are looked after, as far as there is room; those that are gone no longer. */
static void watch(struct user_sets *sets, const struct own *before, const struct own *now)
{
    struct catalogue *catalogue = sets->service->catalogue;
    size_t gone = 0;
    for (size_t i = 0; before && i < before->count; i++) {
        struct backend *backend = before->slots[i].backend;
        if (!backend || own_has(now, backend))
            continue;
        gone += catalogue_unwatch(catalogue, backend);
    }
    pthread_mutex_lock(&sets->lock);
    sets->watched -= gone < sets->watched ? gone : sets->watched;
    pthread_mutex_unlock(&sets->lock);
    for (size_t i = 0; now && i < now->count; i++) {
        struct backend *backend = now->slots[i].backend;
        if (!backend || own_has(before, backend))
            continue;
        pthread_mutex_lock(&sets->lock);
        bool room = sets->watched < WATCHED_MAX;
        sets->watched += room;
        pthread_mutex_unlock(&sets->lock);
        if (!room || !catalogue_watch(catalogue, backend))
            continue;
        pthread_mutex_lock(&sets->lock);
        sets->watched--;
        pthread_mutex_unlock(&sets->lock);
    }
}

/* Outside the lock. */
static void user_free(struct user_sets *sets, struct user *user)
{
    if (!user)
        return;
    watch(sets, user->own, NULL);
    set_unref(user->set);
    own_unref(user->own);
    mem_free(user);
}

void user_sets_free(struct user_sets *sets)
{
    if (!sets)
        return;
    size_t position = 0;
    struct map_entry *entry;
    while ((entry = map_next(&sets->users, &position)))
        user_free(sets, entry->value);
    map_finish(&sets->users);
    pthread_cond_destroy(&sets->made);
    pthread_mutex_destroy(&sets->lock);
    mem_free(sets);
}

/* --- who is kept --- */

static void write_key(const struct principal *principal, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s\n%d\n%s", principal->id, principal->local, principal->name);
}

/* The one that has not asked for longest and that nobody holds, if there must be room or it is idle. Taken out; under the lock. */
static struct user *take_oldest(struct user_sets *sets, int64_t idle_since)
{
    struct user *oldest = NULL;
    size_t position = 0;
    struct map_entry *entry;
    while ((entry = map_next(&sets->users, &position))) {
        struct user *user = entry->value;
        if (!user->pins && (!oldest || user->used_ns < oldest->used_ns))
            oldest = user;
    }
    if (oldest && (oldest->used_ns < idle_since || sets->users.count >= USERS_KEPT))
        return map_remove(&sets->users, oldest->key, strlen(oldest->key));
    return NULL;
}

/* Pinned; NULL: no memory, or nobody can be forgotten. *ret_gone is freed by the caller, outside the lock. Under the lock. */
static struct user *find(struct user_sets *sets, const struct principal *principal,
                         struct user **ret_gone)
{
    char key[KEY_MAX];
    int64_t now = clock_mono_ns();
    write_key(principal, key);
    struct user *user = map_get(&sets->users, key, strlen(key));
    bool sweep = now >= sets->sweep_ns;
    if (sweep)
        sets->sweep_ns = now + SWEEP_NS;
    if (user) {
        user->used_ns = now;
        user->pins++;
    }
    if (sweep || (!user && sets->users.count >= USERS_KEPT))
        *ret_gone = take_oldest(sets, now - IDLE_NS);
    if (user)
        return user;
    user = mem_alloc(sizeof *user);
    if (!user)
        return NULL;
    memcpy(user->key, key, sizeof key);
    user->used_ns = now;
    user->pins = 1;
    if (!map_set(&sets->users, key, strlen(key), user, NULL))
        return user;
    mem_free(user);
    return NULL;
}

/* --- what one sees --- */

static bool may_see(struct service *service, const struct connection *connection,
                    const struct principal *principal)
{
    bool named = !connection->access_user_count || !connection_shared(connection);
    for (size_t i = 0; !named && i < connection->access_user_count; i++)
        named = str_eq(connection->access_users[i], principal->name);
    return named && (!principal->bound ||
                     (service->lets_see &&
                      service->lets_see(service->lets_see_user, principal, connection->id)));
}

/* NULL: no memory. */
static struct connection_set *compose(struct service *service, struct connection_set *base,
                                      const struct own *own, const char *missing,
                                      const struct principal *principal)
{
    struct connection_set *set = set_above(base, base->slot_count + (own ? own->count : 0));
    if (!set)
        return NULL;
    for (size_t i = 0; own && i < own->count; i++)
        if (may_see(service, own->slots[i].connection, principal))
            set_add(set, &own->slots[i]);
    for (size_t i = 0; i < base->slot_count; i++)
        if (may_see(service, base->slots[i].connection, principal))
            set_add(set, &base->slots[i]);
    snprintf(set->missing, sizeof set->missing, "%s", missing);
    return set;
}

/* A user of the store, as against a token of the operator's file. */
static bool has_own(const struct service *service, const struct principal *principal)
{
    return service->kept.store && strlen(principal->id) == 36 && !principal_is_keeper(principal);
}

/* Reads the store without the lock; on failure what was known stays. Under the lock when called and when it returns. */
static void read_own(struct user_sets *sets, struct user *user, const struct principal *principal,
                     uint64_t generation, int64_t timeout_ns)
{
    struct service *service = sets->service;
    struct own *before = own_ref(user->own);
    struct own *now = NULL;
    struct err err = {0};
    unsigned epoch = user->epoch;
    bool reopen = user->own_epoch != epoch;
    user->making = true;
    pthread_mutex_unlock(&sets->lock);
    struct own_parts parts = {.registry = service->registry,
                              .engine = service->engine,
                              .keyring = service->kept.keyring,
                              .store = service->kept.store,
                              .timeout_ns = timeout_ns,
                              .before = reopen ? NULL : before};
    int r = own_load(&parts, principal, &now, &err);
    if (r)
        log_line(LOG_WARN, "store", "the connections of %s cannot be read: %s", principal->name,
                 err.text);
    else
        watch(sets, before, now);
    pthread_mutex_lock(&sets->lock);
    user->making = false;
    pthread_cond_broadcast(&sets->made);
    struct connection_set *old = user->set;
    user->set = NULL;
    user->missing[0] = '\0';
    if (r) {
        user->retry_ns = clock_mono_ns() + RETRY_NS;
        snprintf(user->missing, sizeof user->missing, "%s%.200s",
                 before ? "" : "your own connections cannot be read now: ", before ? "" : err.text);
    } else {
        own_unref(user->own);
        user->own = now;
        user->own_epoch = epoch;
        user->generation = generation;
        user->retry_ns = 0;
    }
    pthread_mutex_unlock(&sets->lock);
    set_unref(old);
    own_unref(before);
    pthread_mutex_lock(&sets->lock);
}

static bool is_current(const struct user *user, uint64_t generation)
{
    return (user->own && user->own_epoch == user->epoch && user->generation == generation) ||
           (user->retry_ns && clock_mono_ns() < user->retry_ns);
}

/* The set of a pinned user, made where it is not there. Under the lock. */
static struct connection_set *take_set(struct user_sets *sets, struct user *user,
                                       const struct principal *principal,
                                       struct connection_set *base)
{
    if (principal->bound)
        return compose(sets->service, base, user->own, user->missing, principal);
    if (!user->set || user->set->base != base) {
        struct connection_set *set =
            compose(sets->service, base, user->own, user->missing, principal);
        set_unref(user->set);
        user->set = set;
    }
    return set_ref(user->set);
}

static struct connection_set *get(struct user_sets *sets, const struct principal *principal,
                                  bool may_wait)
{
    struct service *service = sets->service;
    CLEANUP(set_unrefp) struct connection_set *base = service_set(service);
    if (!has_own(service, principal))
        return compose(service, base, NULL, "", principal);
    struct user *gone = NULL;
    uint64_t generation = may_wait ? store_generation(service->kept.store) : 0;
    pthread_mutex_lock(&sets->lock);
    struct user *user = find(sets, principal, &gone);
    while (user && may_wait && user->making) {
        pthread_cond_wait(&sets->made, &sets->lock);
        /* What was read meanwhile may be newer than what was asked for: once more. */
        pthread_mutex_unlock(&sets->lock);
        generation = store_generation(service->kept.store);
        pthread_mutex_lock(&sets->lock);
    }
    if (user && may_wait && !is_current(user, generation))
        read_own(sets, user, principal, generation, base->config->limit_timeout_ns);
    struct connection_set *set = user ? take_set(sets, user, principal, base) : NULL;
    if (user)
        user->pins--;
    pthread_mutex_unlock(&sets->lock);
    user_free(sets, gone);
    return set;
}

struct connection_set *user_sets_get(struct user_sets *sets, const struct principal *principal)
{
    return get(sets, principal, true);
}

struct connection_set *user_sets_peek(struct user_sets *sets, const struct principal *principal)
{
    return get(sets, principal, false);
}

void user_sets_rebase(struct user_sets *sets, bool reread)
{
    pthread_mutex_lock(&sets->lock);
    size_t position = 0;
    struct map_entry *entry;
    while ((entry = map_next(&sets->users, &position))) {
        struct user *user = entry->value;
        /* The last reference to the old set's backends is elsewhere: service_reload holds it. */
        set_unref(user->set);
        user->set = NULL;
        user->epoch += reread;
    }
    pthread_mutex_unlock(&sets->lock);
}

void user_sets_count(struct user_sets *sets, size_t *ret_users, size_t *ret_open)
{
    size_t open = 0;
    pthread_mutex_lock(&sets->lock);
    *ret_users = sets->users.count;
    size_t position = 0;
    struct map_entry *entry;
    while ((entry = map_next(&sets->users, &position))) {
        const struct user *user = entry->value;
        for (size_t i = 0; user->own && i < user->own->count; i++)
            open += user->own->slots[i].backend != NULL;
    }
    pthread_mutex_unlock(&sets->lock);
    *ret_open = open;
}
