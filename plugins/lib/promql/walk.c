/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "cursor.h"
#include "lexer.h"

#include <stdint.h>

enum frame {
    FRAME_GROUP,     /* ( expression ) */
    FRAME_CALL,      /* function ( ... ) */
    FRAME_AGGREGATE, /* sum ( ... ): by or without may follow */
    FRAME_AGGREGATE_DONE,
};

struct walk {
    struct promql_cursor cursor;
    uint8_t frames[PROMQL_MAX_DEPTH];
    size_t depth;
    bool operand; /* an operand is expected, else an operator or the end of one */
};

static const char *const aggregates[] = {
    "sum",  "avg",     "count",        "min",      "max",    "group",       "stddev", "stdvar",
    "topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio", NULL};
static const char *const set_operators[] = {"and", "or", "unless", "atan2", NULL};
static const char *const never_metrics[] = {"bool",        "on",    "ignoring", "group_left",
                                            "group_right", "atan2", NULL};
static const char *const duration_words[] = {"step",   "range",  "min", "max",
                                             "min_of", "max_of", NULL};
static const char *const range_modifiers[] = {"anchored", "smoothed", NULL};
static const char *const instants[] = {"start", "end", NULL};

static int push(struct walk *walk, enum frame frame)
{
    if (walk->depth == PROMQL_MAX_DEPTH)
        return promql_refuse_next(&walk->cursor, "parentheses are nested too deeply");
    walk->frames[walk->depth++] = (uint8_t)frame;
    return 0;
}

/* One matcher, or a quoted metric name. */
static int matcher(struct promql_cursor *cursor)
{
    struct promql_token name;
    bool compares;
    if (promql_matcher_head(cursor, &name, &compares) != 0)
        return -1;
    if (!compares) {
        if (name.kind == PROMQL_STRING &&
            (cursor->next.kind == PROMQL_COMMA || cursor->next.kind == PROMQL_CLOSE_BRACE))
            return 0;
        return promql_refuse_matcher(cursor);
    }
    if (cursor->next.kind != PROMQL_STRING)
        return promql_refuse_next(cursor, "a quoted value is expected here");
    promql_take(cursor);
    return 0;
}

static int braces(struct promql_cursor *cursor)
{
    struct promql_slot slot = {.braces = true};
    promql_take(cursor);
    while (cursor->next.kind != PROMQL_CLOSE_BRACE) {
        if (matcher(cursor) != 0)
            return -1;
        slot.comma = true;
        if (cursor->next.kind == PROMQL_COMMA) {
            promql_take(cursor);
            slot.comma = false;
        } else if (cursor->next.kind != PROMQL_CLOSE_BRACE) {
            return promql_refuse_next(cursor, "',' or '}' is expected after a label matcher");
        }
    }
    slot.at = cursor->next.start;
    promql_take(cursor);
    promql_visit_slot(cursor, slot);
    return 0;
}

static int selector(struct promql_cursor *cursor, size_t name_end)
{
    if (cursor->next.kind == PROMQL_OPEN_BRACE)
        return braces(cursor);
    promql_visit_slot(cursor, (struct promql_slot){.at = name_end});
    return 0;
}

static int aggregate(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    if (promql_is_one_of(cursor, cursor->next, promql_groupings)) {
        if (promql_grouping(cursor) != 0)
            return -1;
        if (cursor->next.kind != PROMQL_OPEN)
            return promql_refuse_next(cursor, "'(' is expected after the labels of an aggregation");
        promql_take(cursor);
        return push(walk, FRAME_AGGREGATE_DONE);
    }
    promql_take(cursor);
    return push(walk, FRAME_AGGREGATE);
}

/* A name where an operand is expected: an aggregation, a call, a number or a metric. */
static int named_operand(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    struct promql_token name = promql_take(cursor);
    bool grouped = promql_is_one_of(cursor, cursor->next, promql_groupings);
    if (promql_is_one_of(cursor, name, aggregates) && (grouped || cursor->next.kind == PROMQL_OPEN))
        return aggregate(walk);
    if (cursor->next.kind == PROMQL_OPEN) {
        if (promql_is_one_of(cursor, name, never_metrics) ||
            promql_is_one_of(cursor, name, promql_groupings))
            return promql_refuse(cursor, name.start, "this keyword does not belong here");
        if (promql_visit_function(cursor, name) != 0)
            return -1;
        promql_take(cursor);
        if (cursor->next.kind == PROMQL_CLOSE) {
            promql_take(cursor);
            walk->operand = false;
            return 0;
        }
        return push(walk, FRAME_CALL);
    }
    walk->operand = false;
    if (promql_is_one_of(cursor, name, promql_numbers))
        return 0;
    if (promql_is_one_of(cursor, name, never_metrics))
        return promql_refuse(cursor, name.start, "this keyword does not belong here");
    return selector(cursor, name.end);
}

static int operand(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    switch (cursor->next.kind) {
    case PROMQL_SIGN:
        promql_take(cursor);
        return 0;
    case PROMQL_NUMBER:
    case PROMQL_DURATION:
    case PROMQL_STRING:
        promql_take(cursor);
        walk->operand = false;
        return 0;
    case PROMQL_OPEN:
        promql_take(cursor);
        return push(walk, FRAME_GROUP);
    case PROMQL_OPEN_BRACE:
        walk->operand = false;
        return braces(cursor);
    case PROMQL_NAME:
        return named_operand(walk);
    case PROMQL_END:
        return promql_refuse_next(cursor, "the query ends where an expression is expected");
    default:
        return promql_refuse_next(cursor, "an expression is expected here");
    }
}

/* What may stand in a duration, since 3.4 also arithmetic: nothing that selects series. */
static bool in_duration(const struct promql_cursor *cursor, bool colon)
{
    switch (cursor->next.kind) {
    case PROMQL_DURATION:
    case PROMQL_NUMBER:
    case PROMQL_SIGN:
    case PROMQL_ARITHMETIC:
        return true;
    case PROMQL_COLON:
        return colon;
    case PROMQL_NAME:
        return promql_is_one_of(cursor, cursor->next, duration_words);
    default:
        return false;
    }
}

/* Up to and with the token that closes; parentheses must balance. */
static int duration(struct promql_cursor *cursor, enum promql_token_kind close)
{
    size_t depth = 0;
    bool brackets = close == PROMQL_CLOSE_BRACKET;
    for (;;) {
        if (cursor->next.kind == close && depth == 0)
            return 0;
        if (cursor->next.kind == PROMQL_OPEN)
            depth++;
        else if (cursor->next.kind == PROMQL_CLOSE && depth > 0)
            depth--;
        else if (!in_duration(cursor, brackets) &&
                 !(cursor->next.kind == PROMQL_COMMA && depth > 0))
            return promql_refuse_next(cursor, brackets
                                                  ? "a duration such as 5m is expected in brackets"
                                                  : "a duration such as 5m is expected here");
        promql_take(cursor);
    }
}

static int range(struct promql_cursor *cursor)
{
    cursor->lexer.in_brackets = true;
    promql_take(cursor);
    if (duration(cursor, PROMQL_CLOSE_BRACKET) != 0)
        return -1;
    cursor->lexer.in_brackets = false;
    promql_take(cursor);
    return 0;
}

static int parenthesised_duration(struct promql_cursor *cursor)
{
    promql_take(cursor);
    if (duration(cursor, PROMQL_CLOSE) != 0)
        return -1;
    promql_take(cursor);
    return 0;
}

static int offset(struct promql_cursor *cursor)
{
    promql_take(cursor);
    while (cursor->next.kind == PROMQL_SIGN)
        promql_take(cursor);
    if (cursor->next.kind == PROMQL_DURATION || cursor->next.kind == PROMQL_NUMBER) {
        promql_take(cursor);
        return 0;
    }
    if (promql_is_one_of(cursor, cursor->next, duration_words)) {
        promql_take(cursor);
        if (cursor->next.kind != PROMQL_OPEN)
            return promql_refuse_next(cursor, "'(' is expected here");
    }
    if (cursor->next.kind == PROMQL_OPEN)
        return parenthesised_duration(cursor);
    return promql_refuse_next(cursor, "a duration such as 5m is expected after offset");
}

static int at_modifier(struct promql_cursor *cursor)
{
    promql_take(cursor);
    if (promql_is_one_of(cursor, cursor->next, instants)) {
        promql_take(cursor);
        if (cursor->next.kind != PROMQL_OPEN)
            return promql_refuse_next(cursor, "start() or end() needs its parentheses");
        promql_take(cursor);
        if (cursor->next.kind != PROMQL_CLOSE)
            return promql_refuse_next(cursor, "start() and end() take no argument");
        promql_take(cursor);
        return 0;
    }
    while (cursor->next.kind == PROMQL_SIGN)
        promql_take(cursor);
    if (cursor->next.kind != PROMQL_NUMBER && cursor->next.kind != PROMQL_DURATION)
        return promql_refuse_next(cursor,
                                  "a time in seconds, start() or end() is expected after @");
    promql_take(cursor);
    return 0;
}

static int binary(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    bool joined;
    promql_take(cursor);
    walk->operand = true;
    if (promql_matching(cursor, &joined) != 0)
        return -1;
    return promql_fills(cursor);
}

static int close(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    if (walk->depth == 0)
        return promql_refuse_next(cursor, "this ')' has no '('");
    uint8_t frame = walk->frames[--walk->depth];
    promql_take(cursor);
    if (frame == FRAME_AGGREGATE && promql_is_one_of(cursor, cursor->next, promql_groupings))
        return promql_grouping(cursor);
    return 0;
}

static int name_after(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    if (promql_is_word(cursor, cursor->next, "offset"))
        return offset(cursor);
    if (promql_is_one_of(cursor, cursor->next, set_operators))
        return binary(walk);
    if (promql_is_one_of(cursor, cursor->next, range_modifiers)) {
        promql_take(cursor);
        return 0;
    }
    return promql_refuse_next(cursor, "an operator is expected here");
}

static int after_operand(struct walk *walk)
{
    struct promql_cursor *cursor = &walk->cursor;
    switch (cursor->next.kind) {
    case PROMQL_OPEN_BRACKET:
        return range(cursor);
    case PROMQL_AT:
        return at_modifier(cursor);
    case PROMQL_SIGN:
    case PROMQL_COMPARE:
    case PROMQL_ARITHMETIC:
        return binary(walk);
    case PROMQL_NAME:
        return name_after(walk);
    case PROMQL_COMMA:
        if (walk->depth == 0 || walk->frames[walk->depth - 1] == FRAME_GROUP)
            return promql_refuse_next(cursor, "',' is expected only between arguments");
        promql_take(cursor);
        walk->operand = true;
        return 0;
    case PROMQL_CLOSE:
        return close(walk);
    default:
        return promql_refuse_next(cursor, "an operator is expected here");
    }
}

int promql_walk(const char *text, size_t size, const struct promql_visitor *visitor,
                struct promql_fault *ret_fault)
{
    struct walk walk = {
        .cursor = {.lex = promql_lex, .lexer = {.text = text, .size = size}, .visitor = visitor},
        .operand = true};
    struct promql_cursor *cursor = &walk.cursor;
    promql_take(cursor);
    int result = 0;
    while (result == 0 && (walk.operand || cursor->next.kind != PROMQL_END))
        result = walk.operand ? operand(&walk) : after_operand(&walk);
    if (result == 0 && walk.depth > 0)
        result = promql_refuse_next(cursor, "the query ends before its last ')'");
    if (result != 0)
        *ret_fault = cursor->fault;
    return result;
}
