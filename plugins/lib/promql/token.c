/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <string.h>

bool promql_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool promql_is_hex(char c)
{
    return promql_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

struct promql_token promql_token(struct promql_lexer *lexer, enum promql_token_kind kind,
                                 size_t start, size_t end)
{
    lexer->at = end;
    return (struct promql_token){.kind = kind, .start = start, .end = end};
}

struct promql_token promql_bad(struct promql_lexer *lexer, size_t at, const char *fault)
{
    lexer->fault = fault;
    lexer->at = at;
    return (struct promql_token){.kind = PROMQL_BAD, .start = at, .end = at};
}

static char following(const struct promql_lexer *lexer)
{
    return lexer->at + 1 < lexer->size ? lexer->text[lexer->at + 1] : '\0';
}

/* False at a comment with a bare CR: there it ends for Prometheus, and goes on for VictoriaMetrics. */
static bool skip_blank(struct promql_lexer *lexer, const char *blanks)
{
    size_t blank_count = strlen(blanks);
    while (lexer->at < lexer->size) {
        char c = lexer->text[lexer->at];
        if (c == '#') {
            while (lexer->at < lexer->size && lexer->text[lexer->at] != '\n') {
                if (lexer->text[lexer->at] == '\r' && following(lexer) != '\n')
                    return false;
                lexer->at++;
            }
        } else if (memchr(blanks, c, blank_count) != NULL) {
            lexer->at++;
        } else {
            return true;
        }
    }
    return true;
}

/* VictoriaMetrics lets a backslash escape in all three quotings, Prometheus not in backticks. */
static struct promql_token lex_string(struct promql_lexer *lexer, char quote,
                                      const char *backtick_fault)
{
    size_t start = lexer->at;
    for (size_t i = start + 1; i < lexer->size; i++) {
        char c = lexer->text[i];
        if (c == quote && quote == '`' && lexer->text[i - 1] == '\\' && i > start + 1)
            return promql_bad(lexer, start, backtick_fault);
        if (c == quote)
            return promql_token(lexer, PROMQL_STRING, start, i + 1);
        if (quote == '`')
            continue;
        if (c == '\n')
            break;
        if (c == '\\')
            i++;
    }
    return promql_bad(lexer, start, "this string does not end");
}

bool promql_lex_start(struct promql_lexer *lexer, const struct promql_lexer_rules *rules,
                      struct promql_token *ret_token)
{
    if (!skip_blank(lexer, rules->blanks)) {
        *ret_token = promql_bad(lexer, lexer->at, "a comment must end with a line feed");
        return true;
    }
    if (lexer->at >= lexer->size) {
        *ret_token = promql_token(lexer, PROMQL_END, lexer->at, lexer->at);
        return true;
    }
    char c = lexer->text[lexer->at];
    if (c != '"' && c != '\'' && c != '`')
        return false;
    *ret_token = lex_string(lexer, c, rules->backtick_fault);
    return true;
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
    case '*':
    case '/':
    case '%':
    case '^':
        return PROMQL_ARITHMETIC;
    default:
        return PROMQL_BAD;
    }
}

struct promql_token promql_lex_symbol(struct promql_lexer *lexer,
                                      const struct promql_lexer_rules *rules)
{
    size_t at = lexer->at;
    char c = lexer->text[at];
    char next = following(lexer);
    bool trims = rules->trims_histograms && next == '/';
    switch (c) {
    case '=':
    case '!':
        if (next == '~')
            return promql_token(lexer, PROMQL_MATCH, at, at + 2);
        if (next == '=')
            return promql_token(lexer, PROMQL_COMPARE, at, at + 2);
        if (c == '=')
            return promql_token(lexer, PROMQL_ASSIGN, at, at + 1);
        return promql_bad(lexer, at, "'!' must be followed by '=' or '~'");
    case '<':
    case '>':
        return promql_token(lexer, PROMQL_COMPARE, at, at + (next == '=' || trims ? 2 : 1));
    case '$':
        return promql_bad(lexer, at, rules->dollar_fault);
    default:
        if (single(c) != PROMQL_BAD)
            return promql_token(lexer, single(c), at, at + 1);
        return promql_bad(lexer, at, rules->character_fault);
    }
}
