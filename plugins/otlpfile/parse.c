/* SPDX-License-Identifier: Apache-2.0 */
/* The query text: a subset of PromQL in which names may hold dots. */
#include "ast.h"

#include <sonde/json.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_DEPTH 24
#define MAX_TEXT 16384
#define MAX_BY 32
#define SUPPORTED                                                                            \
    "supported: selectors such as name{label=\"value\"} with = != =~ !~, a range [5m] and "  \
    "offset, "                                                                               \
    "rate increase delta avg_over_time min_over_time max_over_time sum_over_time "           \
    "count_over_time last_over_time quantile_over_time, sum avg min max count topk bottomk " \
    "quantile with by or without, histogram_quantile, and + - * / with a number"

const char *const function_names[FUNCTION_NAMES] = {
    [FUNCTION_RATE] = "rate",
    [FUNCTION_INCREASE] = "increase",
    [FUNCTION_DELTA] = "delta",
    [FUNCTION_AVG] = "avg_over_time",
    [FUNCTION_MIN] = "min_over_time",
    [FUNCTION_MAX] = "max_over_time",
    [FUNCTION_SUM] = "sum_over_time",
    [FUNCTION_COUNT] = "count_over_time",
    [FUNCTION_LAST] = "last_over_time",
    [FUNCTION_QUANTILE] = "quantile_over_time",
    [FUNCTION_HISTOGRAM_QUANTILE] = "histogram_quantile",
};

const char *const aggregate_names[AGGREGATE_NAMES] = {
    [AGGREGATE_SUM] = "sum",         [AGGREGATE_AVG] = "avg",           [AGGREGATE_MIN] = "min",
    [AGGREGATE_MAX] = "max",         [AGGREGATE_COUNT] = "count",       [AGGREGATE_TOPK] = "topk",
    [AGGREGATE_BOTTOMK] = "bottomk", [AGGREGATE_QUANTILE] = "quantile",
};

struct parser {
    struct ast *ast;
    const char *text;
    size_t at;
    unsigned depth;
    struct ast_error *error;
    bool failed;
};

static struct node *parse_expression(struct parser *p);

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
wrong(struct parser *p, size_t position, const char *format, ...)
{
    va_list args;

    if (p->failed)
        return;
    p->failed = true;
    if (p->ast->memory->full)
        return;
    p->error->position = (int64_t)position;
    va_start(args, format);
    vsnprintf(p->error->text, sizeof(p->error->text), format, args);
    va_end(args);
}

static void skip_space(struct parser *p)
{
    for (;;) {
        char c = p->text[p->at];

        if (c == '#')
            p->at += strcspn(p->text + p->at, "\n");
        else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            p->at++;
        else
            return;
    }
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A name, dots included; its size, 0 when there is none. */
static size_t name_size(const struct parser *p)
{
    size_t n = 0;

    if (!is_name_start(p->text[p->at]))
        return 0;
    while (is_name_start(p->text[p->at + n]) || is_digit(p->text[p->at + n]) ||
           (p->text[p->at + n] == '.' &&
            (is_name_start(p->text[p->at + n + 1]) || is_digit(p->text[p->at + n + 1]))))
        n++;
    return n;
}

static bool word_is(const struct parser *p, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(p->text + p->at, word, size) == 0;
}

static bool accept(struct parser *p, char c)
{
    skip_space(p);
    if (p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

static bool expect(struct parser *p, char c, const char *after)
{
    if (accept(p, c))
        return true;
    if (p->text[p->at])
        wrong(p, p->at, "'%c' is wanted after %s, but there is '%.12s'", c, after, p->text + p->at);
    else
        wrong(p, p->at, "'%c' is wanted after %s, but the query ends", c, after);
    return false;
}

static struct node *new_node(struct parser *p, enum node_type type)
{
    struct node *node = memory_get(p->ast->memory, sizeof(*node));

    if (!node) {
        wrong(p, p->at, "memory");
        return NULL;
    }
    node->type = type;
    return node;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a quoted text into *ret_char; false when the escape is none. */
static bool unescape(struct parser *p, char *ret_char)
{
    static const char names[] = "abfnrtv\\'\"";
    static const char bytes[] = "\a\b\f\n\r\t\v\\'\"";
    const char *found;
    char c = p->text[++p->at];

    if (c == 'x') {
        int high = hex_digit(p->text[p->at + 1]);
        int low = high < 0 ? -1 : hex_digit(p->text[p->at + 2]);

        if (low < 0 || (high == 0 && low == 0))
            return false;
        *ret_char = (char)(high * 16 + low);
        p->at += 3;
        return true;
    }
    found = c ? strchr(names, c) : NULL;
    if (!found)
        return false;
    *ret_char = bytes[found - names];
    p->at++;
    return true;
}

/* A text in double, single or back quotes; NULL after a fault. */
static char *parse_string(struct parser *p)
{
    size_t begin = p->at;
    char quote = p->text[p->at++];
    char *copy = memory_get(p->ast->memory, strlen(p->text + begin) + 1);
    size_t n = 0;

    if (!copy) {
        wrong(p, begin, "memory");
        return NULL;
    }
    while (p->text[p->at] && p->text[p->at] != quote) {
        if (p->text[p->at] == '\\' && quote != '`') {
            if (!unescape(p, &copy[n++])) {
                wrong(p, p->at, "unknown escape in the quoted text; write \\\\ for a backslash");
                return NULL;
            }
        } else {
            copy[n++] = p->text[p->at++];
        }
    }
    if (!p->text[p->at]) {
        wrong(p, begin, "the quoted text has no end");
        return NULL;
    }
    p->at++;
    return copy;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

static int64_t unit_ns(const char *text, size_t *ret_size)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ms", 1000000},      {"s", 1000000000},     {"m", 60000000000},
                 {"h", 3600000000000}, {"d", 86400000000000}, {"w", 604800000000000}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t n = strlen(units[i].name);

        if (strncmp(text, units[i].name, n) == 0) {
            *ret_size = n;
            return units[i].ns;
        }
    }
    return 0;
}

/* 5m, 1h30m, 90s; 0 after a fault. */
static int64_t parse_duration(struct parser *p)
{
    size_t begin = p->at;
    int64_t total = 0;

    while (is_digit(p->text[p->at])) {
        int64_t n = 0;
        int64_t unit;
        size_t size = 0;

        while (is_digit(p->text[p->at]) && n < 100000000)
            n = n * 10 + (p->text[p->at++] - '0');
        unit = unit_ns(p->text + p->at, &size);
        if (!unit || n > INT64_C(315360000000000000) / unit)
            break;
        p->at += size;
        total += n * unit;
        if (!is_digit(p->text[p->at]) && total > 0 && total <= INT64_C(315360000000000000))
            return total;
    }
    wrong(p, begin, "a duration such as 30s, 5m or 1h30m is wanted (units ms s m h d w)");
    return 0;
}

static uint32_t parse_match_operator(struct parser *p)
{
    skip_space(p);
    if (p->text[p->at] == '=' && p->text[p->at + 1] == '~') {
        p->at += 2;
        return SONDE_OP_REGEX;
    }
    if (p->text[p->at] == '!' && (p->text[p->at + 1] == '~' || p->text[p->at + 1] == '=')) {
        p->at += 2;
        return p->text[p->at - 1] == '~' ? SONDE_OP_NOT_REGEX : SONDE_OP_NE;
    }
    if (p->text[p->at] == '=') {
        p->at++;
        return SONDE_OP_EQ;
    }
    wrong(p, p->at, "one of = != =~ !~ is wanted after the label");
    return 0;
}

/* The name of a label or, quoted and alone in the braces, of the metric. */
static char *parse_key(struct parser *p)
{
    size_t n;
    char *key;

    skip_space(p);
    if (is_quote(p->text[p->at]))
        return parse_string(p);
    n = name_size(p);
    if (!n) {
        wrong(p, p->at, "a label name is wanted, but there is '%.12s'", p->text + p->at);
        return NULL;
    }
    key = memory_copy(p->ast->memory, p->text + p->at, n);
    if (!key)
        wrong(p, p->at, "memory");
    p->at += n;
    return key;
}

static void set_name(struct parser *p, struct selector *selector, const char *name)
{
    if (selector->name)
        wrong(p, p->at, "the metric is named twice");
    selector->name = name;
    selector->norm = normalised_copy(p->ast->memory, name, strlen(name));
    if (!selector->norm)
        wrong(p, p->at, "memory");
}

static void parse_matcher(struct parser *p, struct selector *selector)
{
    bool quoted;
    struct matcher m = {.value_count = 1};
    const char **values = memory_get(p->ast->memory, sizeof(*values));
    size_t value_at;
    char *key;

    skip_space(p);
    quoted = is_quote(p->text[p->at]);
    key = parse_key(p);
    if (!key || !values) {
        wrong(p, p->at, "memory");
        return;
    }
    skip_space(p);
    if (quoted && (p->text[p->at] == ',' || p->text[p->at] == '}')) {
        set_name(p, selector, key);
        return;
    }
    m.op = parse_match_operator(p);
    skip_space(p);
    if (m.op && !is_quote(p->text[p->at]))
        wrong(p, p->at, "a quoted value is wanted after %s", key);
    value_at = p->at;
    if (p->failed || (values[0] = parse_string(p)) == NULL)
        return;
    m.metric = strcmp(key, "__name__") == 0;
    if (m.metric && m.op == SONDE_OP_EQ) {
        set_name(p, selector, values[0]);
        return;
    }
    normalise(key);
    m.keys[0] = key;
    m.key_count = 1;
    m.values = values;
    if (ast_add_matcher(p->ast->memory, &selector->matchers, &m, p->error) < 0) {
        if (p->error->position >= 0)
            p->error->position += (int64_t)value_at + 1;
        p->failed = true;
    }
}

static void parse_modifiers(struct parser *p, struct selector *selector)
{
    size_t n;

    if (accept(p, '[')) {
        skip_space(p);
        selector->range_ns = parse_duration(p);
        skip_space(p);
        if (p->text[p->at] == ':')
            wrong(p, p->at, "subqueries are not supported; %s", SUPPORTED);
        expect(p, ']', "the range");
    }
    skip_space(p);
    n = name_size(p);
    if (word_is(p, n, "offset")) {
        bool negative;

        p->at += n;
        negative = accept(p, '-');
        skip_space(p);
        selector->offset_ns = parse_duration(p);
        if (negative)
            selector->offset_ns = -selector->offset_ns;
    }
    skip_space(p);
    if (p->text[p->at] == '@')
        wrong(p, p->at, "@ is not supported; %s", SUPPORTED);
}

static struct node *parse_selector(struct parser *p)
{
    struct node *node = new_node(p, NODE_SELECTOR);
    struct selector *selector = ast_new_selector(p->ast, p->error);
    size_t begin = p->at;
    size_t n = name_size(p);

    if (!node || !selector) {
        p->failed = true;
        return NULL;
    }
    node->selector = selector;
    if (n) {
        char *name = memory_copy(p->ast->memory, p->text + p->at, n);

        p->at += n;
        if (name)
            set_name(p, selector, name);
    }
    if (accept(p, '{')) {
        while (!p->failed && !accept(p, '}')) {
            parse_matcher(p, selector);
            if (!p->failed && !accept(p, ',') && !expect(p, '}', "a label matcher"))
                break;
            if (p->text[p->at - 1] == '}')
                break;
        }
    }
    if (!p->failed && !selector->name && !selector->matchers)
        wrong(p, begin, "a selector needs a metric name or a label matcher");
    if (!p->failed)
        parse_modifiers(p, selector);
    return node;
}

static void parse_grouping(struct parser *p, struct node *node)
{
    size_t n;
    const char **by;

    skip_space(p);
    n = name_size(p);
    if (node->grouped || (!word_is(p, n, "by") && !word_is(p, n, "without")))
        return;
    node->grouped = true;
    node->without = n == 7;
    p->at += n;
    by = memory_get(p->ast->memory, MAX_BY * sizeof(*by));
    if (!by || !expect(p, '(', "by or without"))
        return;
    node->by = by;
    while (!p->failed && !accept(p, ')')) {
        char *key = parse_key(p);

        if (!key)
            return;
        if (node->by_count == MAX_BY) {
            wrong(p, p->at, "at most %d labels are supported here", MAX_BY);
            return;
        }
        normalise(key);
        by[node->by_count++] = key;
        if (!accept(p, ',') && expect(p, ')', "the label names"))
            return;
    }
}

static void parse_number_argument(struct parser *p, double *ret_number, const char *what)
{
    size_t begin;
    struct node *argument;

    skip_space(p);
    begin = p->at;
    argument = parse_expression(p);
    if (p->failed)
        return;
    if (argument->type != NODE_NUMBER)
        wrong(p, begin, "%s takes a number first", what);
    else if (expect(p, ',', "the number"))
        *ret_number = argument->number;
}

static struct node *parse_aggregate(struct parser *p, unsigned code, size_t n)
{
    struct node *node = new_node(p, NODE_AGGREGATE);
    size_t begin;

    if (!node)
        return NULL;
    node->code = code;
    p->at += n;
    parse_grouping(p, node);
    if (!expect(p, '(', aggregate_names[code]))
        return NULL;
    if (code >= AGGREGATE_TOPK)
        parse_number_argument(p, &node->number, aggregate_names[code]);
    if (p->failed)
        return NULL;
    skip_space(p);
    begin = p->at;
    node->left = parse_expression(p);
    if (p->failed || !expect(p, ')', "the argument"))
        return NULL;
    if (node->left->type == NODE_NUMBER)
        wrong(p, begin, "%s takes series, not a number", aggregate_names[code]);
    if (node->left->type == NODE_SELECTOR && node->left->selector->range_ns)
        wrong(p, begin, "a range [..] must stand in a function such as rate");
    parse_grouping(p, node);
    return node;
}

static struct node *parse_function(struct parser *p, unsigned code, size_t n)
{
    struct node *node = new_node(p, NODE_FUNCTION);
    bool quantile = code == FUNCTION_QUANTILE || code == FUNCTION_HISTOGRAM_QUANTILE;
    bool ranged;
    size_t begin;

    if (!node)
        return NULL;
    node->code = code;
    p->at += n;
    if (!expect(p, '(', function_names[code]))
        return NULL;
    if (quantile)
        parse_number_argument(p, &node->number, function_names[code]);
    if (p->failed)
        return NULL;
    skip_space(p);
    begin = p->at;
    node->left = parse_expression(p);
    if (p->failed || !expect(p, ')', "the argument"))
        return NULL;
    ranged = node->left->type == NODE_SELECTOR && node->left->selector->range_ns;
    if (code == FUNCTION_HISTOGRAM_QUANTILE ? ranged || node->left->type == NODE_NUMBER : !ranged)
        wrong(p, begin,
              ranged ? "a range [..] must stand in a function such as rate"
              : code == FUNCTION_HISTOGRAM_QUANTILE
                  ? "%s takes series, not a number"
                  : "%s takes a selector with a range, such as name[5m]",
              function_names[code]);
    return node;
}

/* Inf and NaN, in any case. */
static struct node *parse_not_finite(struct parser *p)
{
    struct node *node = new_node(p, NODE_NUMBER);

    if (node)
        node->number = (p->text[p->at] | 0x20) == 'i' ? (double)INFINITY : (double)NAN;
    p->at += 3;
    return node;
}

static struct node *parse_call_or_selector(struct parser *p)
{
    size_t n = name_size(p);
    size_t after = p->at + n;
    bool call;

    after += strspn(p->text + after, " \t\r\n");
    call = n && p->text[after] == '(';
    if (!call && n == 3 &&
        (strncasecmp(p->text + p->at, "inf", 3) == 0 ||
         strncasecmp(p->text + p->at, "nan", 3) == 0))
        return parse_not_finite(p);
    for (unsigned i = 0; i < AGGREGATE_NAMES && n; i++)
        if (word_is(p, n, aggregate_names[i]) && (call || strncmp(p->text + after, "by", 2) == 0 ||
                                                  strncmp(p->text + after, "without", 7) == 0))
            return parse_aggregate(p, i, n);
    for (unsigned i = 0; i < FUNCTION_NAMES && call; i++)
        if (word_is(p, n, function_names[i]))
            return parse_function(p, i, n);
    if (call) {
        wrong(p, p->at, "the function %.*s is not supported; %s", n > 40 ? 40 : (int)n,
              p->text + p->at, SUPPORTED);
        return NULL;
    }
    return parse_selector(p);
}

static struct node *parse_number(struct parser *p)
{
    struct node *node = new_node(p, NODE_NUMBER);
    size_t n = strspn(p->text + p->at, "0123456789.");

    if ((p->text[p->at + n] | 0x20) == 'e') {
        size_t sign = p->text[p->at + n + 1] == '-' || p->text[p->at + n + 1] == '+';

        n += 1 + sign + strspn(p->text + p->at + n + 1 + sign, "0123456789");
    }
    if (!node)
        return NULL;
    if (sonde_parse_double(p->text + p->at, n, &node->number) < 0)
        wrong(p, p->at, "this is no number");
    p->at += n;
    return node;
}

static struct node *parse_primary(struct parser *p)
{
    char c;

    skip_space(p);
    c = p->text[p->at];
    if (is_digit(c) || (c == '.' && is_digit(p->text[p->at + 1])))
        return parse_number(p);
    if (c == '(') {
        struct node *node;

        p->at++;
        node = parse_expression(p);
        if (p->failed || !expect(p, ')', "the expression"))
            return NULL;
        return node;
    }
    if (is_name_start(c) || c == '{')
        return parse_call_or_selector(p);
    if (c)
        wrong(p, p->at, "unexpected '%.12s'; %s", p->text + p->at, SUPPORTED);
    else
        wrong(p, p->at, "the query ends where a metric, a function or a number is wanted");
    return NULL;
}

static double calculate(char op, double a, double b)
{
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    default:
        return a / b;
    }
}

static struct node *combine(struct parser *p, char op, size_t at, struct node *left,
                            struct node *right)
{
    struct node *node;
    struct node *vector = left->type == NODE_NUMBER ? right : left;

    if (left->type == NODE_NUMBER && right->type == NODE_NUMBER) {
        left->number = calculate(op, left->number, right->number);
        return left;
    }
    if (left->type != NODE_NUMBER && right->type != NODE_NUMBER) {
        wrong(p, at, "'%c' between two metrics is not supported: ask for each and compare; %s", op,
              SUPPORTED);
        return NULL;
    }
    if (vector->type == NODE_SELECTOR && vector->selector->range_ns) {
        wrong(p, at, "a range [..] must stand in a function such as rate");
        return NULL;
    }
    node = new_node(p, NODE_SCALAR);
    if (!node)
        return NULL;
    node->code = (unsigned char)op;
    node->number_left = left->type == NODE_NUMBER;
    node->number = node->number_left ? left->number : right->number;
    node->left = vector;
    return node;
}

static struct node *parse_unary(struct parser *p)
{
    struct node *minus;
    struct node *node;

    skip_space(p);
    if (p->text[p->at] != '-' && p->text[p->at] != '+')
        return parse_primary(p);
    if (p->text[p->at++] == '+')
        return parse_primary(p);
    minus = new_node(p, NODE_NUMBER);
    node = parse_primary(p);
    if (p->failed)
        return NULL;
    minus->number = -1;
    return combine(p, '*', p->at, minus, node);
}

static struct node *parse_binary(struct parser *p, const char *operators)
{
    bool product = *operators == '*';
    struct node *left = product ? parse_unary(p) : parse_binary(p, "*/");

    while (!p->failed) {
        struct node *right;
        size_t at;
        char op;

        skip_space(p);
        at = p->at;
        op = p->text[at];
        if (!op || !strchr(operators, op))
            return left;
        p->at++;
        right = product ? parse_unary(p) : parse_binary(p, "*/");
        if (p->failed)
            return NULL;
        left = combine(p, op, at, left, right);
    }
    return NULL;
}

static struct node *parse_expression(struct parser *p)
{
    struct node *node;

    if (++p->depth > MAX_DEPTH) {
        wrong(p, p->at, "nested deeper than %d", MAX_DEPTH);
        return NULL;
    }
    node = parse_binary(p, "+-");
    p->depth--;
    return node;
}

int ast_parse(struct ast *ast, const char *text, size_t size, struct ast_error *ret_error)
{
    struct parser p = {.ast = ast, .error = ret_error};
    struct node *node;

    ret_error->text[0] = '\0';
    ret_error->position = -1;
    if (size > MAX_TEXT || memchr(text, '\0', size)) {
        snprintf(ret_error->text, sizeof(ret_error->text),
                 "a query is text of at most %d bytes, without NUL", MAX_TEXT);
        return -1;
    }
    p.text = memory_copy(ast->memory, text, size);
    if (!p.text)
        return -1;
    node = parse_expression(&p);
    skip_space(&p);
    if (!p.failed && p.text[p.at])
        wrong(&p, p.at, "'%.12s' is not understood here; %s", p.text + p.at, SUPPORTED);
    if (!p.failed && node->type == NODE_SELECTOR && node->selector->range_ns)
        wrong(&p, 0, "a range [..] must stand in a function, such as rate(name[5m])");
    if (p.failed)
        return -1;
    ast->roots[ast->root_count++] = node;
    return 0;
}
