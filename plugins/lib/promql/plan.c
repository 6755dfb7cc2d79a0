/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "name.h"
#include "structured.h"

#include <string.h>

#define MAX_FORM ((size_t)4 * 1024 * 1024)
#define MAX_QUERY ((size_t)1024 * 1024)
#define MAX_METADATA ((uint64_t)32 * 1024 * 1024)
#define DEFAULT_NAMES 10000u
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

static int32_t no_memory(struct promql_op *op)
{
    return op->host->fail(op->ctx, SONDE_E_INTERNAL, -1, "no memory left for this query");
}

/* The step from here on belongs to the op; text failing means the query was too long. */
static int32_t add_step(struct promql_op *op, const char *path, const struct sonde_text *form,
                        enum promql_shape shape, struct promql_step **ret_step)
{
    if (form->failed)
        return op->host->fail(op->ctx, SONDE_E_TOO_MUCH, -1, "the query is too long");
    struct promql_step *step = promql_add_step(op, path, sonde_text_string(form), shape);
    if (step == NULL)
        return no_memory(op);
    *ret_step = step;
    return 0;
}

static void add_time(struct sonde_text *form, const char *name, int64_t ns)
{
    sonde_text_add_char(form, '&');
    sonde_text_add(form, name);
    sonde_text_add_char(form, '=');
    sonde_text_add_seconds(form, ns);
}

/* So that the backend stops, and says so, a little before the host would cut it off. */
static void add_timeout(const struct promql_op *op, struct sonde_text *form)
{
    uint32_t ms = op->query->deadline_ms;
    if (ms == 0)
        return;
    ms -= ms / 20 < 500 ? ms / 20 : 500;
    sonde_text_add_format(form, "&timeout=%u.%03u", (unsigned)(ms / 1000), (unsigned)(ms % 1000));
}

/* One row more than wanted is asked for, to learn whether there are more. */
static void add_limit(struct sonde_text *form, uint64_t limit, bool takes)
{
    if (takes && limit > 0)
        sonde_text_add_format(form, "&limit=%llu", (unsigned long long)limit + 1);
}

/* The user's text with the filters, or the structure as text; then executed. */
static int32_t make_query(struct promql_op *op)
{
    const struct sonde_query *query = op->query;
    struct promql_filters filters = {.lists = {query->filters}, .counts = {query->filter_count}};
    int32_t result;
    if (query->native_size > 0) {
        result = promql_rewrite(&op->context, &filters, &op->rewrite);
    } else {
        struct sonde_text text;
        sonde_text_init(&text, op->host, op->ctx, MAX_QUERY);
        result = query->kind == SONDE_KIND_EXEMPLARS
                     ? promql_add_exemplar_selectors(&op->context, query, &text)
                     : promql_add_structured(&op->context, query, op->instance->scrape_ns, &text);
        if (result == 0 && text.failed)
            result = op->host->fail(op->ctx, SONDE_E_TOO_MUCH, -1, "the query is too long");
        op->rewrite = (struct promql_rewrite){.text = sonde_text_string(&text), .size = text.size};
    }
    if (result == 0)
        op->sink->executed(op->ctx, op->rewrite.text, op->rewrite.size);
    return result;
}

/* The step asked for, or the least that fits the backend's limit: whole seconds from 1 s on. */
static int64_t fitting_step(struct promql_op *op)
{
    const struct sonde_query *query = op->query;
    int64_t most = op->max_points;
    int64_t least = (query->end_ns - query->start_ns) / most + 1;
    int64_t unit = least > NS_PER_S ? NS_PER_S : NS_PER_MS;
    int64_t step = query->step_ns < NS_PER_MS ? NS_PER_MS : query->step_ns / NS_PER_MS * NS_PER_MS;
    if (step >= least - 1)
        return step;
    least = (least + unit - 1) / unit * unit;
    struct sonde_text text;
    sonde_text_init(&text, op->host, op->ctx, 512);
    sonde_text_add(&text, "the step was raised from ");
    promql_add_duration(&text, step);
    sonde_text_add(&text, " to ");
    promql_add_duration(&text, least);
    sonde_text_add_format(&text, ": %s answers at most ", op->instance->dialect->product);
    if (most >= 1000)
        sonde_text_add_format(&text, "%u,%03u", (unsigned)(most / 1000), (unsigned)(most % 1000));
    else
        sonde_text_add_format(&text, "%u", (unsigned)most);
    sonde_text_add(&text, " points per series");
    op->sink->note(op->ctx, "step", sonde_text_string(&text));
    return least;
}

static int32_t plan_metrics(struct promql_op *op)
{
    const struct sonde_query *query = op->query;
    if (query->step_ns != 0 && query->end_ns < query->start_ns)
        return op->host->fail(op->ctx, SONDE_E_BAD_QUERY, -1, "the window ends before it starts");
    int32_t result = make_query(op);
    if (result != 0)
        return result;
    struct sonde_text form;
    sonde_text_init(&form, op->host, op->ctx, MAX_FORM);
    sonde_text_add_param(&form, "query", op->rewrite.text, op->rewrite.size);
    if (query->step_ns == 0) {
        add_time(&form, "time", query->end_ns);
    } else {
        add_time(&form, "start", query->start_ns);
        add_time(&form, "end", query->end_ns);
        add_time(&form, "step", fitting_step(op));
    }
    if (op->instance->dialect->add_query_args != NULL)
        op->instance->dialect->add_query_args(op, &form);
    add_timeout(op, &form);
    add_limit(&form, query->limit, op->context.major >= 3);
    struct promql_step *step;
    result = add_step(op, query->step_ns == 0 ? "/api/v1/query" : "/api/v1/query_range", &form,
                      PROMQL_SHAPE_RESULT, &step);
    if (result != 0)
        return result;
    step->post = !op->no_post;
    step->limit = query->limit;
    step->limited = op->context.major >= 3 && query->limit > 0;
    return 0;
}

static int32_t plan_exemplars(struct promql_op *op)
{
    int32_t result = make_query(op);
    if (result != 0)
        return result;
    struct sonde_text form;
    sonde_text_init(&form, op->host, op->ctx, MAX_FORM);
    sonde_text_add_param(&form, "query", op->rewrite.text, op->rewrite.size);
    add_time(&form, "start", op->query->start_ns);
    add_time(&form, "end", op->query->end_ns);
    struct promql_step *step;
    result = add_step(op, "/api/v1/query_exemplars", &form, PROMQL_SHAPE_EXEMPLARS, &step);
    if (result != 0)
        return result;
    step->post = !op->no_post;
    step->limit = op->query->limit;
    return 0;
}

/* match[]: a metric or a part of its name, and the filters; nothing where there is neither. */
static int32_t add_match(struct promql_op *op, struct sonde_text *form, const char *metric,
                         const char *part)
{
    struct promql_filters filters = {.lists = {op->query->filters},
                                     .counts = {op->query->filter_count}};
    struct sonde_text selector;
    int32_t result;
    bool by_metric = metric != NULL && metric[0] != '\0';
    sonde_text_init(&selector, op->host, op->ctx, MAX_QUERY);
    if (by_metric) {
        result = promql_add_selector(&op->context, &selector, metric, &filters);
    } else if (part[0] == '\0' && filters.counts[0] == 0) {
        return 0;
    } else {
        /* A selector of negative matchers alone is refused, so the name must always be matched. */
        struct sonde_text pattern;
        sonde_text_init(&pattern, op->host, op->ctx, 4096);
        sonde_text_add(&pattern, "(?i).*");
        promql_add_regex_literal(&pattern, part);
        sonde_text_add(&pattern, ".*");
        sonde_text_add(&selector, part[0] == '\0' ? "{__name__!=" : "{__name__=~");
        promql_add_string(&selector, part[0] == '\0' ? "" : sonde_text_string(&pattern),
                          part[0] == '\0' ? 0 : pattern.size);
        if (filters.counts[0] > 0)
            sonde_text_add_char(&selector, ',');
        result = promql_add_matchers(&op->context, &selector, &filters);
        sonde_text_add_char(&selector, '}');
        selector.failed |= pattern.failed;
    }
    if (result != 0)
        return result;
    if (selector.failed)
        return op->host->fail(op->ctx, SONDE_E_TOO_MUCH, -1, "the filters are too long");
    sonde_text_add_param(form, "match%5B%5D", sonde_text_string(&selector), selector.size);
    op->sink->executed(op->ctx, sonde_text_string(&selector), selector.size);
    return 0;
}

static uint64_t name_limit(const struct promql_op *op)
{
    return op->query->limit > 0 ? op->query->limit : DEFAULT_NAMES;
}

static int32_t plan_names(struct promql_op *op, const char *path, const char *metric,
                          const char *part, bool post)
{
    struct sonde_text form;
    struct promql_filters filters = {.lists = {op->query->filters},
                                     .counts = {op->query->filter_count}};
    if (op->ignores_match && promql_has_enforced(&filters))
        return op->host->fail(op->ctx, SONDE_E_UNSUPPORTED, -1,
                              "this server ignores filters where names are listed "
                              "(-search.ignoreExtraFiltersAtLabelsAPI), so what the operator's "
                              "filters hide cannot be kept from the list: ask for metrics instead");
    sonde_text_init(&form, op->host, op->ctx, MAX_FORM);
    int32_t result = add_match(op, &form, metric, part);
    if (result != 0)
        return result;
    bool takes_limit = op->instance->dialect->limits_names || op->context.major >= 3;
    if (op->query->end_ns > 0) {
        add_time(&form, "start", op->query->start_ns);
        add_time(&form, "end", op->query->end_ns);
    } else if (op->instance->dialect->always_window) {
        /* Everything there is; a start of 0 counts as none. */
        add_time(&form, "start", NS_PER_S);
        add_time(&form, "end", op->host->now_unix_ns(op->ctx));
    }
    add_limit(&form, name_limit(op), takes_limit);
    struct promql_step *step;
    result = add_step(op, path, &form, PROMQL_SHAPE_NAMES, &step);
    if (result != 0)
        return result;
    step->post = post && !op->no_post;
    step->limit = name_limit(op);
    step->limited = takes_limit;
    return 0;
}

/* Types come from metadata, names from series: metadata knows no suffixes and nothing pushed. */
static int32_t plan_metric_names(struct promql_op *op)
{
    struct promql_step *metadata =
        promql_add_step(op, "/api/v1/metadata", "", PROMQL_SHAPE_METADATA);
    if (metadata == NULL)
        return no_memory(op);
    metadata->optional = true;
    metadata->max_size = MAX_METADATA;
    promql_metadata_init(&op->metadata, op->host, op->ctx);
    const char *part = op->query->name != NULL ? op->query->name : "";
    return plan_names(op, "/api/v1/label/__name__/values", NULL, part, false);
}

static int32_t plan_label_values(struct promql_op *op)
{
    const struct sonde_query *query = op->query;
    if (query->name == NULL || query->name[0] == '\0')
        return op->host->fail(op->ctx, SONDE_E_BAD_QUERY, -1,
                              "no label was named whose values are wanted");
    struct sonde_text path;
    sonde_text_init(&path, op->host, op->ctx, 8192);
    sonde_text_add(&path, "/api/v1/label/");
    if (op->instance->dialect->plain_paths)
        promql_add_plain_path_name(&path, query->name);
    else
        promql_add_path_name(&path, query->name);
    sonde_text_add(&path, "/values");
    if (path.failed)
        return op->host->fail(op->ctx, SONDE_E_BAD_QUERY, -1, "the label's name is too long");
    return plan_names(op, sonde_text_string(&path),
                      sonde_pair_get(query->options, query->option_count, "metric"), "", false);
}

int32_t promql_plan_health(struct promql_op *op)
{
    return promql_add_step(op, "/api/v1/query", "query=1", PROMQL_SHAPE_FIELDS) != NULL
               ? 0
               : no_memory(op);
}

static int32_t plan_probe(struct promql_op *op)
{
    const struct promql_dialect *dialect = op->instance->dialect;
    op->side_by_side = true;
    op->probe_state = op->host->alloc(op->ctx, dialect->probe_state_size);
    if (op->probe_state == NULL)
        return no_memory(op);
    for (size_t i = 0; i < dialect->probe_count; i++) {
        struct promql_step *step =
            promql_add_step(op, dialect->probe[i].path, "", PROMQL_SHAPE_FIELDS);
        if (step == NULL)
            return no_memory(op);
        step->optional = !dialect->probe[i].required;
        step->lines = dialect->probe[i].lines;
        if (dialect->probe[i].at_root)
            step->endpoint = NULL;
        step->max_size = 4u * 1024 * 1024;
    }
    return 0;
}

int32_t promql_plan(struct promql_op *op)
{
    const char *name = op->query->name != NULL ? op->query->name : "";
    switch (op->query->kind) {
    case SONDE_KIND_PROBE:
        return plan_probe(op);
    case SONDE_KIND_HEALTH:
        return promql_plan_health(op);
    case SONDE_KIND_METRICS:
        return plan_metrics(op);
    case SONDE_KIND_METRIC_NAMES:
        return plan_metric_names(op);
    case SONDE_KIND_LABEL_NAMES:
        return plan_names(op, "/api/v1/labels", name, "", true);
    case SONDE_KIND_LABEL_VALUES:
        return plan_label_values(op);
    case SONDE_KIND_EXEMPLARS:
        return plan_exemplars(op);
    default:
        return op->host->fail(op->ctx, SONDE_E_UNSUPPORTED, -1,
                              "this adapter does not answer questions of that kind");
    }
}
