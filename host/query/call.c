/* SPDX-License-Identifier: Apache-2.0 */
#include "query/call.h"

#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/wake.h"
#include "selfstats/limit_hits.h"

#define CALL_MAX_BYTES (64u * 1024u * 1024u)
#define STACK_BYTES (512u * 1024u)
#define IDLE_NS (10 * NS_PER_S)
#define TRIM_NS NS_PER_S /* many threads end at once; one of them is enough */

struct job {
    struct call call; /* first: a call is handed out as this */
    struct call_pool *pool;
    call_fn function;
    void *argument;
};

struct worker {
    pthread_t thread;
    struct wake work; /* it has a job, or the pool stops */
    struct call_pool *pool;
    struct job *job;    /* running or about to; NULL idle */
    bool ended;         /* may be joined */
    atomic_bool waking; /* someone is about to signal work */
    struct worker *next;
    struct worker *next_idle;
};

struct call_pool {
    pthread_mutex_t lock;
    pthread_cond_t gone; /* a worker ended */
    struct io *io;
    struct budget *budget;
    struct permits *permits;
    struct worker *workers;
    struct worker *idle; /* the latest first: its memory is in the caches, and the others may end */
    unsigned max;
    unsigned ended; /* workers to be joined */
    unsigned threads;
    unsigned active;
    int64_t gave_back_ns;
    bool stopping;
};

static int call_init(struct call *call, struct io *io, struct budget *budget,
                     const struct principal *principal, int64_t deadline_ns)
{
    arena_init(&call->arena, CALL_MAX_BYTES, budget);
    atomic_init(&call->cancelled, false);
    call->started_ns = clock_mono_ns();
    call->deadline_ns = deadline_ns;
    call->principal = *principal;
    return mailbox_create(io, &call->mailbox);
}

static void call_finish(struct call *call)
{
    permit_release(call);
    bool large = call->large || call->arena.used > 4u * 1024u * 1024u;
    mailbox_destroy(call->mailbox);
    arena_finish(&call->arena);
    if (large)
        mem_trim();
}

int call_run(struct io *io, struct budget *budget, const struct principal *principal,
             int64_t deadline_ns, call_fn function, void *argument, struct err *err)
{
    struct call call = {0};
    if (call_init(&call, io, budget, principal, deadline_ns))
        return err_set(err, ERR_MEMORY, "no memory for a call");
    function(&call, argument);
    call_finish(&call);
    return 0;
}

void call_cancel(struct call *call)
{
    atomic_store(&call->cancelled, true);
    /* Without memory for the post it notices at its next message or deadline. */
    if (mailbox_post(call->mailbox, NULL, 0))
        log_line(LOG_WARN, "query",
                 "no memory to wake a cancelled call; it ends at its next message");
    permits_wake(call);
}

void call_progress(struct call *call, double done, double total, const char *message)
{
    if (call->progress)
        call->progress(call->user, done, total, message);
}

bool call_over(const struct call *call, struct err *err)
{
    if (atomic_load(&call->cancelled)) {
        err_set(err, SONDE_E_CANCELLED, "the call was cancelled");
        return true;
    }
    if (clock_mono_ns() < call->deadline_ns)
        return false;
    err_set(err, SONDE_E_DEADLINE,
            "the call's %.3g s are up: ask for less, or raise limits.timeout",
            (double)(call->deadline_ns - call->started_ns) / (double)NS_PER_S);
    return true;
}

int call_pool_create(struct io *io, struct budget *budget, unsigned max,
                     struct call_pool **ret_pool, struct err *err)
{
    struct call_pool *pool = mem_alloc(sizeof *pool);
    if (!pool)
        return err_set(err, ERR_MEMORY, "no memory for the call threads");
    pthread_mutex_init(&pool->lock, NULL);
    if (cond_init(&pool->gone)) {
        mem_free(pool);
        return err_set(err, ERR_SYSTEM, "no condition variable for the call threads");
    }
    if (permits_create(0, &pool->permits)) {
        pthread_cond_destroy(&pool->gone);
        mem_free(pool);
        return err_set(err, ERR_MEMORY, "no memory for the call threads");
    }
    pool->io = io;
    pool->budget = budget;
    pool->max = max ? max : 256;
    *ret_pool = pool;
    return 0;
}

void call_pool_set_max(struct call_pool *pool, unsigned max)
{
    pthread_mutex_lock(&pool->lock);
    pool->max = max ? max : 256;
    pthread_mutex_unlock(&pool->lock);
}

/* Under the lock. */
static void leave_idle(struct worker *worker)
{
    struct worker **link = &worker->pool->idle;
    while (*link && *link != worker)
        link = &(*link)->next_idle;
    if (*link)
        *link = worker->next_idle;
}

/* The next job, waited for a while; NULL when the thread should end. Under the lock. */
static struct job *take_job(struct worker *worker)
{
    struct call_pool *pool = worker->pool;
    if (!worker->job && !pool->stopping) {
        int64_t until = clock_mono_ns() + IDLE_NS;
        worker->next_idle = pool->idle;
        pool->idle = worker;
        for (bool late = false; !worker->job && !pool->stopping && !late;) {
            pthread_mutex_unlock(&pool->lock);
            late = wake_wait(&worker->work, until) != 0;
            pthread_mutex_lock(&pool->lock);
        }
        /* Whoever gave it a job took it out of the list. */
        if (!worker->job)
            leave_idle(worker);
    }
    return worker->job;
}

/* The pool shrinks: what it needed at its height is not needed now. Under the lock, but for the work itself. */
static void give_back(struct call_pool *pool)
{
    int64_t now = clock_mono_ns();
    if (pool->stopping || now - pool->gave_back_ns < TRIM_NS)
        return;
    pool->gave_back_ns = now;
    pthread_mutex_unlock(&pool->lock);
    mem_trim();
    pthread_mutex_lock(&pool->lock);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct call_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    for (struct job *job = take_job(worker); job; job = take_job(worker)) {
        pthread_mutex_unlock(&pool->lock);
        job->function(&job->call, job->argument);
        pthread_mutex_lock(&pool->lock);
        /* From here on no one cancels it, so its mailbox may go. */
        worker->job = NULL;
        bool stood_back = job->call.permit.stood_back;
        pthread_mutex_unlock(&pool->lock);
        call_finish(&job->call);
        mem_free(job);
        pthread_mutex_lock(&pool->lock);
        pool->active--;
        if (stood_back)
            break;
    }
    give_back(pool);
    worker->ended = true;
    pool->ended++;
    pool->threads--;
    pthread_cond_signal(&pool->gone);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Joins threads that have ended. Under the lock; they need it no more. */
static void reap(struct call_pool *pool)
{
    for (struct worker **link = &pool->workers; *link && pool->ended;) {
        struct worker *worker = *link;
        if (!worker->ended) {
            link = &worker->next;
            continue;
        }
        *link = worker->next;
        pool->ended--;
        pthread_mutex_unlock(&pool->lock);
        pthread_join(worker->thread, NULL);
        pthread_mutex_lock(&pool->lock);
        while (atomic_load(&worker->waking))
            sched_yield();
        wake_finish(&worker->work);
        mem_free(worker);
        link = &pool->workers;
    }
}

/* A thread that begins with job. Under the lock. */
static int add_worker(struct call_pool *pool, struct job *job)
{
    struct worker *worker = mem_alloc(sizeof *worker);
    if (!worker || wake_init(&worker->work)) {
        mem_free(worker);
        return ERR_MEMORY;
    }
    atomic_init(&worker->waking, false);
    worker->pool = pool;
    worker->job = job;
    if (thread_start(&worker->thread, "call", STACK_BYTES, work, worker)) {
        wake_finish(&worker->work);
        mem_free(worker);
        return ERR_SYSTEM;
    }
    worker->next = pool->workers;
    pool->workers = worker;
    pool->threads++;
    return 0;
}

/* Gives the job to a thread; *ret_wake is the one to be woken, if it slept. Under the lock. */
static int hand_out(struct call_pool *pool, struct job *job, struct worker **ret_wake,
                    struct err *err)
{
    reap(pool);
    if (pool->stopping)
        return err_set(err, ERR_BUSY, "sonde is stopping");
    struct worker *worker = pool->idle;
    if (worker) {
        pool->idle = worker->next_idle;
        worker->job = job;
        atomic_store(&worker->waking, true);
        *ret_wake = worker;
    } else if (pool->threads >= pool->max) {
        limit_hit(LIMIT_CALLS);
        err_set(err, ERR_BUSY, "all %u call threads are busy (limits.calls), try again in 1 s",
                pool->max);
        if (err)
            err->wait_ms = 1000;
        return ERR_BUSY;
    } else if (add_worker(pool, job)) {
        return err_set(err, ERR_BUSY, "no further call thread can be started, try again in 1 s");
    }
    pool->active++;
    return 0;
}

int call_submit(struct call_pool *pool, const struct principal *principal, int64_t deadline_ns,
                call_fn function, void *argument, struct call **ret_call, struct err *err)
{
    struct job *job = mem_alloc(sizeof *job);
    if (!job || call_init(&job->call, pool->io, pool->budget, principal, deadline_ns)) {
        mem_free(job);
        return err_set(err, ERR_MEMORY, "no memory for a call");
    }
    job->pool = pool;
    job->call.permit.permits = pool->permits;
    job->function = function;
    job->argument = argument;
    struct call *call = &job->call;
    struct worker *wake = NULL;
    pthread_mutex_lock(&pool->lock);
    int r = hand_out(pool, job, &wake, err);
    /* Under the lock: the call may be over before this function is. */
    if (!r && ret_call)
        *ret_call = call;
    pthread_mutex_unlock(&pool->lock);
    if (wake) {
        /* Without the lock, which the thread needs first when it wakes. */
        wake_up(&wake->work);
        atomic_store(&wake->waking, false);
    }
    if (r) {
        call_finish(call);
        mem_free(job);
    }
    return r;
}

unsigned call_pool_active(struct call_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    unsigned active = pool->active;
    pthread_mutex_unlock(&pool->lock);
    return active;
}

void call_pool_threads(struct call_pool *pool, unsigned *ret_threads, unsigned *ret_busy)
{
    pthread_mutex_lock(&pool->lock);
    *ret_threads = pool->threads;
    *ret_busy = pool->active;
    pthread_mutex_unlock(&pool->lock);
}

static void cancel_locked(struct call_pool *pool)
{
    for (struct worker *worker = pool->workers; worker; worker = worker->next)
        if (worker->job)
            call_cancel(&worker->job->call);
}

void call_pool_cancel(struct call_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    cancel_locked(pool);
    pthread_mutex_unlock(&pool->lock);
}

unsigned call_pool_destroy(struct call_pool *pool, int64_t grace_ms)
{
    if (!pool)
        return 0;
    int64_t until = clock_mono_ns() + grace_ms * NS_PER_MS;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    cancel_locked(pool);
    for (struct worker *worker = pool->workers; worker; worker = worker->next)
        wake_up(&worker->work);
    while (pool->threads && !cond_wait_until(&pool->gone, &pool->lock, until))
        ;
    reap(pool);
    unsigned left = pool->threads;
    for (struct worker *worker = pool->workers; worker; worker = worker->next)
        pthread_detach(worker->thread);
    pthread_mutex_unlock(&pool->lock);
    /* A thread stuck in a plugin may yet come back; the pool stays for it, the process is about to end. */
    if (left)
        return left;
    pthread_cond_destroy(&pool->gone);
    pthread_mutex_destroy(&pool->lock);
    permits_destroy(pool->permits);
    mem_free(pool);
    return 0;
}
