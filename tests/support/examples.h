/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commented examples of etc/sonde.yaml made into a configuration: "#key: value" at any depth is an example,
 * "# prose" is none.
 *
 * Ownership: the caller's buffer. Threads: pure.
 */
#ifndef SUPPORT_EXAMPLES_H
#define SUPPORT_EXAMPLES_H

#include <stdbool.h>
#include <string.h>
#include "base/buf.h"

static inline void examples_uncomment(const char *text, struct buf *out)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        size_t indent = strspn(text, " ");
        bool example = text[indent] == '#' && indent + 1 < size && text[indent + 1] != ' ';
        buf_add_n(out, text, example ? indent : size);
        if (example)
            buf_add_n(out, text + indent + 1, size - indent - 1);
        buf_add_char(out, '\n');
        text += size + (text[size] == '\n');
    }
}

#endif
