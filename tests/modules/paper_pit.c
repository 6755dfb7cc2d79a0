/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that pages through logs under a point in time:
 *   POST /pit             {"id":"p1"}
 *   POST /search          {"pit":"p1","after":N}  gives  {"pit":"p2","hits":[{"t":S,"m":"..."},...],"after":N2}
 *   DELETE /pit/p2        closes it
 * The point must be closed however the operation ends, and its name changes from page to page.
 */
#include "paper.h"

const struct sonde_host *host;

enum { TAG_OPEN = 1, TAG_SEARCH = 2 };

struct op {
    struct sonde_begin begin;
    struct paper_answer answer;
    const char *pit;
    const char *after; /* where the next page begins; NULL: there is none */
    const char *next_after;
    int64_t time_ns;
    int is_waiting;
    int is_open;
};

/* From here on the host closes the point, whatever becomes of us. */
static void close_at_end(struct op *op)
{
    struct sonde_text path;
    sonde_text_init(&path, host, op->begin.ctx, 1024);
    sonde_text_add(&path, "/pit/");
    sonde_text_add_encoded(&path, op->pit, strlen(op->pit));
    const struct sonde_request request = {
        .struct_size = sizeof(request), .method = "DELETE", .path = sonde_text_string(&path)};
    op->begin.sink->at_end(op->begin.ctx, 0, &request);
}

static int on_json(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct op *op = user;
    const char *key = op->answer.key;
    if (paper_is_key(&op->answer, type, text, size))
        return 0;
    if (type == SONDE_JSON_STRING && depth == 1 &&
        (strcmp(key, "id") == 0 || strcmp(key, "pit") == 0)) {
        op->pit = paper_copy(op->begin.ctx, text, size);
        op->is_open = 1;
        close_at_end(op);
    }
    if (type == SONDE_JSON_NUMBER && depth == 1 && strcmp(key, "after") == 0)
        op->next_after = paper_copy(op->begin.ctx, text, size);
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

static int32_t pit_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    struct op *op = host->alloc(begin->ctx, sizeof(*op));
    if (!op || sonde_json_init(&op->answer.json, on_json, op, 0, 16, 0))
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->begin = *begin;
    op->after = "0";
    *ret_op = op;
    return 0;
}

static int32_t pit_next(void *opaque, struct sonde_request *request)
{
    struct op *op = opaque;
    struct sonde_text body;
    if (op->is_waiting)
        return SONDE_WAIT;
    if (op->is_open && !op->after)
        return SONDE_DONE;
    op->is_waiting = 1;
    request->method = "POST";
    request->tag = op->is_open ? TAG_SEARCH : TAG_OPEN;
    request->path = op->is_open ? "/search" : "/pit";
    request->flags = op->is_open ? SONDE_REQUEST_IDEMPOTENT : SONDE_REQUEST_CREATES;
    if (!op->is_open)
        return SONDE_REQUEST;
    sonde_text_init(&body, host, op->begin.ctx, 4096);
    sonde_text_add(&body, "{\"pit\":");
    sonde_text_add_json(&body, op->pit, strlen(op->pit));
    sonde_text_add_format(&body, ",\"after\":%s}", op->after);
    request->body = sonde_text_string(&body);
    request->body_size = body.size;
    return SONDE_REQUEST;
}

static int32_t pit_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    struct op *op = opaque;
    (void)tag;
    op->next_after = NULL;
    paper_head(&op->answer, head);
    return 0;
}

static int32_t pit_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    (void)tag;
    return paper_data(op->begin.ctx, &op->answer, data, size);
}

static int32_t pit_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    const int32_t rc = paper_end(op->begin.ctx, &op->answer, outcome);
    if (rc)
        return rc;
    op->is_waiting = 0;
    if (tag == TAG_OPEN)
        return op->is_open ? 0
                           : host->fail(op->begin.ctx, SONDE_E_BAD_ANSWER, -1,
                                        "the answer names no point in time");
    op->after = op->next_after;
    if (op->after)
        op->begin.sink->resume(op->begin.ctx, op->after, strlen(op->after));
    return 0;
}

static void pit_op_end(void *opaque, int32_t reason)
{
    (void)reason;
    sonde_json_free(&((struct op *)opaque)->answer.json);
}

static const struct sonde_allowed pit = {
    .struct_size = sizeof(pit), .method = "POST", .path_prefix = "/pit"};
static const struct sonde_allowed search = {
    .struct_size = sizeof(search), .method = "POST", .path_prefix = "/search"};
static const struct sonde_allowed removal = {
    .struct_size = sizeof(removal), .method = "DELETE", .path_prefix = "/pit/"};
static const struct sonde_allowed *const allowed[] = {&pit, &search, &removal};
static const struct sonde_plugin table = {
    PAPER_TABLE("paper_pit", SONDE_CAP(SONDE_KIND_LOGS) | SONDE_CAP_NATIVE),
    .allowed = allowed,
    .allowed_count = 3,
    .open = paper_open,
    .close = paper_close,
    .op_begin = pit_begin,
    .op_next = pit_next,
    .op_response_head = pit_head,
    .op_response_data = pit_data,
    .op_response_end = pit_end,
    .op_end = pit_op_end};

SONDE_PLUGIN(table, host)
