/* SPDX-License-Identifier: Apache-2.0 */
#include "metricsql_lexer.h"

#include <string.h>
#include <strings.h>

static const struct promql_lexer_rules rules = {
    .blanks = " \t\n\v\f\r",
    .backtick_fault = "a string in backticks that has a backslash before a backtick is read "
                      "differently by Prometheus: use double quotes",
    .dollar_fault = "'$' is not MetricsQL: replace dashboard variables such as $__rate_interval by "
                    "their value",
    .character_fault = "this character is not MetricsQL outside a string",
};

static bool is_first(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_wordy(char c)
{
    return is_first(c) || promql_is_digit(c) || c == '.';
}

static char peek(const struct promql_lexer *lexer, size_t i)
{
    return i < lexer->size ? lexer->text[i] : '\0';
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
        return promql_bad(lexer, i, "this escape is not followed here: use {__name__=\"...\"}");
    if (i < lexer->size && (unsigned char)lexer->text[i] >= 0x80)
        return promql_bad(lexer, i,
                          "names beyond ASCII are not followed here: use {__name__=\"...\"}");
    return promql_token(lexer, PROMQL_NAME, start, i);
}

static size_t skip_digits(const char *text, size_t i, size_t end)
{
    while (i < end && (promql_is_digit(text[i]) || text[i] == '_'))
        i++;
    return i;
}

/* One part of a duration, such as "1.5h", "30ms" or "1i"; 0 if there is none at i. */
static size_t duration_part(const char *text, size_t i, size_t end)
{
    size_t start = i;
    while (i < end && promql_is_digit(text[i]))
        i++;
    if (i == start)
        return 0;
    if (i < end && text[i] == '.')
        for (i++; i < end && promql_is_digit(text[i]);)
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
            if (!(hex ? promql_is_hex(text[i]) : promql_is_digit(text[i])))
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
        while (i < end && promql_is_digit(text[i]))
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
        (peek(lexer, i) == '-' || peek(lexer, i) == '+') && promql_is_digit(peek(lexer, i + 1)))
        for (i++; i < lexer->size && is_wordy(text[i]) && text[i] != ':';)
            i++;
    if (!is_duration(text, start, i) && !is_number(text, start, i))
        return promql_bad(lexer, start, "this is neither a number nor a duration");
    if (peek(lexer, i) == ':' || peek(lexer, i) == '\\' ||
        (i < lexer->size && (unsigned char)text[i] >= 0x80))
        return promql_bad(lexer, i, "this character cannot follow a number");
    return promql_token(lexer, PROMQL_NUMBER, start, i);
}

struct promql_token metricsql_lex(struct promql_lexer *lexer)
{
    struct promql_token start;
    if (promql_lex_start(lexer, &rules, &start))
        return start;
    size_t at = lexer->at;
    char c = lexer->text[at];
    if (promql_is_digit(c) || (c == '.' && promql_is_digit(peek(lexer, at + 1))))
        return lex_number(lexer);
    if (is_first(c) || c == '\\' || (unsigned char)c >= 0x80) {
        if (c == '\\' && !is_escape(lexer, at))
            return promql_bad(lexer, at,
                              "this escape is not followed here: use {__name__=\"...\"}");
        return lex_name(lexer);
    }
    return promql_lex_symbol(lexer, &rules);
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
