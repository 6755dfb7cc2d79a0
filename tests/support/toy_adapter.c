/* SPDX-License-Identifier: Apache-2.0 */
#include "toy_adapter.h"

#include <sonde/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host.h"

struct toy_plan plan;
const struct sonde_host *toy_host;

static int32_t toy_open(const struct sonde_open *open, void **ret_instance)
{
    atomic_fetch_add(&plan.opens, 1);
    *ret_instance = NULL;
    return plan.open ? plan.open(open) : SONDE_OK;
}

static void toy_close(void *instance)
{
    (void)instance;
    atomic_fetch_add(&plan.closes, 1);
}

static int32_t toy_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    struct toy_op *op = calloc(1, sizeof *op);
    if (!op)
        return toy_host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "no memory");
    atomic_fetch_add(&plan.begins, 1);
    op->ctx = begin->ctx;
    op->query = begin->query;
    op->sink = begin->sink;
    op->facts = begin->facts;
    op->fact_count = begin->fact_count;
    int32_t code = plan.begin ? plan.begin(op) : SONDE_OK;
    if (code) {
        free(op);
        return code;
    }
    *ret_op = op;
    return SONDE_OK;
}

int32_t toy_next(struct toy_op *op, struct sonde_request *request)
{
    if (op->next < plan.count) {
        *request = plan.requests[op->next++];
        return SONDE_REQUEST;
    }
    return op->answered < plan.count ? SONDE_WAIT : SONDE_DONE;
}

static int32_t call_next(void *state, struct sonde_request *request)
{
    struct toy_op *op = state;
    op->steps++;
    return plan.next ? plan.next(op, request) : toy_next(op, request);
}

int32_t toy_head(struct toy_op *op, uint32_t tag, const struct sonde_response_head *head)
{
    op->status[tag % 64] = head->status;
    op->line_size[tag % 64] = 0;
    return SONDE_OK;
}

static int32_t call_head(void *op, uint32_t tag, const struct sonde_response_head *head)
{
    atomic_fetch_add(&plan.response_heads, 1);
    return plan.head ? plan.head(op, tag, head) : toy_head(op, tag, head);
}

static int32_t take_line(struct toy_op *op, const char *line)
{
    char *rest = NULL;
    if (line[0] == 's') {
        uint64_t id = strtoull(line + 2, NULL, 10);
        struct sonde_label label = {
            .name = "id", .name_size = 2, .value = line + 2, .value_size = strlen(line + 2)};
        struct sonde_series row = {
            .struct_size = sizeof row, .id = id, .labels = &label, .label_count = 1};
        return op->sink->series(op->ctx, &row);
    }
    if (line[0] == 'p') {
        uint64_t id = strtoull(line + 2, &rest, 10);
        int64_t t = strtoll(rest, &rest, 10) * 1000000000;
        double v = strtod(rest, NULL);
        return op->sink->points(op->ctx, id, 1, &t, &v);
    }
    struct sonde_name row = {
        .struct_size = sizeof row, .name = line + 2, .name_size = strlen(line + 2)};
    return op->sink->name(op->ctx, &row);
}

int32_t toy_data(struct toy_op *op, uint32_t tag, const void *data, size_t size)
{
    tag %= 64;
    if (op->status[tag] / 100 != 2)
        return SONDE_OK;
    const char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            if (op->line_size[tag] < sizeof op->line[tag] - 1)
                op->line[tag][op->line_size[tag]++] = bytes[i];
            continue;
        }
        op->line[tag][op->line_size[tag]] = '\0';
        op->line_size[tag] = 0;
        if (op->line[tag][0])
            take_line(op, op->line[tag]);
    }
    return SONDE_OK;
}

static int32_t call_data(void *op, uint32_t tag, const void *data, size_t size)
{
    return plan.data ? plan.data(op, tag, data, size) : toy_data(op, tag, data, size);
}

int32_t toy_end(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    op->answered++;
    if (outcome->outcome != SONDE_OUTCOME_OK)
        return toy_host->fail(op->ctx, SONDE_E_BAD_ANSWER, -1, "the toy got no whole answer");
    if (op->status[tag % 64] / 100 == 2)
        return SONDE_OK;
    int32_t code = sonde_class_of_status(op->status[tag % 64]);
    op->answered--;
    return toy_host->fail(op->ctx, code, -1, "the toy backend said no");
}

static int32_t call_end(void *op, uint32_t tag, const struct sonde_outcome *outcome)
{
    atomic_fetch_add(&plan.response_ends, 1);
    atomic_store(&plan.last_outcome, outcome->outcome);
    atomic_store(&plan.last_attempt, outcome->attempt);
    atomic_store(&plan.last_can_retry, outcome->can_retry);
    return plan.end ? plan.end(op, tag, outcome) : toy_end(op, tag, outcome);
}

static void toy_op_end(void *op, int32_t reason)
{
    atomic_fetch_add(&plan.ends, 1);
    atomic_store(&plan.last_reason, reason);
    free(op);
}

static int32_t toy_link(void *instance, const struct sonde_link *link, char *buf, size_t size)
{
    (void)instance;
    snprintf(buf, size, "/graph?q=%s", link->executed);
    return SONDE_OK;
}

static const struct sonde_allowed get = {
    .struct_size = sizeof get, .method = "GET", .path_prefix = "/api/"};
static const struct sonde_allowed post = {
    .struct_size = sizeof post, .method = "POST", .path_prefix = "/api/"};
static const struct sonde_allowed *const allowed[] = {&get, &post};
static const struct sonde_param site = {.struct_size = sizeof site,
                                        .type = SONDE_PARAM_STRING,
                                        .key = "site",
                                        .help = "where the toys are"};
static const struct sonde_param *const params[] = {&site};

#define TOY_CAPS                                                          \
    (SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_METRIC_NAMES) | \
     SONDE_CAP(SONDE_KIND_SCOPES) | SONDE_CAP(SONDE_KIND_LOGS))

struct adapter toy = {.table = {.struct_size = sizeof toy.table,
                                .abi_major = SONDE_ABI_MAJOR,
                                .abi_minor = SONDE_ABI_MINOR,
                                .caps = TOY_CAPS,
                                .name = "toy",
                                .version = "1",
                                .license = "Apache-2.0",
                                .summary = "for tests",
                                .params = params,
                                .param_count = 1,
                                .allowed = allowed,
                                .allowed_count = 2,
                                .open = toy_open,
                                .close = toy_close,
                                .op_begin = toy_begin,
                                .op_next = call_next,
                                .op_response_head = call_head,
                                .op_response_data = call_data,
                                .op_response_end = call_end,
                                .op_end = toy_op_end,
                                .link = toy_link}};

void toy_reset(void)
{
    memset(&plan, 0, sizeof plan);
    toy.table.caps = TOY_CAPS;
    toy_host = host_table();
}

struct sonde_request *toy_request(const char *path, uint32_t flags)
{
    struct sonde_request *request = &plan.requests[plan.count];
    *request = (struct sonde_request){.struct_size = sizeof *request,
                                      .flags = flags,
                                      .tag = (uint32_t)plan.count,
                                      .method = "GET",
                                      .path = path};
    plan.count++;
    return request;
}

/* A registry of one, in place of the loader's. */
struct registry {
    const struct adapter *adapter;
    struct plugin_refusal refusal;
};

struct registry *toy_registry(void)
{
    static struct registry registry = {
        .adapter = &toy,
        .refusal = {.path = "/p/broken.so", .name = "broken", .reason = "built for plugin ABI 9"}};
    return &registry;
}

const struct adapter *registry_find(const struct registry *registry, const char *name)
{
    return strcmp(name, "toy") == 0 ? registry->adapter : NULL;
}

const struct adapter *const *registry_adapters(const struct registry *registry, size_t *ret_count)
{
    *ret_count = 1;
    return &registry->adapter;
}

const struct plugin_refusal *registry_refusals(const struct registry *registry, size_t *ret_count)
{
    *ret_count = 1;
    return &registry->refusal;
}
