/* SPDX-License-Identifier: Apache-2.0 */
#include "query/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "plugin/guard.h"
#include "query/op_internal.h"
#include "selfstats/limit_hits.h"

#define OP_MAX_BYTES (16u * 1024u * 1024u)
#define RESULT_MAX_BYTES (64u * 1024u * 1024u)
/* io says better what was late, so it gets a moment to say it. */
#define DEADLINE_SLACK_NS (50 * NS_PER_MS)

static int prepare(struct op *op)
{
    struct budget *budget = op->engine->settings.budget;
    ctx_init(&op->ctx, op->adapter, op->backend->connection->name, OP_MAX_BYTES, budget, &op->sink);
    return sink_init(&op->sink, &op->settings, &op->query);
}

struct op *op_new(struct engine *engine, struct call *call, struct backend *backend,
                  const struct sonde_query *query, struct flight *flight, int64_t deadline_ns)
{
    struct op *op = mem_alloc(sizeof *op);
    size_t most = atomic_load(&engine->per_connection);
    size_t slots = most < OP_SLOTS_MAX ? most : OP_SLOTS_MAX;
    if (op)
        op->slots = mem_alloc_array(slots, sizeof *op->slots);
    if (!op || !op->slots) {
        mem_free(op);
        return NULL;
    }
    op->engine = engine;
    op->call = call;
    op->backend = backend_ref(backend);
    op->adapter = backend->adapter;
    op->flight = flight;
    op->query = *query;
    op->query.struct_size = sizeof op->query;
    op->slot_max = slots;
    op->started_ns = clock_mono_ns();
    op->deadline_ns = deadline_ns;
    op->settings = (struct sink_settings){.table = &op->adapter->table,
                                          .facts = &backend->facts,
                                          .budget = engine->settings.budget,
                                          .max_points = engine->settings.max_points,
                                          .max_series = engine->settings.max_series,
                                          .max_bytes = RESULT_MAX_BYTES};
    if (prepare(op)) {
        op->phase = OP_FINISHED;
        op_free(op);
        return NULL;
    }
    return op;
}

void op_free(struct op *op)
{
    if (!op)
        return;
    sink_finish(&op->sink);
    ctx_finish(&op->ctx);
    result_unref(op->result);
    backend_unref(op->backend);
    for (size_t i = 0; i < op->slot_count; i++)
        mem_free(op->slots[i]);
    mem_free(op->slots);
    mem_free(op);
}

void op_keep(struct op *op, const struct query_key *key)
{
    op->keep = true;
    op->key = *key;
}

int64_t op_deadline(const struct op *op)
{
    return op->flight ? flight_deadline(&op->engine->flights, op->flight) : op->deadline_ns;
}

void op_stop(struct op *op, const struct err *err)
{
    if (op->phase != OP_RUNNING)
        return;
    op->phase = OP_ENDING;
    op->err = *err;
    op->sink.closed = true;
    op->want_next = false;
    int64_t grace = atomic_load(&op->engine->creates_grace_ns);
    op->grace_until_ns = clock_mono_ns() + grace;
    for (size_t i = 0; i < op->slot_count; i++)
        slot_release(op->slots[i], grace > 0);
}

void op_end_well(struct op *op)
{
    op_stop(op, &(struct err){.position = -1});
}

void op_fail(struct op *op, int code, const char *format, ...)
{
    char text[sizeof((struct err *)0)->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct err err = {0};
    err_set(&err, code, "%s", text);
    op_stop(op, &err);
}

void op_check_sink(struct op *op)
{
    if (op->phase != OP_RUNNING)
        return;
    if (op->sink.error.code)
        op_stop(op, &op->sink.error);
    else if (op->sink.full)
        op_end_well(op);
}

static void fail_with(struct op *op, int32_t code, const char *callback)
{
    struct err err = {0};
    ctx_failure(&op->ctx, code, callback, &err);
    if (err.code == SONDE_E_STALE_FACTS && !op->restarted)
        op->restart = true;
    else if (err.code == SONDE_E_STALE_FACTS)
        err_set(&err, SONDE_E_INTERNAL,
                "plugin %s found its facts about the connection stale twice in a row",
                op->adapter->table.name);
    op_stop(op, &err);
}

static void begin(struct op *op)
{
    int64_t left = (op_deadline(op) - clock_mono_ns()) / NS_PER_MS;
    op->query.deadline_ms = left < 1 ? 1 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
    struct sonde_begin begin = {
        .struct_size = sizeof begin, .ctx = &op->ctx, .query = &op->query, .sink = sink_table()};
    begin.facts = facts_snapshot(&op->backend->facts, &op->ctx.arena, &begin.fact_count);
    if (!begin.facts) {
        op_no_memory(op, "this query");
        return;
    }
    int32_t code = guard_begin(op->adapter, op->backend->instance, &begin, &op->state);
    if (code != SONDE_OK) {
        fail_with(op, code, "op_begin");
        return;
    }
    op->begun = true;
    op->want_next = true;
    op_check_sink(op);
}

/* One step of op_next; the slot it made, if any, is on its way. */
static void next(struct op *op)
{
    struct sonde_request request = {.struct_size = sizeof request};
    op->ctx.failure.code = 0;
    op->want_next = false;
    int32_t code = guard_next(op->adapter, op->state, &request);
    op_check_sink(op);
    if (op->phase != OP_RUNNING)
        return;
    switch (code) {
    case SONDE_REQUEST:
        op->want_next = (request.flags & SONDE_REQUEST_MORE) != 0;
        slot_new(op, &request);
        break;
    case SONDE_WAIT:
        if (!op->in_use)
            op_fail(op, SONDE_E_INTERNAL,
                    "plugin %s waits for nothing: it has no request in flight",
                    op->adapter->table.name);
        break;
    case SONDE_DONE:
        op_end_well(op);
        break;
    case SONDE_OK:
        op_fail(op, SONDE_E_INTERNAL, "plugin %s returned 0 from op_next, which is no result of it",
                op->adapter->table.name);
        break;
    default:
        fail_with(op, code, "op_next");
    }
}

void op_no_memory(struct op *op, const char *what)
{
    struct err err = {0};
    limit_memory(&err, op->engine->settings.budget, what);
    op_stop(op, &err);
}

bool op_waited(const struct op *op, int64_t waited_ns, struct err *err)
{
    enum gate_wait wait = GATE_NO_WAIT;
    for (size_t i = 0; i < op->slot_count; i++) {
        struct slot *slot = op->slots[i];
        if (slot->state == SLOT_FLYING)
            return false;
        if (slot->state == SLOT_QUEUED && wait == GATE_NO_WAIT)
            wait = gate_waits(op->backend->gate, &slot->place);
    }
    if (wait == GATE_NO_WAIT)
        return false;
    bool own = wait == GATE_WAITS_FOR_OWN;
    unsigned max;
    unsigned per_user;
    gate_limits(op->backend->gate, &max, &per_user);
    limit_hit(own ? LIMIT_IN_FLIGHT_PER_USER : LIMIT_IN_FLIGHT);
    err_set(err, SONDE_E_DEADLINE,
            "no turn within %.3g s: %u requests%s to this connection are under way, as many as "
            "limits.%s allows; ask for less at once, or try again in 5 s",
            (double)waited_ns / (double)NS_PER_S, own ? per_user : max, own ? " of yours" : "",
            own ? "in_flight_per_user" : "in_flight");
    err->wait_ms = 5000;
    return true;
}

static void check_time(struct op *op, int64_t now_ns)
{
    if (op->flight && flight_abandoned(&op->engine->flights, op->flight))
        op_fail(op, SONDE_E_CANCELLED, "cancelled: no one waits for the answer any more");
    else if (!op->flight && atomic_load(&op->call->cancelled))
        op_fail(op, SONDE_E_CANCELLED, "the call was cancelled");
    int64_t deadline = op_deadline(op);
    if (op->phase != OP_RUNNING || now_ns < deadline + (op->in_use ? DEADLINE_SLACK_NS : 0))
        return;
    struct err err = {0};
    if (op_waited(op, deadline - op->started_ns, &err))
        op_stop(op, &err);
    else
        op_fail(op, SONDE_E_DEADLINE,
                "no answer within %.3g s: ask for less, or raise timeout_seconds of the connection",
                (double)(deadline - op->started_ns) / (double)NS_PER_S);
}

static void begin_again(struct op *op)
{
    op->restart = false;
    op->restarted = true;
    if (op->begun)
        guard_op_end(op->adapter, op->state, SONDE_E_STALE_FACTS);
    op->begun = false;
    op->state = NULL;
    op_send_at_end(op);
    sink_finish(&op->sink);
    ctx_finish(&op->ctx);
    op->lost = (struct err){0};
    if (prepare(op)) {
        limit_memory(&op->err, op->engine->settings.budget, "asking again");
        return;
    }
    op->phase = OP_RUNNING;
    op->err = (struct err){.position = -1};
}

void op_turn(struct op *op, int64_t now_ns)
{
    if (op->phase == OP_RUNNING)
        check_time(op, now_ns);
    if (op->phase == OP_RUNNING && !op->begun)
        begin(op);
    /* A refused request ends at once and asks for the next, so this is bounded by the operation's requests. */
    while (op->phase == OP_RUNNING && op->want_next && !op->no_more && op->in_use < op->slot_max)
        next(op);
    for (size_t i = 0; i < op->slot_count && op->phase == OP_RUNNING; i++)
        slot_turn(op->slots[i], now_ns);
    if (op->phase == OP_RUNNING && op->no_more && !op->in_use)
        op_end_well(op);
    if (op->phase != OP_ENDING)
        return;
    if (op->in_use && now_ns >= op->grace_until_ns)
        for (size_t i = 0; i < op->slot_count; i++)
            slot_release(op->slots[i], false);
    if (op->in_use)
        return;
    if (op->restart)
        begin_again(op);
    if (op->phase == OP_RUNNING)
        op_turn(op, now_ns);
    else
        op_finish(op);
}

void op_message(struct op *op, struct slot *slot, const struct message *message)
{
    (void)op;
    slot_message(slot, message);
}

int64_t op_wake_ns(const struct op *op)
{
    if (op->phase == OP_ENDING)
        return op->in_use ? op->grace_until_ns : 0;
    int64_t wake = op_deadline(op) + (op->in_use ? DEADLINE_SLACK_NS : 0);
    for (size_t i = 0; i < op->slot_count; i++)
        if (op->slots[i]->state == SLOT_TIMER && op->slots[i]->not_before_ns < wake)
            wake = op->slots[i]->not_before_ns;
    return wake;
}
