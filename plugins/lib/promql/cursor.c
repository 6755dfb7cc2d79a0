/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <string.h>
#include <strings.h>

const char *const promql_groupings[] = {"by", "without", NULL};
const char *const promql_numbers[] = {"inf", "nan", NULL};
static const char *const matchings[] = {"on", "ignoring", NULL};
static const char *const joins[] = {"group_left", "group_right", NULL};
static const char *const fills[] = {"fill", "fill_left", "fill_right", NULL};

int promql_refuse(struct promql_cursor *cursor, size_t position, const char *text)
{
    cursor->fault = (struct promql_fault){.position = position, .text = text};
    return -1;
}

int promql_refuse_next(struct promql_cursor *cursor, const char *text)
{
    if (cursor->next.kind == PROMQL_BAD)
        text = cursor->lexer.fault;
    return promql_refuse(cursor, cursor->next.start, text);
}

struct promql_token promql_take(struct promql_cursor *cursor)
{
    struct promql_token token = cursor->next;
    cursor->taken_end = token.end;
    cursor->next = cursor->lex(&cursor->lexer);
    return token;
}

struct promql_token promql_behind_next(const struct promql_cursor *cursor)
{
    struct promql_lexer ahead = cursor->lexer;
    return cursor->lex(&ahead);
}

bool promql_is_word(const struct promql_cursor *cursor, struct promql_token token, const char *word)
{
    return token.kind == PROMQL_NAME && token.end - token.start == strlen(word) &&
           strncasecmp(cursor->lexer.text + token.start, word, token.end - token.start) == 0;
}

bool promql_is_one_of(const struct promql_cursor *cursor, struct promql_token token,
                      const char *const *words)
{
    for (; *words != NULL; words++)
        if (promql_is_word(cursor, token, *words))
            return true;
    return false;
}

static void visit_label(const struct promql_cursor *cursor, struct promql_token token)
{
    const struct promql_visitor *visitor = cursor->visitor;
    if (visitor->label == NULL)
        return;
    size_t quotes = token.kind == PROMQL_STRING ? 1 : 0;
    visitor->label(visitor->user, cursor->lexer.text + token.start + quotes,
                   token.end - token.start - 2 * quotes);
}

void promql_visit_slot(const struct promql_cursor *cursor, struct promql_slot slot)
{
    if (cursor->visitor->selector != NULL)
        cursor->visitor->selector(cursor->visitor->user, &slot);
}

int promql_visit_function(struct promql_cursor *cursor, struct promql_token name)
{
    const struct promql_visitor *visitor = cursor->visitor;
    if (visitor->function == NULL ||
        visitor->function(visitor->user, cursor->lexer.text + name.start, name.end - name.start))
        return 0;
    return promql_refuse(cursor, name.start,
                         "this function reads series that no filter can be added to");
}

int promql_label_list(struct promql_cursor *cursor)
{
    if (cursor->next.kind != PROMQL_OPEN)
        return promql_refuse_next(cursor, "a list of labels in parentheses is expected here");
    promql_take(cursor);
    if (cursor->star_labels && cursor->next.kind == PROMQL_ARITHMETIC &&
        cursor->lexer.text[cursor->next.start] == '*')
        promql_take(cursor); /* group_left(*) */
    while (cursor->next.kind != PROMQL_CLOSE) {
        if (cursor->next.kind != PROMQL_NAME && cursor->next.kind != PROMQL_STRING)
            return promql_refuse_next(cursor, "a label name is expected here");
        visit_label(cursor, promql_take(cursor));
        if (cursor->next.kind == PROMQL_COMMA)
            promql_take(cursor);
        else if (cursor->next.kind != PROMQL_CLOSE)
            return promql_refuse_next(cursor, "',' or ')' is expected in this list of labels");
    }
    promql_take(cursor);
    return 0;
}

int promql_grouping(struct promql_cursor *cursor)
{
    promql_take(cursor);
    return promql_label_list(cursor);
}

int promql_matching(struct promql_cursor *cursor, bool *ret_joined)
{
    bool joined = false;
    if (promql_is_word(cursor, cursor->next, "bool"))
        promql_take(cursor);
    if (promql_is_one_of(cursor, cursor->next, matchings)) {
        promql_take(cursor);
        if (promql_label_list(cursor) != 0)
            return -1;
        joined = promql_is_one_of(cursor, cursor->next, joins);
    }
    if (joined) {
        promql_take(cursor);
        /* A parenthesis here is always the label list, as Prometheus reads it. */
        if (cursor->next.kind == PROMQL_OPEN && promql_label_list(cursor) != 0)
            return -1;
    }
    *ret_joined = joined;
    return 0;
}

static int fill(struct promql_cursor *cursor)
{
    promql_take(cursor);
    promql_take(cursor);
    while (cursor->next.kind == PROMQL_SIGN)
        promql_take(cursor);
    if (cursor->next.kind != PROMQL_NUMBER &&
        !promql_is_one_of(cursor, cursor->next, promql_numbers))
        return promql_refuse_next(cursor, "a number is expected here");
    promql_take(cursor);
    if (cursor->next.kind != PROMQL_CLOSE)
        return promql_refuse_next(cursor, "')' is expected here");
    promql_take(cursor);
    return 0;
}

/* A fill is a modifier only before '(': a metric may bear that name. */
int promql_fills(struct promql_cursor *cursor)
{
    while (promql_is_one_of(cursor, cursor->next, fills) &&
           promql_behind_next(cursor).kind == PROMQL_OPEN)
        if (fill(cursor) != 0)
            return -1;
    return 0;
}

int promql_matcher_head(struct promql_cursor *cursor, struct promql_token *ret_name,
                        bool *ret_compares)
{
    struct promql_token name = promql_take(cursor);
    if (name.kind != PROMQL_NAME && name.kind != PROMQL_STRING)
        return promql_refuse(cursor, name.start,
                             name.kind == PROMQL_BAD ? cursor->lexer.fault
                                                     : "a label matcher is expected here");
    struct promql_token next = cursor->next;
    bool compares = next.kind == PROMQL_ASSIGN || next.kind == PROMQL_MATCH ||
                    (next.kind == PROMQL_COMPARE && next.end - next.start == 2 &&
                     cursor->lexer.text[next.start] == '!');
    if (compares) {
        visit_label(cursor, name);
        promql_take(cursor);
    }
    *ret_name = name;
    *ret_compares = compares;
    return 0;
}

int promql_refuse_matcher(struct promql_cursor *cursor)
{
    return promql_refuse_next(cursor, "'=', '!=', '=~' or '!~' is expected after a label name");
}
