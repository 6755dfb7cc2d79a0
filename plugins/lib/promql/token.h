/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, and what the lexers of PromQL and MetricsQL cut in the same way: blanks, comments,
 * strings, operators and punctuation. Where only a character or a text differs, it stands in the
 * rules; names and numbers differ in kind and are each lexer's own.
 *
 * Ownership: the text is the caller's and must outlive the lexer; rules and faults are static.
 * Threads: pure.
 */
#ifndef SONDE_PROMQL_TOKEN_H
#define SONDE_PROMQL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum promql_token_kind {
    PROMQL_END,
    PROMQL_BAD, /* lexer.fault says why */
    PROMQL_NAME,
    PROMQL_STRING,
    PROMQL_NUMBER, /* Inf and NaN are names to the lexer */
    PROMQL_DURATION,
    PROMQL_OPEN,
    PROMQL_CLOSE,
    PROMQL_OPEN_BRACE,
    PROMQL_CLOSE_BRACE,
    PROMQL_OPEN_BRACKET,
    PROMQL_CLOSE_BRACKET,
    PROMQL_COMMA,
    PROMQL_COLON, /* only inside brackets */
    PROMQL_AT,
    PROMQL_ASSIGN,
    PROMQL_MATCH,   /* =~ !~ */
    PROMQL_SIGN,    /* + - */
    PROMQL_COMPARE, /* == != < > <= >= */
    PROMQL_ARITHMETIC,
};

struct promql_token {
    enum promql_token_kind kind;
    size_t start;
    size_t end; /* first byte after it */
};

struct promql_lexer {
    const char *text;
    size_t size;
    size_t at;
    bool in_brackets; /* set by the caller: ':' separates there and is no part of a name */
    const char *fault;
};

struct promql_lexer_rules {
    const char *blanks;
    bool trims_histograms; /* has the operators "</" and ">/" */
    /* Of a backslash before a closing backtick: an escape to one side only. */
    const char *backtick_fault;
    const char *dollar_fault;
    const char *character_fault; /* any other that begins no token */
};

bool promql_is_digit(char c);
bool promql_is_hex(char c);
/* The token from start to before end, behind which the lexer goes on. */
struct promql_token promql_token(struct promql_lexer *lexer, enum promql_token_kind kind,
                                 size_t start, size_t end);
struct promql_token promql_bad(struct promql_lexer *lexer, size_t at, const char *fault);
/*
 * Skips blanks and comments. True if what follows is the end, a fault or a string, which is then
 * the token; else the lexer stands at its first byte.
 */
bool promql_lex_start(struct promql_lexer *lexer, const struct promql_lexer_rules *rules,
                      struct promql_token *ret_token);
/* An operator or punctuation, ':' left out. */
struct promql_token promql_lex_symbol(struct promql_lexer *lexer,
                                      const struct promql_lexer_rules *rules);

#endif
