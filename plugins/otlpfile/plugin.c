/* SPDX-License-Identifier: Apache-2.0 */
/* otlpfile: answers from the files that the OpenTelemetry Collector's file exporter writes. */
#include "alias.h"
#include "operation.h"

#include <string.h>

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define PATTERNS_KEY "metrics.files"

const struct sonde_host *otlpfile_host;

static const struct sonde_param patterns_param = {
    .struct_size = sizeof(patterns_param),
    .type = SONDE_PARAM_STRING,
    .key = PATTERNS_KEY,
    .def = "metrics*.jsonl,metrics*.json",
    .help = "names of the files that hold metrics, '*' for any text, several with commas"};
static const struct sonde_param *const params[] = {&patterns_param};

static const struct sonde_allowed get_files = {
    .struct_size = sizeof(get_files), .method = "GET", .path_prefix = "/"};
static const struct sonde_allowed *const allowed[] = {&get_files};

static int32_t instance_open(const struct sonde_open *open, void **ret_instance)
{
    struct memory memory = {otlpfile_host, open->ctx, false};
    struct instance *instance = memory_get(&memory, sizeof(*instance));
    const char *patterns = sonde_pair_get(open->params, open->param_count32, PATTERNS_KEY);

    if (!patterns || !patterns[0])
        patterns = patterns_param.def;
    if (instance)
        instance->patterns = memory_copy(&memory, patterns, strlen(patterns));
    if (memory.full)
        return otlpfile_host->fail(open->ctx, SONDE_E_TOO_MUCH, -1, "no memory for the connection");
    *ret_instance = instance;
    return 0;
}

static void instance_close(void *instance)
{
    (void)instance; /* the host's memory */
}

static int32_t op_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    struct memory memory = {otlpfile_host, begin->ctx, false};
    struct operation *op = memory_get(&memory, sizeof(*op));

    if (!op)
        return otlpfile_host->fail(begin->ctx, SONDE_E_TOO_MUCH, -1, "no memory for the query");
    op->memory = memory;
    op->instance = instance;
    op->query = begin->query;
    op->sink = begin->sink;
    op->ast.memory = &op->memory;
    *ret_op = op;
    return operation_plan(op);
}

static int32_t op_next(void *op, struct sonde_request *request)
{
    int32_t rc = operation_request(op, request);

    return rc == SONDE_DONE ? response_finish(op) : rc;
}

static int32_t op_head(void *op, uint32_t tag, const struct sonde_response_head *head)
{
    return response_head(op, tag, head);
}

static int32_t op_data(void *op, uint32_t tag, const void *data, size_t size)
{
    return response_data(op, tag, data, size);
}

static int32_t op_response_end(void *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    return response_end(op, tag, outcome);
}

static void op_end(void *op, int32_t reason)
{
    struct operation *o = op;

    (void)reason;
    if (o && o->listing.json_ready)
        sonde_json_free(&o->listing.json);
    if (o)
        reader_free(o->reader);
}

static const struct sonde_plugin table = {
    .struct_size = sizeof(table),
    .abi_major = SONDE_ABI_MAJOR,
    .abi_minor = SONDE_ABI_MINOR,
    .needs_minor = SONDE_ABI_MINOR,
    .caps = SONDE_CAP(SONDE_KIND_PROBE) | SONDE_CAP(SONDE_KIND_HEALTH) |
            SONDE_CAP(SONDE_KIND_EXPLAIN) | SONDE_CAP(SONDE_KIND_METRICS) |
            SONDE_CAP(SONDE_KIND_METRIC_NAMES) | SONDE_CAP(SONDE_KIND_LABEL_NAMES) |
            SONDE_CAP(SONDE_KIND_LABEL_VALUES) | SONDE_CAP(SONDE_KIND_EXEMPLARS) |
            SONDE_CAP_NATIVE | SONDE_CAP_STRUCTURED | SONDE_CAP_NATIVE_FILTERS,
    .understands = SONDE_MUST_ENFORCED_FILTERS,
    .name = "otlpfile",
    .version = PACKAGE_VERSION,
    .license = "Apache-2.0",
    .summary = "OTLP/JSON lines as the OpenTelemetry Collector's file exporter writes them",
    .homepage = "",
    .params = params,
    .param_count = sizeof(params) / sizeof(params[0]),
    .allowed = allowed,
    .allowed_count = sizeof(allowed) / sizeof(allowed[0]),
    .aliases = aliases,
    .alias_count = ALIAS_COUNT,
    .open = instance_open,
    .close = instance_close,
    .op_begin = op_begin,
    .op_next = op_next,
    .op_response_head = op_head,
    .op_response_data = op_data,
    .op_response_end = op_response_end,
    .op_end = op_end,
};

SONDE_PLUGIN(table, otlpfile_host)
