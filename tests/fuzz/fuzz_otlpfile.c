/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question and a file to otlpfile: the first byte picks the kind, the rest of the first line is the query (or a
 * name), what follows is the file. A query that was understood must be understood again as it is printed.
 */
#include <stdlib.h>
#include <string.h>

#include <sonde/plugin.h>

#include "fuzz.h"

#define MAX_BLOCKS 200000
#define BUDGET ((size_t)64 << 20)
#define END_NS INT64_C(1767225660000000000)

const struct sonde_plugin *sonde_plugin_entry_v1(const struct sonde_host *host, char *error,
                                                 size_t error_size);

struct sonde_ctx {
    void *blocks[MAX_BLOCKS];
    size_t block_count;
    size_t used;
    size_t
        budget; /* a small one now and then: memory that runs out anywhere must be a clean failure */
    char executed[65536];
    uint64_t rows;
};

static struct sonde_ctx ctx;

static void *host_alloc(struct sonde_ctx *c, size_t size)
{
    void *block =
        c->block_count == MAX_BLOCKS || size > c->budget - c->used ? NULL : calloc(1, size);

    if (block) {
        c->blocks[c->block_count++] = block;
        c->used += size;
    }
    return block;
}

static void release(void)
{
    while (ctx.block_count)
        free(ctx.blocks[--ctx.block_count]);
    ctx.used = 0;
}

static int64_t host_now(struct sonde_ctx *c)
{
    (void)c;
    return END_NS;
}

static int32_t host_fail(struct sonde_ctx *c, int32_t code, int64_t position, const char *text)
{
    (void)c;
    if (code >= 0 || position < -1 || !text[0])
        abort();
    return code;
}

static int32_t on_series(struct sonde_ctx *c, const struct sonde_series *row)
{
    c->rows += row->label_count;
    return SONDE_GO_ON;
}

static int32_t on_points(struct sonde_ctx *c, uint64_t id, size_t n, const int64_t *t,
                         const double *v)
{
    for (size_t i = 0; i < n; i++)
        c->rows += id + (uint64_t)t[i] + (v[i] > 0);
    return SONDE_GO_ON;
}

static int32_t on_histogram(struct sonde_ctx *c, const struct sonde_histogram_point *row)
{
    for (uint32_t i = 0; i < row->bucket_count; i++)
        c->rows += row->lower[i] > row->upper[i] || row->counts[i] > 0;
    return SONDE_GO_ON;
}

static int32_t on_exemplar(struct sonde_ctx *c, const struct sonde_exemplar *row)
{
    c->rows += row->trace_id ? strlen(row->trace_id) : 1;
    return SONDE_GO_ON;
}

static int32_t on_name(struct sonde_ctx *c, const struct sonde_name *row)
{
    if (strlen(row->name) != row->name_size)
        abort();
    c->rows++;
    return SONDE_GO_ON;
}

static int32_t on_total(struct sonde_ctx *c, uint64_t total, uint32_t kind)
{
    c->rows += total + kind;
    return SONDE_GO_ON;
}

static int32_t on_partial(struct sonde_ctx *c, uint32_t reason, const char *text)
{
    c->rows += reason + strlen(text);
    return SONDE_GO_ON;
}

static int32_t on_note(struct sonde_ctx *c, const char *code, const char *text)
{
    c->rows += strlen(code) + strlen(text);
    return SONDE_GO_ON;
}

static int32_t on_executed(struct sonde_ctx *c, const char *text, size_t size)
{
    if (strlen(text) != size)
        abort();
    if (size < sizeof(c->executed))
        memcpy(c->executed, text, size + 1);
    return SONDE_GO_ON;
}

static const struct sonde_host host = {.struct_size = sizeof(host),
                                       .abi_major = SONDE_ABI_MAJOR,
                                       .product = "fuzz",
                                       .alloc = host_alloc,
                                       .now_unix_ns = host_now,
                                       .now_mono_ms = host_now,
                                       .fail = host_fail};
static const struct sonde_sink sink = {.struct_size = sizeof(sink),
                                       .series = on_series,
                                       .points = on_points,
                                       .histogram = on_histogram,
                                       .exemplar = on_exemplar,
                                       .name = on_name,
                                       .total = on_total,
                                       .partial = on_partial,
                                       .note = on_note,
                                       .executed = on_executed};

static int32_t answer(const struct sonde_plugin *plugin, void *op,
                      const struct sonde_request *request, const char *file, size_t size)
{
    static const char list[] = "[{\"name\":\"metrics.jsonl\",\"size\":1,\"mtime_ns\":1}]";
    struct sonde_response_head head = {.struct_size = sizeof(head), .status = 200};
    struct sonde_outcome outcome = {.struct_size = sizeof(outcome), .attempt = 1, .text = ""};
    size_t half = size / 2;
    int32_t rc = plugin->op_response_head(op, request->tag, &head);

    if (rc == 0 && strcmp(request->path, "/") == 0) {
        rc = plugin->op_response_data(op, request->tag, list, sizeof(list) - 1);
    } else if (rc == 0) {
        rc = plugin->op_response_data(op, request->tag, file, half);
        if (rc == 0)
            rc = plugin->op_response_data(op, request->tag, file + half, size - half);
    }
    outcome.body_bytes = size;
    return rc < 0 ? rc : plugin->op_response_end(op, request->tag, &outcome);
}

static int32_t run(const struct sonde_plugin *plugin, void *instance,
                   const struct sonde_query *query, const char *file, size_t size)
{
    struct sonde_begin begin = {
        .struct_size = sizeof(begin), .ctx = &ctx, .query = query, .sink = &sink};
    void *op = NULL;
    int32_t rc = plugin->op_begin(instance, &begin, &op);

    while (rc == 0) {
        struct sonde_request request = {.struct_size = sizeof(request)};

        rc = plugin->op_next(op, &request);
        if (rc == SONDE_WAIT)
            abort();
        if (rc == SONDE_REQUEST)
            rc = answer(plugin, op, &request, file, size);
    }
    if (op)
        plugin->op_end(op, rc);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t kinds[] = {SONDE_KIND_METRICS, SONDE_KIND_EXEMPLARS,
                                     SONDE_KIND_METRIC_NAMES, SONDE_KIND_LABEL_NAMES,
                                     SONDE_KIND_LABEL_VALUES};
    const struct sonde_plugin *plugin = sonde_plugin_entry_v1(&host, NULL, 0);
    struct sonde_open open = {.struct_size = sizeof(open), .ctx = &ctx, .url = "", .ui_kind = ""};
    struct sonde_query query = {.struct_size = sizeof(query), .end_ns = END_NS, .scope = ""};
    const char *text = (const char *)data + 1;
    const char *end = size > 1 ? memchr(text, '\n', size - 1) : NULL;
    size_t line = end ? (size_t)(end - text) : size ? size - 1 : 0;
    char *line_text = size ? calloc(1, line + 1) : NULL;
    void *instance = NULL;

    if (!line_text)
        return 0;
    memcpy(line_text, text, line);
    query.kind = kinds[data[0] % 5];
    query.start_ns = END_NS - INT64_C(60000000000);
    query.step_ns = data[0] & 64 ? 0 : INT64_C(30000000000);
    query.name = line_text;
    query.native = line_text;
    query.native_size = line;
    ctx.executed[0] = '\0';
    ctx.budget = data[0] & 128 ? 4096 + (size_t)data[size - 1] * 4096 : BUDGET;
    if (plugin->open(&open, &instance) != 0)
        abort();
    run(plugin, instance, &query, end ? end + 1 : "", end ? size - 2 - line : 0);
    ctx.budget = BUDGET;
    if (ctx.executed[0]) {
        query.kind = SONDE_KIND_EXPLAIN;
        query.native = ctx.executed;
        query.native_size = strlen(ctx.executed);
        if (run(plugin, instance, &query, "", 0) == SONDE_E_BAD_QUERY)
            abort();
    }
    release();
    free(line_text);
    return 0;
}
