/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concurrency & Locking: everything here is under fetchers->lock but for the fetching itself. A provider is queued from when somebody waits
 * for it until its value, or the failure, has been handed to all of them.
 */
#include "config.h"

#include "io/provider.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/thread.h"
#include "io/credential.h"
#include "io/runtime.h"
#include "io/target.h"

#define THREADS 8 /* one of them always free for exchanges that need only be composed */
#define STACK ((size_t)512 * 1024)
#define MARGIN_NS \
    (30 * NS_PER_S) /* fetched again this long before the end, or a tenth of its time */

struct provider {
    struct fetchers *fetchers;
    struct provider *next;     /* of all */
    struct provider *due_next; /* of those to be fetched */
    unsigned references;       /* logins', and one while it is queued */
    struct connection *connection;
    const char *key;
    struct secret_ref ref;
    bool oauth2;
    struct secret *value; /* NULL: not yet */
    unsigned generation;
    int64_t fetched_ns;
    int64_t refresh_ns; /* from then on it is stale */
    bool queued;
    struct link waiting;
};

struct fetchers {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct io *io;
    struct provider *all;
    struct provider *due;
    struct provider **due_end;
    struct link arrived; /* exchanges nobody has looked at yet */
    pthread_t threads[THREADS];
    size_t thread_count, idle, fetching;
    atomic_bool stopping;
};

static struct fetchers *fetchers_of(struct io *io)
{
    pthread_mutex_lock(&io->lock);
    struct fetchers *fetchers = io->fetchers;
    if (!fetchers)
        fetchers = mem_alloc(sizeof *fetchers);
    if (fetchers && !io->fetchers) {
        if (pthread_mutex_init(&fetchers->lock, NULL)) {
            mem_free(fetchers);
            fetchers = NULL;
        } else if (cond_init(&fetchers->cond)) {
            pthread_mutex_destroy(&fetchers->lock);
            mem_free(fetchers);
            fetchers = NULL;
        }
        if (fetchers) {
            fetchers->io = io;
            fetchers->due_end = &fetchers->due;
            link_init(&fetchers->arrived, NULL);
            io->fetchers = fetchers;
        }
    }
    pthread_mutex_unlock(&io->lock);
    return fetchers;
}

struct provider *provider_of(struct io *io, struct connection *connection, const char *key,
                             const struct secret_ref *ref, bool oauth2)
{
    struct fetchers *fetchers = fetchers_of(io);
    if (!fetchers)
        return NULL;
    pthread_mutex_lock(&fetchers->lock);
    struct provider *provider = fetchers->all;
    while (provider && (provider->connection != connection || !str_eq(provider->key, key)))
        provider = provider->next;
    if (!provider) {
        provider = mem_alloc(sizeof *provider);
        if (provider) {
            *provider = (struct provider){.fetchers = fetchers,
                                          .next = fetchers->all,
                                          .connection = connection_ref(connection),
                                          .key = key,
                                          .ref = *ref,
                                          .oauth2 = oauth2};
            link_init(&provider->waiting, NULL);
            fetchers->all = provider;
        }
    }
    if (provider)
        provider->references++;
    pthread_mutex_unlock(&fetchers->lock);
    return provider;
}

/* Under the lock, which is let go. */
static void drop(struct provider *provider)
{
    struct fetchers *fetchers = provider->fetchers;
    bool last = --provider->references == 0;
    struct provider **at = &fetchers->all;
    while (last && *at != provider)
        at = &(*at)->next;
    if (last)
        *at = provider->next;
    pthread_mutex_unlock(&fetchers->lock);
    if (!last)
        return;
    secret_free(provider->value);
    connection_unref(provider->connection);
    mem_free(provider);
}

void provider_unref(struct provider *provider)
{
    if (!provider)
        return;
    pthread_mutex_lock(&provider->fetchers->lock);
    drop(provider);
}

static bool is_fresh_locked(const struct provider *provider)
{
    return provider->value && clock_mono_ns() < provider->refresh_ns;
}

bool provider_is_fresh(struct provider *provider)
{
    pthread_mutex_lock(&provider->fetchers->lock);
    bool fresh = is_fresh_locked(provider);
    pthread_mutex_unlock(&provider->fetchers->lock);
    return fresh;
}

struct secret *provider_take(struct provider *provider, unsigned *generation)
{
    struct secret *copy = NULL;
    pthread_mutex_lock(&provider->fetchers->lock);
    if (provider->value && provider->generation != *generation)
        copy = secret_new(secret_reveal(provider->value), secret_size(provider->value));
    if (copy)
        *generation = provider->generation;
    pthread_mutex_unlock(&provider->fetchers->lock);
    return copy;
}

void provider_refuse(struct provider *provider, unsigned generation, int64_t since_ns)
{
    pthread_mutex_lock(&provider->fetchers->lock);
    if (provider->generation == generation && provider->fetched_ns < since_ns)
        provider->refresh_ns = INT64_MIN;
    pthread_mutex_unlock(&provider->fetchers->lock);
}

/* ---- Exchanges that wait ---- */

static void *run(void *argument);

/* Under the lock. Whether there is a thread that will look. */
static bool wake_locked(struct fetchers *fetchers)
{
    if (!fetchers->idle && fetchers->thread_count < THREADS &&
        thread_start(&fetchers->threads[fetchers->thread_count], "sonde-login", STACK, run,
                     fetchers) == 0)
        fetchers->thread_count++;
    pthread_cond_signal(&fetchers->cond);
    return fetchers->thread_count > 0;
}

int provider_fetch_for(struct exchange *exchange)
{
    struct fetchers *fetchers = fetchers_of(exchange->io);
    if (!fetchers)
        return ERR_MEMORY;
    int r = 0;
    pthread_mutex_lock(&fetchers->lock);
    if (atomic_load(&fetchers->stopping)) {
        r = ERR_BUSY;
    } else if (!wake_locked(fetchers)) {
        r = ERR_SYSTEM;
    } else {
        atomic_fetch_add_explicit(&exchange->references, 1, memory_order_relaxed);
        exchange->login_asked = 0;
        link_add(&fetchers->arrived, &exchange->login_wait);
    }
    pthread_mutex_unlock(&fetchers->lock);
    return r;
}

/* The login is as new as it can be: sends, or says why not. Gives the reference up. */
static void finish(struct exchange *exchange, const char *failure)
{
    struct login *login = &exchange->target->login;
    struct err err = {0};
    bool changed = true;
    if (!failure && exchange->login_retried) {
        login_reread(login);
        changed = login_generation(login) != exchange->sent.generation;
    }
    if (!failure && changed && exchange_compose(exchange, &exchange->next_sent, &err) < 0)
        failure = err.text;
    if (failure)
        snprintf(exchange->login_error, sizeof exchange->login_error, "%.*s",
                 (int)sizeof exchange->login_error - 1, failure);
    exchange_command(exchange, changed && !failure ? COMMAND_LOGIN_NEW : COMMAND_LOGIN_SAME, NULL);
    exchange_unref(exchange);
}

/* Puts the exchange behind the first value it lacks and has not waited for; false: it lacks none. */
static bool wait_locked(struct fetchers *fetchers, struct exchange *exchange)
{
    const struct login *login = &exchange->target->login;
    for (size_t i = 0; i < login->secret_count; i++) {
        struct provider *provider = login->secrets[i].provider;
        uint64_t bit = UINT64_C(1) << i;
        /* What was fetched a moment ago may be past its time already: it is used all the same, once. */
        if (!provider || (exchange->login_asked & bit) || is_fresh_locked(provider))
            continue;
        exchange->login_asked |= bit;
        link_add(&provider->waiting, &exchange->login_wait);
        if (!provider->queued) {
            provider->queued = true;
            provider->references++;
            provider->due_next = NULL;
            *fetchers->due_end = provider;
            fetchers->due_end = &provider->due_next;
            wake_locked(fetchers);
        }
        return true;
    }
    return false;
}
_Static_assert(LOGIN_SECRETS <= 64, "one bit each");

/* The lock is held again afterwards. */
static void go_on(struct fetchers *fetchers, struct exchange *exchange, const char *failure)
{
    if (!failure && wait_locked(fetchers, exchange))
        return;
    pthread_mutex_unlock(&fetchers->lock);
    finish(exchange, failure);
    pthread_mutex_lock(&fetchers->lock);
}

/* ---- Fetching ---- */

static void take_locked(struct provider *provider, struct fetched *fetched)
{
    int64_t now = clock_mono_ns();
    int64_t life = fetched->lifetime_ns;
    int64_t margin = life / 10 < MARGIN_NS ? life / 10 : MARGIN_NS;
    secret_free(provider->value);
    provider->value = fetched->value;
    provider->generation++;
    provider->fetched_ns = now;
    provider->refresh_ns = life >= INT64_MAX - now ? INT64_MAX : now + life - margin;
}

static void fetch(struct fetchers *fetchers, struct provider *provider)
{
    struct fetched fetched = {0};
    struct err err = {0};
    fetchers->fetching++;
    pthread_mutex_unlock(&fetchers->lock);
    int r =
        provider->oauth2
            ? oauth2_fetch(fetchers->io, provider->connection, &fetchers->stopping, &fetched, &err)
            : exec_fetch(provider->ref.command, provider->key, &fetchers->stopping, &fetched, &err);
    pthread_mutex_lock(&fetchers->lock);
    fetchers->fetching--;
    if (!r)
        take_locked(provider, &fetched);
    provider->queued = false;
    struct exchange *exchange;
    struct link ready; /* those of now: others may come to wait for the next fetch */
    link_init(&ready, NULL);
    while ((exchange = link_first(&provider->waiting))) {
        link_remove(&exchange->login_wait);
        link_add(&ready, &exchange->login_wait);
    }
    while ((exchange = link_first(&ready))) {
        link_remove(&exchange->login_wait);
        go_on(fetchers, exchange, r ? err.text : NULL);
    }
    drop(provider);
    pthread_mutex_lock(&fetchers->lock);
}

static struct provider *next_due_locked(struct fetchers *fetchers)
{
    struct provider *provider = fetchers->fetching < THREADS - 1 ? fetchers->due : NULL;
    if (!provider)
        return NULL;
    fetchers->due = provider->due_next;
    if (!fetchers->due)
        fetchers->due_end = &fetchers->due;
    return provider;
}

static void *run(void *argument)
{
    struct fetchers *fetchers = argument;
    pthread_mutex_lock(&fetchers->lock);
    while (!atomic_load(&fetchers->stopping)) {
        struct exchange *exchange = link_first(&fetchers->arrived);
        struct provider *provider = exchange ? NULL : next_due_locked(fetchers);
        if (exchange) {
            link_remove(&exchange->login_wait);
            pthread_mutex_unlock(&fetchers->lock);
            if (exchange->login_retried)
                login_refuse(&exchange->target->login, exchange->sent.generation,
                             exchange->begun_ns);
            pthread_mutex_lock(&fetchers->lock);
            go_on(fetchers, exchange, NULL);
        } else if (provider) {
            fetch(fetchers, provider);
        } else {
            fetchers->idle++;
            pthread_cond_wait(&fetchers->cond, &fetchers->lock);
            fetchers->idle--;
        }
    }
    pthread_mutex_unlock(&fetchers->lock);
    return NULL;
}

/* ---- Stopping ---- */

static void let_go(struct link *list)
{
    struct exchange *exchange;
    while ((exchange = link_first(list))) {
        link_remove(&exchange->login_wait);
        exchange_unref(exchange); /* the loop has ended it */
    }
}

void fetchers_stop(struct io *io)
{
    pthread_mutex_lock(&io->lock);
    struct fetchers *fetchers = io->fetchers;
    pthread_mutex_unlock(&io->lock);
    if (!fetchers)
        return;
    pthread_mutex_lock(&fetchers->lock);
    atomic_store(&fetchers->stopping, true);
    pthread_cond_broadcast(&fetchers->cond);
    size_t count = fetchers->thread_count; /* none is started any more */
    pthread_mutex_unlock(&fetchers->lock);
    for (size_t i = 0; i < count; i++)
        pthread_join(fetchers->threads[i], NULL);
    let_go(&fetchers->arrived);
    while (fetchers->due) {
        struct provider *provider = fetchers->due;
        fetchers->due = provider->due_next;
        let_go(&provider->waiting);
        provider_unref(provider);
    }
}

void fetchers_free(struct fetchers *fetchers)
{
    if (!fetchers)
        return;
    pthread_cond_destroy(&fetchers->cond);
    pthread_mutex_destroy(&fetchers->lock);
    mem_free(fetchers);
}
