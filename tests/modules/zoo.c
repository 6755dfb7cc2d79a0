/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One source, many builds: modules that a host must refuse, and zoo_actor, which loads and then misbehaves as the
 * native text of the query says. README.md lists them all.
 */
#include <sonde/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What -DZOO=... may be. */
enum zoo {
    ZOO_GOOD,
    ZOO_NO_ENTRY,
    ZOO_V2_ONLY,
    ZOO_SHORT_TABLE,
    ZOO_FUTURE_TABLE,
    ZOO_NULL_SLOT,
    ZOO_NO_CAPS,
    ZOO_UNKNOWN_CAPS,
    ZOO_REQUIRED_CAPS,
    ZOO_BAD_NAME,
    ZOO_DUPLICATE,
    ZOO_NULL_IDENTITY,
    ZOO_NEEDS_MINOR,
    ZOO_OTHER_MAJOR,
    ZOO_ENTRY_ERROR,
    ZOO_ENTRY_SILENT,
    ZOO_BAD_ALLOWED,
    ZOO_ACTOR,
    ZOO_WAIT
};

static const struct sonde_host *host;

#define TRAPS 16

struct op {
    struct sonde_ctx *ctx;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    char act[64];
    uint32_t sent;
    uint32_t answered;
    uint32_t status;
    char *traps[TRAPS]; /* handed to the host in this callback, poisoned when the next one begins */
    size_t trap_count;
};

static int is_act(const struct op *op, const char *act)
{
    return strcmp(op->act, act) == 0;
}

/* A string that is gone after the callback: a host that kept the pointer is found out. */
static char *trap(struct op *op, const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    if (!copy || op->trap_count == TRAPS)
        abort();
    memcpy(copy, text, strlen(text) + 1);
    op->traps[op->trap_count++] = copy;
    return copy;
}

static void spring(struct op *op)
{
    while (op->trap_count) {
        char *text = op->traps[--op->trap_count];
        memset(text, 'X', strlen(text));
        free(text);
    }
}

static int32_t emit_series(struct op *op, uint64_t id, const char *value)
{
    char *name = trap(op, "pod");
    char *text = trap(op, value);
    const struct sonde_label label = {name, strlen(name), text, strlen(text)};
    const struct sonde_series row = {.struct_size = sizeof(row),
                                     .type = SONDE_TYPE_GAUGE,
                                     .id = id,
                                     .labels = &label,
                                     .label_count = 1,
                                     .unit = trap(op, "s")};
    const int32_t rc = op->sink->series(op->ctx, &row);
    spring(op);
    return rc;
}

static int32_t emit_points(struct op *op, uint64_t id, size_t n)
{
    int64_t t[64];
    double v[64];
    for (size_t i = 0; i < n && i < 64; i++) {
        t[i] = op->query->end_ns - (int64_t)i * 1000000000;
        v[i] = (double)i;
    }
    const int32_t rc = op->sink->points(op->ctx, id, n < 64 ? n : 64, t, v);
    memset(t, 0x55, sizeof(t));
    memset(v, 0x55, sizeof(v));
    return rc;
}

static int32_t emit_log(struct op *op, const char *message, size_t size)
{
    const struct sonde_log row = {.struct_size = sizeof(row),
                                  .severity = SONDE_SEVERITY_ERROR,
                                  .time_ns = op->query->end_ns,
                                  .message = message,
                                  .message_size = size};
    return op->sink->log(op->ctx, &row);
}

/* Rows until the host has enough, then a good many more that it must bear. */
static int32_t endless_rows(struct op *op, int is_deaf)
{
    uint64_t id = 0;
    uint64_t late = 0;
    while (late < (is_deaf ? 100000u : 1u)) {
        char value[32];
        snprintf(value, sizeof(value), "pod-%llu", (unsigned long long)id);
        int32_t rc = emit_series(op, ++id, value);
        rc |= emit_points(op, id, 64);
        late += rc == SONDE_STOP;
    }
    return 0;
}

static int32_t huge_row(struct op *op)
{
    const size_t size = (size_t)16 << 20;
    char *message = malloc(size);
    if (!message)
        abort();
    memset(message, 'm', size);
    emit_log(op, message, size);
    free(message);
    return 0;
}

static int32_t odd_values(struct op *op)
{
    static const int64_t t[] = {INT64_MIN, INT64_MAX, 0, 0, 0};
    const double zero = 0.0;
    const double v[] = {1.0, 0.0 / zero, 1.0 / zero, -1.0 / zero, -0.0};
    emit_series(op, 1, "odd");
    op->sink->points(op->ctx, 1, 5, t, v);
    op->sink->points(op->ctx, 1, 0, NULL, NULL);
    return 0;
}

static int32_t null_strings(struct op *op)
{
    static const struct sonde_label empty = {NULL, 0, NULL, 0};
    const struct sonde_series series = {
        .struct_size = sizeof(series), .id = 1, .labels = &empty, .label_count = 1};
    const struct sonde_series none = {.struct_size = sizeof(none), .id = 2};
    const struct sonde_name name = {.struct_size = sizeof(name)};
    op->sink->series(op->ctx, &series);
    op->sink->series(op->ctx, &none);
    op->sink->name(op->ctx, &name);
    return emit_log(op, NULL, 0);
}

static int32_t bad_utf8(struct op *op)
{
    emit_series(op, 1, "caf\xc3");
    emit_log(op, "\xff\xfe", 2);
    op->sink->note(op->ctx, "odd", "\xed\xa0\x80");
    return host->fail(op->ctx, SONDE_E_BAD_ANSWER, -1, "broken \xc3( text");
}

static int32_t many_facts(struct op *op)
{
    char key[32];
    char big[2048];
    memset(big, 'f', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof(key), "fact_%d", i);
        op->sink->fact(op->ctx, key, "1", 0);
    }
    op->sink->fact(op->ctx, "big", big, 0);
    op->sink->resume(op->ctx, big, sizeof(big));
    return 0;
}

/* A row from an adapter older than the last member. */
static int32_t small_rows(struct op *op)
{
    const size_t size = offsetof(struct sonde_series, unit);
    const struct sonde_series whole = {.struct_size = (uint32_t)size, .id = 1};
    void *row = malloc(size);
    if (!row)
        abort();
    memcpy(row, &whole, size);
    op->sink->series(op->ctx, row);
    free(row);
    return emit_points(op, 1, 3);
}

static int32_t alloc_forever(struct op *op)
{
    size_t given = 0;
    while (host->alloc(op->ctx, (size_t)1 << 20))
        given++;
    char text[64];
    snprintf(text, sizeof(text), "the host gave %zu MiB", given);
    return host->fail(op->ctx, SONDE_E_TOO_MUCH, -1, text);
}

static int32_t slow(struct op *op)
{
    const int64_t until = host->now_mono_ms(op->ctx) + 300;
    while (host->now_mono_ms(op->ctx) < until)
        continue;
    return 0;
}

static void leave_at_end(struct op *op, uint32_t slot, const char *path)
{
    const struct sonde_request request = {
        .struct_size = sizeof(request), .method = trap(op, "GET"), .path = trap(op, path)};
    op->sink->at_end(op->ctx, slot, &request);
    spring(op);
}

static int32_t zoo_open(const struct sonde_open *open, void **ret_instance)
{
    const char *mode = "";
    for (uint32_t i = 0; i < open->param_count32; i++)
        mode = strcmp(open->params[i].key, "mode") == 0 ? open->params[i].value : mode;
    if (strcmp(mode, "open_error") == 0)
        return host->fail(open->ctx, SONDE_E_UNSUPPORTED, -1, "this one does not open");
    if (strcmp(mode, "bad_endpoint") == 0) {
        const struct sonde_endpoint endpoint = {
            .struct_size = sizeof(endpoint), .name = "evil", .url = "gopher://169.254.169.254/"};
        host->endpoint(open->ctx, &endpoint);
    }
    *ret_instance = NULL;
    return 0;
}

static void zoo_close(void *instance)
{
    (void)instance;
}

static int32_t zoo_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    const struct sonde_query *q = begin->query;
    if (q->native_size == 11 && memcmp(q->native, "begin_error", 11) == 0)
        return host->fail(begin->ctx, SONDE_E_BAD_QUERY, 3, "this one does not begin");
    /* From malloc, so that an op_end that never comes is a leak the sanitizers see. */
    struct op *op = calloc(1, sizeof(*op));
    if (!op)
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->ctx = begin->ctx;
    op->query = q;
    op->sink = begin->sink;
    if (q->native_size < sizeof(op->act))
        memcpy(op->act, q->native, q->native_size);
    *ret_op = op;
    return 0;
}

/* The request of each act; NULL header: none. */
static const struct act_request {
    const char *act;
    const char *endpoint;
    const char *method;
    const char *path;
    struct sonde_pair header;
} ACT_REQUESTS[] = {
    {"undeclared_path", NULL, "GET", "/admin/delete", {NULL, NULL}},
    {"undeclared_method", NULL, "DELETE", "/zoo/data", {NULL, NULL}},
    {"dot_path", NULL, "GET", "/zoo/../admin", {NULL, NULL}},
    {"double_slash", NULL, "GET", "//evil.test/zoo/", {NULL, NULL}},
    {"path_injection", NULL, "GET", "/zoo/data HTTP/1.1\r\nHost: evil", {NULL, NULL}},
    {"null_path", NULL, "GET", NULL, {NULL, NULL}},
    {"unknown_endpoint", "elsewhere", "GET", "/zoo/data", {NULL, NULL}},
    {"forbidden_header", NULL, "GET", "/zoo/data", {"Authorization", "Bearer stolen"}},
    {"host_header", NULL, "GET", "/zoo/data", {"hOsT", "evil.test"}},
    {"proxy_header", NULL, "GET", "/zoo/data", {"Proxy-Connection", "x"}},
    {"header_injection", NULL, "GET", "/zoo/data", {"X-A", "1\r\nAuthorization: x"}},
    {"bad_header_name", NULL, "GET", "/zoo/data", {"X A", "1"}},
};

static int32_t send_request(struct op *op, struct sonde_request *request)
{
    const struct act_request *found = NULL;
    for (size_t i = 0; i < sizeof(ACT_REQUESTS) / sizeof(ACT_REQUESTS[0]); i++)
        found = is_act(op, ACT_REQUESTS[i].act) ? &ACT_REQUESTS[i] : found;
    request->method = trap(op, found ? found->method : "GET");
    request->path = found && !found->path ? NULL : trap(op, found ? found->path : "/zoo/data?q=1");
    if (found) {
        request->endpoint = found->endpoint;
        request->headers = &found->header;
        request->header_count = found->header.key ? 1 : 0;
    }
    request->tag = is_act(op, "same_tag") ? 7 : op->sent;
    if (is_act(op, "busy"))
        request->flags |= SONDE_REQUEST_IDEMPOTENT;
    op->sent++;
    return SONDE_REQUEST;
}

static int32_t zoo_next(void *opaque, struct sonde_request *request)
{
    struct op *op = opaque;
    spring(op);
    if (ZOO == ZOO_WAIT || is_act(op, "wait_forever") || (is_act(op, "wait_after") && op->answered))
        return SONDE_WAIT;
    if (is_act(op, "bad_code"))
        return 42;
    if (is_act(op, "unknown_error"))
        return -99;
    if (is_act(op, "fail_silently"))
        return SONDE_E_INTERNAL;
    if (is_act(op, "slow"))
        slow(op);
    if (is_act(op, "at_end_undeclared"))
        leave_at_end(op, 0, "/admin/close");
    if (is_act(op, "at_end_slot"))
        leave_at_end(op, 99, "/zoo/close");
    if (is_act(op, "endless_more") || is_act(op, "same_tag")) {
        request->flags = SONDE_REQUEST_MORE;
        return send_request(op, request);
    }
    if (op->sent && !is_act(op, "endless_requests"))
        return op->answered ? SONDE_DONE : SONDE_WAIT;
    return send_request(op, request);
}

static int32_t zoo_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    struct op *op = opaque;
    (void)tag;
    spring(op);
    op->status = head->status;
    if (is_act(op, "rows_then_throttled"))
        emit_series(op, 1, "early");
    return is_act(op, "throttled_in_head") ? SONDE_E_THROTTLED : 0;
}

static int32_t zoo_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    (void)tag;
    (void)data;
    (void)size;
    spring(op);
    return is_act(op, "data_bad_code") ? 42 : is_act(op, "enough") ? SONDE_DONE : 0;
}

static const struct {
    const char *act;
    int32_t (*play)(struct op *op);
} PLAYS[] = {{"huge_row", huge_row},          {"odd_values", odd_values},
             {"null_strings", null_strings},  {"bad_utf8", bad_utf8},
             {"many_facts", many_facts},      {"small_rows", small_rows},
             {"alloc_forever", alloc_forever}};

static int32_t zoo_answer_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    (void)tag;
    spring(op);
    op->answered++;
    if (is_act(op, "throttled") || is_act(op, "rows_then_throttled") ||
        is_act(op, "throttled_in_head"))
        return host->fail_after(op->ctx, SONDE_E_THROTTLED, 1, "come back later");
    if (is_act(op, "busy") || is_act(op, "busy_once_only"))
        return host->fail_after(op->ctx, SONDE_E_BUSY, 1, "too much to do");
    if (is_act(op, "stale_forever")) {
        op->sink->fact(op->ctx, "version", "2", 0);
        return host->fail(op->ctx, SONDE_E_STALE_FACTS, -1, "the version was another");
    }
    if (is_act(op, "endless_rows") || is_act(op, "deaf_rows"))
        return endless_rows(op, is_act(op, "deaf_rows"));
    if (is_act(op, "unannounced"))
        return emit_points(op, 77, 3);
    for (size_t i = 0; i < sizeof(PLAYS) / sizeof(PLAYS[0]); i++) {
        if (is_act(op, PLAYS[i].act))
            return PLAYS[i].play(op);
    }
    if (outcome->outcome != SONDE_OUTCOME_OK)
        return host->fail(op->ctx, SONDE_E_BAD_ANSWER, -1, outcome->text);
    emit_series(op, 1, "well");
    emit_points(op, 1, 3);
    return 0;
}

static void zoo_end(void *opaque, int32_t reason)
{
    struct op *op = opaque;
    (void)reason;
    spring(op);
    if (is_act(op, "late_rows")) {
        emit_series(op, 9, "late");
        host->fail(op->ctx, SONDE_E_INTERNAL, -1, "too late");
    }
    memset(op, 0x55, sizeof(*op));
    free(op);
}

static const struct sonde_param mode = {.struct_size = sizeof(mode),
                                        .type = SONDE_PARAM_STRING,
                                        .key = "mode",
                                        .def = "",
                                        .help = "how to misbehave in open"};
static const struct sonde_param *const params[] = {&mode};
static const struct sonde_allowed zoo_allowed = {.struct_size = sizeof(zoo_allowed),
                                                 .method = "GET",
                                                 .path_prefix =
                                                     ZOO == ZOO_BAD_ALLOWED ? "zoo" : "/zoo/"};
static const struct sonde_allowed *const allowed[] = {&zoo_allowed};

/* A table as a host of the future knows it. */
struct future_table {
    struct sonde_plugin now;
    void (*op_pause)(void *op);
    const char *motto;
    uint64_t tail[32];
};

#define GOOD_CAPS                                                                                \
    (SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_HEALTH) | SONDE_CAP(SONDE_KIND_LOGS) | \
     SONDE_CAP_NATIVE)

static const struct future_table table = {
    .now = {.struct_size = ZOO == ZOO_SHORT_TABLE ? (uint32_t)offsetof(struct sonde_plugin, op_end)
                           : ZOO == ZOO_FUTURE_TABLE ? (uint32_t)sizeof(struct future_table)
                                                     : (uint32_t)sizeof(struct sonde_plugin),
            .abi_major = ZOO == ZOO_OTHER_MAJOR ? 2 : SONDE_ABI_MAJOR,
            .abi_minor = ZOO == ZOO_FUTURE_TABLE || ZOO == ZOO_NEEDS_MINOR ? 99 : SONDE_ABI_MINOR,
            .needs_minor = ZOO == ZOO_NEEDS_MINOR ? 99 : 0,
            .caps = ZOO == ZOO_NO_CAPS ? 0
                    : ZOO == ZOO_UNKNOWN_CAPS || ZOO == ZOO_FUTURE_TABLE
                        ? GOOD_CAPS | (uint64_t)1 << 62
                        : GOOD_CAPS,
            .required_caps = ZOO == ZOO_REQUIRED_CAPS ? (uint64_t)1 << 63 : 0,
            .name = ZOO == ZOO_BAD_NAME    ? "Zoo-Bad name"
                    : ZOO == ZOO_DUPLICATE ? "zoo_good"
                                           : ZOO_NAME,
            .version = "1",
            .license = ZOO == ZOO_NULL_IDENTITY ? NULL : "Apache-2.0",
            .summary = "A module that misbehaves, for tests",
            .homepage = "https://example.org/zoo",
            .params = params,
            .param_count = 1,
            .allowed = allowed,
            .allowed_count = 1,
            .open = zoo_open,
            .close = zoo_close,
            .op_begin = zoo_begin,
            .op_next = ZOO == ZOO_NULL_SLOT ? NULL : zoo_next,
            .op_response_head = zoo_head,
            .op_response_data = zoo_data,
            .op_response_end = zoo_answer_end,
            .op_end = zoo_end},
    .motto = "from the future"};

#if defined(ZOO_WITHOUT_ENTRY)
SONDE_EXPORT const void *zoo_table(void);
const void *zoo_table(void)
#elif defined(ZOO_ENTRY_V2)
SONDE_EXPORT const void *sonde_plugin_entry_v2(const struct sonde_host *given, char *error,
                                               size_t size);
const void *sonde_plugin_entry_v2(const struct sonde_host *given, char *error, size_t size)
#else
SONDE_EXPORT const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *given,
                                                              char *error, size_t size);
const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *given, char *error,
                                                 size_t size)
#endif
{
#if !defined(ZOO_WITHOUT_ENTRY)
    host = given;
    if (ZOO == ZOO_ENTRY_ERROR) {
        /* As long as may be, and without the NUL it should have. */
        memset(error, 'e', size);
        memcpy(error, "no licence file: ", size < 17 ? size : 17);
        return NULL;
    }
    if (ZOO == ZOO_ENTRY_SILENT)
        return NULL;
#endif
    return &table.now;
}
