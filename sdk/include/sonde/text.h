/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded string builder with a sticky error, percent-encoding, and a collector for adapters that
 * want a small body whole. Write many, check once.
 *
 * Ownership: memory comes from an allocator given at init (usually the op's arena) and is never freed
 * by the builder; growing copies. Threads: one builder, one thread at a time.
 */
#ifndef SONDE_TEXT_H
#define SONDE_TEXT_H

#include <sonde/host.h>

struct sonde_text {
    const struct sonde_host *host;
    struct sonde_ctx *ctx;
    char *data; /* always NUL-terminated once something was written; "" before */
    size_t size;
    size_t capacity;
    size_t max;
    uint32_t failed; /* 1: out of memory or beyond max; the text is then incomplete */
    uint32_t reserved_0;
};

void sonde_text_init(struct sonde_text *text, const struct sonde_host *host, struct sonde_ctx *ctx,
                     size_t max);
void sonde_text_add(struct sonde_text *text, const char *string);
void sonde_text_add_n(struct sonde_text *text, const char *data, size_t size);
void sonde_text_add_char(struct sonde_text *text, char c);
/* printf; the format is the plugin's own. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
void sonde_text_add_format(struct sonde_text *text, const char *format, ...);
/* RFC 3986 unreserved characters as they are, every other byte as %XX. Good for queries, forms and path segments. */
void sonde_text_add_encoded(struct sonde_text *text, const char *data, size_t size);
/* name=encoded value, with '&' before it unless the text is empty or ends in '?' or '&'. */
void sonde_text_add_param(struct sonde_text *text, const char *name, const char *value,
                          size_t value_size);
/* ns as decimal seconds with up to 9 digits after the point, trailing zeros left out: "1729425600.5". */
void sonde_text_add_seconds(struct sonde_text *text, int64_t ns);
/* JSON string with its quotes. */
void sonde_text_add_json(struct sonde_text *text, const char *data, size_t size);
/* Text, or "" when nothing was written. */
const char *sonde_text_string(const struct sonde_text *text);

/* Copies a string into the ctx's memory; NULL when it is full. */
char *sonde_copy(const struct sonde_host *host, struct sonde_ctx *ctx, const char *data,
                 size_t size);
/* The value of key, or NULL. */
const char *sonde_pair_get(const struct sonde_pair *pairs, size_t n, const char *key);
/* fail with a formatted text of at most 1 KiB; returns code. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 5, 6)))
#endif
int32_t
sonde_failf(const struct sonde_host *host, struct sonde_ctx *ctx, int32_t code, int64_t position,
            const char *format, ...);
/*
 * One clear sentence out of an error body of any shape: JSON with error/message/errors..., HTML (its
 * title), plain text (its first line), binary or empty. Written to buf, NUL-terminated, valid UTF-8.
 */
void sonde_describe_body(const char *body, size_t size, char *buf, size_t buf_size);
/* The error class for an HTTP status outside 2xx: 401 AUTH, 403 FORBIDDEN, 404 NOT_FOUND, 429 THROTTLED, 408/504 TIMEOUT, 413 TOO_MUCH, 502/503 BUSY, 3xx and the rest BAD_ANSWER. */
int32_t sonde_class_of_status(uint32_t status);

#endif
