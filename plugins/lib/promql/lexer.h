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

#include "token.h"

/* The next token; PROMQL_END and PROMQL_BAD repeat. */
struct promql_token promql_lex(struct promql_lexer *lexer);

#endif
