/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway: GET /sources gives [{"uid":"a","name":"Main","type":"prometheus","default":true},...]. Behind a source of
 * type "native" it answers by itself: GET /native/UID/value?expr=... gives {"value":V}. What a source of another type
 * holds is for the adapter of that type, which the host opens at /proxy/UID. The uids of native sources are a fact.
 */
#include "paper.h"

#include <stdio.h>

const struct sonde_host *host;

struct op {
    struct sonde_begin begin;
    struct paper_answer answer;
    struct sonde_text natives; /* ",uid,uid," */
    const char *uid;
    const char *name;
    const char *type;
    uint32_t is_default;
    int is_sent;
};

static void emit_scope(struct op *op)
{
    static const struct sonde_pair org = {"X-Org-Id", "1"};
    const int is_native = strcmp(op->type, "native") == 0;
    struct sonde_text prefix;
    sonde_text_init(&prefix, host, op->begin.ctx, 1024);
    sonde_text_add(&prefix, "/proxy/");
    sonde_text_add_encoded(&prefix, op->uid, strlen(op->uid));
    const struct sonde_scope row = {.struct_size = sizeof(row),
                                    .is_default = op->is_default,
                                    .id = op->uid,
                                    .name = op->name,
                                    .sort = "datasource",
                                    .backend = is_native ? NULL : op->type,
                                    .path_prefix = is_native ? NULL : sonde_text_string(&prefix),
                                    .headers = is_native ? NULL : &org,
                                    .header_count = is_native ? 0 : 1};
    op->begin.sink->scope(op->begin.ctx, &row);
    if (is_native)
        sonde_text_add_format(&op->natives, "%s,", op->uid);
}

static int on_json(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct op *op = user;
    const char *key = op->answer.key;
    if (paper_is_key(&op->answer, type, text, size))
        return 0;
    if (op->begin.query->kind == SONDE_KIND_METRICS) {
        double value;
        if (type != SONDE_JSON_NUMBER || depth != 1 || sonde_parse_double(text, size, &value))
            return 0;
        paper_series(&op->begin, 1, op->begin.query->scope);
        return op->begin.sink->points(op->begin.ctx, 1, 1, &op->begin.query->end_ns, &value);
    }
    if (type == SONDE_JSON_OBJECT_BEGIN) {
        op->uid = op->name = op->type = "";
        op->is_default = 0;
    }
    if (type == SONDE_JSON_STRING && strcmp(key, "uid") == 0)
        op->uid = paper_copy(op->begin.ctx, text, size);
    if (type == SONDE_JSON_STRING && strcmp(key, "name") == 0)
        op->name = paper_copy(op->begin.ctx, text, size);
    if (type == SONDE_JSON_STRING && strcmp(key, "type") == 0)
        op->type = paper_copy(op->begin.ctx, text, size);
    if (type == SONDE_JSON_TRUE && strcmp(key, "default") == 0)
        op->is_default = 1;
    if (type == SONDE_JSON_OBJECT_END)
        emit_scope(op);
    return 0;
}

/* A scope of ours, if the connection's facts know it; a gateway whose facts are older says so. */
static int32_t check_scope(const struct sonde_begin *begin)
{
    char wanted[128];
    const char *natives = sonde_pair_get(begin->facts, begin->fact_count, "natives");
    const size_t n = strlen(begin->query->scope);
    if (!natives)
        return host->fail(begin->ctx, SONDE_E_NOT_FOUND, -1, "ask for the scopes first");
    if (n + 3 > sizeof(wanted))
        return host->fail(begin->ctx, SONDE_E_NOT_FOUND, -1, "no scope has such a long name");
    wanted[0] = ',';
    memcpy(wanted + 1, begin->query->scope, n);
    memcpy(wanted + 1 + n, ",", 2);
    if (strstr(natives, wanted))
        return 0;
    return sonde_failf(host, begin->ctx, SONDE_E_NOT_FOUND, -1,
                       "no scope \"%s\" of this gateway's own; it has %s", begin->query->scope,
                       natives);
}

static int32_t gateway_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    if (begin->query->kind == SONDE_KIND_METRICS) {
        const int32_t rc = check_scope(begin);
        if (rc)
            return rc;
    }
    struct op *op = host->alloc(begin->ctx, sizeof(*op));
    if (!op || sonde_json_init(&op->answer.json, on_json, op, 0, 16, 0))
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->begin = *begin;
    sonde_text_init(&op->natives, host, begin->ctx, 1000);
    sonde_text_add(&op->natives, ",");
    *ret_op = op;
    return 0;
}

static int32_t gateway_next(void *opaque, struct sonde_request *request)
{
    struct op *op = opaque;
    const struct sonde_query *q = op->begin.query;
    struct sonde_text path;
    if (op->is_sent)
        return SONDE_DONE;
    op->is_sent = 1;
    sonde_text_init(&path, host, op->begin.ctx, 8192);
    if (q->kind == SONDE_KIND_SCOPES) {
        sonde_text_add(&path, "/sources");
    } else {
        sonde_text_add(&path, "/native/");
        sonde_text_add_encoded(&path, q->scope, strlen(q->scope));
        sonde_text_add(&path, "/value?");
        sonde_text_add_param(&path, "expr", q->native, q->native_size);
    }
    request->flags = SONDE_REQUEST_IDEMPOTENT;
    request->method = "GET";
    request->path = sonde_text_string(&path);
    return SONDE_REQUEST;
}

static int32_t gateway_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    (void)tag;
    paper_head(&((struct op *)opaque)->answer, head);
    return 0;
}

static int32_t gateway_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    (void)tag;
    return paper_data(op->begin.ctx, &op->answer, data, size);
}

static int32_t gateway_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    (void)tag;
    const int32_t rc = paper_end(op->begin.ctx, &op->answer, outcome);
    if (!rc && op->begin.query->kind == SONDE_KIND_SCOPES)
        op->begin.sink->fact(op->begin.ctx, "natives", sonde_text_string(&op->natives), 60000);
    return rc;
}

static void gateway_op_end(void *opaque, int32_t reason)
{
    (void)reason;
    sonde_json_free(&((struct op *)opaque)->answer.json);
}

static int32_t gateway_link(void *instance, const struct sonde_link *link, char *buf, size_t size)
{
    (void)instance;
    const int n = snprintf(buf, size, "/explore?source=%s", link->query->scope);
    return n < 0 || (size_t)n >= size ? SONDE_E_TOO_MUCH : 0;
}

static const struct sonde_allowed sources = {
    .struct_size = sizeof(sources), .method = "GET", .path_prefix = "/sources"};
static const struct sonde_allowed native = {
    .struct_size = sizeof(native), .method = "GET", .path_prefix = "/native/"};
static const struct sonde_allowed *const allowed[] = {&sources, &native};
static const struct sonde_plugin table = {
    PAPER_TABLE("paper_gateway",
                SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_SCOPES) | SONDE_CAP_NATIVE),
    .allowed = allowed,
    .allowed_count = 2,
    .open = paper_open,
    .close = paper_close,
    .op_begin = gateway_begin,
    .op_next = gateway_next,
    .op_response_head = gateway_head,
    .op_response_data = gateway_data,
    .op_response_end = gateway_end,
    .op_end = gateway_op_end,
    .link = gateway_link};

SONDE_PLUGIN(table, host)
