/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings: comparing, strict numbers, globs, nearest match, UTF-8.
 *
 * Ownership: arguments stay the caller's. Threads: pure functions.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool str_eq(const char *a, const char *b);        /* NULL equals NULL only */
bool str_eq_nocase(const char *a, const char *b); /* ASCII */
bool str_starts(const char *string, const char *prefix);
bool str_ends(const char *string, const char *suffix);
/* Whole string a decimal integer within [min, max]: 0, else -1. */
int str_to_int(const char *string, int64_t min, int64_t max, int64_t *ret_value);
/* Whole string a finite decimal number: 0, else -1. */
int str_to_double(const char *string, double *ret_value);
/* "250ms", "1.5h", "30s", "2d", "1w", plain digits mean seconds; ns. 0, else -1. */
int str_to_duration(const char *string, int64_t *ret_ns);
/* "64MiB", "10k", "512"; bytes. 0, else -1. */
int str_to_size(const char *string, uint64_t *ret_bytes);
/* '*' and '?' only; the whole string. */
bool str_glob(const char *pattern, const char *string);
/*
 * The candidate nearest to word (Damerau-Levenshtein, ASCII case and -_. folded; prefixes and
 * substrings count as near), or NULL when none is near enough to suggest.
 */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);

/* Bytes of the UTF-8 sequence at data (1 to 4), or 0 when it is invalid or cut. */
size_t utf8_sequence(const char *data, size_t size);
bool utf8_valid(const char *data, size_t size);
/* Terminal columns of a text (wide characters 2, combining 0). */
size_t utf8_columns(const char *data, size_t size);
/* Copies with NUL, control characters but tab and newline, and invalid bytes made U+FFFD; out gets at most out_size - 1 bytes and a NUL, never half a character. Returns bytes written. */
size_t utf8_clean(char *out, size_t out_size, const char *data, size_t size);

#endif
