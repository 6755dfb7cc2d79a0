/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 (RFC 4648 section 4, padded) and base64url (section 5, without padding), read strictly: no blanks, no line breaks, no other
 * padding, no bits left over, so that every value has one text.
 *
 * Ownership: caller's buffers. Threads: pure functions.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include "base/buf.h"

/* Bytes of text for size bytes of data, padding included, without a NUL. */
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4)

void base64_add(struct buf *out, const void *data, size_t size);
void base64url_add(struct buf *out, const void *data, size_t size);
/* Writes at most max bytes. How many, or -1: no such text, or more than max. */
ptrdiff_t base64_read(const char *text, size_t size, void *out, size_t max);
ptrdiff_t base64url_read(const char *text, size_t size, void *out, size_t max);

#endif
