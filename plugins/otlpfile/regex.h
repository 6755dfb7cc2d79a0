/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subset of RE2, matched in time proportional to text times pattern, never more: literals, ".",
 * classes, \d \w \s and their complements, groups (captured or not), "|", "*", "+", "?", {n,m},
 * the (?i) prefix. Always anchored at both ends. "." and inverted classes take one byte, which tells
 * only where characters beyond ASCII are counted.
 *
 * Ownership: a program lives as long as the memory it was compiled into. Threads: one at a time, as
 * matching uses scratch space in the program.
 */
#ifndef OTLPFILE_REGEX_H
#define OTLPFILE_REGEX_H

#include "common.h"

struct regex;

/* NULL with the reason (static) and the byte where it stands; NULL reason: memory. */
struct regex *regex_compile(struct memory *memory, const char *pattern, const char **ret_reason,
                            size_t *ret_position);
bool regex_match(struct regex *regex, const char *text);

#endif
