/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that takes metrics in batches and answers each in pages: POST /data {"metrics":["a","b"],"token":"t"}
 * gives {"results":[{"id":"a","values":[[S,V],...]},...],"next":"t2"}. The native text lists metrics, ';' between
 * batches and ',' within one. All batches are on their way together, each by its own page.
 */
#include "paper.h"

#define BATCHES_MAX 4

const struct sonde_host *host;

struct op;

struct batch {
    struct op *op;
    struct paper_answer answer;
    const char *metrics;
    size_t metrics_size;
    const char *token; /* of the page to ask for */
    const char *next;  /* as the page being read says */
    uint64_t series;
    int64_t time_ns;
    uint32_t in_point;
    int in_flight;
    int done;
};

struct op {
    struct sonde_begin begin; /* its pointers live as long as the operation */
    struct batch batches[BATCHES_MAX];
    uint32_t batch_count;
    uint64_t series;
    const char *names[64]; /* of the series, so that a later page goes on with the same one */
};

static uint64_t series_of(struct op *op, const char *text, size_t size)
{
    for (uint64_t i = 0; i < op->series; i++) {
        if (strlen(op->names[i]) == size && memcmp(op->names[i], text, size) == 0)
            return i + 1;
    }
    if (op->series == 64)
        return 0;
    op->names[op->series++] = paper_copy(op->begin.ctx, text, size);
    paper_series(&op->begin, op->series, op->names[op->series - 1]);
    return op->series;
}

static int on_json(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct batch *batch = user;
    struct op *op = batch->op;
    double value;
    if (paper_is_key(&batch->answer, type, text, size))
        return 0;
    if (type == SONDE_JSON_STRING && depth == 1 && strcmp(batch->answer.key, "next") == 0)
        batch->next = paper_copy(op->begin.ctx, text, size);
    if (type == SONDE_JSON_STRING && depth == 3)
        batch->series = series_of(op, text, size);
    if (type == SONDE_JSON_ARRAY_BEGIN && depth == 4)
        batch->in_point = 0;
    if (type != SONDE_JSON_NUMBER || depth != 5)
        return 0;
    if (batch->in_point++ == 0)
        return sonde_parse_seconds_ns(text, size, &batch->time_ns);
    if (!batch->series || sonde_parse_double(text, size, &value))
        return SONDE_JSON_E_SYNTAX;
    return op->begin.sink->points(op->begin.ctx, batch->series, 1, &batch->time_ns, &value);
}

static void free_readers(struct op *op)
{
    for (uint32_t i = 0; i < op->batch_count; i++)
        sonde_json_free(&op->batches[i].answer.json);
}

static int32_t pages_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    struct op *op = host->alloc(begin->ctx, sizeof(*op));
    if (!op)
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->begin = *begin;
    const char *at = begin->query->native;
    const char *end = at + begin->query->native_size;
    while (at < end && op->batch_count < BATCHES_MAX) {
        struct batch *batch = &op->batches[op->batch_count++];
        const char *stop = memchr(at, ';', (size_t)(end - at));
        stop = stop ? stop : end;
        batch->op = op;
        batch->metrics = at;
        batch->metrics_size = (size_t)(stop - at);
        batch->token = "";
        if (sonde_json_init(&batch->answer.json, on_json, batch, 0, 16, 0)) {
            free_readers(op);
            return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
        }
        at = stop + 1;
    }
    if (at < end) {
        free_readers(op);
        return host->fail(begin->ctx, SONDE_E_TOO_MUCH, -1, "more than 4 batches");
    }
    *ret_op = op;
    return 0;
}

static const char *body_of(struct op *op, const struct batch *batch, size_t *ret_size)
{
    struct sonde_text body;
    sonde_text_init(&body, host, op->begin.ctx, 4096);
    sonde_text_add(&body, "{\"metrics\":[");
    size_t from = 0;
    for (size_t i = 0; i <= batch->metrics_size; i++) {
        if (i < batch->metrics_size && batch->metrics[i] != ',')
            continue;
        sonde_text_add(&body, from ? "," : "");
        sonde_text_add_json(&body, batch->metrics + from, i - from);
        from = i + 1;
    }
    sonde_text_add(&body, "],\"token\":");
    sonde_text_add_json(&body, batch->token, strlen(batch->token));
    sonde_text_add(&body, "}");
    *ret_size = body.size;
    return sonde_text_string(&body);
}

static int32_t pages_next(void *opaque, struct sonde_request *request)
{
    static const struct sonde_pair json = {"Content-Type", "application/json"};
    struct op *op = opaque;
    struct batch *ready = NULL;
    uint32_t ready_count = 0;
    uint32_t in_flight = 0;
    for (uint32_t i = op->batch_count; i > 0; i--) {
        struct batch *batch = &op->batches[i - 1];
        in_flight += batch->in_flight ? 1 : 0;
        if (!batch->in_flight && !batch->done) {
            ready = batch;
            ready_count++;
        }
    }
    if (!ready)
        return in_flight ? SONDE_WAIT : SONDE_DONE;
    ready->in_flight = 1;
    request->flags = SONDE_REQUEST_IDEMPOTENT | (ready_count > 1 ? SONDE_REQUEST_MORE : 0);
    request->tag = (uint32_t)(ready - op->batches) + 1;
    request->method = "POST";
    request->path = "/data";
    request->headers = &json;
    request->header_count = 1;
    request->body = body_of(op, ready, &request->body_size);
    return SONDE_REQUEST;
}

static int32_t pages_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    struct batch *batch = &((struct op *)opaque)->batches[tag - 1];
    batch->next = NULL;
    batch->series = 0;
    paper_head(&batch->answer, head);
    return 0;
}

static int32_t pages_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    return paper_data(op->begin.ctx, &op->batches[tag - 1].answer, data, size);
}

static int32_t pages_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    struct batch *batch = &op->batches[tag - 1];
    const int32_t rc = paper_end(op->begin.ctx, &batch->answer, outcome);
    if (rc == SONDE_E_THROTTLED || rc == SONDE_E_BUSY)
        return rc; /* the host may send this page once more under its tag */
    batch->in_flight = 0;
    batch->done = batch->next == NULL;
    batch->token = batch->next;
    return rc;
}

static void pages_op_end(void *opaque, int32_t reason)
{
    (void)reason;
    free_readers(opaque);
}

static const struct sonde_allowed data = {
    .struct_size = sizeof(data), .method = "POST", .path_prefix = "/data"};
static const struct sonde_allowed *const allowed[] = {&data};
static const struct sonde_plugin table = {
    PAPER_TABLE("paper_pages", SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP_NATIVE),
    .allowed = allowed,
    .allowed_count = 1,
    .open = paper_open,
    .close = paper_close,
    .op_begin = pages_begin,
    .op_next = pages_next,
    .op_response_head = pages_head,
    .op_response_data = pages_data,
    .op_response_end = pages_end,
    .op_end = pages_op_end};

SONDE_PLUGIN(table, host)
