/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from outside made storable, once, at the edge: NUL and bytes that are no UTF-8 become U+FFFD; ids of traces and
 * spans get one form.
 *
 * Ownership: copies live where stated. Threads: pure functions.
 */
#ifndef QUERY_TEXT_H
#define QUERY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "model/result.h"

bool text_storable(const char *data, size_t size);
/* Bytes text_store writes: at most 3 * size. */
size_t text_store(char *out, const char *data, size_t size);
/* Copy in the result's memory; "" for NULL (string) or size 0; NULL without memory. */
const char *text_keep(struct result *result, const char *string);
const char *text_keep_n(struct result *result, const char *data, size_t size);

/*
 * Lower-case hex of 32 (trace) or 16 (span) digits out of what backends write: hex of either case with leading zeros
 * dropped or not, base64 (8 or 16 bytes, padding optional, both alphabets), decimal (Datadog). "" and false when
 * it is none of these or all zeros.
 */
bool text_trace_id(char out[33], const char *text);
bool text_span_id(char out[17], const char *text);

#endif
