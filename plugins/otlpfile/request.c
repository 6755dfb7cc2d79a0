/* SPDX-License-Identifier: Apache-2.0 */
/* From the query to a plan, and from the plan to requests. */
#include "operation.h"

#include <string.h>

#define MAX_EXECUTED 65536
#define SLACK_NS INT64_C(3600000000000)
#define GROWTH 16777216 /* a file may grow by this between the list and its reading */

int32_t fail_memory(struct operation *op)
{
    return otlpfile_host->fail(op->memory.ctx, SONDE_E_TOO_MUCH, -1,
                               "the query holds more samples in memory than one query may: ask for "
                               "fewer series (a label matcher), a shorter time or a larger step");
}

static int32_t fail_error(struct operation *op, int32_t code, const struct ast_error *error)
{
    if (!error->text[0])
        return fail_memory(op);
    return otlpfile_host->fail(op->memory.ctx, code, error->position, error->text);
}

static int32_t emit_executed(struct operation *op)
{
    struct sonde_text text;

    sonde_text_init(&text, otlpfile_host, op->memory.ctx, MAX_EXECUTED);
    ast_print(&op->ast, &text);
    if (text.failed)
        return fail_memory(op);
    op->sink->executed(op->memory.ctx, sonde_text_string(&text), text.size);
    return 0;
}

static int32_t plan_selectors(struct operation *op)
{
    const struct sonde_query *q = op->query;
    struct ast_error error = {.position = -1};

    if (q->native_size) {
        if (ast_parse(&op->ast, q->native, q->native_size, &error) < 0)
            return fail_error(op, SONDE_E_BAD_QUERY, &error);
    } else if (q->operand_count) {
        int32_t rc = ast_build(&op->ast, q, &error);

        if (rc < 0)
            return fail_error(op, rc, &error);
    } else {
        return otlpfile_host->fail(op->memory.ctx, SONDE_E_BAD_QUERY, -1,
                                   "the query is empty; a metric's name is the shortest one");
    }
    for (size_t i = 0; i < op->ast.selector_count; i++) {
        struct selector *selector = op->ast.selectors[i];

        selector->set = series_set_create(&op->memory);
        if (ast_add_filters(&op->memory, &selector->matchers, q->filters, q->filter_count, &error) <
            0)
            return fail_error(op, SONDE_E_BAD_QUERY, &error);
    }
    return op->memory.full ? fail_memory(op) : emit_executed(op);
}

static int32_t plan_names(struct operation *op)
{
    const struct sonde_query *q = op->query;
    const char *metric = q->kind == SONDE_KIND_LABEL_NAMES ? q->name : NULL;
    struct ast_error error = {.position = -1};

    if (q->kind == SONDE_KIND_LABEL_VALUES) {
        metric = sonde_pair_get(q->options, q->option_count, "metric");
        if (!q->name || !q->name[0])
            return otlpfile_host->fail(op->memory.ctx, SONDE_E_BAD_QUERY, -1,
                                       "the values of which label are wanted?");
        op->label_norm = normalised_copy(&op->memory, q->name, strlen(q->name));
    }
    if (metric && metric[0])
        op->metric_norm = normalised_copy(&op->memory, metric, strlen(metric));
    if (ast_add_filters(&op->memory, &op->filters, q->filters, q->filter_count, &error) < 0)
        return fail_error(op, SONDE_E_BAD_QUERY, &error);
    return op->memory.full ? fail_memory(op) : 0;
}

static int32_t check_grid(struct operation *op)
{
    const struct sonde_query *q = op->query;

    if (q->step_ns < 0 || q->end_ns < q->start_ns)
        return otlpfile_host->fail(op->memory.ctx, SONDE_E_BAD_QUERY, -1,
                                   "the end of the time range is before its start");
    if (q->step_ns > 0 && (q->end_ns - q->start_ns) / q->step_ns >= MAX_STEPS)
        return sonde_failf(otlpfile_host, op->memory.ctx, SONDE_E_TOO_MUCH, -1,
                           "more than %d points a series: choose a larger step", MAX_STEPS);
    return 0;
}

int32_t operation_plan(struct operation *op)
{
    const struct sonde_query *q = op->query;
    int32_t rc = 0;

    op->begin_ns = q->start_ns;
    op->end_ns = q->end_ns > 0 ? q->end_ns : INT64_MAX;
    switch (q->kind) {
    case SONDE_KIND_METRICS:
        rc = check_grid(op);
        return rc < 0 ? rc : plan_selectors(op);
    case SONDE_KIND_EXPLAIN:
    case SONDE_KIND_EXEMPLARS:
        return plan_selectors(op);
    case SONDE_KIND_METRIC_NAMES:
    case SONDE_KIND_LABEL_NAMES:
    case SONDE_KIND_LABEL_VALUES:
        return plan_names(op);
    case SONDE_KIND_PROBE:
    case SONDE_KIND_HEALTH:
        return 0;
    default:
        return otlpfile_host->fail(op->memory.ctx, SONDE_E_UNSUPPORTED, -1,
                                   "otlpfile answers about metrics only");
    }
}

/* Whether files matter at all. */
static bool needs_files(const struct operation *op)
{
    if (op->query->kind == SONDE_KIND_EXPLAIN)
        return false;
    return op->query->kind != SONDE_KIND_METRICS || op->ast.selector_count > 0;
}

/* The oldest sample that may count. */
static int64_t oldest_ns(const struct operation *op)
{
    int64_t oldest =
        op->query->step_ns || op->query->kind != SONDE_KIND_METRICS ? op->begin_ns : op->end_ns;
    int64_t reach = 0;

    for (size_t i = 0; i < op->ast.selector_count; i++) {
        const struct selector *s = op->ast.selectors[i];
        int64_t back = s->offset_ns + (s->range_ns > LOOKBACK ? s->range_ns : LOOKBACK);

        if (back > reach)
            reach = back;
    }
    return oldest - reach;
}

static void request_path(struct operation *op, struct sonde_request *request, const char *name)
{
    struct sonde_text path;

    sonde_text_init(&path, otlpfile_host, op->memory.ctx, 4096);
    sonde_text_add_char(&path, '/');
    sonde_text_add_encoded(&path, name, strlen(name));
    op->memory.full |= path.failed;
    op->path = sonde_text_string(&path);
    request->path = op->path;
    request->method = "GET";
    request->flags = SONDE_REQUEST_IDEMPOTENT;
    op->in_flight = true;
}

int32_t operation_request(struct operation *op, struct sonde_request *request)
{
    bool list_only = op->query->kind == SONDE_KIND_PROBE || op->query->kind == SONDE_KIND_HEALTH;

    if (op->in_flight)
        return SONDE_WAIT;
    if (op->finished || !needs_files(op))
        return SONDE_DONE;
    if (!op->listed) {
        request->tag = TAG_LIST;
        request_path(op, request, "");
        return op->memory.full ? fail_memory(op) : SONDE_REQUEST;
    }
    /* A file last written before the window holds nothing of it, unless clocks are off. */
    while (op->next_file < op->file_count && op->file_count > 1 &&
           op->files[op->next_file].mtime_ns > 0 &&
           op->files[op->next_file].mtime_ns + SLACK_NS < oldest_ns(op)) {
        op->next_file++;
        op->good_files++;
    }
    if (list_only || op->next_file == op->file_count)
        return SONDE_DONE;
    request->tag = TAG_FILE + (uint32_t)op->next_file;
    request->max_size = (uint64_t)op->files[op->next_file].size + GROWTH;
    request_path(op, request, op->files[op->next_file].name);
    return op->memory.full ? fail_memory(op) : SONDE_REQUEST;
}
