/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend whose queries run for a while:
 *   POST /start {"query":"..."}   {"id":"q1"}
 *   GET /result?id=q1             {"state":"running"}, or {"state":"done","rows":[{"t":S,"m":"..."},...]}
 *   POST /stop?id=q1              costs nobody anything any more
 * Stopped unless it has finished by itself.
 */
#include "paper.h"

#define POLL_MS 500

const struct sonde_host *host;

enum { TAG_START = 1, TAG_RESULT = 2 };

struct op {
    struct sonde_begin begin;
    struct paper_answer answer;
    const char *id;
    int64_t time_ns;
    uint32_t polls;
    int is_waiting;
    int is_done;
};

static const char *path_with_id(struct op *op, const char *path)
{
    struct sonde_text text;
    sonde_text_init(&text, host, op->begin.ctx, 1024);
    sonde_text_add(&text, path);
    sonde_text_add_param(&text, "id", op->id, strlen(op->id));
    return sonde_text_string(&text);
}

static int on_json(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct op *op = user;
    const char *key = op->answer.key;
    if (paper_is_key(&op->answer, type, text, size))
        return 0;
    if (type == SONDE_JSON_STRING && depth == 1 && strcmp(key, "id") == 0) {
        op->id = paper_copy(op->begin.ctx, text, size);
        const struct sonde_request stop = {
            .struct_size = sizeof(stop), .method = "POST", .path = path_with_id(op, "/stop?")};
        op->begin.sink->at_end(op->begin.ctx, 0, &stop);
    }
    if (type == SONDE_JSON_STRING && depth == 1 && strcmp(key, "state") == 0)
        op->is_done = size == 4 && memcmp(text, "done", 4) == 0;
    if (type == SONDE_JSON_NUMBER && depth == 3 && strcmp(key, "t") == 0)
        return sonde_parse_seconds_ns(text, size, &op->time_ns);
    if (type == SONDE_JSON_STRING && depth == 3 && strcmp(key, "m") == 0) {
        const struct sonde_log row = {.struct_size = sizeof(row),
                                      .time_ns = op->time_ns,
                                      .message = text,
                                      .message_size = size};
        return op->begin.sink->log(op->begin.ctx, &row);
    }
    return 0;
}

static int32_t poll_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    struct op *op = host->alloc(begin->ctx, sizeof(*op));
    if (!op || sonde_json_init(&op->answer.json, on_json, op, 0, 16, 0))
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->begin = *begin;
    *ret_op = op;
    return 0;
}

static int32_t start(struct op *op, struct sonde_request *request)
{
    const struct sonde_query *q = op->begin.query;
    struct sonde_text body;
    sonde_text_init(&body, host, op->begin.ctx, 65536);
    sonde_text_add(&body, "{\"query\":");
    sonde_text_add_json(&body, q->native, q->native_size);
    sonde_text_add(&body, "}");
    op->begin.sink->executed(op->begin.ctx, q->native, q->native_size);
    request->tag = TAG_START;
    request->flags = SONDE_REQUEST_CREATES;
    request->method = "POST";
    request->path = "/start";
    request->body = sonde_text_string(&body);
    request->body_size = body.size;
    return SONDE_REQUEST;
}

static int32_t poll_next(void *opaque, struct sonde_request *request)
{
    struct op *op = opaque;
    if (op->is_waiting)
        return SONDE_WAIT;
    if (op->is_done) {
        op->begin.sink->at_end(op->begin.ctx, 0, NULL);
        return SONDE_DONE;
    }
    op->is_waiting = 1;
    if (!op->id)
        return start(op, request);
    request->tag = TAG_RESULT;
    request->flags = SONDE_REQUEST_IDEMPOTENT;
    request->delay_ms = op->polls++ ? POLL_MS : 0;
    request->method = "GET";
    request->path = path_with_id(op, "/result?");
    return SONDE_REQUEST;
}

static int32_t poll_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    (void)tag;
    paper_head(&((struct op *)opaque)->answer, head);
    return 0;
}

static int32_t poll_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    (void)tag;
    return paper_data(op->begin.ctx, &op->answer, data, size);
}

static int32_t poll_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    const int32_t rc = paper_end(op->begin.ctx, &op->answer, outcome);
    if (rc)
        return rc;
    op->is_waiting = 0;
    if (tag == TAG_START && !op->id)
        return host->fail(op->begin.ctx, SONDE_E_BAD_ANSWER, -1, "the answer names no query");
    return 0;
}

static void poll_op_end(void *opaque, int32_t reason)
{
    (void)reason;
    sonde_json_free(&((struct op *)opaque)->answer.json);
}

static const struct sonde_allowed begin_it = {
    .struct_size = sizeof(begin_it), .method = "POST", .path_prefix = "/start"};
static const struct sonde_allowed stop_it = {
    .struct_size = sizeof(stop_it), .method = "POST", .path_prefix = "/stop?"};
static const struct sonde_allowed read_it = {
    .struct_size = sizeof(read_it), .method = "GET", .path_prefix = "/result?"};
static const struct sonde_allowed *const allowed[] = {&begin_it, &stop_it, &read_it};
static const struct sonde_plugin table = {
    PAPER_TABLE("paper_poll", SONDE_CAP(SONDE_KIND_LOGS) | SONDE_CAP_NATIVE),
    .allowed = allowed,
    .allowed_count = 3,
    .open = paper_open,
    .close = paper_close,
    .op_begin = poll_begin,
    .op_next = poll_next,
    .op_response_head = poll_head,
    .op_response_data = poll_data,
    .op_response_end = poll_end,
    .op_end = poll_op_end};

SONDE_PLUGIN(table, host)
