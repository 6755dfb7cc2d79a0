/* SPDX-License-Identifier: Apache-2.0 */
#include "matcher.h"

#include "name.h"

#include <string.h>

struct sought {
    const char *label;
    size_t size;
    bool found;
};

static void look(void *user, const char *name, size_t size)
{
    struct sought *sought = user;
    if (size == sought->size && memcmp(name, sought->label, size) == 0)
        sought->found = true;
}

int promql_context_walk(const struct promql_context *context, const struct promql_visitor *visitor,
                        struct promql_fault *ret_fault)
{
    promql_walk_fn walk = context->dialect->walk != NULL ? context->dialect->walk : promql_walk;
    return walk(context->native, context->native_size, visitor, ret_fault);
}

void promql_context_label(const struct promql_context *context, struct sonde_text *text,
                          const char *name)
{
    if (context->dialect->escapes_names)
        promql_add_escaped_label(text, name);
    else
        promql_add_label(text, name);
}

/* A text that does not parse names no label; rewriting it reports why. */
static bool native_uses(const struct promql_context *context, const char *label)
{
    struct sought sought = {.label = label, .size = strlen(label)};
    struct promql_visitor visitor = {.user = &sought, .label = look};
    struct promql_fault fault;
    (void)promql_context_walk(context, &visitor, &fault);
    return sought.found;
}

const char *promql_filter_label(const struct promql_context *context,
                                const struct sonde_filter *filter)
{
    if (filter->native != NULL && filter->native[0] != '\0')
        return filter->native;
    const struct promql_dialect *dialect = context->dialect;
    for (size_t i = 0; i < dialect->alias_count; i++) {
        const struct sonde_alias *alias = dialect->aliases[i];
        if (strcmp(alias->logical, filter->logical) != 0 || alias->candidate_count == 0)
            continue;
        for (size_t k = 0; context->native_size > 0 && k < alias->candidate_count; k++)
            if (native_uses(context, alias->candidates[k]))
                return alias->candidates[k];
        return alias->candidates[0];
    }
    return filter->logical;
}

static bool is_negative(uint32_t op)
{
    return op == SONDE_OP_NE || op == SONDE_OP_NOT_IN || op == SONDE_OP_NOT_REGEX;
}

/* Several values as one alternation; op says what a value is. */
static void add_pattern(struct sonde_text *pattern, const struct sonde_filter *filter)
{
    bool regex = filter->op == SONDE_OP_REGEX || filter->op == SONDE_OP_NOT_REGEX;
    for (size_t i = 0; i < filter->value_count; i++) {
        if (i > 0)
            sonde_text_add_char(pattern, '|');
        if (!regex) {
            promql_add_regex_literal(pattern, filter->values[i]);
            if (filter->op == SONDE_OP_PREFIX)
                sonde_text_add(pattern, ".*");
        } else if (filter->value_count == 1) {
            sonde_text_add(pattern, filter->values[i]);
        } else {
            sonde_text_add(pattern, "(?:");
            sonde_text_add(pattern, filter->values[i]);
            sonde_text_add_char(pattern, ')');
        }
    }
}

static int32_t check(const struct promql_context *context, const struct sonde_filter *filter,
                     const char *label)
{
    if (label == NULL || label[0] == '\0')
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_QUERY, -1,
                           "a filter names no label");
    if (filter->op < SONDE_OP_EQ || filter->op > SONDE_OP_PREFIX)
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_QUERY, -1,
                           "the filter on %s compares severities, which %s labels cannot: name the "
                           "wanted values instead",
                           label, context->dialect->product);
    if (filter->op != SONDE_OP_EXISTS && filter->value_count == 0)
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_QUERY, -1,
                           "the filter on %s has no value", label);
    if (!context->dialect->escapes_names && context->major > 0 && context->major < 3 &&
        !promql_is_label_name(label, strlen(label)))
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_QUERY, -1,
                           "the label name \"%s\" needs %s 3 or later; older ones write it with "
                           "underscores",
                           label, context->dialect->product);
    return 0;
}

static int32_t add_matcher(const struct promql_context *context, struct sonde_text *text,
                           const struct sonde_filter *filter)
{
    const char *label = promql_filter_label(context, filter);
    int32_t result = check(context, filter, label);
    if (result != 0)
        return result;
    promql_context_label(context, text, label);
    if (filter->op == SONDE_OP_EXISTS) {
        sonde_text_add(text, "!=\"\"");
        return 0;
    }
    bool literal = filter->value_count == 1 && filter->op != SONDE_OP_REGEX &&
                   filter->op != SONDE_OP_NOT_REGEX && filter->op != SONDE_OP_PREFIX;
    sonde_text_add_char(text, is_negative(filter->op) ? '!' : '=');
    if (literal) {
        if (is_negative(filter->op))
            sonde_text_add_char(text, '=');
        promql_add_string(text, filter->values[0], strlen(filter->values[0]));
        return 0;
    }
    sonde_text_add_char(text, '~');
    struct sonde_text pattern;
    sonde_text_init(&pattern, context->host, context->ctx, text->max);
    add_pattern(&pattern, filter);
    if (pattern.failed)
        text->failed = 1;
    promql_add_string(text, sonde_text_string(&pattern), pattern.size);
    return 0;
}

int32_t promql_add_matchers(const struct promql_context *context, struct sonde_text *text,
                            const struct promql_filters *filters)
{
    bool first = true;
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < filters->counts[list]; i++) {
            if (!first)
                sonde_text_add_char(text, ',');
            first = false;
            int32_t result = add_matcher(context, text, filters->lists[list][i]);
            if (result != 0)
                return result;
        }
    }
    return 0;
}

bool promql_has_enforced(const struct promql_filters *filters)
{
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < filters->counts[list]; i++)
            if ((filters->lists[list][i]->flags & SONDE_FILTER_ENFORCED) != 0)
                return true;
    return false;
}

int32_t promql_add_selector(const struct promql_context *context, struct sonde_text *text,
                            const char *metric, const struct promql_filters *filters)
{
    size_t size = metric != NULL ? strlen(metric) : 0;
    size_t count = filters->counts[0] + filters->counts[1];
    bool bare = promql_is_metric_name(metric, size);
    if (size == 0 && count == 0)
        return sonde_failf(context->host, context->ctx, SONDE_E_BAD_QUERY, -1,
                           "neither a metric nor a filter was given");
    if (bare)
        sonde_text_add_n(text, metric, size);
    if (bare && count == 0)
        return 0;
    sonde_text_add_char(text, '{');
    if (!bare && size > 0) {
        /* Every version reads this form; {"a.b"} only Prometheus 3. */
        sonde_text_add(text, "__name__=");
        promql_add_string(text, metric, size);
        if (count > 0)
            sonde_text_add_char(text, ',');
    }
    int32_t result = promql_add_matchers(context, text, filters);
    sonde_text_add_char(text, '}');
    return result;
}
