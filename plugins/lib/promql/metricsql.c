/* SPDX-License-Identifier: Apache-2.0 */
#include "metricsql.h"

#include "metricsql_lexer.h"

#include <string.h>
#include <strings.h>

/* A name bound by WITH: a template without arguments, or an argument of the one being defined. */
struct bound {
    size_t start;
    size_t size;
    bool takes_arguments; /* as a bare name it is a metric all the same */
};

struct walk {
    struct promql_lexer lexer;
    struct promql_token next;
    size_t taken_end; /* of the last token taken */
    const struct promql_visitor *visitor;
    struct promql_fault fault;
    struct bound bound[METRICSQL_MAX_TEMPLATES];
    size_t bound_count;
    size_t depth;
};

static int expression(struct walk *walk);
static int single(struct walk *walk);

static int refuse(struct walk *walk, size_t position, const char *text)
{
    walk->fault = (struct promql_fault){.position = position, .text = text};
    return -1;
}

static int refuse_next(struct walk *walk, const char *text)
{
    if (walk->next.kind == PROMQL_BAD)
        text = walk->lexer.fault;
    return refuse(walk, walk->next.start, text);
}

static struct promql_token take(struct walk *walk)
{
    struct promql_token token = walk->next;
    walk->taken_end = token.end;
    walk->next = metricsql_lex(&walk->lexer);
    return token;
}

static struct promql_token behind_next(const struct walk *walk)
{
    struct promql_lexer ahead = walk->lexer;
    return metricsql_lex(&ahead);
}

static bool is_word(const struct walk *walk, struct promql_token token, const char *word)
{
    return token.kind == PROMQL_NAME && token.end - token.start == strlen(word) &&
           strncasecmp(walk->lexer.text + token.start, word, token.end - token.start) == 0;
}

static bool is_one_of(const struct walk *walk, struct promql_token token, const char *const *words)
{
    for (; *words != NULL; words++)
        if (is_word(walk, token, *words))
            return true;
    return false;
}

static const char *const word_operators[] = {"and", "or",    "unless",  "atan2",
                                             "if",  "ifnot", "default", NULL};
static const char *const groupings[] = {"by", "without", NULL};
static const char *const matchings[] = {"on", "ignoring", NULL};
static const char *const joins[] = {"group_left", "group_right", NULL};
static const char *const fills[] = {"fill", "fill_left", "fill_right", NULL};
static const char *const numbers[] = {"inf", "nan", NULL};
/* A modifier may follow these, and stand before their arguments; nothing else depends on the list. */
static const char *const aggregates[] = {
    "any",          "avg",         "bottomk",   "bottomk_avg",  "bottomk_max",  "bottomk_median",
    "bottomk_last", "bottomk_min", "count",     "count_values", "distinct",     "geomean",
    "group",        "histogram",   "limitk",    "mad",          "max",          "median",
    "min",          "mode",        "outliersk", "outliers_iqr", "outliers_mad", "quantile",
    "quantiles",    "share",       "stddev",    "stdvar",       "sum",          "sum2",
    "topk",         "topk_avg",    "topk_max",  "topk_median",  "topk_last",    "topk_min",
    "zscore",       NULL};

static bool is_operator(const struct walk *walk, struct promql_token token)
{
    return token.kind == PROMQL_SIGN || token.kind == PROMQL_COMPARE ||
           token.kind == PROMQL_ARITHMETIC || is_one_of(walk, token, word_operators);
}

/* Each level of the grammar's recursion that a text can drive. */
static int deeper(struct walk *walk)
{
    if (walk->depth == PROMQL_MAX_DEPTH)
        return refuse_next(walk, "the expressions are nested too deeply");
    walk->depth++;
    return 0;
}

static int bind(struct walk *walk, struct promql_token name, bool takes_arguments)
{
    if (walk->bound_count == METRICSQL_MAX_TEMPLATES)
        return refuse(walk, name.start, "WITH defines too many templates");
    walk->bound[walk->bound_count++] = (struct bound){
        .start = name.start, .size = name.end - name.start, .takes_arguments = takes_arguments};
    return 0;
}

/* The newest of that name counts; one that takes arguments is a metric where it stands alone. */
static bool is_template(const struct walk *walk, struct promql_token name)
{
    const char *text = walk->lexer.text;
    for (size_t i = walk->bound_count; i-- > 0;) {
        const struct bound *bound = &walk->bound[i];
        if (bound->size == name.end - name.start &&
            memcmp(text + bound->start, text + name.start, bound->size) == 0)
            return !bound->takes_arguments;
    }
    return false;
}

static void visit_label(const struct walk *walk, struct promql_token token)
{
    if (walk->visitor->label == NULL)
        return;
    size_t quotes = token.kind == PROMQL_STRING ? 1 : 0;
    walk->visitor->label(walk->visitor->user, walk->lexer.text + token.start + quotes,
                         token.end - token.start - 2 * quotes);
}

static void visit_slot(const struct walk *walk, struct promql_slot slot)
{
    if (walk->visitor->selector != NULL)
        walk->visitor->selector(walk->visitor->user, &slot);
}

static int label_list(struct walk *walk)
{
    if (walk->next.kind != PROMQL_OPEN)
        return refuse_next(walk, "a list of labels in parentheses is expected here");
    take(walk);
    if (walk->next.kind == PROMQL_ARITHMETIC && walk->lexer.text[walk->next.start] == '*')
        take(walk); /* group_left(*) */
    while (walk->next.kind != PROMQL_CLOSE) {
        if (walk->next.kind != PROMQL_NAME && walk->next.kind != PROMQL_STRING)
            return refuse_next(walk, "a label name is expected here");
        visit_label(walk, take(walk));
        if (walk->next.kind == PROMQL_COMMA)
            take(walk);
        else if (walk->next.kind != PROMQL_CLOSE)
            return refuse_next(walk, "',' or ')' is expected in this list of labels");
    }
    take(walk);
    return 0;
}

/* "a" + template + "b" */
static int value(struct walk *walk)
{
    for (;;) {
        if (walk->next.kind != PROMQL_STRING && walk->next.kind != PROMQL_NAME)
            return refuse_next(walk, "a quoted value is expected here");
        take(walk);
        if (walk->next.kind != PROMQL_SIGN || walk->lexer.text[walk->next.start] != '+')
            return 0;
        take(walk);
    }
}

/* One matcher, a quoted metric name, or a template of matchers. */
static int matcher(struct walk *walk)
{
    struct promql_token name = take(walk);
    if (name.kind != PROMQL_NAME && name.kind != PROMQL_STRING)
        return refuse(walk, name.start,
                      name.kind == PROMQL_BAD ? walk->lexer.fault
                                              : "a label matcher is expected here");
    bool compares = walk->next.kind == PROMQL_ASSIGN || walk->next.kind == PROMQL_MATCH ||
                    (walk->next.kind == PROMQL_COMPARE && walk->next.end - walk->next.start == 2 &&
                     walk->lexer.text[walk->next.start] == '!');
    if (compares) {
        visit_label(walk, name);
        take(walk);
        return value(walk);
    }
    bool ends = walk->next.kind == PROMQL_COMMA || walk->next.kind == PROMQL_CLOSE_BRACE ||
                is_word(walk, walk->next, "or");
    if (ends && (name.kind == PROMQL_STRING || is_template(walk, name)))
        return 0;
    return refuse_next(walk, "'=', '!=', '=~' or '!~' is expected after a label name");
}

/* Each branch of `or` selects series of its own, so each gets a slot. */
static int braces(struct walk *walk)
{
    struct promql_slot slot = {.braces = true};
    take(walk);
    while (walk->next.kind != PROMQL_CLOSE_BRACE) {
        if (matcher(walk) != 0)
            return -1;
        slot.comma = true;
        if (walk->next.kind == PROMQL_COMMA) {
            take(walk);
            slot.comma = false;
        } else if (is_word(walk, walk->next, "or")) {
            slot.at = walk->taken_end;
            visit_slot(walk, slot);
            take(walk);
            if (walk->next.kind == PROMQL_CLOSE_BRACE)
                return refuse_next(walk, "a label matcher is expected after or");
            slot = (struct promql_slot){.braces = true};
        } else if (walk->next.kind != PROMQL_CLOSE_BRACE) {
            return refuse_next(walk, "',', 'or' or '}' is expected after a label matcher");
        }
    }
    slot.at = walk->next.start;
    take(walk);
    visit_slot(walk, slot);
    return 0;
}

/* ( a, b, ) up to and with its ')'. */
static int arguments(struct walk *walk)
{
    take(walk);
    while (walk->next.kind != PROMQL_CLOSE) {
        if (expression(walk) != 0)
            return -1;
        if (walk->next.kind == PROMQL_COMMA)
            take(walk);
        else if (walk->next.kind != PROMQL_CLOSE)
            return refuse_next(walk, "an operator, ',' or ')' is expected here");
    }
    take(walk);
    return 0;
}

static void keep_metric_names(struct walk *walk)
{
    if (is_word(walk, walk->next, "keep_metric_names"))
        take(walk);
}

static int aggregate(struct walk *walk)
{
    bool grouped = is_one_of(walk, walk->next, groupings);
    if (grouped) {
        take(walk);
        if (label_list(walk) != 0)
            return -1;
    }
    if (walk->next.kind != PROMQL_OPEN)
        return refuse_next(walk, "'(' is expected after the labels of an aggregation");
    if (arguments(walk) != 0)
        return -1;
    if (!grouped && is_one_of(walk, walk->next, groupings)) {
        take(walk);
        if (label_list(walk) != 0)
            return -1;
    }
    if (is_word(walk, walk->next, "limit")) {
        take(walk);
        if (walk->next.kind != PROMQL_NUMBER)
            return refuse_next(walk, "a number of series is expected after limit");
        take(walk);
    }
    return 0;
}

static int call(struct walk *walk, struct promql_token name)
{
    const struct promql_visitor *visitor = walk->visitor;
    if (visitor->function != NULL &&
        !visitor->function(visitor->user, walk->lexer.text + name.start, name.end - name.start))
        return refuse(walk, name.start,
                      "this function reads series that no filter can be added to");
    if (arguments(walk) != 0)
        return -1;
    keep_metric_names(walk);
    return 0;
}

static int named(struct walk *walk)
{
    struct promql_token name = take(walk);
    if (is_one_of(walk, name, aggregates) &&
        (walk->next.kind == PROMQL_OPEN || is_one_of(walk, walk->next, groupings)))
        return aggregate(walk);
    if (walk->next.kind == PROMQL_OPEN)
        return call(walk, name);
    if (walk->next.kind == PROMQL_OPEN_BRACE)
        return braces(walk);
    if (!is_template(walk, name))
        visit_slot(walk, (struct promql_slot){.at = name.end});
    return 0;
}

/* name = expression, or name(a, b) = expression. Its arguments are known in it alone. */
static int template(struct walk *walk)
{
    struct promql_token name = take(walk);
    if (name.kind != PROMQL_NAME)
        return refuse(walk, name.start,
                      name.kind == PROMQL_BAD ? walk->lexer.fault
                                              : "the name of a template is expected here");
    size_t outside = walk->bound_count;
    bool takes_arguments = false;
    if (walk->next.kind == PROMQL_OPEN) {
        take(walk);
        while (walk->next.kind != PROMQL_CLOSE) {
            if (walk->next.kind != PROMQL_NAME)
                return refuse_next(walk, "the name of an argument is expected here");
            takes_arguments = true;
            if (bind(walk, take(walk), false) != 0)
                return -1;
            if (walk->next.kind == PROMQL_COMMA)
                take(walk);
            else if (walk->next.kind != PROMQL_CLOSE)
                return refuse_next(walk, "',' or ')' is expected in this list of arguments");
        }
        take(walk);
    }
    if (walk->next.kind != PROMQL_ASSIGN)
        return refuse_next(walk, "'=' is expected after the name of a template");
    take(walk);
    if (expression(walk) != 0)
        return -1;
    walk->bound_count = outside;
    return bind(walk, name, takes_arguments);
}

/* WITH (templates) expression: each template knows those before it. */
static int with(struct walk *walk)
{
    size_t outside = walk->bound_count;
    take(walk);
    take(walk);
    while (walk->next.kind != PROMQL_CLOSE) {
        if (template(walk) != 0)
            return -1;
        if (walk->next.kind == PROMQL_COMMA)
            take(walk);
        else if (walk->next.kind != PROMQL_CLOSE)
            return refuse_next(walk, "an operator, ',' or ')' is expected after a template");
    }
    take(walk);
    int result = expression(walk);
    walk->bound_count = outside;
    return result;
}

/* An operand without what may follow it. */
static int operand(struct walk *walk)
{
    switch (walk->next.kind) {
    case PROMQL_NUMBER:
    case PROMQL_STRING:
        take(walk);
        return 0;
    case PROMQL_SIGN:
        take(walk);
        return single(walk);
    case PROMQL_OPEN:
        if (arguments(walk) != 0)
            return -1;
        keep_metric_names(walk);
        return 0;
    case PROMQL_OPEN_BRACE:
        return braces(walk);
    case PROMQL_NAME:
        if (is_one_of(walk, walk->next, numbers)) {
            take(walk);
            return 0;
        }
        return named(walk);
    case PROMQL_END:
        return refuse_next(walk, "the query ends where an expression is expected");
    default:
        return refuse_next(walk, "an expression is expected here");
    }
}

static int window(struct walk *walk)
{
    /* The lexer stands behind the '[', which is the token that comes next. */
    if (metricsql_skip_brackets(&walk->lexer) != 0)
        return refuse(walk, walk->lexer.at, walk->lexer.fault);
    take(walk);
    return 0;
}

static int offset(struct walk *walk)
{
    take(walk);
    if (walk->next.kind == PROMQL_SIGN)
        take(walk);
    if (walk->next.kind == PROMQL_NUMBER ||
        (walk->next.kind == PROMQL_NAME && is_template(walk, walk->next))) {
        take(walk);
        return 0;
    }
    return refuse_next(walk, "a duration such as 5m is expected after offset");
}

/* An operand with its window, its time and its offset. */
static int suffixed(struct walk *walk)
{
    if (operand(walk) != 0)
        return -1;
    if (walk->next.kind == PROMQL_OPEN_BRACKET && window(walk) != 0)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        if (walk->next.kind == PROMQL_AT) {
            take(walk);
            if (operand(walk) != 0)
                return -1;
        } else if (is_word(walk, walk->next, "offset") && offset(walk) != 0) {
            return -1;
        }
    }
    return 0;
}

static int single(struct walk *walk)
{
    if (deeper(walk) != 0)
        return -1;
    int result = is_word(walk, walk->next, "with") && behind_next(walk).kind == PROMQL_OPEN
                     ? with(walk)
                     : suffixed(walk);
    walk->depth--;
    return result;
}

static int fill(struct walk *walk)
{
    take(walk);
    take(walk);
    while (walk->next.kind == PROMQL_SIGN)
        take(walk);
    if (walk->next.kind != PROMQL_NUMBER && !is_one_of(walk, walk->next, numbers))
        return refuse_next(walk, "a number is expected here");
    take(walk);
    if (walk->next.kind != PROMQL_CLOSE)
        return refuse_next(walk, "')' is expected here");
    take(walk);
    return 0;
}

/* What may stand between an operator and its right side. */
static int modifiers(struct walk *walk)
{
    if (is_word(walk, walk->next, "bool"))
        take(walk);
    if (is_one_of(walk, walk->next, matchings)) {
        take(walk);
        if (label_list(walk) != 0)
            return -1;
        if (is_one_of(walk, walk->next, joins)) {
            take(walk);
            if (walk->next.kind == PROMQL_OPEN && label_list(walk) != 0)
                return -1;
            if (is_word(walk, walk->next, "prefix")) {
                take(walk);
                if (value(walk) != 0)
                    return -1;
            }
        }
    }
    while (is_one_of(walk, walk->next, fills) && behind_next(walk).kind == PROMQL_OPEN)
        if (fill(walk) != 0)
            return -1;
    return 0;
}

static int expression(struct walk *walk)
{
    if (single(walk) != 0)
        return -1;
    while (is_operator(walk, walk->next)) {
        take(walk);
        if (modifiers(walk) != 0 || single(walk) != 0)
            return -1;
        keep_metric_names(walk);
    }
    return 0;
}

int metricsql_walk(const char *text, size_t size, const struct promql_visitor *visitor,
                   struct promql_fault *ret_fault)
{
    struct walk walk = {.lexer = {.text = text, .size = size}, .visitor = visitor};
    walk.next = metricsql_lex(&walk.lexer);
    int result = expression(&walk);
    if (result == 0 && walk.next.kind != PROMQL_END)
        result = refuse_next(&walk, "an operator is expected here");
    if (result != 0)
        *ret_fault = walk.fault;
    return result;
}
