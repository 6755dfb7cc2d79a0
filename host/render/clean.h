/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from outside made safe for a terminal: no control characters, measured in columns. Internal to render/.
 *
 * Ownership: text is appended to the caller's buffer. Threads: pure functions.
 */
#ifndef RENDER_CLEAN_H
#define RENDER_CLEAN_H

#include <stdbool.h>
#include "base/buf.h"

/* Escapes control characters and marks that reorder text; invalid UTF-8 becomes U+FFFD ('?' where !unicode, as all else beyond ASCII). */
void clean_add(struct buf *buf, const char *data, size_t size, bool unicode);
/* Appends at most columns of clean text, the last one an ellipsis where it was cut; returns the columns used. */
size_t clean_cut(struct buf *buf, const char *text, size_t size, size_t columns, bool unicode);
void clean_spaces(struct buf *buf, size_t n);

#endif
