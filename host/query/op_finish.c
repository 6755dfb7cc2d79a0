/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "plugin/guard.h"
#include "query/cache.h"
#include "query/op_internal.h"
#include "selfstats/limit_hits.h"

#define AT_END_NS (2 * NS_PER_S)

void op_send_at_end(struct op *op)
{
    struct at_end *at_end = &op->sink.at_end;
    for (size_t i = 0; i < AT_END_SLOTS; i++) {
        if (!at_end->used[i])
            continue;
        const struct sonde_request *request = &at_end->slots[i].request;
        struct err err = {0};
        struct exchange_request row = {.request = request,
                                       .target =
                                           backend_target(op->backend, request->endpoint, &err),
                                       .deadline_ns = clock_mono_ns() + AT_END_NS,
                                       .detached = true};
        struct exchange *exchange = NULL;
        if (row.target)
            exchange_start(op->engine->settings.io, NULL, &row, &exchange, &err);
        if (err.code)
            log_line(LOG_WARN, "query", "%s: %s: a request to be sent at the end was not: %s",
                     op->adapter->table.name, op->backend->connection->name, err.text);
    }
    at_end_drop(at_end);
}

/* What op_end is told; codes of ours that are none of the ABI's become the nearest. */
static int32_t reason_of(int code)
{
    if (!code)
        return SONDE_DONE;
    if (code == ERR_BUSY || code == ERR_MEMORY)
        return SONDE_E_BUSY;
    return code <= SONDE_E_BAD_QUERY && code >= SONDE_E_REFUSED ? code : SONDE_E_INTERNAL;
}

static uint32_t partial_of(int code)
{
    if (code == SONDE_E_DEADLINE || code == SONDE_E_TIMEOUT)
        return SONDE_PARTIAL_TIMEOUT;
    if (code == SONDE_E_UNREACHABLE)
        return SONDE_PARTIAL_LOST;
    return code == SONDE_E_TOO_MUCH ? SONDE_PARTIAL_LIMIT : SONDE_PARTIAL_BACKEND;
}

/* Rows that came before an error are worth having, but not when the plugin itself is not to be trusted. */
static bool worth_keeping(const struct op *op)
{
    return !op->err.code ||
           (op->sink.rows && op->err.code != SONDE_E_CANCELLED && op->err.code != SONDE_E_INTERNAL);
}

static void make_result(struct op *op)
{
    if (!worth_keeping(op))
        return;
    if (op->err.code)
        sink_partial(&op->sink, partial_of(op->err.code), "%s", op->err.text);
    else if (op->lost.code)
        sink_partial(&op->sink, SONDE_PARTIAL_LOST, "%s", op->lost.text);
    struct result *result = op->sink.result;
    result->wire_bytes = op->wire_bytes;
    result->fetched_at_ns = clock_unix_ns();
    result->elapsed_ns = clock_mono_ns() - op->started_ns;
    if (sink_seal(&op->sink, &op->result) && !op->err.code)
        limit_memory(&op->err, op->engine->settings.budget, "putting the answer together");
}

void op_finish(struct op *op)
{
    op->phase = OP_FINISHED;
    if (op->begun)
        guard_op_end(op->adapter, op->state, reason_of(op->err.code));
    op->begun = false;
    op->state = NULL;
    op_send_at_end(op);
    make_result(op);
    if (op->query.kind == SONDE_KIND_HEALTH || op->query.kind == SONDE_KIND_PROBE)
        backend_note_expiry(op->backend);
    backend_note(op->backend, op->query.kind, op->requests, clock_mono_ns() - op->started_ns,
                 op->result, &op->err);
    /* Before the waiters hear of it, or one of them would ask again. */
    if (op->query.kind == SONDE_KIND_PROBE)
        backend_probed(op->backend, op->err.code);
    if (op->query.kind == SONDE_KIND_PROBE && !op->err.code && op->result)
        backend_advise(op->backend, op->result->status);
    struct cache *cache = op->engine->settings.cache;
    bool keep = op->keep && !op->err.code && op->result;
    /* Before the flight ends: whoever asks from then on finds it. */
    if (keep)
        cache_put(cache, op->backend, &op->key, op->result);
    if (op->flight)
        flight_done(&op->engine->flights, op->flight, op->result, &op->err);
    op->flight = NULL;
    if (keep)
        cache_put_table(cache, op->backend, &op->query, &op->key, op->result);
}
