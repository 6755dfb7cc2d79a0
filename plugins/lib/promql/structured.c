/* SPDX-License-Identifier: Apache-2.0 */
#include "structured.h"

#include "name.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define INSTANT_WINDOW (300 * NS_PER_S)
/* Two samples lie in a window of four intervals even when one scrape in between failed. */
#define SCRAPES_A_WINDOW 4

struct building {
    const struct promql_context *context;
    const struct sonde_query *query;
    int64_t scrape_ns;
};

void promql_add_duration(struct sonde_text *text, int64_t ns)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    int64_t ms = ns / NS_PER_MS > 0 ? ns / NS_PER_MS : 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ms >= units[i].ms)
            sonde_text_add_format(text, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
        ms %= units[i].ms;
    }
}

static int32_t refuse(const struct building *b, const char *why)
{
    return b->context->host->fail(b->context->ctx, SONDE_E_BAD_QUERY, -1, why);
}

static void add_number(struct sonde_text *text, double value)
{
    sonde_text_add_format(text, "%.15g", value);
}

static int64_t window_of(const struct building *b, const struct sonde_operand *operand)
{
    if (operand->window_ns > 0)
        return operand->window_ns;
    if (b->query->step_ns == 0)
        return INSTANT_WINDOW;
    int64_t least = b->scrape_ns * SCRAPES_A_WINDOW;
    return b->query->step_ns > least ? b->query->step_ns : least;
}

/*
 * "by (a, b) " after an aggregation, le first where buckets are kept, and vmrange where buckets of
 * VictoriaMetrics' own may be among them: its histogram_quantile reads either.
 */
static void add_by(const struct building *b, struct sonde_text *text, bool with_le)
{
    if (b->query->by_count == 0 && !with_le)
        return;
    sonde_text_add(text, " by (");
    if (with_le)
        sonde_text_add(text, b->context->dialect->vmrange ? "le, vmrange" : "le");
    for (size_t i = 0; i < b->query->by_count; i++) {
        if (i > 0 || with_le)
            sonde_text_add(text, ", ");
        promql_context_label(b->context, text, b->query->by[i]);
    }
    sonde_text_add(text, ") ");
}

/* The opening of an aggregation, up to and with its '('. */
static int32_t open_aggregate(const struct building *b, struct sonde_text *text, uint32_t aggregate,
                              double quantile)
{
    static const char *const names[] = {NULL, "sum", "avg", "min", "max", "count", "quantile"};
    if (aggregate >= sizeof names / sizeof names[0])
        return refuse(b, "this aggregation is not known to PromQL; sum, avg, min, max, count and "
                         "quantile are");
    sonde_text_add(text, names[aggregate]);
    add_by(b, text, false);
    sonde_text_add_char(text, '(');
    if (aggregate == SONDE_AGGREGATE_QUANTILE) {
        add_number(text, quantile);
        sonde_text_add(text, ", ");
    }
    return 0;
}

static int32_t add_source(const struct building *b, struct sonde_text *text,
                          const struct sonde_operand *operand, const char *metric, bool windowed)
{
    struct promql_filters filters = {.lists = {b->query->filters, operand->filters},
                                     .counts = {b->query->filter_count, operand->filter_count}};
    int32_t result = promql_add_selector(b->context, text, metric, &filters);
    if (result != 0)
        return result;
    if (windowed) {
        sonde_text_add_char(text, '[');
        promql_add_duration(text, window_of(b, operand));
        sonde_text_add_char(text, ']');
    }
    if (operand->offset_ns != 0) {
        sonde_text_add(text, operand->offset_ns < 0 ? " offset -" : " offset ");
        promql_add_duration(text,
                            operand->offset_ns < 0 ? -operand->offset_ns : operand->offset_ns);
    }
    return 0;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text);
    size_t k = strlen(suffix);
    return n >= k && strcmp(text + n - k, suffix) == 0;
}

/* histogram_quantile over one metric, its buckets summed where the user groups or aggregates. */
static int32_t add_one_quantile(const struct building *b, struct sonde_text *text,
                                const struct sonde_operand *operand, const char *metric,
                                bool classic)
{
    bool grouped = operand->aggregate == SONDE_AGGREGATE_SUM ||
                   (operand->aggregate == SONDE_AGGREGATE_NONE && b->query->by_count > 0);
    sonde_text_add(text, "histogram_quantile(");
    add_number(text, operand->quantile);
    sonde_text_add(text, ", ");
    if (grouped) {
        sonde_text_add(text, "sum");
        add_by(b, text, classic);
        sonde_text_add_char(text, '(');
    }
    sonde_text_add(text, "rate(");
    int32_t result = add_source(b, text, operand, metric, true);
    sonde_text_add(text, grouped ? ")))" : "))");
    return result;
}

/*
 * A name without "_bucket" may be a classic histogram, whose buckets are series of their own, or a
 * native one: unless an option says which, both are asked and the one that exists answers.
 */
static int32_t add_quantile(const struct building *b, struct sonde_text *text,
                            const struct sonde_operand *operand)
{
    const char *metric = operand->metric != NULL ? operand->metric : "";
    const char *kind = sonde_pair_get(b->query->options, b->query->option_count, "histogram");
    if (!(operand->quantile >= 0 && operand->quantile <= 1))
        return refuse(b, "a quantile lies between 0 and 1");
    if (metric[0] == '\0')
        return refuse(b, "a quantile needs the name of a histogram");
    if (ends_with(metric, "_bucket"))
        return add_one_quantile(b, text, operand, metric, true);
    if (kind != NULL && strcmp(kind, "native") == 0 && !b->context->dialect->vmrange)
        return add_one_quantile(b, text, operand, metric, false);
    struct sonde_text bucket;
    sonde_text_init(&bucket, b->context->host, b->context->ctx, 4096);
    sonde_text_add(&bucket, metric);
    sonde_text_add(&bucket, "_bucket");
    if (bucket.failed)
        return refuse(b, "the metric's name is too long");
    int32_t result = add_one_quantile(b, text, operand, sonde_text_string(&bucket), true);
    if (result != 0 || b->context->dialect->vmrange ||
        (kind != NULL && strcmp(kind, "classic") == 0))
        return result;
    sonde_text_add(text, " or ");
    return add_one_quantile(b, text, operand, metric, false);
}

static int32_t add_function(const struct building *b, struct sonde_text *text,
                            const struct sonde_operand *operand)
{
    static const char *const names[] = {
        [SONDE_FN_RATE] = "rate",
        [SONDE_FN_INCREASE] = "increase",
        [SONDE_FN_DELTA] = "delta",
        [SONDE_FN_AVG_OVER_TIME] = "avg_over_time",
        [SONDE_FN_MIN_OVER_TIME] = "min_over_time",
        [SONDE_FN_MAX_OVER_TIME] = "max_over_time",
        [SONDE_FN_LAST] = "last_over_time",
        [SONDE_FN_QUANTILE_OVER_TIME] = "quantile_over_time",
    };
    if (operand->function == SONDE_FN_NONE)
        return add_source(b, text, operand, operand->metric, false);
    if (operand->function == SONDE_FN_QUANTILE)
        return add_quantile(b, text, operand);
    if (operand->function >= sizeof names / sizeof names[0])
        return refuse(b, "this function is not known to PromQL");
    sonde_text_add(text, names[operand->function]);
    sonde_text_add_char(text, '(');
    if (operand->function == SONDE_FN_QUANTILE_OVER_TIME) {
        if (!(operand->quantile >= 0 && operand->quantile <= 1))
            return refuse(b, "a quantile lies between 0 and 1");
        add_number(text, operand->quantile);
        sonde_text_add(text, ", ");
    }
    int32_t result = add_source(b, text, operand, operand->metric, true);
    sonde_text_add_char(text, ')');
    return result;
}

/* Summing the buckets already aggregates a quantile; a sum of quantiles would mean nothing. */
static bool is_aggregated(const struct sonde_operand *operand)
{
    return operand->aggregate != SONDE_AGGREGATE_NONE &&
           !(operand->function == SONDE_FN_QUANTILE && operand->aggregate == SONDE_AGGREGATE_SUM);
}

static int32_t add_operand(const struct building *b, struct sonde_text *text,
                           const struct sonde_operand *operand)
{
    if (!is_aggregated(operand))
        return add_function(b, text, operand);
    int32_t result = open_aggregate(b, text, operand->aggregate, operand->quantile);
    if (result == 0)
        result = add_function(b, text, operand);
    sonde_text_add_char(text, ')');
    return result;
}

/* Left and right of an operator match on all labels, unless only one side was aggregated. */
static void add_matching(const struct building *b, struct sonde_text *text)
{
    bool left = b->query->operands[0]->aggregate != SONDE_AGGREGATE_NONE;
    bool right = b->query->operands[1]->aggregate != SONDE_AGGREGATE_NONE;
    if (left == right)
        return;
    sonde_text_add(text, " on (");
    for (size_t i = 0; i < b->query->by_count; i++) {
        if (i > 0)
            sonde_text_add(text, ", ");
        promql_context_label(b->context, text, b->query->by[i]);
    }
    sonde_text_add(text, right ? ") group_left ()" : ") group_right ()");
}

static int32_t add_combined(const struct building *b, struct sonde_text *text)
{
    const struct sonde_query *query = b->query;
    if (query->combine == SONDE_COMBINE_NONE) {
        if (query->operand_count != 1)
            return refuse(b, "several metrics that are not combined are several queries: ask them "
                             "one by one");
        return add_operand(b, text, query->operands[0]);
    }
    if (query->combine != SONDE_COMBINE_RATIO && query->combine != SONDE_COMBINE_DIFFERENCE)
        return refuse(b, "operands combine as a ratio or a difference");
    if (query->operand_count != 2)
        return refuse(b, "a ratio or a difference needs exactly two metrics");
    sonde_text_add_char(text, '(');
    int32_t result = add_operand(b, text, query->operands[0]);
    if (result != 0)
        return result;
    sonde_text_add(text, query->combine == SONDE_COMBINE_RATIO ? ") /" : ") -");
    add_matching(b, text);
    sonde_text_add(text, " (");
    result = add_operand(b, text, query->operands[1]);
    sonde_text_add_char(text, ')');
    return result;
}

static int32_t add_body(const struct building *b, struct sonde_text *text)
{
    if (b->query->aggregate == SONDE_AGGREGATE_NONE)
        return add_combined(b, text);
    int32_t result = open_aggregate(b, text, b->query->aggregate, b->query->operands[0]->quantile);
    if (result == 0)
        result = add_combined(b, text);
    sonde_text_add_char(text, ')');
    return result;
}

/*
 * The k series with the highest (lowest) mean over the whole window: topk alone chooses anew at
 * each step, which returns more than k series, full of gaps.
 */
static void add_ranked(const struct building *b, struct sonde_text *text, const char *body,
                       const char *rank, uint32_t k)
{
    const struct sonde_query *query = b->query;
    if (query->step_ns == 0) {
        sonde_text_add_format(text, "%s(%lu, ", rank, (unsigned long)k);
        sonde_text_add(text, body);
        sonde_text_add_char(text, ')');
        return;
    }
    int64_t range = query->end_ns - query->start_ns;
    sonde_text_add_char(text, '(');
    sonde_text_add(text, body);
    sonde_text_add_format(text, ") and %s(%lu, avg_over_time((", rank, (unsigned long)k);
    sonde_text_add(text, body);
    sonde_text_add(text, ")[");
    promql_add_duration(text, range > query->step_ns ? range : query->step_ns);
    sonde_text_add_char(text, ':');
    promql_add_duration(text, query->step_ns);
    sonde_text_add(text, "] @ end()))");
}

int32_t promql_add_structured(const struct promql_context *context, const struct sonde_query *query,
                              int64_t scrape_ns, struct sonde_text *text)
{
    struct building b = {.context = context, .query = query, .scrape_ns = scrape_ns};
    if (query->operand_count == 0)
        return refuse(&b, "the query is empty: neither PromQL nor a metric was given");
    struct sonde_text body;
    sonde_text_init(&body, context->host, context->ctx, text->max);
    int32_t result = add_body(&b, &body);
    if (result != 0)
        return result;
    if (body.failed)
        text->failed = 1;
    const char *string = sonde_text_string(&body);
    if (query->top_k > 0)
        add_ranked(&b, text, string, "topk", query->top_k);
    if (query->top_k > 0 && query->bottom_k > 0)
        sonde_text_add(text, " or ");
    if (query->bottom_k > 0)
        add_ranked(&b, text, string, "bottomk", query->bottom_k);
    if (query->top_k == 0 && query->bottom_k == 0)
        sonde_text_add(text, string);
    return 0;
}

int32_t promql_add_exemplar_selectors(const struct promql_context *context,
                                      const struct sonde_query *query, struct sonde_text *text)
{
    struct building b = {.context = context, .query = query};
    if (query->operand_count == 0)
        return refuse(&b, "the query is empty: neither PromQL nor a metric was given");
    for (size_t i = 0; i < query->operand_count; i++) {
        const struct sonde_operand *operand = query->operands[i];
        struct promql_filters filters = {.lists = {query->filters, operand->filters},
                                         .counts = {query->filter_count, operand->filter_count}};
        if (i > 0)
            sonde_text_add(text, " or ");
        int32_t result = promql_add_selector(context, text, operand->metric, &filters);
        if (result != 0)
            return result;
        if (operand->function != SONDE_FN_QUANTILE || operand->metric == NULL ||
            ends_with(operand->metric, "_bucket"))
            continue;
        struct sonde_text bucket;
        sonde_text_init(&bucket, context->host, context->ctx, 4096);
        sonde_text_add(&bucket, operand->metric);
        sonde_text_add(&bucket, "_bucket");
        sonde_text_add(text, " or ");
        result = promql_add_selector(context, text, sonde_text_string(&bucket), &filters);
        if (result != 0)
            return result;
    }
    return 0;
}
