/* SPDX-License-Identifier: Apache-2.0 */
#include "victoriametrics.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
/* The server's own default of -search.latencyOffset. */
#define DEFAULT_OFFSET_MS 30000
/* At longer steps the server leaves the newest points alone too. */
#define SHORT_STEP (60 * NS_PER_S)

/*
 * The query proves login and service. Version and limits stand in /metrics, which a front such as vmauth may keep to itself;
 * buildinfo is empty or tells a made-up version of Prometheus.
 */
const struct promql_probe_step victoriametrics_probe[VICTORIAMETRICS_STEPS] = {
    [VICTORIAMETRICS_QUERY] = {.path = "/api/v1/query?query=1", .required = true},
    [VICTORIAMETRICS_BUILDINFO] = {.path = "/api/v1/status/buildinfo"},
    [VICTORIAMETRICS_METRICS] = {.path = "/metrics", .at_root = true, .lines = true},
};

static PROMQL_ALLOW(get_buildinfo, "GET", "/api/v1/status/buildinfo");
static PROMQL_ALLOW(get_metrics, "GET", "/metrics");

const struct sonde_allowed *const victoriametrics_allowed[VICTORIAMETRICS_ALLOWED] = {
    PROMQL_PLAN_ALLOWED,
    &get_buildinfo,
    &get_metrics,
};

/*
 * extra_label is joined to every selector by the server. The filters already stand in the text, which holds whatever a front
 * before the server does with its arguments; for the operator's own this is a second lock. Unlike extra_filters[], which are
 * alternatives to those a front sets, it can never widen anything.
 */
static void add_enforced(struct promql_op *op, struct sonde_text *form)
{
    for (size_t i = 0; i < op->query->filter_count; i++) {
        const struct sonde_filter *filter = op->query->filters[i];
        if ((filter->flags & SONDE_FILTER_ENFORCED) == 0 || filter->value_count != 1 ||
            (filter->op != SONDE_OP_EQ && filter->op != SONDE_OP_IN))
            continue;
        struct sonde_text pair;
        sonde_text_init(&pair, op->host, op->ctx, 64 * 1024);
        sonde_text_add(&pair, promql_filter_label(&op->context, filter));
        sonde_text_add_char(&pair, '=');
        sonde_text_add(&pair, filter->values[0]);
        sonde_text_add_param(form, "extra_label", sonde_text_string(&pair), pair.size);
        form->failed |= pair.failed;
    }
}

/* From here on latency_offset is sure to be heeded; before, and where the version is not told, it may not be. */
#define HEEDS_MINOR 86

static bool heeds_offset(const struct promql_op *op)
{
    const char *version = op->version;
    int64_t major = 0;
    int64_t minor = 0;
    size_t n = strcspn(version, ".");
    if (version[n] != '.' || sonde_parse_int64(version, n, &major) != 0)
        return false;
    version += n + 1;
    n = strspn(version, "0123456789");
    return major > 1 ||
           (major == 1 && sonde_parse_int64(version, n, &minor) == 0 && minor >= HEEDS_MINOR);
}

/* A window that reaches into what the server thinks incomplete. Short: notes are cut. */
static void note_newest(struct promql_op *op)
{
    int64_t offset = DEFAULT_OFFSET_MS;
    int64_t fact;
    const struct sonde_query *query = op->query;
    if (sonde_parse_int64(op->latency_offset, strlen(op->latency_offset), &fact) == 0)
        offset = fact;
    int64_t now = op->host->now_unix_ns(op->ctx);
    if (offset <= 0 || query->end_ns <= now - offset * NS_PER_MS || query->step_ns >= SHORT_STEP)
        return;
    struct sonde_text text;
    sonde_text_init(&text, op->host, op->ctx, 512);
    sonde_text_add_format(
        &text,
        query->step_ns == 0 || heeds_offset(op)
            ? "the newest %lld s may be incomplete (-search.latencyOffset): a dip "
              "there alone is no outage"
            : "the newest %lld s may repeat an older value "
              "(-search.latencyOffset): no plateau, no outage",
        (long long)((offset + 999) / 1000));
    op->sink->note(op->ctx, "newest", sonde_text_string(&text));
}

void victoriametrics_query_args(struct promql_op *op, struct sonde_text *form)
{
    /*
     * Without nocache start and end move to multiples of the step and an instant moves back by the latency offset; with an
     * offset, the newest points of a range repeat an older value, which is a value that never was. 1ms is the least accepted.
     */
    sonde_text_add(form, "&nocache=1&latency_offset=1ms");
    add_enforced(op, form);
    note_newest(op);
}
