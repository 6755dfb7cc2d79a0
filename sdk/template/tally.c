/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole adapter, for a backend named Tally that answers GET /v1/ping with any JSON, and
 *   GET /v1/range?metric=M&from=S&to=S&step=S  with  {"series":[{"host":"a","points":[[S,V],...]},...]}
 * and errors as {"error":"..."} with a status. Copy it, then change what knows Tally: write_path (query to
 * request), on_json (answer to rows), tally_end (errors to classes) and the table.
 */
#include <sonde/json.h>
#include <sonde/plugin.h>
#include <sonde/text.h>

#include <string.h>

static const struct sonde_host *host;

struct op {
    struct sonde_ctx *ctx;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    struct sonde_json json;
    struct sonde_text path;
    uint32_t sent;   /* the one request is on its way or answered */
    uint32_t status; /* HTTP */
    char body[512];  /* of an error: its beginning */
    size_t body_size;
    uint64_t series;
    int64_t time_ns;
    uint32_t in_point; /* numbers of the point read so far */
};

static int32_t tally_open(const struct sonde_open *open, void **ret_instance)
{
    (void)open;
    *ret_instance = NULL; /* nothing to remember about a connection */
    return 0;
}

static void tally_close(void *instance)
{
    (void)instance;
}

static void write_path(struct op *op)
{
    const struct sonde_query *q = op->query;
    sonde_text_add(&op->path, q->kind == SONDE_KIND_HEALTH ? "/v1/ping" : "/v1/range?");
    if (q->kind == SONDE_KIND_HEALTH)
        return;
    sonde_text_add_param(&op->path, "metric", q->native, q->native_size);
    sonde_text_add(&op->path, "&from=");
    sonde_text_add_seconds(&op->path, q->start_ns);
    sonde_text_add(&op->path, "&to=");
    sonde_text_add_seconds(&op->path, q->end_ns);
    sonde_text_add(&op->path, "&step=");
    sonde_text_add_seconds(&op->path, q->step_ns);
}

/* The host's name stands three levels deep, a point four, its numbers five. */
static int on_json(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct op *op = user;
    if (type == SONDE_JSON_STRING && depth == 3) {
        const struct sonde_label label = {"host", 4, text, size};
        const struct sonde_series row = {
            .struct_size = sizeof(row), .id = ++op->series, .labels = &label, .label_count = 1};
        return op->sink->series(op->ctx, &row) == SONDE_STOP;
    } else if (type == SONDE_JSON_ARRAY_BEGIN && depth == 4) {
        op->in_point = 0;
    } else if (type == SONDE_JSON_NUMBER && depth == 5) {
        double value;
        if (op->in_point++ == 0)
            return sonde_parse_seconds_ns(text, size, &op->time_ns);
        if (sonde_parse_double(text, size, &value) || !op->series)
            return SONDE_JSON_E_SYNTAX;
        return op->sink->points(op->ctx, op->series, 1, &op->time_ns, &value) == SONDE_STOP;
    }
    return 0;
}

static int32_t tally_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    struct op *op = host->alloc(begin->ctx, sizeof(*op)); /* zeroed, gone after op_end */
    if (!op || sonde_json_init(&op->json, on_json, op, 0, 16, 0))
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->ctx = begin->ctx;
    op->query = begin->query;
    op->sink = begin->sink;
    sonde_text_init(&op->path, host, op->ctx, 4096);
    *ret_op = op;
    return 0;
}

static int32_t tally_next(void *opaque, struct sonde_request *request)
{
    struct op *op = opaque;
    if (op->sent)
        return SONDE_DONE; /* called again after the answer: there is no second page */
    write_path(op);
    if (op->path.failed)
        return host->fail(op->ctx, SONDE_E_BAD_QUERY, -1, "the metric's name is too long");
    if (op->query->kind == SONDE_KIND_METRICS)
        op->sink->executed(op->ctx, op->query->native, op->query->native_size);
    op->sent = 1;
    request->flags = SONDE_REQUEST_IDEMPOTENT;
    request->method = "GET";
    request->path = sonde_text_string(&op->path);
    return SONDE_REQUEST;
}

static int32_t tally_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    struct op *op = opaque;
    (void)tag;
    op->status = head->status; /* a new attempt: everything starts over */
    op->body_size = 0;
    sonde_json_reset(&op->json);
    return 0;
}

static int32_t tally_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    (void)tag;
    if (op->status == 200) {
        const int rc = sonde_json_feed(&op->json, data, size);
        if (rc > 0)
            return SONDE_DONE; /* the sink has enough */
        return rc ? host->fail(op->ctx, SONDE_E_BAD_ANSWER, -1, sonde_json_error(rc)) : 0;
    }
    const size_t room = sizeof(op->body) - op->body_size;
    memcpy(op->body + op->body_size, data, size < room ? size : room);
    op->body_size += size < room ? size : room;
    return 0;
}

static int32_t tally_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    char text[256];
    (void)tag;
    if (outcome->outcome != SONDE_OUTCOME_OK)
        return host->fail(op->ctx, SONDE_E_BAD_ANSWER, -1, outcome->text);
    if (op->status == 200) {
        const int rc = sonde_json_end(&op->json);
        return rc < 0 ? host->fail(op->ctx, SONDE_E_BAD_ANSWER, -1, sonde_json_error(rc)) : 0;
    }
    sonde_describe_body(op->body, op->body_size, text, sizeof(text));
    const int32_t code = op->status == 400 ? SONDE_E_BAD_QUERY : sonde_class_of_status(op->status);
    return host->fail(op->ctx, code, -1, text);
}

static void tally_op_end(void *opaque, int32_t reason)
{
    (void)reason;
    sonde_json_free(&((struct op *)opaque)->json);
}

static const struct sonde_allowed v1 = {
    .struct_size = sizeof(v1), .method = "GET", .path_prefix = "/v1/"};
static const struct sonde_allowed *const allowed[] = {&v1};
/* clang-format off */
static const struct sonde_plugin table = {
    .struct_size = sizeof(table), .abi_major = SONDE_ABI_MAJOR, .abi_minor = SONDE_ABI_MINOR,
    .caps = SONDE_CAP(SONDE_KIND_HEALTH) | SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP_NATIVE,
    .name = "tally", .version = "0.1", .license = "Apache-2.0",
    .summary = "Tally, an example", .homepage = "https://example.org/tally",
    .allowed = allowed, .allowed_count = 1, .open = tally_open, .close = tally_close,
    .op_begin = tally_begin, .op_next = tally_next, .op_response_head = tally_head,
    .op_response_data = tally_data, .op_response_end = tally_end, .op_end = tally_op_end};
/* clang-format on */

SONDE_PLUGIN(table, host)
