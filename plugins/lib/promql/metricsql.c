/* SPDX-License-Identifier: Apache-2.0 */
#include "metricsql.h"

#include "cursor.h"
#include "metricsql_lexer.h"

#include <string.h>

/* A name bound by WITH: a template without arguments, or an argument of the one being defined. */
struct bound {
    size_t start;
    size_t size;
    bool takes_arguments; /* as a bare name it is a metric all the same */
};

struct walk {
    struct promql_cursor cursor;
    struct bound bound[METRICSQL_MAX_TEMPLATES];
    size_t bound_count;
    size_t depth;
};

static int expression(struct walk *walk);
static int single(struct walk *walk);

static const char *const word_operators[] = {"and", "or",    "unless",  "atan2",
                                             "if",  "ifnot", "default", NULL};
/* A modifier may follow these, and stand before their arguments; nothing else depends on the list. */
static const char *const aggregates[] = {
    "any",          "avg",         "bottomk",   "bottomk_avg",  "bottomk_max",  "bottomk_median",
    "bottomk_last", "bottomk_min", "count",     "count_values", "distinct",     "geomean",
    "group",        "histogram",   "limitk",    "mad",          "max",          "median",
    "min",          "mode",        "outliersk", "outliers_iqr", "outliers_mad", "quantile",
    "quantiles",    "share",       "stddev",    "stdvar",       "sum",          "sum2",
    "topk",         "topk_avg",    "topk_max",  "topk_median",  "topk_last",    "topk_min",
    "zscore",       NULL};

static bool is_operator(const struct promql_cursor *cursor, struct promql_token token)
{
    return token.kind == PROMQL_SIGN || token.kind == PROMQL_COMPARE ||
           token.kind == PROMQL_ARITHMETIC || promql_is_one_of(cursor, token, word_operators);
}

/* Each level of the grammar's recursion that a text can drive. */
static int deeper(struct walk *walk)
{
    if (walk->depth == PROMQL_MAX_DEPTH)
        return promql_refuse_next(&walk->cursor, "the expressions are nested too deeply");
    walk->depth++;
    return 0;
}

static int bind(struct walk *walk, struct promql_token name, bool takes_arguments)
{
    if (walk->bound_count == METRICSQL_MAX_TEMPLATES)
        return promql_refuse(&walk->cursor, name.start, "WITH defines too many templates");
    walk->bound[walk->bound_count++] = (struct bound){
        .start = name.start, .size = name.end - name.start, .takes_arguments = takes_arguments};
    return 0;
}

/* The newest of that name counts; one that takes arguments is a metric where it stands alone. */
static bool is_template(const struct walk *walk, struct promql_token name)
{
    const char *text = walk->cursor.lexer.text;
    for (size_t i = walk->bound_count; i-- > 0;) {
        const struct bound *bound = &walk->bound[i];
        if (bound->size == name.end - name.start &&
            memcmp(text + bound->start, text + name.start, bound->size) == 0)
            return !bound->takes_arguments;
    }
    return false;
}

/* "a" + template + "b" */
static int value(struct promql_cursor *cursor)
{
    for (;;) {
        if (cursor->next.kind != PROMQL_STRING && cursor->next.kind != PROMQL_NAME)
            return promql_refuse_next(cursor, "a quoted value is expected here");
        promql_take(cursor);
        if (cursor->next.kind != PROMQL_SIGN || cursor->lexer.text[cursor->next.start] != '+')
            return 0;
        promql_take(cursor);
    }
}

/* One matcher, a quoted metric name, or a template of matchers. */
static int matcher(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    struct promql_token name;
    bool compares;
    if (promql_matcher_head(cursor, &name, &compares) != 0)
        return -1;
    if (compares)
        return value(cursor);
    bool ends = cursor->next.kind == PROMQL_COMMA || cursor->next.kind == PROMQL_CLOSE_BRACE ||
                promql_is_word(cursor, cursor->next, "or");
    if (ends && (name.kind == PROMQL_STRING || is_template(walk, name)))
        return 0;
    return promql_refuse_matcher(cursor);
}

/* Each branch of `or` selects series of its own, so each gets a slot. */
static int braces(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    struct promql_slot slot = {.braces = true};
    promql_take(cursor);
    while (cursor->next.kind != PROMQL_CLOSE_BRACE) {
        if (matcher(walk) != 0)
            return -1;
        slot.comma = true;
        if (cursor->next.kind == PROMQL_COMMA) {
            promql_take(cursor);
            slot.comma = false;
        } else if (promql_is_word(cursor, cursor->next, "or")) {
            slot.at = cursor->taken_end;
            promql_visit_slot(cursor, slot);
            promql_take(cursor);
            if (cursor->next.kind == PROMQL_CLOSE_BRACE)
                return promql_refuse_next(cursor, "a label matcher is expected after or");
            slot = (struct promql_slot){.braces = true};
        } else if (cursor->next.kind != PROMQL_CLOSE_BRACE) {
            return promql_refuse_next(cursor, "',', 'or' or '}' is expected after a label matcher");
        }
    }
    slot.at = cursor->next.start;
    promql_take(cursor);
    promql_visit_slot(cursor, slot);
    return 0;
}

/* ( a, b, ) up to and with its ')'. */
static int arguments(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    promql_take(cursor);
    while (cursor->next.kind != PROMQL_CLOSE) {
        if (expression(walk) != 0)
            return -1;
        if (cursor->next.kind == PROMQL_COMMA)
            promql_take(cursor);
        else if (cursor->next.kind != PROMQL_CLOSE)
            return promql_refuse_next(cursor, "an operator, ',' or ')' is expected here");
    }
    promql_take(cursor);
    return 0;
}

static void keep_metric_names(struct promql_cursor *cursor)
{
    if (promql_is_word(cursor, cursor->next, "keep_metric_names"))
        promql_take(cursor);
}

static int aggregate(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    bool grouped = promql_is_one_of(cursor, cursor->next, promql_groupings);
    if (grouped && promql_grouping(cursor) != 0)
        return -1;
    if (cursor->next.kind != PROMQL_OPEN)
        return promql_refuse_next(cursor, "'(' is expected after the labels of an aggregation");
    if (arguments(walk) != 0)
        return -1;
    if (!grouped && promql_is_one_of(cursor, cursor->next, promql_groupings) &&
        promql_grouping(cursor) != 0)
        return -1;
    if (promql_is_word(cursor, cursor->next, "limit")) {
        promql_take(cursor);
        if (cursor->next.kind != PROMQL_NUMBER)
            return promql_refuse_next(cursor, "a number of series is expected after limit");
        promql_take(cursor);
    }
    return 0;
}

static int call(struct walk *walk, struct promql_token name)
{
    if (promql_visit_function(&walk->cursor, name) != 0)
        return -1;
    if (arguments(walk) != 0)
        return -1;
    keep_metric_names(&walk->cursor);
    return 0;
}

static int named(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    struct promql_token name = promql_take(cursor);
    if (promql_is_one_of(cursor, name, aggregates) &&
        (cursor->next.kind == PROMQL_OPEN ||
         promql_is_one_of(cursor, cursor->next, promql_groupings)))
        return aggregate(walk);
    if (cursor->next.kind == PROMQL_OPEN)
        return call(walk, name);
    if (cursor->next.kind == PROMQL_OPEN_BRACE)
        return braces(walk);
    if (!is_template(walk, name))
        promql_visit_slot(cursor, (struct promql_slot){.at = name.end});
    return 0;
}

/* name = expression, or name(a, b) = expression. Its arguments are known in it alone. */
static int template(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    struct promql_token name = promql_take(cursor);
    if (name.kind != PROMQL_NAME)
        return promql_refuse(cursor, name.start,
                             name.kind == PROMQL_BAD ? cursor->lexer.fault
                                                     : "the name of a template is expected here");
    size_t outside = walk->bound_count;
    bool takes_arguments = false;
    if (cursor->next.kind == PROMQL_OPEN) {
        promql_take(cursor);
        while (cursor->next.kind != PROMQL_CLOSE) {
            if (cursor->next.kind != PROMQL_NAME)
                return promql_refuse_next(cursor, "the name of an argument is expected here");
            takes_arguments = true;
            if (bind(walk, promql_take(cursor), false) != 0)
                return -1;
            if (cursor->next.kind == PROMQL_COMMA)
                promql_take(cursor);
            else if (cursor->next.kind != PROMQL_CLOSE)
                return promql_refuse_next(cursor,
                                          "',' or ')' is expected in this list of arguments");
        }
        promql_take(cursor);
    }
    if (cursor->next.kind != PROMQL_ASSIGN)
        return promql_refuse_next(cursor, "'=' is expected after the name of a template");
    promql_take(cursor);
    if (expression(walk) != 0)
        return -1;
    walk->bound_count = outside;
    return bind(walk, name, takes_arguments);
}

/* WITH (templates) expression: each template knows those before it. */
static int with(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    size_t outside = walk->bound_count;
    promql_take(cursor);
    promql_take(cursor);
    while (cursor->next.kind != PROMQL_CLOSE) {
        if (template(walk) != 0)
            return -1;
        if (cursor->next.kind == PROMQL_COMMA)
            promql_take(cursor);
        else if (cursor->next.kind != PROMQL_CLOSE)
            return promql_refuse_next(cursor,
                                      "an operator, ',' or ')' is expected after a template");
    }
    promql_take(cursor);
    int result = expression(walk);
    walk->bound_count = outside;
    return result;
}

/* An operand without what may follow it. */
static int operand(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    switch (cursor->next.kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING:
        promql_take(cursor);
        return 0;
    case PROMQL_SIGN:
        promql_take(cursor);
        return single(walk);
    case PROMQL_OPEN:
        if (arguments(walk) != 0)
            return -1;
        keep_metric_names(cursor);
        return 0;
    case PROMQL_OPEN_BRACE:
        return braces(walk);
    case PROMQL_NAME:
        if (promql_is_one_of(cursor, cursor->next, promql_numbers)) {
            promql_take(cursor);
            return 0;
        }
        return named(walk);
    case PROMQL_END:
        return promql_refuse_next(cursor, "the query ends where an expression is expected");
    default:
        return promql_refuse_next(cursor, "an expression is expected here");
    }
}

static int window(struct promql_cursor *cursor)
{
    /* The lexer stands behind the '[', which is the token that comes next. */
    if (metricsql_skip_brackets(&cursor->lexer) != 0)
        return promql_refuse(cursor, cursor->lexer.at, cursor->lexer.fault);
    promql_take(cursor);
    return 0;
}

static int offset(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    promql_take(cursor);
    if (cursor->next.kind == PROMQL_SIGN)
        promql_take(cursor);
    if (cursor->next.kind == PROMQL_NUMBER ||
        (cursor->next.kind == PROMQL_NAME && is_template(walk, cursor->next))) {
        promql_take(cursor);
        return 0;
    }
    return promql_refuse_next(cursor, "a duration such as 5m is expected after offset");
}

/* An operand with its window, its time and its offset. */
static int suffixed(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    if (operand(walk) != 0)
        return -1;
    if (cursor->next.kind == PROMQL_OPEN_BRACKET && window(cursor) != 0)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        if (cursor->next.kind == PROMQL_AT) {
            promql_take(cursor);
            if (operand(walk) != 0)
                return -1;
        } else if (promql_is_word(cursor, cursor->next, "offset") && offset(walk) != 0) {
            return -1;
        }
    }
    return 0;
}

static int single(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    if (deeper(walk) != 0)
        return -1;
    int result = promql_is_word(cursor, cursor->next, "with") &&
                         promql_behind_next(cursor).kind == PROMQL_OPEN
                     ? with(walk)
                     : suffixed(walk);
    walk->depth--;
    return result;
}

/* What may stand between an operator and its right side. */
static int modifiers(struct promql_cursor *cursor)
{
    bool joined;
    if (promql_matching(cursor, &joined) != 0)
        return -1;
    if (joined && promql_is_word(cursor, cursor->next, "prefix")) {
        promql_take(cursor);
        if (value(cursor) != 0)
            return -1;
    }
    return promql_fills(cursor);
}

static int expression(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    if (single(walk) != 0)
        return -1;
    while (is_operator(cursor, cursor->next)) {
        promql_take(cursor);
        if (modifiers(cursor) != 0 || single(walk) != 0)
            return -1;
        keep_metric_names(cursor);
    }
    return 0;
}

int metricsql_walk(const char *text, size_t size, const struct promql_visitor *visitor,
                   struct promql_fault *ret_fault)
{
    struct walk walk = {.cursor = {.lex = metricsql_lex,
                                   .star_labels = true,
                                   .lexer = {.text = text, .size = size},
                                   .visitor = visitor}};
    struct promql_cursor *cursor = &walk.cursor;
    promql_take(cursor);
    int result = expression(&walk);
    if (result == 0 && cursor->next.kind != PROMQL_END)
        result = promql_refuse_next(cursor, "an operator is expected here");
    if (result != 0)
        *ret_fault = cursor->fault;
    return result;
}
