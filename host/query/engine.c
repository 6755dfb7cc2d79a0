/* SPDX-License-Identifier: Apache-2.0 */
#include "query/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "query/backend.h"
#include "query/cache.h"
#include "query/exchange_stats.h"
#include "query/op.h"
#include "selfstats/limit_hits.h"

/* The operation ends by itself at the deadline and has what came until then; who waits for it alone gives it that moment. */
#define LEAVE_SLACK_NS (200 * NS_PER_MS)
#define LARGE_ANSWER (4u * 1024u * 1024u)
/* Messages taken in one go before everything else is looked at again. */
#define BATCH 64u

enum task_state { TASK_PROBE, TASK_FLIGHT, TASK_OP, TASK_DONE };

/* One item on its way. */
struct task {
    struct engine_item *item;
    enum task_state state;
    struct flight *flight;
    struct flight_waiter waiter;
    struct op *op;
    struct query_key key;
    int64_t started_ns;
    int64_t deadline_ns;
};

struct run {
    struct engine *engine;
    struct call *call;
    struct task *tasks;
    size_t count;
    struct op *ops;       /* driven here: for tasks and for flights */
    struct message *held; /* taken, not yet handed on: it waits for a permit to compute */
};

int engine_create(const struct engine_settings *settings, struct engine **ret_engine,
                  struct err *err)
{
    struct engine *engine = mem_alloc(sizeof *engine);
    if (!engine)
        return err_set(err, ERR_MEMORY, "no memory for the engine");
    engine->settings = *settings;
    struct engine_settings *s = &engine->settings;
    s->max_points = s->max_points ? s->max_points : 2000000;
    s->max_series = s->max_series ? s->max_series : 20000;
    engine_set_in_flight(engine, s->per_connection, s->per_user);
    s->max_requests = s->max_requests ? s->max_requests : 200;
    s->max_operation_bytes = s->max_operation_bytes ? s->max_operation_bytes : UINT64_C(256) << 20;
    flights_init(&engine->flights);
    atomic_init(&engine->creates_grace_ns, 2 * NS_PER_S);
    atomic_init(&engine->next_serial, 1);
    *ret_engine = engine;
    return 0;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    flights_finish(&engine->flights);
    mem_free(engine);
}

void engine_set_creates_grace(struct engine *engine, int64_t grace_ns)
{
    atomic_store(&engine->creates_grace_ns, grace_ns);
}

void engine_set_in_flight(struct engine *engine, uint32_t per_connection, uint32_t per_user)
{
    atomic_store(&engine->per_connection, per_connection ? per_connection : 16);
    atomic_store(&engine->per_user, per_user ? per_user : 8);
}

void engine_on_health(struct engine *engine, void (*changed)(void *user, struct backend *backend),
                      void *user)
{
    engine->on_health = changed;
    engine->on_health_user = user;
}

static void task_end(struct task *task, struct result *result, const struct err *err)
{
    task->item->result = result;
    task->item->err = *err;
    task->state = TASK_DONE;
}

static void task_fail(struct task *task, int code, const char *text)
{
    struct err err = {0};
    err_set(&err, code, "%s", text);
    task_end(task, NULL, &err);
}

static struct op *run_op(struct run *run, struct backend *backend, const struct sonde_query *query,
                         struct flight *flight, int64_t deadline_ns)
{
    struct op *op = op_new(run->engine, run->call, backend, query, flight, deadline_ns);
    if (op) {
        op->next = run->ops;
        run->ops = op;
    }
    return op;
}

static void no_memory(const struct run *run, struct err *err)
{
    limit_memory(err, run->engine->settings.budget, "this query");
}

static void task_no_memory(struct run *run, struct task *task)
{
    struct err err = {0};
    no_memory(run, &err);
    task_end(task, NULL, &err);
}

#define FLIGHT_NAME_BYTES (sizeof(uint64_t) + QUERY_NAME_BYTES)

/* Whom it may be shared with is in the serial: a connection that is one user's own is opened for that user alone. */
static void flight_name(const struct query_key *key, char out[FLIGHT_NAME_BYTES])
{
    bool moving = key->when == QUERY_NOW && key->end_ns;
    memcpy(out, &key->serial, sizeof key->serial);
    query_name(key, moving ? QUERY_LENGTH : QUERY_EXACT, out + sizeof key->serial);
}

/* Joins the flight for query, or makes it and drives it here. */
static void task_join(struct run *run, struct task *task, const struct sonde_query *query,
                      const struct query_key *key, enum task_state state)
{
    struct engine *engine = run->engine;
    char name[FLIGHT_NAME_BYTES];
    flight_name(key, name);
    bool lead = false;
    struct flight *flight =
        flight_join(&engine->flights, name, sizeof name, key->end_ns, &task->waiter,
                    run->call->mailbox, task->deadline_ns, &lead);
    if (!flight) {
        task_no_memory(run, task);
        return;
    }
    flight_stats(lead);
    task->flight = flight;
    task->state = state;
    if (!lead)
        return;
    struct op *op = run_op(run, task->item->backend, query, flight, 0);
    if (!op) {
        struct err err = {0};
        no_memory(run, &err);
        flight_done(&engine->flights, flight, NULL, &err);
        return;
    }
    op->started_ns = task->started_ns;
    if (state == TASK_FLIGHT && task->item->may_cache)
        op_keep(op, key);
}

static void task_go(struct run *run, struct task *task)
{
    struct engine_item *item = task->item;
    if (item->share) {
        task_join(run, task, item->query, &task->key, TASK_FLIGHT);
        return;
    }
    task->op = run_op(run, item->backend, item->query, NULL, task->deadline_ns);
    task->state = TASK_OP;
    if (!task->op) {
        task_no_memory(run, task);
        return;
    }
    task->op->started_ns = task->started_ns;
    if (item->may_cache)
        op_keep(task->op, &task->key);
}

/* Whether every filter of the connection's enforce{} stands in the query. */
static bool is_held(const struct engine_item *item)
{
    size_t want = item->backend->connection->enforce_count;
    const struct sonde_query *query = item->query;
    if (!want || item->unheld || query->kind == SONDE_KIND_PROBE ||
        query->kind == SONDE_KIND_HEALTH)
        return true;
    size_t found = 0;
    for (size_t i = 0; i < query->filter_count; i++)
        found += (query->filters[i]->flags & SONDE_FILTER_ENFORCED) != 0;
    return found == want && (query->must_understand & SONDE_MUST_ENFORCED_FILTERS);
}

static void task_probe(struct run *run, struct task *task)
{
    static const struct sonde_query probe = {.struct_size = sizeof probe,
                                             .kind = SONDE_KIND_PROBE,
                                             .scope = "",
                                             .name = "",
                                             .native = ""};
    struct query_key key;
    if (query_key(task->item->backend, &probe, clock_unix_ns(), &key))
        task_no_memory(run, task);
    else
        task_join(run, task, &probe, &key, TASK_PROBE);
}

/* The item before it, which it decorates, came from the cache: then this one is not worth a request. */
static bool decorates_cached(const struct run *run, const struct task *task)
{
    return task->item->decorates && task > run->tasks && task[-1].item->cached_ns;
}

/* From the cache, or on its way to the backend. */
static void task_look(struct run *run, struct task *task)
{
    struct engine_item *item = task->item;
    int64_t now_ns = clock_unix_ns();
    if ((item->share || item->may_cache) &&
        query_key(item->backend, item->query, now_ns, &task->key)) {
        task_no_memory(run, task);
        return;
    }
    item->may_cache = item->may_cache && cache_takes(item->query);
    struct result *kept = NULL;
    if (item->may_cache)
        kept =
            cache_get(run->engine->settings.cache, item->backend, item->query, &task->key, now_ns);
    if (kept) {
        item->cached_ns = kept->fetched_at_ns;
        task_end(task, kept, &item->err);
    } else if (decorates_cached(run, task)) {
        task_end(task, NULL, &item->err);
    } else if (item->query->kind != SONDE_KIND_PROBE && backend_needs_probe(item->backend)) {
        task_probe(run, task);
    } else {
        task_go(run, task);
    }
}

static void task_start(struct run *run, struct task *task)
{
    struct engine_item *item = task->item;
    struct backend *backend = item->backend;
    const struct sonde_query *query = item->query;
    const struct sonde_plugin *table = &backend->adapter->table;
    int64_t timeout = backend->connection->timeout_ns;
    task->started_ns = clock_mono_ns();
    task->deadline_ns = task->started_ns + (timeout > 0 ? timeout : 30 * NS_PER_S);
    if (query->deadline_ms &&
        query->deadline_ms < (task->deadline_ns - task->started_ns) / NS_PER_MS)
        task->deadline_ns = task->started_ns + (int64_t)query->deadline_ms * NS_PER_MS;
    if (run->call->deadline_ns < task->deadline_ns)
        task->deadline_ns = run->call->deadline_ns;
    item->result = NULL;
    item->cached_ns = 0;
    item->err = (struct err){.position = -1};
    char text[256];
    if (query->kind >= SONDE_KIND_COUNT || !(table->caps & SONDE_CAP(query->kind))) {
        snprintf(text, sizeof text, "backend %s does not offer %s", table->name,
                 query_kind_name(query->kind));
        task_fail(task, SONDE_E_UNSUPPORTED, text);
    } else if (query->must_understand & ~table->understands) {
        snprintf(text, sizeof text,
                 "backend %s cannot do what this query demands (must_understand bits 0x%llx), so "
                 "it was not asked",
                 table->name, (unsigned long long)(query->must_understand & ~table->understands));
        task_fail(task, SONDE_E_UNSUPPORTED, text);
    } else if (!is_held(item)) {
        task_fail(task, SONDE_E_REFUSED,
                  "not sent: the query is not held to the filters of the connection's enforce");
    } else {
        task_look(run, task);
    }
}

static void task_landed(struct run *run, struct task *task, struct result *result,
                        const struct err *err)
{
    bool probe = task->state == TASK_PROBE;
    flight_leave(&run->engine->flights, task->flight, &task->waiter);
    task->flight = NULL;
    if (!probe) {
        task_end(task, result, err);
        return;
    }
    result_unref(result);
    if (backend_hopeless(err->code))
        task_end(task, NULL, err);
    else
        task_go(run, task);
}

/* The operation driven here for a flight; NULL: another call drives it. */
static struct op *op_of(const struct run *run, const struct flight *flight)
{
    struct op *op = run->ops;
    while (op && op->flight != flight)
        op = op->next;
    return op;
}

static void task_leave(struct run *run, struct task *task)
{
    struct err err = {0};
    const struct op *op = op_of(run, task->flight);
    if (atomic_load(&run->call->cancelled))
        err_set(&err, SONDE_E_CANCELLED, "the call was cancelled");
    else if (!op || !op_waited(op, task->deadline_ns - task->started_ns, &err))
        err_set(&err, SONDE_E_DEADLINE,
                "no answer within %.3g s: ask for less, or raise timeout_seconds of the connection",
                (double)(task->deadline_ns - task->started_ns) / (double)NS_PER_S);
    flight_leave(&run->engine->flights, task->flight, &task->waiter);
    task->flight = NULL;
    task_end(task, NULL, &err);
}

/* When it leaves at the latest: others who wait longer do not make it late. */
static int64_t leaves_at(const struct run *run, const struct task *task)
{
    bool last = flight_deadline(&run->engine->flights, task->flight) <= task->deadline_ns;
    return task->deadline_ns + (last ? LEAVE_SLACK_NS : 0);
}

static void task_turn(struct run *run, struct task *task, int64_t now)
{
    if (task->state == TASK_DONE)
        return;
    if (task->state == TASK_OP) {
        if (task->op->phase == OP_FINISHED) {
            task_end(task, STEAL(task->op->result), &task->op->err);
            task->op = NULL;
        }
        return;
    }
    struct result *result = NULL;
    struct err err;
    if (flight_result(&run->engine->flights, task->flight, &result, &err))
        task_landed(run, task, result, &err);
    else if (atomic_load(&run->call->cancelled) || now >= leaves_at(run, task))
        task_leave(run, task);
}

static bool in_use_by_task(const struct run *run, const struct op *op)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].op == op)
            return true;
    return false;
}

/* One look at everything. Returns whether something may go on at once. */
static bool turn(struct run *run)
{
    int64_t now = clock_mono_ns();
    bool moved = false;
    for (struct op *op = run->ops; op; op = op->next) {
        if (op->phase == OP_FINISHED)
            continue;
        op_turn(op, now);
        if (op->phase != OP_FINISHED)
            continue;
        moved = true;
        if (op->wire_bytes > LARGE_ANSWER)
            run->call->large = true;
    }
    for (size_t i = 0; i < run->count; i++) {
        enum task_state before = run->tasks[i].state;
        task_turn(run, &run->tasks[i], now);
        moved = moved || run->tasks[i].state != before;
    }
    for (struct op **link = &run->ops; *link;) {
        struct op *op = *link;
        if (op->phase == OP_FINISHED && !in_use_by_task(run, op)) {
            *link = op->next;
            op_free(op);
        } else {
            link = &op->next;
        }
    }
    return moved;
}

static bool all_done(const struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].state != TASK_DONE)
            return false;
    return !run->ops;
}

static int64_t wake_at(const struct run *run)
{
    int64_t wake = INT64_MAX;
    for (size_t i = 0; i < run->count; i++) {
        const struct task *task = &run->tasks[i];
        if (task->state != TASK_PROBE && task->state != TASK_FLIGHT)
            continue;
        int64_t at = leaves_at(run, task);
        wake = at < wake ? at : wake;
    }
    for (const struct op *op = run->ops; op; op = op->next) {
        int64_t at = op_wake_ns(op);
        wake = at < wake ? at : wake;
    }
    return wake;
}

/* Whether handing it on means work enough to ask for a permit. What only tells an end that was decided here never does. */
static bool computes_much(const struct message *message)
{
    if (message->type != MESSAGE_DATA && message->type != MESSAGE_END)
        return false;
    const struct slot *slot = message->owner;
    return slot->op->phase == OP_RUNNING && !slot->cut &&
           slot->op->bytes + message->size > PERMIT_FREE_BYTES;
}

#define LOOK_AGAIN_NS (100 * NS_PER_MS)

/* A permit to hand it on, or a look at deadlines and cancels first. */
static bool may_compute(struct run *run, const struct message *message, int64_t until_ns)
{
    const struct slot *slot = message->owner;
    permit_yield(run->call);
    if (!slot->op->flight)
        return permit_take(run->call, until_ns, true, NULL) == 0;
    /* Others may wait for a flight whose caller has left; that nobody does any more is seen at the next look. */
    int64_t look = clock_mono_ns() + LOOK_AGAIN_NS;
    return permit_take(run->call, until_ns < look ? until_ns : look, false, NULL) == 0;
}

static struct message *next_message(struct run *run, int64_t until_ns)
{
    struct mailbox *mailbox = run->call->mailbox;
    if (run->held)
        return STEAL(run->held);
    if (run->call->permit.held) {
        struct message *message = mailbox_wait(mailbox, 0);
        if (message)
            return message;
        permit_release(run->call);
    }
    return mailbox_wait(mailbox, until_ns);
}

static void take_messages(struct run *run, int64_t until_ns)
{
    struct mailbox *mailbox = run->call->mailbox;
    struct message *message = next_message(run, until_ns);
    for (unsigned i = 0; message; i++) {
        if (computes_much(message) && !may_compute(run, message, until_ns)) {
            run->held = message;
            break;
        }
        /* Posts only wake: what they are about is looked up. */
        if (message->type != MESSAGE_POST) {
            struct slot *slot = message->owner;
            op_message(slot->op, slot, message);
        }
        mailbox_release(mailbox, message);
        if (i == BATCH)
            break;
        message = mailbox_wait(mailbox, 0);
    }
}

int engine_run(struct engine *engine, struct call *call, struct engine_item *items, size_t n)
{
    struct run run = {.engine = engine, .call = call, .count = n};
    run.tasks = mem_alloc_array(n, sizeof *run.tasks);
    if (!run.tasks)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        run.tasks[i].item = &items[i];
        task_start(&run, &run.tasks[i]);
    }
    for (;;) {
        while (turn(&run))
            ;
        if (all_done(&run))
            break;
        take_messages(&run, wake_at(&run));
    }
    permit_release(call);
    mem_free(run.tasks);
    return 0;
}
