/* SPDX-License-Identifier: Apache-2.0 */
#include "lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char peek(const struct promql_lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->size ? lexer->text[at] : '\0';
}

static struct promql_token token(struct promql_lexer *lexer, enum promql_token_kind kind,
                                 size_t start, size_t end)
{
    lexer->at = end;
    return (struct promql_token){.kind = kind, .start = start, .end = end};
}

static struct promql_token bad(struct promql_lexer *lexer, size_t at, const char *fault)
{
    lexer->fault = fault;
    lexer->at = at;
    return (struct promql_token){.kind = PROMQL_BAD, .start = at, .end = at};
}

/*
 * False at a comment with a bare CR: there it ends for Prometheus, and goes on for VictoriaMetrics, should that answer here.
 */
static bool skip_blank(struct promql_lexer *lexer)
{
    while (lexer->at < lexer->size) {
        char c = lexer->text[lexer->at];
        if (c == '#') {
            while (lexer->at < lexer->size && lexer->text[lexer->at] != '\n') {
                if (lexer->text[lexer->at] == '\r' && peek(lexer, 1) != '\n')
                    return false;
                lexer->at++;
            }
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            lexer->at++;
        } else {
            return true;
        }
    }
    return true;
}

static struct promql_token lex_string(struct promql_lexer *lexer, char quote)
{
    size_t start = lexer->at;
    for (size_t i = start + 1; i < lexer->size; i++) {
        char c = lexer->text[i];
        if (c == quote && quote == '`' && lexer->text[i - 1] == '\\' && i > start + 1)
            return bad(lexer, start,
                       "a string in backticks that ends in a backslash is read differently by "
                       "VictoriaMetrics, should that answer here: use double quotes");
        if (c == quote)
            return token(lexer, PROMQL_STRING, start, i + 1);
        if (quote == '`')
            continue;
        if (c == '\n')
            break;
        if (c == '\\')
            i++;
    }
    return bad(lexer, start, "this string does not end");
}

/* Bytes of a unit at i: ms s m h d w y; 0 if there is none. */
static size_t unit_size(const struct promql_lexer *lexer, size_t i)
{
    if (i >= lexer->size)
        return 0;
    char c = lexer->text[i];
    if (c == 'm' && i + 1 < lexer->size && lexer->text[i + 1] == 's')
        return 2;
    return c == 's' || c == 'm' || c == 'h' || c == 'd' || c == 'w' || c == 'y' ? 1 : 0;
}

static size_t skip_digits(const struct promql_lexer *lexer, size_t i)
{
    while (i < lexer->size &&
           (is_digit(lexer->text[i]) ||
            (lexer->text[i] == '_' && i + 1 < lexer->size && is_digit(lexer->text[i + 1]))))
        i++;
    return i;
}

static struct promql_token end_number(struct promql_lexer *lexer, enum promql_token_kind kind,
                                      size_t start, size_t end)
{
    if (end < lexer->size && (is_alpha(lexer->text[end]) || is_digit(lexer->text[end]) ||
                              (lexer->text[end] == ':' && !lexer->in_brackets)))
        return bad(lexer, start, "this is neither a number nor a duration");
    return token(lexer, kind, start, end);
}

static struct promql_token lex_duration(struct promql_lexer *lexer, size_t start, size_t i)
{
    size_t unit;
    while ((unit = unit_size(lexer, i)) > 0) {
        i += unit;
        size_t digits = skip_digits(lexer, i);
        if (digits == i)
            return end_number(lexer, PROMQL_DURATION, start, i);
        i = digits;
    }
    return bad(lexer, start, "this duration ends in a number without a unit");
}

static struct promql_token lex_number(struct promql_lexer *lexer)
{
    size_t start = lexer->at;
    size_t i = start;
    if (lexer->text[i] == '0' && i + 1 < lexer->size &&
        (lexer->text[i + 1] == 'x' || lexer->text[i + 1] == 'X')) {
        i += 2;
        while (i < lexer->size && is_hex(lexer->text[i]))
            i++;
        return end_number(lexer, PROMQL_NUMBER, start, i);
    }
    i = skip_digits(lexer, i);
    if (unit_size(lexer, i) > 0)
        return lex_duration(lexer, start, i);
    if (i < lexer->size && lexer->text[i] == '.')
        i = skip_digits(lexer, i + 1);
    if (i < lexer->size && (lexer->text[i] == 'e' || lexer->text[i] == 'E')) {
        i++;
        if (i < lexer->size && (lexer->text[i] == '+' || lexer->text[i] == '-'))
            i++;
        i = skip_digits(lexer, i);
    }
    return end_number(lexer, PROMQL_NUMBER, start, i);
}

static struct promql_token lex_name(struct promql_lexer *lexer)
{
    size_t i = lexer->at;
    while (i < lexer->size && (is_alpha(lexer->text[i]) || is_digit(lexer->text[i]) ||
                               (lexer->text[i] == ':' && !lexer->in_brackets)))
        i++;
    return token(lexer, PROMQL_NAME, lexer->at, i);
}

static struct promql_token lex_operator(struct promql_lexer *lexer)
{
    size_t at = lexer->at;
    char next = peek(lexer, 1);
    switch (lexer->text[at]) {
    case '=':
        if (next == '~')
            return token(lexer, PROMQL_MATCH, at, at + 2);
        if (next == '=')
            return token(lexer, PROMQL_COMPARE, at, at + 2);
        return token(lexer, PROMQL_ASSIGN, at, at + 1);
    case '!':
        if (next == '~')
            return token(lexer, PROMQL_MATCH, at, at + 2);
        if (next == '=')
            return token(lexer, PROMQL_COMPARE, at, at + 2);
        return bad(lexer, at, "'!' must be followed by '=' or '~'");
    case '<':
    case '>':
        /* "</" and ">/" trim histograms (3.10 on). */
        return token(lexer, PROMQL_COMPARE, at, at + (next == '=' || next == '/' ? 2 : 1));
    case '*':
    case '/':
    case '%':
    case '^':
        return token(lexer, PROMQL_ARITHMETIC, at, at + 1);
    case '$':
        return bad(lexer, at,
                   "'$' is not PromQL: replace dashboard variables such as $__rate_interval by "
                   "their value");
    default:
        return bad(lexer, at, "this character is not PromQL outside a string");
    }
}

static enum promql_token_kind single(char c)
{
    switch (c) {
    case '(':
        return PROMQL_OPEN;
    case ')':
        return PROMQL_CLOSE;
    case '{':
        return PROMQL_OPEN_BRACE;
    case '}':
        return PROMQL_CLOSE_BRACE;
    case '[':
        return PROMQL_OPEN_BRACKET;
    case ']':
        return PROMQL_CLOSE_BRACKET;
    case ',':
        return PROMQL_COMMA;
    case '@':
        return PROMQL_AT;
    case '+':
    case '-':
        return PROMQL_SIGN;
    default:
        return PROMQL_BAD;
    }
}

struct promql_token promql_lex(struct promql_lexer *lexer)
{
    if (!skip_blank(lexer))
        return bad(lexer, lexer->at, "a comment must end with a line feed");
    size_t at = lexer->at;
    if (at >= lexer->size)
        return token(lexer, PROMQL_END, at, at);
    char c = lexer->text[at];
    if (c == '"' || c == '\'' || c == '`')
        return lex_string(lexer, c);
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1))))
        return lex_number(lexer);
    if (c == ':' && lexer->in_brackets)
        return token(lexer, PROMQL_COLON, at, at + 1);
    if (is_alpha(c) || c == ':')
        return lex_name(lexer);
    enum promql_token_kind kind = single(c);
    return kind != PROMQL_BAD ? token(lexer, kind, at, at + 1) : lex_operator(lexer);
}
