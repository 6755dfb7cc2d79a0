/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of PromQL, up to the language of Prometheus 3.16: three quotings, comments, durations,
 * names with ':'. As strict as Prometheus itself, for what one side sees as a string or a comment
 * the other must not see as a selector.
 *
 * Ownership: the text is the caller's and must outlive the lexer. Threads: pure.
 */
#ifndef SONDE_PROMQL_LEXER_H
#define SONDE_PROMQL_LEXER_H

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

/* The next token; PROMQL_END and PROMQL_BAD repeat. */
struct promql_token promql_lex(struct promql_lexer *lexer);

#endif
