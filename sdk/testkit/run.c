/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_FLIGHT_MAX 8u /* the host's limit may be lower: an adapter must not rely on one */
#define REQUESTS_MAX 1000u
#define ATTEMPTS_MAX 3u
#define LINK_MAX ((size_t)4096)

static const char *const RESULTS[] = {
    "OK",       "BAD_QUERY", "AUTH",     "FORBIDDEN",   "NOT_FOUND",  "THROTTLED",
    "BUSY",     "TIMEOUT",   "TOO_MUCH", "UNSUPPORTED", "BAD_ANSWER", "STALE_FACTS",
    "INTERNAL", "CANCELLED", "DEADLINE", "UNREACHABLE", "REFUSED"};

enum phase { PHASE_HEAD, PHASE_DATA, PHASE_END };

struct flight {
    struct sonde_request request; /* its memory is the run's */
    struct kit_answer *answer;    /* of this attempt, once it has begun */
    uint32_t attempt;
    uint32_t ordinal; /* of the answer, from 1 */
    enum phase phase;
    size_t offset;
    uint64_t rows;
    int32_t code; /* what head or data said */
};

/* One life of an operation. */
struct op {
    struct kit_run *run;
    struct sonde_ctx *ctx;
    void *state;
    struct flight flights[IN_FLIGHT_MAX];
    size_t flight_count;
    size_t turn;
    uint32_t answers;
    int wants_next;
    int over;
    int ending; /* cancelled: only what creates is still heard */
    int32_t result;
};

static void op_over(struct op *op, int32_t result)
{
    if (op->over)
        return;
    op->over = 1;
    op->result = result;
}

static const struct sonde_pair *copy_pairs(struct kit_pool *pool, const struct sonde_pair *pairs,
                                           size_t n)
{
    struct sonde_pair *copy = kit_alloc(pool, n * sizeof(*copy));
    for (size_t i = 0; i < n; i++) {
        copy[i].key = kit_copy(pool, pairs[i].key, strlen(pairs[i].key));
        copy[i].value = kit_copy(pool, pairs[i].value, strlen(pairs[i].value));
    }
    return copy;
}

static const char *copy_string(struct kit_pool *pool, const char *text)
{
    return text ? kit_copy(pool, text, strlen(text)) : NULL;
}

static void copy_request(struct kit_pool *pool, struct sonde_request *request)
{
    request->endpoint = copy_string(pool, request->endpoint);
    request->method = copy_string(pool, request->method);
    request->path = copy_string(pool, request->path);
    request->rate_key = copy_string(pool, request->rate_key);
    request->headers = copy_pairs(pool, request->headers, request->header_count);
    request->body = kit_copy(pool, request->body, request->body_size);
}

static void note_request(struct op *op, const struct flight *flight)
{
    struct kit_record *record = &op->run->record;
    kit_add(&record->request_list, record->requests ? ",\n    " : "");
    kit_write_request(&record->request_list, &flight->request, flight->attempt);
    record->requests++;
    if (op->run->fixture->cancel.after_requests == record->requests)
        op_over(op, SONDE_E_CANCELLED);
}

static void add_flight(struct op *op, const struct sonde_request *request)
{
    struct kit_run *run = op->run;
    for (size_t i = 0; i < op->flight_count; i++) {
        if (op->flights[i].request.tag == request->tag)
            kit_problem(&run->record, "tag %u is in flight already", request->tag);
    }
    kit_check_request(op->ctx, request);
    struct flight *flight = &op->flights[op->flight_count++];
    memset(flight, 0, sizeof(*flight));
    flight->request = *request;
    flight->attempt = 1;
    copy_request(&run->pool, &flight->request);
    if (op->flight_count > run->most_in_flight)
        run->most_in_flight = op->flight_count;
    if (run->record.requests >= REQUESTS_MAX) {
        kit_problem(&run->record, "more than %u requests", REQUESTS_MAX);
        op_over(op, SONDE_E_INTERNAL);
        return;
    }
    note_request(op, flight);
}

static void ask_next(struct op *op)
{
    struct kit_run *run = op->run;
    struct sonde_request request;
    memset(&request, 0, sizeof(request));
    request.struct_size = sizeof(request);
    const int32_t rc = run->table->op_next(op->state, &request);
    op->wants_next = 0;
    if (rc == SONDE_REQUEST) {
        add_flight(op, &request);
        op->wants_next = (request.flags & SONDE_REQUEST_MORE) != 0;
    } else if (rc == SONDE_WAIT) {
        if (!op->flight_count) {
            kit_problem(&run->record, "op_next said WAIT with nothing in flight");
            op_over(op, SONDE_E_INTERNAL);
        }
    } else {
        if (rc > SONDE_DONE || rc == SONDE_OK)
            kit_problem(&run->record, "op_next returned %d", rc);
        op_over(op, rc < 0 || rc == SONDE_DONE ? rc : SONDE_E_INTERNAL);
    }
}

static struct kit_answer *find_answer(struct op *op, const struct flight *flight)
{
    struct kit_fixture *fixture = op->run->fixture;
    for (size_t i = 0; i < fixture->answer_count; i++) {
        struct kit_answer *answer = &fixture->answers[i];
        if (answer->times && answer->used >= answer->times)
            continue;
        if (answer->has_tag && answer->tag != flight->request.tag)
            continue;
        if (answer->prefix &&
            strncmp(answer->prefix, flight->request.path, strlen(answer->prefix)) != 0)
            continue;
        answer->used++;
        return answer;
    }
    kit_problem(&op->run->record, "the fixture has no answer for %s %s", flight->request.method,
                flight->request.path);
    op_over(op, SONDE_E_INTERNAL);
    return NULL;
}

static void check_code(struct op *op, const char *callback, int32_t code, int may_be_done)
{
    if (code > 0 && !(may_be_done && code == SONDE_DONE))
        kit_problem(&op->run->record, "%s returned %d", callback, code);
}

static void deliver_head(struct op *op, struct flight *flight)
{
    flight->answer = find_answer(op, flight);
    if (!flight->answer)
        return;
    flight->ordinal = ++op->answers;
    flight->phase = flight->answer->has_head ? PHASE_DATA : PHASE_END;
    if (!flight->answer->has_head)
        return;
    struct kit_pool pool = {0};
    struct sonde_response_head head = {
        .struct_size = sizeof(head),
        .status = flight->answer->status,
        .headers = copy_pairs(&pool, flight->answer->headers, flight->answer->header_count),
        .header_count = flight->answer->header_count};
    flight->code = op->run->table->op_response_head(op->state, flight->request.tag, &head);
    kit_pool_free(&pool);
    check_code(op, "op_response_head", flight->code, 0);
    if (flight->code)
        flight->phase = PHASE_END;
}

/* How much of the body may come through. */
static size_t body_limit(const struct flight *flight)
{
    const uint64_t max = flight->request.max_size;
    const size_t size = flight->answer->body_size;
    return max && size > max ? (size_t)max : size;
}

static void deliver_data(struct op *op, struct flight *flight)
{
    const struct kit_cancel *cancel = &op->run->fixture->cancel;
    size_t n = body_limit(flight) - flight->offset;
    if (op->run->manner.chunk && n > op->run->manner.chunk)
        n = op->run->manner.chunk;
    if (!op->ending && cancel->in_answer == flight->ordinal && cancel->after_bytes >= 0) {
        const size_t at = (size_t)cancel->after_bytes;
        if (flight->offset >= at) {
            op_over(op, SONDE_E_CANCELLED);
            return;
        }
        if (n > at - flight->offset)
            n = at - flight->offset;
    }
    if (!n) {
        flight->phase = PHASE_END;
        return;
    }
    /* In memory of its own, gone right afterwards: who reads beyond or keeps it is found out. */
    void *copy = malloc(n);
    if (!copy)
        kit_die("out of memory");
    memcpy(copy, flight->answer->body + flight->offset, n);
    flight->offset += n;
    const int32_t rc = op->run->table->op_response_data(op->state, flight->request.tag, copy, n);
    free(copy);
    check_code(op, "op_response_data", rc, 1);
    if (rc)
        flight->phase = PHASE_END;
    flight->code = rc == SONDE_DONE ? 0 : rc;
}

static int may_retry(const struct flight *flight, int32_t code)
{
    const int by_class =
        code == SONDE_E_THROTTLED ||
        (code == SONDE_E_BUSY && (flight->request.flags & SONDE_REQUEST_IDEMPOTENT));
    return by_class && flight->rows == 0 && flight->attempt < ATTEMPTS_MAX;
}

static uint32_t outcome_of(const struct flight *flight)
{
    return flight->answer->body_size > body_limit(flight) && flight->offset == body_limit(flight)
               ? SONDE_OUTCOME_TOO_LARGE
               : flight->answer->outcome;
}

static void deliver_end(struct op *op, struct flight *flight)
{
    static const char *const words[] = {"", "the connection ended early", "no answer in time",
                                        "the answer is too large", "the host refused the request"};
    struct kit_run *run = op->run;
    struct sonde_outcome outcome = {.struct_size = sizeof(outcome),
                                    .outcome = flight->code ? SONDE_OUTCOME_OK : outcome_of(flight),
                                    .attempt = flight->attempt,
                                    .can_retry =
                                        flight->rows == 0 && flight->attempt < ATTEMPTS_MAX,
                                    .body_bytes = flight->offset};
    outcome.text = words[outcome.outcome];
    const uint64_t rows = run->record.seen;
    const int32_t rc = run->table->op_response_end(op->state, flight->request.tag, &outcome);
    check_code(op, "op_response_end", rc, 0);
    flight->rows += run->record.seen - rows;
    const int32_t code = flight->code ? flight->code : rc;
    const uint32_t ordinal = flight->ordinal;
    if (!op->ending && may_retry(flight, code)) {
        run->now_ms += (int64_t)run->failure.wait_ms;
        memset(&run->failure, 0, sizeof(run->failure));
        flight->attempt++;
        flight->answer = NULL;
        flight->phase = PHASE_HEAD;
        flight->offset = 0;
        flight->code = 0;
        note_request(op, flight);
    } else {
        const size_t at = (size_t)(flight - op->flights);
        op->flight_count--;
        memmove(flight, flight + 1, (op->flight_count - at) * sizeof(*flight));
        op->wants_next = 1;
        if (code)
            op_over(op, code < 0 ? code : SONDE_E_INTERNAL);
    }
    const struct kit_cancel *cancel = &run->fixture->cancel;
    if (!op->ending && cancel->in_answer == ordinal && cancel->after_bytes < 0)
        op_over(op, SONDE_E_CANCELLED);
}

static void deliver(struct op *op, struct flight *flight)
{
    const uint64_t rows = op->run->record.seen;
    switch (flight->phase) {
    case PHASE_HEAD:
        op->run->now_ms += flight->request.delay_ms;
        deliver_head(op, flight);
        flight->rows += op->run->record.seen - rows;
        break;
    case PHASE_DATA:
        deliver_data(op, flight);
        flight->rows += op->run->record.seen - rows;
        break;
    case PHASE_END:
        deliver_end(op, flight);
        break;
    }
}

static struct flight *pick(struct op *op)
{
    if (!op->run->manner.interleaved)
        return &op->flights[0];
    op->turn = op->turn == 0 || op->turn >= op->flight_count ? op->flight_count - 1 : op->turn - 1;
    return &op->flights[op->turn];
}

/* A request that makes something is heard out, so that what it made can be removed. */
static void hear_out(struct op *op)
{
    op->ending = 1;
    for (size_t i = 0; i < op->flight_count;) {
        const size_t count = op->flight_count;
        struct flight *flight = &op->flights[i];
        if (flight->request.flags & SONDE_REQUEST_CREATES) {
            do
                deliver(op, flight);
            while (op->flight_count == count && flight->answer);
        }
        if (op->flight_count == count)
            i++;
    }
}

static void run_op(struct op *op)
{
    op->wants_next = 1;
    while (!op->over) {
        if (op->wants_next && op->flight_count < IN_FLIGHT_MAX)
            ask_next(op);
        else
            deliver(op, pick(op));
    }
    if (op->result == SONDE_E_CANCELLED)
        hear_out(op);
}

static const struct sonde_pair *params_of(struct kit_run *run, struct kit_pool *pool)
{
    const struct sonde_plugin *table = run->table;
    const struct kit_fixture *fixture = run->fixture;
    struct sonde_pair *params = kit_alloc(pool, table->param_count * sizeof(*params));
    for (size_t i = 0; i < fixture->param_count; i++) {
        size_t k = 0;
        while (k < table->param_count && strcmp(table->params[k]->key, fixture->params[i].key) != 0)
            k++;
        if (k == table->param_count)
            kit_die("%s: the adapter declares no parameter \"%s\"", fixture->name,
                    fixture->params[i].key);
    }
    for (size_t i = 0; i < table->param_count; i++) {
        const struct sonde_param *param = table->params[i];
        const char *value = param->def ? param->def : "";
        int is_given = 0;
        for (size_t k = 0; k < fixture->param_count; k++) {
            if (strcmp(fixture->params[k].key, param->key) != 0)
                continue;
            value = fixture->params[k].value;
            is_given = 1;
        }
        uint64_t ms;
        if ((param->flags & SONDE_PARAM_REQUIRED) && !is_given)
            kit_die("%s: parameter \"%s\" is required", fixture->name, param->key);
        if (param->flags & SONDE_PARAM_SECRET)
            value = *value ? "set" : "";
        else if (param->type == SONDE_PARAM_DURATION && *value) {
            if (kit_parse_duration_ms(value, &ms))
                kit_die("%s: parameter \"%s\" is no duration", fixture->name, param->key);
            value = kit_format(pool, "%llu", (unsigned long long)ms);
        }
        params[i].key = kit_copy(pool, param->key, strlen(param->key));
        params[i].value = kit_copy(pool, value, strlen(value));
    }
    return params;
}

static int open_instance(struct kit_run *run, struct sonde_ctx *ctx, void **ret_instance)
{
    struct kit_pool pool = {0};
    const struct sonde_open open = {.struct_size = sizeof(open),
                                    .param_count32 = (uint32_t)run->table->param_count,
                                    .ctx = ctx,
                                    .url = copy_string(&pool, run->fixture->url),
                                    .ui_kind = copy_string(&pool, run->fixture->ui_kind),
                                    .params = params_of(run, &pool),
                                    .tenant = copy_string(&pool, run->fixture->tenant)};
    run->opening = 1;
    run->result = run->table->open(&open, ret_instance);
    run->opening = 0;
    kit_pool_free(&pool);
    return run->result;
}

static int32_t run_once(struct kit_run *run, struct sonde_ctx *ctx, void *instance)
{
    struct op op = {.run = run, .ctx = ctx};
    const struct sonde_pair *facts = copy_pairs(&ctx->pool, run->facts, run->fact_count);
    const struct sonde_begin begin = {.struct_size = sizeof(begin),
                                      .fact_count = run->fact_count,
                                      .ctx = ctx,
                                      .query = &run->fixture->query,
                                      .sink = &KIT_SINK,
                                      .facts = facts};
    const int32_t rc = run->table->op_begin(instance, &begin, &op.state);
    if (rc) {
        check_code(&op, "op_begin", rc, 0);
        return rc;
    }
    run_op(&op);
    run->table->op_end(op.state, op.result);
    return op.result;
}

static void make_link(struct kit_run *run, void *instance)
{
    if (!run->table->link) {
        kit_problem(&run->record, "the adapter has no link");
        return;
    }
    const char *executed = run->record.executed.data ? run->record.executed.data : "";
    const struct sonde_link link = {.struct_size = sizeof(link),
                                    .query = &run->fixture->query,
                                    .executed = executed,
                                    .ui_kind = run->fixture->ui_kind,
                                    .ui_param = run->fixture->ui_param};
    run->link = kit_alloc(&run->pool, LINK_MAX);
    if (run->table->link(instance, &link, run->link, LINK_MAX))
        run->link = NULL;
    else if (!memchr(run->link, '\0', LINK_MAX))
        kit_die("%s: link does not end in NUL", run->fixture->name);
}

static void check_failure(struct kit_run *run)
{
    const int is_own = run->result <= SONDE_E_BAD_QUERY && run->result >= SONDE_E_INTERNAL;
    if (is_own && run->failure.code != run->result && !run->record.problems.size)
        kit_problem(&run->record, "the operation ended in %s, but fail gave no reason for it",
                    RESULTS[-run->result]);
}

void kit_run(struct kit_run *run, const struct sonde_plugin *table, struct kit_fixture *fixture,
             struct kit_manner manner)
{
    memset(run, 0, sizeof(*run));
    run->table = table;
    run->fixture = fixture;
    run->manner = manner;
    run->record.stop_after = fixture->stop_after;
    run->record.counts_only = manner.counts_only;
    for (size_t i = 0; i < fixture->answer_count; i++)
        fixture->answers[i].used = 0;
    struct sonde_ctx connection = {.run = run};
    struct sonde_ctx ctx = {.run = run};
    for (size_t i = 0; i < fixture->fact_count; i++)
        kit_keep_fact(&ctx, fixture->facts[i].key, fixture->facts[i].value);
    void *instance = NULL;
    const uint32_t kind = fixture->query.kind;
    if (!(table->caps & SONDE_CAP(kind)))
        kit_die("%s: the adapter's caps lack %s", fixture->name, kit_kind_name(kind));
    if (fixture->query.must_understand & ~table->understands)
        kit_die("%s: the adapter does not understand enforced filters", fixture->name);
    if (open_instance(run, &connection, &instance) == 0) {
        run->result = run_once(run, &ctx, instance);
        if (run->result == SONDE_E_STALE_FACTS && run->record.seen == 0) {
            kit_pool_free(&ctx.pool);
            memset(&run->failure, 0, sizeof(run->failure));
            run->result = run_once(run, &ctx, instance);
        }
        kit_pool_free(&ctx.pool);
        if (fixture->wants_link)
            make_link(run, instance);
        table->close(instance);
    }
    kit_pool_free(&connection.pool);
    check_failure(run);
}

void kit_run_write(const struct kit_run *run, struct kit_text *ret_text)
{
    struct kit_text error = {0};
    const int is_failure = run->result < 0 && run->failure.code == run->result;
    if (is_failure) {
        kit_add(&error, "{\"text\": ");
        kit_add_json(&error, run->failure.text, strlen(run->failure.text));
        if (run->failure.position >= 0)
            kit_addf(&error, ", \"position\": %lld", (long long)run->failure.position);
        if (run->failure.wait_ms)
            kit_addf(&error, ", \"wait_ms\": %llu", (unsigned long long)run->failure.wait_ms);
        kit_add(&error, "}");
    }
    const char *result = run->result == SONDE_DONE ? "DONE" : "UNKNOWN";
    if (run->result <= 0 && (size_t)-run->result < sizeof(RESULTS) / sizeof(RESULTS[0]))
        result = RESULTS[-run->result];
    kit_record_write(&run->record, result, is_failure ? error.data : NULL, run->link, ret_text);
    kit_text_free(&error);
}

void kit_run_free(struct kit_run *run)
{
    kit_record_free(&run->record);
    kit_pool_free(&run->pool);
}
