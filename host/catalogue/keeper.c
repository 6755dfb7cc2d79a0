/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue/internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/thread.h"
#include "selfstats/selfstats.h"

#define JOBS_MAX 64
#define REFRESHES_MAX 32 /* of them: they take longer, and checks must not wait for them */
#define FIRST_CHECK_NS NS_PER_S
#define FIRST_REFRESH_NS (2 * NS_PER_S)
#define UNHEALTHY 3
#define REFRESH_NS (5 * NS_PER_MIN)
#define RETRY_NS NS_PER_MIN
#define RETRY_MAX_NS (30 * NS_PER_MIN)
#define REFRESH_DEADLINE_NS NS_PER_MIN
#define BUSY_NS NS_PER_S
#define STACK ((size_t)256 << 10)

enum job_kind { JOB_CHECK, JOB_REFRESH };

/* One health check or refresh on a call thread. */
struct job {
    struct catalogue *catalogue; /* a reference */
    struct entry *entry;
    enum job_kind kind;
    struct call *call; /* while it runs: may be cancelled; guarded by the lock */
    struct job *next;
};

/* +- 20 %, so that connections and processes started together drift apart. */
static int64_t jitter(int64_t ns)
{
    return ns - ns / 5 + (int64_t)(rand_u64() % (uint64_t)(ns / 5 * 2 + 1));
}

void keeper_plan_first(struct entry *entry, int64_t now)
{
    entry->check_at = now + jitter(FIRST_CHECK_NS);
    entry->refresh_at = now + jitter(FIRST_REFRESH_NS);
}

void keeper_plan_refresh(struct entry *entry, bool failed, int64_t now)
{
    if (!failed) {
        entry->failures = 0;
        entry->refresh_at = now + jitter(REFRESH_NS);
        return;
    }
    int64_t wait = RETRY_NS << (entry->failures < 5 ? entry->failures : 5);
    entry->failures++;
    entry->refresh_at = now + jitter(wait < RETRY_MAX_NS ? wait : RETRY_MAX_NS);
}

static void plan_check(struct entry *entry, int state, int64_t pause, int64_t now)
{
    if (entry->state == UNHEALTHY && state != UNHEALTHY && entry->failures)
        entry->refresh_at = now; /* it is back: what it holds may be known again at once */
    entry->state = state;
    entry->checked_at = now;
    entry->check_at = now + jitter(pause);
}

void keeper_check_by(struct catalogue *catalogue, struct entry *entry, int64_t at)
{
    if (entry->checking || entry->check_at <= at)
        return;
    entry->check_at = at;
    pthread_cond_signal(&catalogue->wake);
}

static struct stat_family jobs_done = {
    .name = "sonde_keeper_jobs_total",
    .help =
        "Background work on connections, health checks and refreshes of what they hold, by how it ended.",
    .type = STAT_COUNTER,
    .labels = {"job", "outcome"}};

static void count(const char *kind, int code)
{
    const char *values[] = {kind, err_class(code)};
    stat_add(stat_child(&jobs_done, values), 1);
}

static void check(struct job *job, struct call *call)
{
    struct backend *backend = job->entry->backend;
    uint64_t caps = backend_adapter(backend)->table.caps;
    uint32_t kind = caps & SONDE_CAP(SONDE_KIND_HEALTH) ? SONDE_KIND_HEALTH : SONDE_KIND_PROBE;
    if (!(caps & SONDE_CAP(kind)))
        return;
    struct sonde_query query = {
        .struct_size = sizeof query, .kind = kind, .scope = "", .name = "", .native = ""};
    struct engine_item item = {.backend = backend, .query = &query, .share = true};
    int r = engine_run(job->catalogue->engine, call, &item, 1);
    if (!r)
        result_unref(item.result);
    count("check", r ? r : item.err.code);
}

static void refresh(struct job *job, struct call *call)
{
    struct catalogue_snapshot *snapshot = NULL;
    struct err err = {0};
    struct backend *backend = job->entry->backend;
    int r = catalogue_refresh(job->catalogue, call, &backend, 1, &snapshot, &err);
    count("refresh", r ? r : snapshot ? 0 : err.code);
    if (!r && !snapshot)
        log_line(LOG_DEBUG, "catalogue", "%s: not refreshed: %s", backend_connection(backend)->name,
                 err.text);
    catalogue_unref(snapshot);
}

/* Takes the job off the list and plans the entry's next one. */
static void end_job(struct job *job)
{
    struct catalogue *catalogue = job->catalogue;
    struct entry *entry = job->entry;
    struct backend_health health = {0};
    backend_health(entry->backend, &health);
    int64_t pause = job->kind == JOB_CHECK ? backend_check_pause(entry->backend) : 0;
    int64_t now = clock_mono_ns();
    pthread_mutex_lock(&catalogue->lock);
    struct job **link = &catalogue->jobs;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    catalogue->job_count--;
    if (job->kind == JOB_CHECK) {
        entry->checking = false;
        plan_check(entry, health.state, pause, now);
    } else {
        entry->refreshing = false;
        catalogue->refresh_count--;
        if (entry->refresh_at <= now) /* nothing was kept: cancelled, or no memory */
            keeper_plan_refresh(entry, true, now);
    }
    struct entry *gone = entry_take_retired(catalogue, entry);
    pthread_cond_signal(&catalogue->wake);
    pthread_mutex_unlock(&catalogue->lock);
    entry_free(gone);
    mem_free(job);
    catalogue_drop(catalogue);
}

static void run_job(struct call *call, void *argument)
{
    struct job *job = argument;
    struct catalogue *catalogue = job->catalogue;
    pthread_mutex_lock(&catalogue->lock);
    bool stop = catalogue->stop || backend_retired(job->entry->backend);
    job->call = call;
    pthread_mutex_unlock(&catalogue->lock);
    if (!stop && job->kind == JOB_CHECK)
        check(job, call);
    else if (!stop)
        refresh(job, call);
    pthread_mutex_lock(&catalogue->lock);
    job->call = NULL; /* from here on nobody may cancel it */
    pthread_mutex_unlock(&catalogue->lock);
    end_job(job);
}

/* Under the lock. A full pool means people are being served: the keeper waits. */
static void start_job(struct catalogue *catalogue, struct entry *entry, enum job_kind kind,
                      int64_t now)
{
    struct job *job = mem_alloc(sizeof *job);
    int64_t deadline = now + (kind == JOB_CHECK ? BACKEND_CHECK_NS : REFRESH_DEADLINE_NS);
    bool started = false;
    if (job) {
        *job = (struct job){.catalogue = catalogue_ref(catalogue),
                            .entry = entry,
                            .kind = kind,
                            .next = catalogue->jobs};
        catalogue->jobs = job;
        catalogue->job_count++;
        struct call *call;
        started =
            !call_submit(catalogue->pool, &PRINCIPAL_KEEPER, deadline, run_job, job, &call, NULL);
        if (!started) {
            catalogue->jobs = job->next;
            catalogue->job_count--;
            atomic_fetch_sub(&catalogue->references, 1); /* never the last: the caller's is there */
            mem_free(job);
        }
    }
    if (kind == JOB_CHECK) {
        entry->checking = started;
        entry->check_at = now + BUSY_NS;
    } else {
        entry->refreshing = started;
        catalogue->refresh_count += started;
        entry->refresh_at = started ? now : now + BUSY_NS;
    }
}

static bool may_refresh(const struct catalogue *catalogue)
{
    return catalogue->job_count < JOBS_MAX && catalogue->refresh_count < REFRESHES_MAX;
}

/* Starts what is due and returns when to look again. Under the lock. */
static int64_t look(struct catalogue *catalogue, int64_t now)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < catalogue->entry_count; i++) {
        struct entry *entry = catalogue->entries[i];
        if (!entry->watched)
            continue;
        if (!entry->checking && entry->check_at <= now && catalogue->job_count < JOBS_MAX)
            start_job(catalogue, entry, JOB_CHECK, now);
        if (!entry->refreshing && entry->refresh_at <= now && may_refresh(catalogue))
            start_job(catalogue, entry, JOB_REFRESH, now);
        if (!entry->checking && entry->check_at < next)
            next = entry->check_at;
        /* With all places taken, here and below, the end of a job wakes the keeper. */
        if (!entry->refreshing && entry->refresh_at < next && may_refresh(catalogue))
            next = entry->refresh_at;
    }
    return catalogue->job_count == JOBS_MAX ? INT64_MAX : next;
}

static void *keeper(void *argument)
{
    struct catalogue *catalogue = argument;
    pthread_mutex_lock(&catalogue->lock);
    while (!catalogue->stop) {
        int64_t next = look(catalogue, clock_mono_ns());
        cond_wait_until(&catalogue->wake, &catalogue->lock, next);
    }
    pthread_mutex_unlock(&catalogue->lock);
    return NULL;
}

int catalogue_keeper_start(struct catalogue *catalogue, struct err *err)
{
    pthread_mutex_lock(&catalogue->lock);
    bool running = catalogue->keeper || catalogue->stop;
    catalogue->keeper = true;
    pthread_mutex_unlock(&catalogue->lock);
    if (running)
        return err_set(err, ERR_INVALID, "the keeper was started before");
    int r = thread_start(&catalogue->thread, "keeper", STACK, keeper, catalogue);
    if (r) {
        pthread_mutex_lock(&catalogue->lock);
        catalogue->keeper = false;
        pthread_mutex_unlock(&catalogue->lock);
        return err_set(err, r, "cannot start the thread that watches connections");
    }
    return 0;
}

void keeper_cancel(struct catalogue *catalogue, const struct entry *entry)
{
    for (const struct job *job = catalogue->jobs; job; job = job->next)
        if (job->entry == entry && job->call)
            call_cancel(job->call);
}

void catalogue_keeper_stop(struct catalogue *catalogue)
{
    pthread_mutex_lock(&catalogue->lock);
    bool join = catalogue->keeper && !catalogue->stop;
    catalogue->stop = true;
    for (const struct job *job = catalogue->jobs; job; job = job->next)
        if (job->call)
            call_cancel(job->call);
    pthread_cond_signal(&catalogue->wake);
    pthread_mutex_unlock(&catalogue->lock);
    if (join)
        pthread_join(catalogue->thread, NULL);
}
