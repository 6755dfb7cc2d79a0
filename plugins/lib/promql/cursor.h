/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place in a query text, and what the walkers of PromQL and MetricsQL read there in the same way:
 * label lists, matchings, fills, the head of a matcher, each up to the token behind it. Operands,
 * windows and how expressions nest are each walker's own.
 *
 * Ownership: the text is the caller's; faults are static. Threads: pure.
 */
#ifndef SONDE_PROMQL_CURSOR_H
#define SONDE_PROMQL_CURSOR_H

#include "token.h"
#include "walk.h"

struct promql_cursor {
    struct promql_token (*lex)(struct promql_lexer *lexer);
    bool star_labels; /* a label list may begin with '*' */
    struct promql_lexer lexer;
    struct promql_token next;
    size_t taken_end; /* of the last token taken */
    const struct promql_visitor *visitor;
    struct promql_fault fault;
};

/* Lists of words end with NULL. */
extern const char *const promql_groupings[]; /* by without */
extern const char *const promql_numbers[];   /* inf nan */

/* What follows returns 0, or -1 with the cursor's fault set, unless it says otherwise. */

/* Always -1. */
int promql_refuse(struct promql_cursor *cursor, size_t position, const char *text);
/* Always -1. Where next is PROMQL_BAD, the lexer's own fault goes before the text. */
int promql_refuse_next(struct promql_cursor *cursor, const char *text);

/* next, and moves on; the first call only reads the first token. */
struct promql_token promql_take(struct promql_cursor *cursor);
/* The token behind next; nothing moves. */
struct promql_token promql_behind_next(const struct promql_cursor *cursor);
/* A name, in any case: keywords are the same so, as in Prometheus. */
bool promql_is_word(const struct promql_cursor *cursor, struct promql_token token,
                    const char *word);
bool promql_is_one_of(const struct promql_cursor *cursor, struct promql_token token,
                      const char *const *words);

void promql_visit_slot(const struct promql_cursor *cursor, struct promql_slot slot);
/* Whether the visitor lets this function be called. */
int promql_visit_function(struct promql_cursor *cursor, struct promql_token name);

/* ( a, b ) */
int promql_label_list(struct promql_cursor *cursor);
/* by (a, b), without (a): next is the word. */
int promql_grouping(struct promql_cursor *cursor);
/* bool, on (a), ignoring (a), each with group_left or group_right: ret_joined. All may be left out. */
int promql_matching(struct promql_cursor *cursor, bool *ret_joined);
/* fill (0), any number of them. */
int promql_fills(struct promql_cursor *cursor);
/* A label and its operator: ret_compares. Without an operator it is what the dialect makes of it. */
int promql_matcher_head(struct promql_cursor *cursor, struct promql_token *ret_name,
                        bool *ret_compares);
int promql_refuse_matcher(struct promql_cursor *cursor);

#endif
