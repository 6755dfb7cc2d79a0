/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/guard.h"
#include "query/op_internal.h"
#include "query/retry.h"

#define LARGE_ANSWER (1u << 20)

void slot_free(struct slot *slot)
{
    gate_leave(slot->op->backend->gate, &slot->place);
    request_drop(&slot->kept);
    slot->op->in_use--;
    *slot = (struct slot){0};
}

static bool creates(const struct slot *slot)
{
    return (slot->kept.request.flags & SONDE_REQUEST_CREATES) != 0;
}

static int64_t timeout_at(const struct op *op, bool creating)
{
    int64_t timeout = op->backend->connection->timeout_ns;
    int64_t latest = clock_mono_ns() + (timeout > 0 ? timeout : 30 * NS_PER_S);
    /* Waiters may yet join a flight with later deadlines, so its exchanges have the connection's timeout alone. */
    if (!op->flight && op->deadline_ns < latest)
        latest = op->deadline_ns;
    /* What it made is known only from its answer, which is waited for beyond the deadline. */
    return creating ? latest + atomic_load(&op->engine->creates_grace_ns) : latest;
}

/* Whether one more request may be sent; otherwise the operation ends when those under way have. */
static bool count_request(struct op *op)
{
    uint32_t max = op->engine->settings.max_requests;
    if (op->requests < max) {
        op->requests++;
        return true;
    }
    sink_partial(&op->sink, SONDE_PARTIAL_LIMIT,
                 "stopped after %u requests (the limit of one operation); what had come by then is "
                 "here: narrow the "
                 "window or the filters",
                 max);
    op->no_more = true;
    return false;
}

/* Sets the time of the next attempt: the delay asked for, the backend's rate limit. */
static void schedule(struct slot *slot, int64_t wait_ns)
{
    struct op *op = slot->op;
    int64_t now = clock_mono_ns();
    const char *rate_key = slot->kept.request.rate_key;
    int64_t rate_ns = rate_key ? rate_take(&op->backend->facts, rate_key) : 0;
    slot->state = SLOT_TIMER;
    /* At once is in this turn, which began before now. */
    slot->not_before_ns = wait_ns <= 0 ? 0 : wait_ns < INT64_MAX - now ? now + wait_ns : INT64_MAX;
    if (rate_ns <= slot->not_before_ns || rate_ns <= now)
        return;
    slot->not_before_ns = rate_ns;
    if (rate_ns < op_deadline(op))
        return;
    struct err err = {0};
    int64_t wait_ms = (rate_ns - now) / NS_PER_MS;
    err_set(&err, SONDE_E_THROTTLED,
            "the backend's rate limit \"%.64s\" is used up: try again in %lld s", rate_key,
            (long long)(wait_ms / 1000 + 1));
    err.wait_ms = wait_ms;
    op_stop(op, &err);
}

static void deliver_end(struct slot *slot, uint32_t outcome, uint64_t body_bytes, const char *text,
                        bool can_retry, int32_t *ret_code)
{
    struct op *op = slot->op;
    struct sonde_outcome row = {.struct_size = sizeof row,
                                .outcome = outcome,
                                .attempt = slot->attempt,
                                .can_retry = can_retry,
                                .body_bytes = body_bytes,
                                .text = text ? text : ""};
    uint64_t rows = op->sink.rows;
    op->ctx.failure.code = 0;
    *ret_code = guard_end(op->adapter, op->state, slot->kept.request.tag, &row);
    slot->rows += op->sink.rows - rows;
}

/* The class of an outcome that was not OK, for an adapter that ends there. */
static int class_of(uint32_t outcome, bool any_answer)
{
    switch (outcome) {
    case SONDE_OUTCOME_LOST:
        return any_answer ? SONDE_E_BAD_ANSWER : SONDE_E_UNREACHABLE;
    case SONDE_OUTCOME_TIMED_OUT:
        return SONDE_E_DEADLINE;
    case SONDE_OUTCOME_TOO_LARGE:
        return SONDE_E_TOO_MUCH;
    default:
        return SONDE_E_REFUSED;
    }
}

/* The error of an attempt whose callbacks returned code after an answer that ended with outcome. */
static void make_error(struct slot *slot, int32_t code, uint32_t outcome, const char *text,
                       struct err *ret_err)
{
    ctx_failure(&slot->op->ctx, code, "op_response_end", ret_err);
    /* Advice of the adapter's about an answer that is too large beats ours. */
    if (outcome == SONDE_OUTCOME_OK || ret_err->code == SONDE_E_INTERNAL ||
        (outcome == SONDE_OUTCOME_TOO_LARGE && ret_err->code == SONDE_E_TOO_MUCH))
        return;
    err_set(ret_err, class_of(outcome, slot->any_answer), "%s",
            text && text[0] ? text : ret_err->text);
}

static void give_up(struct slot *slot, const struct err *err)
{
    struct op *op = slot->op;
    struct err copy = *err;
    slot_free(slot);
    if (copy.code == SONDE_E_STALE_FACTS && !op->restarted)
        op->restart = true;
    else if (copy.code == SONDE_E_STALE_FACTS)
        err_set(&copy, SONDE_E_INTERNAL,
                "plugin %s found its facts about the connection stale twice in a row",
                op->adapter->table.name);
    op_stop(op, &copy);
}

/* Sends the same again after a wait, if there is time for it; else false. */
static bool again(struct slot *slot, int64_t wait_ns)
{
    struct op *op = slot->op;
    int64_t now = clock_mono_ns();
    if (wait_ns >= op_deadline(op) - now || op->requests >= op->engine->settings.max_requests)
        return false;
    gate_leave(op->backend->gate, &slot->place);
    op->requests++;
    stat_add(op->backend->stats.retries, 1);
    slot->exchange = NULL;
    slot->code = 0;
    slot->cut = false;
    slot->wanted_none = false;
    schedule(slot, wait_ns);
    return true;
}

/* What is to be done now that the attempt has ended and the adapter has said code. */
static void conclude(struct slot *slot, int32_t code, uint32_t outcome, const char *text)
{
    struct op *op = slot->op;
    if (op->phase != OP_RUNNING) {
        slot_free(slot);
        return;
    }
    struct err err = slot->err;
    if (!slot->code && code != SONDE_OK)
        make_error(slot, code, outcome, text, &err);
    else if (!slot->code)
        err.code = 0;
    op_check_sink(op);
    if (op->phase != OP_RUNNING) {
        slot_free(slot);
        return;
    }
    if (!err.code) {
        if (outcome != SONDE_OUTCOME_OK && !op->lost.code)
            err_set(&op->lost, class_of(outcome, slot->any_answer), "%s", text);
        slot_free(slot);
        op->want_next = true;
        return;
    }
    if (retry_class(err.code, slot->kept.request.flags, slot->attempt, slot->rows) &&
        again(slot, retry_wait_ns(slot->attempt, err.wait_ms)))
        return;
    give_up(slot, &err);
}

/* A free one; NULL without memory. There is room: op_turn asks for no more than slot_max. */
static struct slot *find_free(struct op *op)
{
    for (size_t i = 0; i < op->slot_count; i++)
        if (op->slots[i]->state == SLOT_FREE)
            return op->slots[i];
    struct slot *slot = mem_alloc(sizeof *slot);
    if (slot)
        op->slots[op->slot_count++] = slot;
    return slot;
}

struct slot *slot_new(struct op *op, const struct sonde_request *request)
{
    for (size_t i = 0; i < op->slot_count; i++) {
        if (op->slots[i]->state != SLOT_FREE && op->slots[i]->kept.request.tag == request->tag) {
            op_fail(op, SONDE_E_INTERNAL, "plugin %s made two requests in flight with the tag %u",
                    op->adapter->table.name, request->tag);
            return NULL;
        }
    }
    if (!count_request(op))
        return NULL;
    struct slot *slot = find_free(op);
    if (!slot) {
        op_no_memory(op, "a request of this query");
        return NULL;
    }
    struct err err = {0};
    int r = request_vet(&op->adapter->table, request, &err);
    struct io_target *target = r ? NULL : backend_target(op->backend, request->endpoint, &err);
    r = target ? 0 : err.code;
    *slot = (struct slot){.op = op, .state = SLOT_TIMER, .target = target};
    if (request_keep(&slot->kept, request, op->engine->settings.budget)) {
        *slot = (struct slot){0};
        op_no_memory(op, "a request of this query");
        return NULL;
    }
    op->in_use++;
    if (!r) {
        schedule(slot, (int64_t)request->delay_ms * NS_PER_MS);
        return slot;
    }
    int32_t code;
    slot->state = SLOT_ENDED;
    slot->attempt = 1;
    deliver_end(slot, SONDE_OUTCOME_REFUSED, 0, err.text, false, &code);
    conclude(slot, code, SONDE_OUTCOME_REFUSED, err.text);
    return NULL;
}

static void start(struct slot *slot)
{
    struct op *op = slot->op;
    struct exchange_request request = {.request = &slot->kept.request,
                                       .target = slot->target,
                                       .owner = slot,
                                       .deadline_ns = timeout_at(op, creates(slot)),
                                       .max_body = slot->kept.request.max_size};
    struct err err = {0};
    /* The delay has passed already, outside the gate. */
    slot->kept.request.delay_ms = 0;
    slot->attempt++;
    slot->rows = 0;
    slot->any_answer = false;
    slot->status = 0;
    if (exchange_start(op->engine->settings.io, op->call->mailbox, &request, &slot->exchange,
                       &err)) {
        slot_free(slot);
        op_stop(op, &err);
        return;
    }
    slot->state = SLOT_FLYING;
}

static void wake_call(void *mailbox)
{
    if (mailbox_post(mailbox, NULL, 0))
        log_line(LOG_WARN, "query",
                 "no memory to wake a waiting exchange; it goes on at its next message");
}

void slot_turn(struct slot *slot, int64_t now_ns)
{
    if (slot->state == SLOT_TIMER && slot->not_before_ns <= now_ns) {
        const struct call *call = slot->op->call;
        slot->state = SLOT_QUEUED;
        slot->place = (struct gate_place){.wake = wake_call, .argument = call->mailbox};
        if (gate_enter(slot->op->backend->gate, &slot->place, &call->principal))
            start(slot);
    } else if (slot->state == SLOT_QUEUED && gate_granted(slot->op->backend->gate, &slot->place)) {
        start(slot);
    }
}

void slot_release(struct slot *slot, bool keep_creating)
{
    if (slot->state == SLOT_FREE || slot->state == SLOT_ENDED)
        return; /* what is over is freed by whoever tells its end */
    if (slot->state != SLOT_FLYING) {
        slot_free(
            slot); /* never sent, or between tries: no attempt is under way whose end is owed */
        return;
    }
    if (keep_creating && creates(slot) && !slot->cut)
        return;
    slot->cut = true;
    exchange_cancel(slot->exchange);
}

/* The adapter has said code about a part of the answer. */
static void judge(struct slot *slot, int32_t code, const char *callback, bool may_be_done)
{
    struct op *op = slot->op;
    if (code == SONDE_DONE && may_be_done) {
        slot->wanted_none = true;
        slot->cut = true;
        exchange_cancel(slot->exchange);
    }
    op_check_sink(op);
    if (code == SONDE_OK || slot->cut)
        return;
    slot->cut = true;
    slot->code = ctx_failure(&op->ctx, code, callback, &slot->err);
    exchange_cancel(slot->exchange);
}

static void on_head(struct slot *slot, const struct message *message)
{
    struct op *op = slot->op;
    slot->any_answer = true;
    slot->status = message->head->status;
    uint64_t rows = op->sink.rows;
    op->ctx.failure.code = 0;
    int32_t code = guard_head(op->adapter, op->state, slot->kept.request.tag, message->head);
    slot->rows += op->sink.rows - rows;
    judge(slot, code, "op_response_head", false);
}

static void on_data(struct slot *slot, const struct message *message)
{
    struct op *op = slot->op;
    op->bytes += message->size;
    if (op->phase == OP_RUNNING && op->bytes > op->engine->settings.max_operation_bytes) {
        sink_partial(&op->sink, SONDE_PARTIAL_LIMIT,
                     "stopped after %llu MiB of answers (the limit of one operation); what had "
                     "come by then is here: narrow "
                     "the window or the filters",
                     (unsigned long long)(op->engine->settings.max_operation_bytes >> 20));
        op_end_well(op);
        return;
    }
    uint64_t rows = op->sink.rows;
    op->ctx.failure.code = 0;
    int32_t code =
        guard_data(op->adapter, op->state, slot->kept.request.tag, message->data, message->size);
    slot->rows += op->sink.rows - rows;
    judge(slot, code, "op_response_data", true);
    /* Whoever reads a large answer computes without a pause; a small one that came meanwhile goes first. */
    if (op->bytes > LARGE_ANSWER)
        sched_yield();
}

static void on_end(struct slot *slot, const struct message *message)
{
    struct op *op = slot->op;
    uint32_t outcome = message->outcome;
    const char *text = message->text ? message->text : "";
    slot->exchange = NULL;
    slot->state = SLOT_ENDED;
    op->wire_bytes += message->wire_bytes;
    /* Cut because of what the adapter read is no cancel: it had its answer. */
    bool read = slot->cut && (slot->wanted_none || slot->code);
    exchange_stats_end(&op->backend->stats, message, read ? SONDE_OUTCOME_OK : outcome,
                       slot->status, slot->cut && !read);
    backend_count(op->backend, 1, outcome != SONDE_OUTCOME_OK && !slot->cut);
    if (slot->cut) {
        /* Cut by us: nothing is wrong with the backend. */
        outcome = slot->wanted_none ? SONDE_OUTCOME_OK : SONDE_OUTCOME_LOST;
        text = slot->wanted_none ? "" : "cancelled";
    }
    bool untouched =
        outcome == SONDE_OUTCOME_LOST && !message->got_bytes && !slot->any_answer && !slot->cut;
    if (untouched && op->phase == OP_RUNNING && !slot->lost_once && !creates(slot)) {
        /* Most often a kept connection the other side had closed. The adapter saw nothing of this attempt. */
        slot->lost_once = true;
        if (again(slot, 0))
            return;
    }
    bool idempotent = (slot->kept.request.flags & SONDE_REQUEST_IDEMPOTENT) != 0;
    bool can_retry = op->phase == OP_RUNNING && !slot->cut && idempotent && !slot->rows &&
                     slot->attempt < RETRY_TRIES &&
                     op->requests < op->engine->settings.max_requests;
    int32_t code;
    deliver_end(slot, outcome, message->body_bytes, text, can_retry, &code);
    if (slot->cut && !slot->code && !slot->wanted_none)
        code = SONDE_OK; /* what it says of an answer we cut counts for nothing */
    conclude(slot, code, outcome, text);
}

void slot_message(struct slot *slot, const struct message *message)
{
    if (slot->state != SLOT_FLYING)
        return;
    if (message->type == MESSAGE_END)
        on_end(slot, message);
    else if (slot->cut)
        return;
    else if (message->type == MESSAGE_HEAD)
        on_head(slot, message);
    else
        on_data(slot, message);
}
