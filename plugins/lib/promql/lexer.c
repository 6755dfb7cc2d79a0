/* SPDX-License-Identifier: Apache-2.0 */
#include "lexer.h"

static const struct promql_lexer_rules rules = {
    .blanks = " \t\n\r",
    .trims_histograms = true, /* 3.10 on */
    .backtick_fault = "a string in backticks that ends in a backslash is read differently by "
                      "VictoriaMetrics, should that answer here: use double quotes",
    .dollar_fault = "'$' is not PromQL: replace dashboard variables such as $__rate_interval by "
                    "their value",
    .character_fault = "this character is not PromQL outside a string",
};

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
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
           (promql_is_digit(lexer->text[i]) ||
            (lexer->text[i] == '_' && i + 1 < lexer->size && promql_is_digit(lexer->text[i + 1]))))
        i++;
    return i;
}

static struct promql_token end_number(struct promql_lexer *lexer, enum promql_token_kind kind,
                                      size_t start, size_t end)
{
    if (end < lexer->size && (is_alpha(lexer->text[end]) || promql_is_digit(lexer->text[end]) ||
                              (lexer->text[end] == ':' && !lexer->in_brackets)))
        return promql_bad(lexer, start, "this is neither a number nor a duration");
    return promql_token(lexer, kind, start, end);
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
    return promql_bad(lexer, start, "this duration ends in a number without a unit");
}

static struct promql_token lex_number(struct promql_lexer *lexer)
{
    size_t start = lexer->at;
    size_t i = start;
    if (lexer->text[i] == '0' && i + 1 < lexer->size &&
        (lexer->text[i + 1] == 'x' || lexer->text[i + 1] == 'X')) {
        i += 2;
        while (i < lexer->size && promql_is_hex(lexer->text[i]))
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
    while (i < lexer->size && (is_alpha(lexer->text[i]) || promql_is_digit(lexer->text[i]) ||
                               (lexer->text[i] == ':' && !lexer->in_brackets)))
        i++;
    return promql_token(lexer, PROMQL_NAME, lexer->at, i);
}

struct promql_token promql_lex(struct promql_lexer *lexer)
{
    struct promql_token start;
    if (promql_lex_start(lexer, &rules, &start))
        return start;
    size_t at = lexer->at;
    char c = lexer->text[at];
    if (promql_is_digit(c) ||
        (c == '.' && at + 1 < lexer->size && promql_is_digit(lexer->text[at + 1])))
        return lex_number(lexer);
    if (c == ':' && lexer->in_brackets)
        return promql_token(lexer, PROMQL_COLON, at, at + 1);
    if (is_alpha(c) || c == ':')
        return lex_name(lexer);
    return promql_lex_symbol(lexer, &rules);
}
