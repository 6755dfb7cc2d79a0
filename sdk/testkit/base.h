/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the testkit stands on: memory that goes all at once, growing text, files, times in words.
 * A test program that cannot get memory or read its fixture says so and exits with status 1.
 *
 * Ownership: a pool owns all it gave; a kit_text is freed by kit_text_free. Threads: one at a time.
 */
#ifndef SONDE_TESTKIT_BASE_H
#define SONDE_TESTKIT_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define KIT_PRINTF(a, b) __attribute__((format(printf, a, b)))
#define KIT_NORETURN __attribute__((noreturn))
#else
#define KIT_PRINTF(a, b)
#define KIT_NORETURN
#endif

/* Prints to standard error and exits with status 1. */
void kit_die(const char *format, ...) KIT_NORETURN KIT_PRINTF(1, 2);

struct kit_block;

/* Every piece is a block of its own, so that the sanitizers see a step beyond it. */
struct kit_pool {
    struct kit_block *blocks;
    size_t used;
};

void *kit_alloc(struct kit_pool *pool, size_t size); /* zeroed */
char *kit_copy(struct kit_pool *pool, const char *data, size_t size);
char *kit_format(struct kit_pool *pool, const char *format, ...) KIT_PRINTF(2, 3);
void kit_pool_free(struct kit_pool *pool);

struct kit_text {
    char *data; /* NUL-terminated, NULL while empty */
    size_t size;
    size_t capacity;
};

void kit_add_n(struct kit_text *text, const char *data, size_t size);
void kit_add(struct kit_text *text, const char *string);
void kit_addf(struct kit_text *text, const char *format, ...) KIT_PRINTF(2, 3);
/* A JSON string; what is no UTF-8 becomes U+FFFD. */
void kit_add_json(struct kit_text *text, const char *data, size_t size);
/* "2026-01-01T00:00:00.5Z" with quotes. */
void kit_add_time(struct kit_text *text, int64_t ns);
/* Shortest text that reads back as the same double; "NaN", "+Inf", "-Inf" as strings. */
void kit_add_double(struct kit_text *text, double value);
void kit_text_free(struct kit_text *text);

/* RFC 3339 in UTC, or decimal seconds; 0 or -1. */
int kit_parse_time(const char *text, size_t size, int64_t *ret_ns);
/* "90s", "1h30m", "250ms", or a plain number of seconds; 0 or -1. */
int kit_parse_duration_ms(const char *text, uint64_t *ret_ms);

/* The whole file from the pool, NUL behind it; dies when it cannot be read. */
char *kit_read_file(struct kit_pool *pool, const char *path, size_t *ret_size);
int kit_is_utf8(const char *data, size_t size);

#endif
