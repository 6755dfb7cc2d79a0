/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

struct engine {
    int unused;
};

static atomic_uint running;
static atomic_bool busy;

void fake_backend(struct backend *backend, const char *name)
{
    static const char *const service[] = {"service", "job"};
    static const char *const pod[] = {"pod"};
    static const struct sonde_alias aliases[] = {
        {.logical = "service", .candidates = service, .candidate_count = 2},
        {.logical = "pod", .candidates = pod, .candidate_count = 1}};
    static const struct sonde_alias *const list[] = {&aliases[0], &aliases[1]};
    *backend = (struct backend){.state = 1};
    backend->connection.name = name;
    backend->adapter.table.aliases = list;
    backend->adapter.table.alias_count = 2;
    backend->adapter.table.caps = SONDE_CAP(SONDE_KIND_METRIC_NAMES) |
                                  SONDE_CAP(SONDE_KIND_LABEL_NAMES) |
                                  SONDE_CAP(SONDE_KIND_LABEL_VALUES) | SONDE_CAP(SONDE_KIND_HEALTH);
}

struct backend *backend_ref(struct backend *backend)
{
    atomic_fetch_add(&backend->references, 1);
    return backend;
}

void backend_unref(struct backend *backend)
{
    atomic_fetch_sub(&backend->references, 1);
}

void backend_retire(struct backend *backend)
{
    atomic_store(&backend->retired, true);
}

bool backend_retired(const struct backend *backend)
{
    return atomic_load(&backend->retired);
}

struct connection *backend_connection(const struct backend *backend)
{
    return (struct connection *)(uintptr_t)&backend->connection;
}

const struct adapter *backend_adapter(const struct backend *backend)
{
    return &backend->adapter;
}

void backend_health(struct backend *backend, struct backend_health *ret_health)
{
    *ret_health = (struct backend_health){.state = backend->state};
}

void backend_interest(struct backend *backend)
{
    atomic_fetch_add(&backend->interest, 1);
}

int64_t backend_check_pause(struct backend *backend)
{
    return backend->pause_ns ? backend->pause_ns : 30 * NS_PER_S;
}

static void (*on_health)(void *user, struct backend *backend);
static void *on_health_user;

void engine_on_health(struct engine *engine, void (*changed)(void *user, struct backend *backend),
                      void *user)
{
    (void)engine;
    on_health = changed;
    on_health_user = user;
}

void fake_health_changed(struct backend *backend)
{
    on_health(on_health_user, backend);
}

static void pause_ms(long ms)
{
    struct timespec wait = {.tv_nsec = ms * 1000000};
    nanosleep(&wait, NULL);
}

static void add_names(struct result *result, const char *const *names, size_t n,
                      const char *(*value)(const char *, size_t), const char *label)
{
    while (value && value(label, n))
        n++;
    result->names = arena_alloc_array(&result->arena, n + 1, sizeof *result->names);
    for (size_t i = 0; i < n; i++)
        result->names[result->name_count++] =
            (struct name_row){.name = value ? value(label, i) : names[i],
                              .unit = "",
                              .help = "help",
                              .parent = "",
                              .type = SONDE_TYPE_GAUGE};
}

static void run_one(struct call *call, struct engine_item *item)
{
    struct backend *backend = item->backend;
    const struct sonde_query *query = item->query;
    atomic_fetch_add(&backend->asked[query->kind], 1);
    while (backend->hang && !call_over(call, &item->err))
        pause_ms(1);
    int fail = query->kind == SONDE_KIND_LABEL_VALUES && backend->fail_values ? backend->fail_values
                                                                              : backend->fail;
    if (fail && !item->err.code)
        err_set(&item->err, fail, "it fails");
    if (item->err.code || query->kind == SONDE_KIND_HEALTH)
        return;
    item->result = result_new(query->kind, (size_t)64 << 20, NULL);
    if (query->kind == SONDE_KIND_METRIC_NAMES)
        add_names(item->result, backend->metrics, backend->metric_count, NULL, NULL);
    else if (query->kind == SONDE_KIND_LABEL_NAMES)
        add_names(item->result, backend->labels, backend->label_count, NULL, NULL);
    else if (query->kind == SONDE_KIND_LABEL_VALUES)
        add_names(item->result, NULL, 0, backend->value, query->name);
}

int engine_run(struct engine *engine, struct call *call, struct engine_item *items, size_t n)
{
    (void)engine;
    for (size_t i = 0; i < n; i++) {
        struct backend *backend = items[i].backend;
        unsigned now = atomic_fetch_add(&backend->at_once, 1) + 1;
        if (now > atomic_load(&backend->most_at_once))
            atomic_store(&backend->most_at_once, now);
        run_one(call, &items[i]);
        atomic_fetch_sub(&backend->at_once, 1);
    }
    return 0;
}

struct call *fake_call(void)
{
    struct call *call = calloc(1, sizeof *call);
    arena_init(&call->arena, (size_t)64 << 20, NULL);
    call->deadline_ns = INT64_MAX;
    return call;
}

void fake_call_free(struct call *call)
{
    arena_finish(&call->arena);
    free(call);
}

bool call_over(const struct call *call, struct err *err)
{
    if (atomic_load(&call->cancelled)) {
        err_set(err, SONDE_E_CANCELLED, "cancelled");
        return true;
    }
    if (clock_mono_ns() < call->deadline_ns)
        return false;
    err_set(err, SONDE_E_DEADLINE, "time is up");
    return true;
}

void call_cancel(struct call *call)
{
    atomic_store(&call->cancelled, true);
}

struct submitted {
    struct call *call;
    call_fn function;
    void *argument;
};

static void *run(void *argument)
{
    struct submitted *submitted = argument;
    submitted->function(submitted->call, submitted->argument);
    fake_call_free(submitted->call);
    free(submitted);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

int call_submit(struct call_pool *pool, const struct principal *principal, int64_t deadline_ns,
                call_fn function, void *argument, struct call **ret_call, struct err *err)
{
    (void)pool;
    (void)principal;
    if (atomic_load(&busy))
        return err_set(err, ERR_BUSY, "busy");
    struct submitted *submitted = calloc(1, sizeof *submitted);
    *submitted = (struct submitted){fake_call(), function, argument};
    submitted->call->deadline_ns = deadline_ns;
    if (ret_call)
        *ret_call = submitted->call;
    atomic_fetch_add(&running, 1);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, submitted))
        abort();
    pthread_detach(thread);
    return 0;
}

unsigned fake_calls_running(void)
{
    return atomic_load(&running);
}

void fake_calls_busy(bool now_busy)
{
    atomic_store(&busy, now_busy);
}
