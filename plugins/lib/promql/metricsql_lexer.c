/* SPDX-License-Identifier: Apache-2.0 */
#include "metricsql_lexer.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_first(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_wordy(char c)
{
    return is_first(c) || is_digit(c) || c == '.';
}

static char peek(const struct promql_lexer *lexer, size_t i)
{
    return i < lexer->size ? lexer->text[i] : '\0';
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

/* False at a comment that Prometheus would end earlier: at a carriage return of its own. */
static bool skip_blank(struct promql_lexer *lexer)
{
    while (lexer->at < lexer->size) {
        char c = lexer->text[lexer->at];
        if (c == '#') {
            while (lexer->at < lexer->size && lexer->text[lexer->at] != '\n') {
                if (lexer->text[lexer->at] == '\r' && peek(lexer, lexer->at + 1) != '\n')
                    return false;
                lexer->at++;
            }
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            lexer->at++;
        } else {
            return true;
        }
    }
    return true;
}

/* VictoriaMetrics lets a backslash escape in all three quotings, Prometheus not in backticks. */
static struct promql_token lex_string(struct promql_lexer *lexer, char quote)
{
    size_t start = lexer->at;
    for (size_t i = start + 1; i < lexer->size; i++) {
        char c = lexer->text[i];
        if (c == quote && quote == '`' && lexer->text[i - 1] == '\\' && i > start + 1)
            return bad(lexer, start,
                       "a string in backticks that has a backslash before a backtick is read "
                       "differently by Prometheus: use double quotes");
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

/* A backslash and the character it makes a part of a name; "\x2d" and "\u002d" are left out. */
static bool is_escape(const struct promql_lexer *lexer, size_t i)
{
    char c = peek(lexer, i + 1);
    return peek(lexer, i) == '\\' && c > ' ' && c < 0x7f && strchr("xXuU", c) == NULL;
}

static struct promql_token lex_name(struct promql_lexer *lexer)
{
    size_t start = lexer->at;
    size_t i = start;
    while (i < lexer->size) {
        if (is_escape(lexer, i))
            i += 2;
        else if (is_wordy(lexer->text[i]))
            i++;
        else
            break;
    }
    if (peek(lexer, i) == '\\')
        return bad(lexer, i, "this escape is not followed here: use {__name__=\"...\"}");
    if (i < lexer->size && (unsigned char)lexer->text[i] >= 0x80)
        return bad(lexer, i, "names beyond ASCII are not followed here: use {__name__=\"...\"}");
    return token(lexer, PROMQL_NAME, start, i);
}

static size_t skip_digits(const char *text, size_t i, size_t end)
{
    while (i < end && (is_digit(text[i]) || text[i] == '_'))
        i++;
    return i;
}

/* One part of a duration, such as "1.5h", "30ms" or "1i"; 0 if there is none at i. */
static size_t duration_part(const char *text, size_t i, size_t end)
{
    size_t start = i;
    while (i < end && is_digit(text[i]))
        i++;
    if (i == start)
        return 0;
    if (i < end && text[i] == '.')
        for (i++; i < end && is_digit(text[i]);)
            i++;
    if (i < end && (text[i] == 'm' || text[i] == 'M') && i + 1 < end &&
        (text[i + 1] == 's' || text[i + 1] == 'S'))
        return i + 2 - start;
    return i < end && strchr("smhdwyiSHDWYI", text[i]) != NULL ? i + 1 - start : 0;
}

static bool is_duration(const char *text, size_t i, size_t end)
{
    size_t part;
    while (i < end && (part = duration_part(text, i, end)) > 0)
        i += part;
    return i == end;
}

/* 1, 1.5, .5, 1e-3, 1_000, each also with K, Ki, KB, KiB and so on; 0x1f, 0o17, 0b11. */
static bool is_number(const char *text, size_t i, size_t end)
{
    static const char *const sizes[] = {"kib", "ki", "kb", "k", "mib", "mi", "mb", "m",
                                        "gib", "gi", "gb", "g", "tib", "ti", "tb", "t"};
    if (end - i > 2 && text[i] == '0' && strchr("xXoObB", text[i + 1]) != NULL) {
        bool hex = text[i + 1] == 'x' || text[i + 1] == 'X';
        for (i += 2; i < end; i++)
            if (!is_digit(text[i]) && !(hex && ((text[i] >= 'a' && text[i] <= 'f') ||
                                                (text[i] >= 'A' && text[i] <= 'F'))))
                return false;
        return true;
    }
    i = skip_digits(text, i, end);
    if (i < end && text[i] == '.')
        i = skip_digits(text, i + 1, end);
    if (i < end && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < end && (text[i] == '+' || text[i] == '-'))
            i++;
        size_t exponent = i;
        while (i < end && is_digit(text[i]))
            i++;
        return i == end && i > exponent;
    }
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
        if (end - i == strlen(sizes[k]) && strncasecmp(text + i, sizes[k], end - i) == 0)
            return true;
    return i == end;
}

static struct promql_token lex_number(struct promql_lexer *lexer)
{
    const char *text = lexer->text;
    size_t start = lexer->at;
    size_t i = start;
    while (i < lexer->size && is_wordy(text[i]) && text[i] != ':')
        i++;
    bool hex = i - start > 1 && (text[start + 1] == 'x' || text[start + 1] == 'X');
    if (!hex && (text[i - 1] == 'e' || text[i - 1] == 'E') &&
        (peek(lexer, i) == '-' || peek(lexer, i) == '+') && is_digit(peek(lexer, i + 1)))
        for (i++; i < lexer->size && is_wordy(text[i]) && text[i] != ':';)
            i++;
    if (!is_duration(text, start, i) && !is_number(text, start, i))
        return bad(lexer, start, "this is neither a number nor a duration");
    if (peek(lexer, i) == ':' || peek(lexer, i) == '\\' ||
        (i < lexer->size && (unsigned char)text[i] >= 0x80))
        return bad(lexer, i, "this character cannot follow a number");
    return token(lexer, PROMQL_NUMBER, start, i);
}

static struct promql_token lex_operator(struct promql_lexer *lexer)
{
    size_t at = lexer->at;
    char next = peek(lexer, at + 1);
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
        return token(lexer, PROMQL_COMPARE, at, at + (next == '=' ? 2 : 1));
    case '*':
    case '/':
    case '%':
    case '^':
        return token(lexer, PROMQL_ARITHMETIC, at, at + 1);
    case '$':
        return bad(lexer, at,
                   "'$' is not MetricsQL: replace dashboard variables such as $__rate_interval by "
                   "their value");
    default:
        return bad(lexer, at, "this character is not MetricsQL outside a string");
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

struct promql_token metricsql_lex(struct promql_lexer *lexer)
{
    if (!skip_blank(lexer))
        return bad(lexer, lexer->at, "a comment must end with a line feed");
    size_t at = lexer->at;
    if (at >= lexer->size)
        return token(lexer, PROMQL_END, at, at);
    char c = lexer->text[at];
    if (c == '"' || c == '\'' || c == '`')
        return lex_string(lexer, c);
    if (is_digit(c) || (c == '.' && is_digit(peek(lexer, at + 1))))
        return lex_number(lexer);
    if (is_first(c) || c == '\\' || (unsigned char)c >= 0x80) {
        if (c == '\\' && !is_escape(lexer, at))
            return bad(lexer, at, "this escape is not followed here: use {__name__=\"...\"}");
        return lex_name(lexer);
    }
    enum promql_token_kind kind = single(c);
    return kind != PROMQL_BAD ? token(lexer, kind, at, at + 1) : lex_operator(lexer);
}

int metricsql_skip_brackets(struct promql_lexer *lexer)
{
    for (; lexer->at < lexer->size; lexer->at++) {
        char c = lexer->text[lexer->at];
        if (c == ']') {
            lexer->at++;
            return 0;
        }
        if (!is_wordy(c) && c != '-' && c != '$' && c != ' ' && !(c >= '\t' && c <= '\r'))
            break;
    }
    lexer->fault = "a duration such as 5m or 5m:1m is expected in brackets";
    return -1;
}
