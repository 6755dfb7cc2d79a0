/* SPDX-License-Identifier: Apache-2.0 */
/* Filters and operands of a structured query become the same tree as a text. */
#include "alias.h"
#include "ast.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_WINDOW INT64_C(120000000000)

/* The label names a filter may mean: the native one, else the candidates of the logical key. */
static int filter_keys(struct memory *memory, const struct sonde_filter *filter, struct matcher *m)
{
    const char *key = filter->native && filter->native[0] ? filter->native : filter->logical;

    if (!filter->native || !filter->native[0]) {
        for (size_t i = 0; i < ALIAS_COUNT; i++) {
            const struct sonde_alias *alias = aliases[i];

            if (strcmp(alias->logical, key) != 0)
                continue;
            for (size_t j = 0; j < alias->candidate_count && m->key_count < MAX_KEYS; j++)
                m->keys[m->key_count++] =
                    normalised_copy(memory, alias->candidates[j], strlen(alias->candidates[j]));
        }
    }
    m->metric = strcmp(key, "__name__") == 0;
    if (!m->key_count)
        m->keys[m->key_count++] = normalised_copy(memory, key, strlen(key));
    return memory->full ? -1 : 0;
}

int ast_add_filters(struct memory *memory, struct matcher **list,
                    const struct sonde_filter *const *filters, size_t count,
                    struct ast_error *ret_error)
{
    for (size_t i = 0; i < count; i++) {
        const struct sonde_filter *filter = filters[i];
        struct matcher m = {
            .op = filter->op, .values = filter->values, .value_count = filter->value_count};

        ret_error->text[0] = '\0';
        if (filter->op < SONDE_OP_EQ || filter->op > SONDE_OP_PREFIX) {
            ret_error->position = -1;
            snprintf(ret_error->text, sizeof(ret_error->text),
                     "the filter on %.80s has an operator that labels do not know",
                     filter->native && filter->native[0] ? filter->native : filter->logical);
            return -1;
        }
        if (filter_keys(memory, filter, &m) < 0 ||
            ast_add_matcher(memory, list, &m, ret_error) < 0) {
            ret_error->position = -1;
            return -1;
        }
    }
    return 0;
}

static int function_of(uint32_t function)
{
    switch (function) {
    case SONDE_FN_RATE:
    case SONDE_FN_QUANTILE:
        return FUNCTION_RATE;
    case SONDE_FN_INCREASE:
        return FUNCTION_INCREASE;
    case SONDE_FN_DELTA:
        return FUNCTION_DELTA;
    case SONDE_FN_AVG_OVER_TIME:
        return FUNCTION_AVG;
    case SONDE_FN_MIN_OVER_TIME:
        return FUNCTION_MIN;
    case SONDE_FN_MAX_OVER_TIME:
        return FUNCTION_MAX;
    case SONDE_FN_LAST:
        return FUNCTION_LAST;
    case SONDE_FN_QUANTILE_OVER_TIME:
        return FUNCTION_QUANTILE;
    default:
        return -1;
    }
}

static const unsigned aggregate_of[] = {
    [SONDE_AGGREGATE_SUM] = AGGREGATE_SUM,     [SONDE_AGGREGATE_AVG] = AGGREGATE_AVG,
    [SONDE_AGGREGATE_MIN] = AGGREGATE_MIN,     [SONDE_AGGREGATE_MAX] = AGGREGATE_MAX,
    [SONDE_AGGREGATE_COUNT] = AGGREGATE_COUNT, [SONDE_AGGREGATE_QUANTILE] = AGGREGATE_QUANTILE};

static struct node *wrap(struct memory *memory, enum node_type type, unsigned code, double number,
                         struct node *inner)
{
    struct node *node = inner ? memory_get(memory, sizeof(*node)) : NULL;

    if (!node)
        return NULL;
    *node = (struct node){.type = type, .code = code, .number = number, .left = inner};
    return node;
}

static struct node *wrap_aggregate(struct memory *memory, const struct sonde_query *query,
                                   unsigned code, double number, struct node *inner)
{
    struct node *node = wrap(memory, NODE_AGGREGATE, code, number, inner);
    const char **by = memory_get(memory, (query->by_count + 1) * sizeof(*by));

    if (!node || !by)
        return NULL;
    for (size_t i = 0; i < query->by_count; i++)
        by[i] = normalised_copy(memory, query->by[i], strlen(query->by[i]));
    node->by = by;
    node->by_count = query->by_count;
    node->grouped = query->by_count > 0;
    return node;
}

static struct node *build_operand(struct ast *ast, const struct sonde_query *query,
                                  const struct sonde_operand *operand, struct ast_error *ret_error)
{
    struct selector *selector = ast_new_selector(ast, ret_error);
    struct node *node = memory_get(ast->memory, sizeof(*node));
    int function = function_of(operand->function);

    if (!selector || !node ||
        ast_add_filters(ast->memory, &selector->matchers, operand->filters, operand->filter_count,
                        ret_error) < 0)
        return NULL;
    selector->name = memory_copy(ast->memory, operand->metric, strlen(operand->metric));
    selector->norm = normalised_copy(ast->memory, operand->metric, strlen(operand->metric));
    selector->offset_ns = operand->offset_ns;
    node->type = NODE_SELECTOR;
    node->selector = selector;
    if (function >= 0) {
        int64_t least = query->step_ns > DEFAULT_WINDOW ? query->step_ns : DEFAULT_WINDOW;

        selector->range_ns = operand->window_ns > 0 ? operand->window_ns : least;
        node = wrap(ast->memory, NODE_FUNCTION, (unsigned)function, operand->quantile, node);
    }
    if (operand->function == SONDE_FN_QUANTILE) {
        if (operand->aggregate != SONDE_AGGREGATE_NONE || query->by_count)
            node = wrap_aggregate(ast->memory, query, AGGREGATE_SUM, 0, node);
        return wrap(ast->memory, NODE_FUNCTION, FUNCTION_HISTOGRAM_QUANTILE, operand->quantile,
                    node);
    }
    if (operand->aggregate != SONDE_AGGREGATE_NONE)
        node = wrap_aggregate(ast->memory, query, aggregate_of[operand->aggregate],
                              operand->quantile, node);
    return node;
}

int32_t ast_build(struct ast *ast, const struct sonde_query *query, struct ast_error *ret_error)
{
    ret_error->position = -1;
    ret_error->text[0] = '\0';
    if (query->combine != SONDE_COMBINE_NONE || query->aggregate > SONDE_AGGREGATE_QUANTILE ||
        query->operand_count > MAX_SELECTORS) {
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "files answer up to %d operands one by one; combining them is the host's work",
                 MAX_SELECTORS);
        return SONDE_E_UNSUPPORTED;
    }
    for (size_t i = 0; i < query->operand_count; i++) {
        const struct sonde_operand *operand = query->operands[i];
        struct node *node;

        if (operand->aggregate > SONDE_AGGREGATE_QUANTILE ||
            operand->function > SONDE_FN_QUANTILE_OVER_TIME || !operand->metric[0]) {
            snprintf(ret_error->text, sizeof(ret_error->text),
                     "operand %zu has no metric, or a function or aggregate unknown to files", i);
            return SONDE_E_UNSUPPORTED;
        }
        node = build_operand(ast, query, operand, ret_error);
        if (query->aggregate != SONDE_AGGREGATE_NONE)
            node = wrap_aggregate(ast->memory, query, aggregate_of[query->aggregate],
                                  operand->quantile, node);
        if (query->top_k)
            node = wrap(ast->memory, NODE_AGGREGATE, AGGREGATE_TOPK, query->top_k, node);
        else if (query->bottom_k)
            node = wrap(ast->memory, NODE_AGGREGATE, AGGREGATE_BOTTOMK, query->bottom_k, node);
        if (!node)
            return SONDE_E_BAD_QUERY;
        ast->roots[ast->root_count++] = node;
    }
    return 0;
}
