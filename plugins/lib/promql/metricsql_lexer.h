/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of MetricsQL as VictoriaMetrics 1.79 to 1.151 read it: names with '.' and backslash
 * escapes, numbers with a unit of size, durations in steps. What two of those versions, or
 * VictoriaMetrics and Prometheus, would cut into tokens differently is refused: a selector that one
 * side takes for a part of a string would escape a filter.
 *
 * Ownership: the text is the caller's and must outlive the lexer. Threads: pure.
 */
#ifndef SONDE_METRICSQL_LEXER_H
#define SONDE_METRICSQL_LEXER_H

#include "lexer.h"

/* The next token; durations are PROMQL_NUMBER. PROMQL_END and PROMQL_BAD repeat. */
struct promql_token metricsql_lex(struct promql_lexer *lexer);
/*
 * Behind a '[': moves to the byte after its ']'. Only what can stand in a window and a step is let
 * through, which selects no series. 0, or -1 with lexer->fault, at its place.
 */
int metricsql_skip_brackets(struct promql_lexer *lexer);

#endif
