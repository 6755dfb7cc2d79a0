/* SPDX-License-Identifier: Apache-2.0 */
#include "query/admission.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "selfstats/limit_hits.h"

/*
 * A bucket is one number: when it will be full again. A call moves that time on by the time one call takes to be refilled; it is
 * allowed while the time lies no further ahead than the refill of the others.
 */
struct user {
    struct user *prev; /* used less lately */
    struct user *next;
    struct principal principal;
    uint32_t running;
    int64_t full_at_ns;
};

struct admission {
    pthread_mutex_t lock; /* of all below */
    uint32_t per_minute;
    uint32_t at_once;
    struct map map; /* by id */
    struct user *oldest;
    struct user *newest;
};

int admission_create(uint32_t per_minute, uint32_t at_once, struct admission **ret_admission)
{
    struct admission *admission = mem_alloc(sizeof *admission);
    if (!admission)
        return ERR_MEMORY;
    admission->per_minute = per_minute;
    admission->at_once = at_once;
    pthread_mutex_init(&admission->lock, NULL);
    map_init(&admission->map, ADMISSION_MAX_USERS);
    *ret_admission = admission;
    return 0;
}

void admission_set_limits(struct admission *admission, uint32_t per_minute, uint32_t at_once)
{
    pthread_mutex_lock(&admission->lock);
    admission->per_minute = per_minute;
    admission->at_once = at_once;
    pthread_mutex_unlock(&admission->lock);
}

static void unlink_user(struct admission *admission, struct user *user)
{
    if (user->prev)
        user->prev->next = user->next;
    else
        admission->oldest = user->next;
    if (user->next)
        user->next->prev = user->prev;
    else
        admission->newest = user->prev;
    user->prev = user->next = NULL;
}

static void link_newest(struct admission *admission, struct user *user)
{
    user->prev = admission->newest;
    if (user->prev)
        user->prev->next = user;
    else
        admission->oldest = user;
    admission->newest = user;
}

static void forget(struct admission *admission, struct user *user)
{
    unlink_user(admission, user);
    map_remove(&admission->map, user->principal.id, strlen(user->principal.id));
    mem_free(user);
}

void admission_destroy(struct admission *admission)
{
    if (!admission)
        return;
    while (admission->oldest)
        forget(admission, admission->oldest);
    map_finish(&admission->map);
    pthread_mutex_destroy(&admission->lock);
    mem_free(admission);
}

/* Those with a full bucket are as good as unknown. A few at a time, so that no call pays for many. */
static void forget_full(struct admission *admission, int64_t now_ns)
{
    for (int i = 0; i < 2; i++) {
        struct user *user = admission->oldest;
        if (!user || user->running || user->full_at_ns > now_ns)
            return;
        forget(admission, user);
    }
}

/* One more user is never too many: fewer calls run than users are remembered, so somebody is idle. */
static void make_room(struct admission *admission)
{
    struct user *user = admission->oldest;
    while (user && user->running)
        user = user->next;
    if (user)
        forget(admission, user);
}

static struct user *find(struct admission *admission, const struct principal *principal,
                         int64_t now_ns)
{
    size_t size = strlen(principal->id);
    struct user *user = map_get(&admission->map, principal->id, size);
    if (user) {
        unlink_user(admission, user);
        link_newest(admission, user);
        return user;
    }
    if (admission->map.count == ADMISSION_MAX_USERS)
        make_room(admission);
    user = mem_alloc(sizeof *user);
    if (!user)
        return NULL;
    *user = (struct user){.principal = *principal, .full_at_ns = now_ns};
    if (map_set(&admission->map, principal->id, size, user, NULL)) {
        mem_free(user);
        return NULL;
    }
    link_newest(admission, user);
    return user;
}

static int refuse_rate(const struct admission *admission, int64_t wait_ns, struct err *err)
{
    limit_hit(LIMIT_CALLS_PER_MINUTE);
    err_set(err, ERR_LIMIT,
            "%u call%s a minute %s allowed (limits.calls_per_minute); try again in %lld s",
            admission->per_minute, admission->per_minute == 1 ? "" : "s",
            admission->per_minute == 1 ? "is" : "are",
            (long long)((wait_ns + NS_PER_S - 1) / NS_PER_S));
    if (err)
        err->wait_ms = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
    return ERR_LIMIT;
}

static int refuse_running(const struct admission *admission, struct err *err)
{
    limit_hit(LIMIT_CALLS_PER_USER);
    err_set(
        err, ERR_BUSY,
        "%u of your calls are running, as many as limits.calls_per_user allows at once; wait for "
        "one to end, or try again in 1 s",
        admission->at_once);
    if (err)
        err->wait_ms = 1000;
    return ERR_BUSY;
}

/* Under the lock. */
static int enter(struct admission *admission, const struct principal *principal, int64_t now_ns,
                 struct err *err)
{
    forget_full(admission, now_ns);
    struct user *user = find(admission, principal, now_ns);
    if (!user)
        return err_set(err, ERR_BUSY, "no memory for another user's calls; try again in 1 s");
    if (admission->at_once && user->running >= admission->at_once)
        return refuse_running(admission, err);
    if (admission->per_minute) {
        int64_t each_ns = NS_PER_MIN / admission->per_minute;
        int64_t full_at = user->full_at_ns > now_ns ? user->full_at_ns : now_ns;
        int64_t wait_ns = full_at - now_ns - each_ns * (admission->per_minute - 1);
        if (wait_ns > 0)
            return refuse_rate(admission, wait_ns, err);
        user->full_at_ns = full_at + each_ns;
    }
    user->running++;
    return 0;
}

int admission_enter(struct admission *admission, const struct principal *principal, int64_t now_ns,
                    struct err *err)
{
    if (principal_is_keeper(principal))
        return 0;
    pthread_mutex_lock(&admission->lock);
    int r = enter(admission, principal, now_ns, err);
    pthread_mutex_unlock(&admission->lock);
    return r;
}

void admission_leave(struct admission *admission, const struct principal *principal)
{
    if (principal_is_keeper(principal))
        return;
    pthread_mutex_lock(&admission->lock);
    /* Who has a call running is not forgotten. */
    struct user *user = map_get(&admission->map, principal->id, strlen(principal->id));
    if (user && user->running)
        user->running--;
    pthread_mutex_unlock(&admission->lock);
}

uint32_t admission_users(struct admission *admission)
{
    pthread_mutex_lock(&admission->lock);
    uint32_t users = (uint32_t)admission->map.count;
    pthread_mutex_unlock(&admission->lock);
    return users;
}
