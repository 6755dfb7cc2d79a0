/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small pieces all answers are made of: costs, numbers, times, text from outside. Internal to answer/.
 *
 * Ownership: text is appended to the caller's buffer. Threads: pure functions.
 */
#ifndef ANSWER_WRITE_H
#define ANSWER_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sonde/types.h>
#include "base/buf.h"
#include "base/zone.h"

/* Costs add up exactly: one token is COST_TOKEN units. */
#define COST_TOKEN 60u
size_t cost_json(const char *text, size_t size);
size_t cost_text(const char *text, size_t size);

/* Digits of the numbers in summaries and in samples. */
#define DIGITS_SUMMARY 5
#define DIGITS_SAMPLE 6

/*
 * Integers as they are, other numbers with at most digits significant ones, never an exponent between 10^-4 and
 * 10^15; NaN, +Inf, -Inf by name. Returns the size.
 */
size_t number_text(char out[32], double value, int digits);
/* The same as a JSON number, or a string where JSON has none. */
void write_number(struct buf *buf, double value, int digits);
/* Unix seconds, with a fraction only where there is one. */
void write_seconds(struct buf *buf, int64_t unix_ns);
/* One line of text: control characters and those that change the direction of writing are escaped, at most max bytes of data with an ellipsis after. */
void write_line(struct buf *buf, const char *data, size_t size, size_t max);
/* A JSON string of at most max bytes of data, with an ellipsis where it was cut. */
void write_json_cut(struct buf *buf, const char *data, size_t size, size_t max);
/* {"a":"b"} without the labels marked in skip (NULL none). */
void write_labels_json(struct buf *buf, const struct sonde_label *labels, size_t n,
                       const bool *skip);
/* name{a="b"}, name taken from __name__. */
void write_labels_text(struct buf *buf, const struct sonde_label *labels, size_t n,
                       const bool *skip);

#endif
