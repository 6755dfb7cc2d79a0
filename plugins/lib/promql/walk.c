/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "lexer.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum frame {
    FRAME_GROUP,     /* ( expression ) */
    FRAME_CALL,      /* function ( ... ) */
    FRAME_AGGREGATE, /* sum ( ... ): by or without may follow */
    FRAME_AGGREGATE_DONE,
};

struct walk {
    struct promql_lexer lexer;
    struct promql_token next;
    const struct promql_visitor *visitor;
    struct promql_fault fault;
    uint8_t frames[PROMQL_MAX_DEPTH];
    size_t depth;
    bool operand; /* an operand is expected, else an operator or the end of one */
};

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
    walk->next = promql_lex(&walk->lexer);
    return token;
}

/* Keywords are the same in any case, as in Prometheus. */
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

static const char *const aggregates[] = {
    "sum",  "avg",     "count",        "min",      "max",    "group",       "stddev", "stdvar",
    "topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio", NULL};
static const char *const set_operators[] = {"and", "or", "unless", "atan2", NULL};
static const char *const never_metrics[] = {"bool",        "on",    "ignoring", "group_left",
                                            "group_right", "atan2", NULL};
static const char *const numbers[] = {"inf", "nan", NULL};
static const char *const groupings[] = {"by", "without", NULL};
static const char *const fills[] = {"fill", "fill_left", "fill_right", NULL};
static const char *const duration_words[] = {"step",   "range",  "min", "max",
                                             "min_of", "max_of", NULL};
static const char *const range_modifiers[] = {"anchored", "smoothed", NULL};
static const char *const instants[] = {"start", "end", NULL};

static int push(struct walk *walk, enum frame frame)
{
    if (walk->depth == PROMQL_MAX_DEPTH)
        return refuse_next(walk, "parentheses are nested too deeply");
    walk->frames[walk->depth++] = (uint8_t)frame;
    return 0;
}

static void visit_label(const struct walk *walk, struct promql_token token)
{
    if (walk->visitor->label == NULL)
        return;
    size_t quotes = token.kind == PROMQL_STRING ? 1 : 0;
    walk->visitor->label(walk->visitor->user, walk->lexer.text + token.start + quotes,
                         token.end - token.start - 2 * quotes);
}

static int label_list(struct walk *walk)
{
    if (walk->next.kind != PROMQL_OPEN)
        return refuse_next(walk, "a list of labels in parentheses is expected here");
    take(walk);
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

/* One matcher, or a quoted metric name. */
static int matcher(struct walk *walk)
{
    struct promql_token name = take(walk);
    if (name.kind != PROMQL_NAME && name.kind != PROMQL_STRING)
        return refuse(walk, name.start,
                      name.kind == PROMQL_BAD ? walk->lexer.fault
                                              : "a label matcher is expected here");
    bool compares = walk->next.kind == PROMQL_ASSIGN || walk->next.kind == PROMQL_MATCH;
    if (walk->next.kind == PROMQL_COMPARE)
        compares =
            walk->next.end - walk->next.start == 2 && walk->lexer.text[walk->next.start] == '!';
    if (!compares) {
        if (name.kind == PROMQL_STRING &&
            (walk->next.kind == PROMQL_COMMA || walk->next.kind == PROMQL_CLOSE_BRACE))
            return 0;
        return refuse_next(walk, "'=', '!=', '=~' or '!~' is expected after a label name");
    }
    visit_label(walk, name);
    take(walk);
    if (walk->next.kind != PROMQL_STRING)
        return refuse_next(walk, "a quoted value is expected here");
    take(walk);
    return 0;
}

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
        } else if (walk->next.kind != PROMQL_CLOSE_BRACE) {
            return refuse_next(walk, "',' or '}' is expected after a label matcher");
        }
    }
    slot.at = walk->next.start;
    take(walk);
    if (walk->visitor->selector != NULL)
        walk->visitor->selector(walk->visitor->user, &slot);
    return 0;
}

static int selector(struct walk *walk, size_t name_end)
{
    if (walk->next.kind == PROMQL_OPEN_BRACE)
        return braces(walk);
    struct promql_slot slot = {.at = name_end};
    if (walk->visitor->selector != NULL)
        walk->visitor->selector(walk->visitor->user, &slot);
    return 0;
}

static int aggregate(struct walk *walk)
{
    if (is_one_of(walk, walk->next, groupings)) {
        take(walk);
        if (label_list(walk) != 0)
            return -1;
        if (walk->next.kind != PROMQL_OPEN)
            return refuse_next(walk, "'(' is expected after the labels of an aggregation");
        take(walk);
        return push(walk, FRAME_AGGREGATE_DONE);
    }
    take(walk);
    return push(walk, FRAME_AGGREGATE);
}

/* A name where an operand is expected: an aggregation, a call, a number or a metric. */
static int named_operand(struct walk *walk)
{
    struct promql_token name = take(walk);
    bool grouped = is_one_of(walk, walk->next, groupings);
    if (is_one_of(walk, name, aggregates) && (grouped || walk->next.kind == PROMQL_OPEN))
        return aggregate(walk);
    if (walk->next.kind == PROMQL_OPEN) {
        const struct promql_visitor *visitor = walk->visitor;
        if (is_one_of(walk, name, never_metrics) || is_one_of(walk, name, groupings))
            return refuse(walk, name.start, "this keyword does not belong here");
        if (visitor->function != NULL &&
            !visitor->function(visitor->user, walk->lexer.text + name.start, name.end - name.start))
            return refuse(walk, name.start,
                          "this function reads series that no filter can be added to");
        take(walk);
        if (walk->next.kind == PROMQL_CLOSE) {
            take(walk);
            walk->operand = false;
            return 0;
        }
        return push(walk, FRAME_CALL);
    }
    walk->operand = false;
    if (is_one_of(walk, name, numbers))
        return 0;
    if (is_one_of(walk, name, never_metrics))
        return refuse(walk, name.start, "this keyword does not belong here");
    return selector(walk, name.end);
}

static int operand(struct walk *walk)
{
    switch (walk->next.kind) {
    case PROMQL_SIGN:
        take(walk);
        return 0;
    case PROMQL_NUMBER:
    case PROMQL_DURATION:
    case PROMQL_STRING:
        take(walk);
        walk->operand = false;
        return 0;
    case PROMQL_OPEN:
        take(walk);
        return push(walk, FRAME_GROUP);
    case PROMQL_OPEN_BRACE:
        walk->operand = false;
        return braces(walk);
    case PROMQL_NAME:
        return named_operand(walk);
    case PROMQL_END:
        return refuse_next(walk, "the query ends where an expression is expected");
    default:
        return refuse_next(walk, "an expression is expected here");
    }
}

/* What may stand in a duration, since 3.4 also arithmetic: nothing that selects series. */
static bool in_duration(const struct walk *walk, bool colon)
{
    switch (walk->next.kind) {
    case PROMQL_DURATION:
    case PROMQL_NUMBER:
    case PROMQL_SIGN:
    case PROMQL_ARITHMETIC:
        return true;
    case PROMQL_COLON:
        return colon;
    case PROMQL_NAME:
        return is_one_of(walk, walk->next, duration_words);
    default:
        return false;
    }
}

/* Up to and with the token that closes; parentheses must balance. */
static int duration(struct walk *walk, enum promql_token_kind close)
{
    size_t depth = 0;
    bool brackets = close == PROMQL_CLOSE_BRACKET;
    for (;;) {
        if (walk->next.kind == close && depth == 0)
            return 0;
        if (walk->next.kind == PROMQL_OPEN)
            depth++;
        else if (walk->next.kind == PROMQL_CLOSE && depth > 0)
            depth--;
        else if (!in_duration(walk, brackets) && !(walk->next.kind == PROMQL_COMMA && depth > 0))
            return refuse_next(walk, brackets ? "a duration such as 5m is expected in brackets"
                                              : "a duration such as 5m is expected here");
        take(walk);
    }
}

static int range(struct walk *walk)
{
    walk->lexer.in_brackets = true;
    take(walk);
    if (duration(walk, PROMQL_CLOSE_BRACKET) != 0)
        return -1;
    walk->lexer.in_brackets = false;
    take(walk);
    return 0;
}

static int parenthesised_duration(struct walk *walk)
{
    take(walk);
    if (duration(walk, PROMQL_CLOSE) != 0)
        return -1;
    take(walk);
    return 0;
}

static int offset(struct walk *walk)
{
    take(walk);
    while (walk->next.kind == PROMQL_SIGN)
        take(walk);
    if (walk->next.kind == PROMQL_DURATION || walk->next.kind == PROMQL_NUMBER) {
        take(walk);
        return 0;
    }
    if (is_one_of(walk, walk->next, duration_words)) {
        take(walk);
        if (walk->next.kind != PROMQL_OPEN)
            return refuse_next(walk, "'(' is expected here");
    }
    if (walk->next.kind == PROMQL_OPEN)
        return parenthesised_duration(walk);
    return refuse_next(walk, "a duration such as 5m is expected after offset");
}

static int at_modifier(struct walk *walk)
{
    take(walk);
    if (is_one_of(walk, walk->next, instants)) {
        take(walk);
        if (walk->next.kind != PROMQL_OPEN)
            return refuse_next(walk, "start() or end() needs its parentheses");
        take(walk);
        if (walk->next.kind != PROMQL_CLOSE)
            return refuse_next(walk, "start() and end() take no argument");
        take(walk);
        return 0;
    }
    while (walk->next.kind == PROMQL_SIGN)
        take(walk);
    if (walk->next.kind != PROMQL_NUMBER && walk->next.kind != PROMQL_DURATION)
        return refuse_next(walk, "a time in seconds, start() or end() is expected after @");
    take(walk);
    return 0;
}

static int fill_modifier(struct walk *walk)
{
    take(walk);
    if (walk->next.kind != PROMQL_OPEN)
        return refuse_next(walk, "'(' is expected here");
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

/* A fill is a modifier only before '(': a metric may bear that name. */
static bool at_fill(const struct walk *walk)
{
    if (!is_one_of(walk, walk->next, fills))
        return false;
    struct promql_lexer ahead = walk->lexer;
    return promql_lex(&ahead).kind == PROMQL_OPEN;
}

static int binary(struct walk *walk)
{
    take(walk);
    walk->operand = true;
    if (is_word(walk, walk->next, "bool"))
        take(walk);
    if (is_word(walk, walk->next, "on") || is_word(walk, walk->next, "ignoring")) {
        take(walk);
        if (label_list(walk) != 0)
            return -1;
        if (is_word(walk, walk->next, "group_left") || is_word(walk, walk->next, "group_right")) {
            take(walk);
            /* A parenthesis here is always the label list, as Prometheus reads it. */
            if (walk->next.kind == PROMQL_OPEN && label_list(walk) != 0)
                return -1;
        }
    }
    while (at_fill(walk))
        if (fill_modifier(walk) != 0)
            return -1;
    return 0;
}

static int close(struct walk *walk)
{
    if (walk->depth == 0)
        return refuse_next(walk, "this ')' has no '('");
    uint8_t frame = walk->frames[--walk->depth];
    take(walk);
    if (frame == FRAME_AGGREGATE && is_one_of(walk, walk->next, groupings)) {
        take(walk);
        return label_list(walk);
    }
    return 0;
}

static int name_after(struct walk *walk)
{
    if (is_word(walk, walk->next, "offset"))
        return offset(walk);
    if (is_one_of(walk, walk->next, set_operators))
        return binary(walk);
    if (is_one_of(walk, walk->next, range_modifiers)) {
        take(walk);
        return 0;
    }
    return refuse_next(walk, "an operator is expected here");
}

static int after_operand(struct walk *walk)
{
    switch (walk->next.kind) {
    case PROMQL_OPEN_BRACKET:
        return range(walk);
    case PROMQL_AT:
        return at_modifier(walk);
    case PROMQL_SIGN:
    case PROMQL_COMPARE:
    case PROMQL_ARITHMETIC:
        return binary(walk);
    case PROMQL_NAME:
        return name_after(walk);
    case PROMQL_COMMA:
        if (walk->depth == 0 || walk->frames[walk->depth - 1] == FRAME_GROUP)
            return refuse_next(walk, "',' is expected only between arguments");
        take(walk);
        walk->operand = true;
        return 0;
    case PROMQL_CLOSE:
        return close(walk);
    default:
        return refuse_next(walk, "an operator is expected here");
    }
}

int promql_walk(const char *text, size_t size, const struct promql_visitor *visitor,
                struct promql_fault *ret_fault)
{
    struct walk walk = {.lexer = {.text = text, .size = size}, .visitor = visitor, .operand = true};
    walk.next = promql_lex(&walk.lexer);
    int result = 0;
    while (result == 0 && (walk.operand || walk.next.kind != PROMQL_END))
        result = walk.operand ? operand(&walk) : after_operand(&walk);
    if (result == 0 && walk.depth > 0)
        result = refuse_next(&walk, "the query ends before its last ')'");
    if (result != 0)
        *ret_fault = walk.fault;
    return result;
}
