/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query as a tree, whether it was written as text or came as a structure.
 *
 * Ownership: the operation's memory. Threads: one operation, one thread at a time.
 */
#ifndef OTLPFILE_AST_H
#define OTLPFILE_AST_H

#include "common.h"
#include "regex.h"

#include <sonde/text.h>

enum node_type { NODE_NUMBER, NODE_SELECTOR, NODE_FUNCTION, NODE_AGGREGATE, NODE_SCALAR };

enum function {
    FUNCTION_RATE,
    FUNCTION_INCREASE,
    FUNCTION_DELTA,
    FUNCTION_AVG,
    FUNCTION_MIN,
    FUNCTION_MAX,
    FUNCTION_SUM,
    FUNCTION_COUNT,
    FUNCTION_LAST,
    FUNCTION_QUANTILE,
    FUNCTION_HISTOGRAM_QUANTILE,
    FUNCTION_NAMES
};

enum aggregate {
    AGGREGATE_SUM,
    AGGREGATE_AVG,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_COUNT,
    AGGREGATE_TOPK,
    AGGREGATE_BOTTOMK,
    AGGREGATE_QUANTILE,
    AGGREGATE_NAMES
};

extern const char *const function_names[FUNCTION_NAMES];
extern const char *const aggregate_names[AGGREGATE_NAMES];

#define MAX_SELECTORS 16
#define MAX_KEYS 8

struct matcher {
    uint32_t op;                /* SONDE_OP_* */
    bool metric;                /* about the metric's name */
    const char *keys[MAX_KEYS]; /* normalised; the first that a series has counts */
    size_t key_count;
    const char *const *values;
    struct regex *const *regexes; /* one a value, for REGEX and NOT_REGEX */
    size_t value_count;
    struct matcher *next;
};

struct series_set;

struct selector {
    const char *name; /* as written; NULL: any */
    const char *norm;
    struct matcher *matchers;
    int64_t range_ns; /* 0: an instant selector */
    int64_t offset_ns;
    struct series_set *set;
};

struct node {
    enum node_type type;
    unsigned code;    /* enum function, enum aggregate, or the operator's character */
    double number;    /* NODE_NUMBER, the first argument of quantiles and topk, the scalar's side */
    bool number_left; /* NODE_SCALAR: number op left */
    bool grouped;
    bool without;
    const char *const *by; /* normalised */
    size_t by_count;
    struct node *left;
    struct selector *selector;
};

struct ast {
    struct memory *memory;
    struct node *roots[MAX_SELECTORS]; /* several where a structure has several operands */
    size_t root_count;
    struct selector *selectors[MAX_SELECTORS];
    size_t selector_count;
};

/* What is wrong with a text: filled in when ast_parse fails. */
struct ast_error {
    int64_t position;
    char text[512];
};

/* 0, or -1 with the error (empty text: out of memory). */
int ast_parse(struct ast *ast, const char *text, size_t size, struct ast_error *ret_error);
/* Operands of a structured query. 0, or an error class with its text. */
int32_t ast_build(struct ast *ast, const struct sonde_query *query, struct ast_error *ret_error);
/* Adds filters to one list; 0 or -1 with the error. */
int ast_add_filters(struct memory *memory, struct matcher **list,
                    const struct sonde_filter *const *filters, size_t count,
                    struct ast_error *ret_error);
/* A matcher over one key, its regexes compiled; 0 or -1 with the error (position: within the value). */
int ast_add_matcher(struct memory *memory, struct matcher **list, const struct matcher *matcher,
                    struct ast_error *ret_error);
struct selector *ast_new_selector(struct ast *ast, struct ast_error *ret_error);
void ast_print(const struct ast *ast, struct sonde_text *text);

/* Whether labels and name satisfy all matchers of the list. name is normalised, raw as in the file. */
bool matchers_hold(const struct matcher *list, const struct labels *labels);
bool matchers_hold_name(const struct matcher *list, const char *name, const char *raw);

#endif
