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

/* Appends at most columns of clean text, the last one an ellipsis where it was cut; returns the columns used. */
size_t clean_cut(struct buf *buf, const char *text, size_t size, size_t columns, bool unicode);
void clean_spaces(struct buf *buf, size_t n);

#endif
