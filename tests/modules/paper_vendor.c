/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vendor in the cloud: no url of its own, but a site from which three endpoints follow, one of them signed as AWS
 * does; two secrets, each in its own header; and a rate limit told by headers.
 */
#include "paper.h"

#include <stdio.h>

const struct sonde_host *host;

struct op {
    struct sonde_begin begin;
    struct paper_answer answer;
    int is_sent;
};

static int32_t declare(const struct sonde_open *open, const char *name, const char *site,
                       const char *service)
{
    char url[256];
    const char *region = sonde_pair_get(open->params, open->param_count32, "region");
    if (snprintf(url, sizeof(url), "https://%s.%s/api", name, site) >= (int)sizeof(url))
        return host->fail(open->ctx, SONDE_E_BAD_QUERY, -1, "parameter site is too long");
    const struct sonde_endpoint endpoint = {.struct_size = sizeof(endpoint),
                                            .name = name,
                                            .url = url,
                                            .sigv4_service = service,
                                            .sigv4_region = service ? region : NULL};
    return host->endpoint(open->ctx, &endpoint);
}

static int32_t vendor_open(const struct sonde_open *open, void **ret_instance)
{
    const char *site = sonde_pair_get(open->params, open->param_count32, "site");
    const char *app_key = sonde_pair_get(open->params, open->param_count32, "app_key");
    *ret_instance = NULL;
    if (!app_key || strcmp(app_key, "set") != 0)
        return host->fail(open->ctx, SONDE_E_AUTH, -1,
                          "metrics and traces need the secret app_key beside api_key");
    int32_t rc = declare(open, "metrics", site, NULL);
    if (!rc)
        rc = declare(open, "logs", site, NULL);
    return rc ? rc : declare(open, "traces", site, "xray");
}

static int on_json(void *user, uint32_t type, uint32_t depth, const char *text, size_t size)
{
    struct op *op = user;
    const struct sonde_query *q = op->begin.query;
    double value;
    (void)depth;
    if (type == SONDE_JSON_NUMBER && q->kind == SONDE_KIND_METRICS) {
        if (sonde_parse_double(text, size, &value))
            return SONDE_JSON_E_SYNTAX;
        paper_series(&op->begin, 1, "value");
        return op->begin.sink->points(op->begin.ctx, 1, 1, &q->end_ns, &value);
    }
    if (type == SONDE_JSON_STRING && q->kind == SONDE_KIND_LOGS) {
        const struct sonde_log row = {.struct_size = sizeof(row),
                                      .time_ns = q->end_ns,
                                      .message = text,
                                      .message_size = size};
        return op->begin.sink->log(op->begin.ctx, &row);
    }
    if (type == SONDE_JSON_STRING) {
        const struct sonde_trace_summary row = {.struct_size = sizeof(row),
                                                .has_error = 2,
                                                .trace_id = paper_copy(op->begin.ctx, text, size),
                                                .start_ns = q->start_ns,
                                                .duration_ns = 1000};
        return op->begin.sink->trace_summary(op->begin.ctx, &row);
    }
    return 0;
}

static int32_t vendor_begin(void *instance, const struct sonde_begin *begin, void **ret_op)
{
    (void)instance;
    struct op *op = host->alloc(begin->ctx, sizeof(*op));
    if (!op || sonde_json_init(&op->answer.json, on_json, op, 0, 16, 0))
        return host->fail(begin->ctx, SONDE_E_INTERNAL, -1, "out of memory");
    op->begin = *begin;
    *ret_op = op;
    return 0;
}

static int32_t vendor_next(void *opaque, struct sonde_request *request)
{
    struct op *op = opaque;
    const uint32_t kind = op->begin.query->kind;
    if (op->is_sent)
        return SONDE_DONE;
    op->is_sent = 1;
    request->flags = SONDE_REQUEST_IDEMPOTENT;
    request->endpoint = kind == SONDE_KIND_METRICS ? "metrics"
                        : kind == SONDE_KIND_LOGS  ? "logs"
                                                   : "traces";
    request->method = "GET";
    request->path = "/v1/query";
    request->rate_key = request->endpoint;
    return SONDE_REQUEST;
}

static int32_t vendor_head(void *opaque, uint32_t tag, const struct sonde_response_head *head)
{
    struct op *op = opaque;
    int64_t remaining;
    int64_t reset_ns;
    (void)tag;
    paper_head(&op->answer, head);
    const char *left = sonde_pair_get(head->headers, head->header_count, "x-ratelimit-remaining");
    const char *reset = sonde_pair_get(head->headers, head->header_count, "x-ratelimit-reset");
    if (left && reset && sonde_parse_int64(left, strlen(left), &remaining) == 0 && remaining >= 0 &&
        sonde_parse_seconds_ns(reset, strlen(reset), &reset_ns) == 0 && reset_ns >= 0)
        op->begin.sink->rate(op->begin.ctx, "traces", (uint64_t)remaining,
                             (uint64_t)(reset_ns / 1000000));
    return 0;
}

static int32_t vendor_data(void *opaque, uint32_t tag, const void *data, size_t size)
{
    struct op *op = opaque;
    (void)tag;
    return paper_data(op->begin.ctx, &op->answer, data, size);
}

static int32_t vendor_end(void *opaque, uint32_t tag, const struct sonde_outcome *outcome)
{
    struct op *op = opaque;
    (void)tag;
    return paper_end(op->begin.ctx, &op->answer, outcome);
}

static void vendor_op_end(void *opaque, int32_t reason)
{
    (void)reason;
    sonde_json_free(&((struct op *)opaque)->answer.json);
}

static const struct sonde_param site = {.struct_size = sizeof(site),
                                        .type = SONDE_PARAM_STRING,
                                        .key = "site",
                                        .def = "vendor.test",
                                        .help = "where the account lives"};
static const struct sonde_param region = {.struct_size = sizeof(region),
                                          .type = SONDE_PARAM_STRING,
                                          .key = "region",
                                          .def = "eu-central-1",
                                          .help = "the region that traces are signed for"};
static const struct sonde_param api_key = {.struct_size = sizeof(api_key),
                                           .type = SONDE_PARAM_STRING,
                                           .flags = SONDE_PARAM_REQUIRED | SONDE_PARAM_SECRET,
                                           .key = "api_key",
                                           .help = "names the account"};
static const struct sonde_param app_key = {.struct_size = sizeof(app_key),
                                           .type = SONDE_PARAM_STRING,
                                           .flags = SONDE_PARAM_SECRET,
                                           .key = "app_key",
                                           .help = "allows reading"};
static const struct sonde_param *const params[] = {&site, &region, &api_key, &app_key};
static const struct sonde_placement api_key_place = {.struct_size = sizeof(api_key_place),
                                                     .place = SONDE_PLACE_HEADER,
                                                     .name = "X-Api-Key",
                                                     .template_ = "{api_key}"};
static const struct sonde_placement app_key_place = {.struct_size = sizeof(app_key_place),
                                                     .place = SONDE_PLACE_HEADER,
                                                     .name = "X-Application-Key",
                                                     .template_ = "{app_key}"};
static const struct sonde_placement *const placements[] = {&api_key_place, &app_key_place};
static const struct sonde_auth_scheme keys = {
    .struct_size = sizeof(keys), .name = "keys", .placements = placements, .placement_count = 2};
static const struct sonde_auth_scheme *const auth_schemes[] = {&keys};
static const struct sonde_allowed v1 = {
    .struct_size = sizeof(v1), .method = "GET", .path_prefix = "/v1/"};
static const struct sonde_allowed *const allowed[] = {&v1};
static const struct sonde_plugin table = {
    PAPER_TABLE("paper_vendor", SONDE_CAP(SONDE_KIND_METRICS) | SONDE_CAP(SONDE_KIND_LOGS) |
                                    SONDE_CAP(SONDE_KIND_TRACE_SEARCH) | SONDE_CAP_NATIVE),
    .params = params,
    .param_count = 4,
    .auth_schemes = auth_schemes,
    .auth_scheme_count = 1,
    .allowed = allowed,
    .allowed_count = 1,
    .open = vendor_open,
    .close = paper_close,
    .op_begin = vendor_begin,
    .op_next = vendor_next,
    .op_response_head = vendor_head,
    .op_response_data = vendor_data,
    .op_response_end = vendor_end,
    .op_end = vendor_op_end};

SONDE_PLUGIN(table, host)
