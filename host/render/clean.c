/* SPDX-License-Identifier: Apache-2.0 */
#include "render/clean.h"

#include "base/str.h"

size_t clean_cut(struct buf *buf, const char *text, size_t size, size_t columns, bool unicode)
{
    size_t from = buf->size;
    buf_add_shown(buf, text, size, unicode);
    if (buf->failed)
        return 0;
    size_t used = utf8_columns(buf->data + from, buf->size - from);
    if (used <= columns)
        return used;
    size_t at = from;
    used = 0;
    while (at < buf->size) {
        size_t sequence = utf8_sequence(buf->data + at, buf->size - at);
        size_t wide = utf8_columns(buf->data + at, sequence);
        if (used + wide + 1 > columns)
            break;
        used += wide;
        at += sequence;
    }
    buf_truncate(buf, at);
    if (!columns)
        return 0;
    buf_add(buf, unicode ? "\xe2\x80\xa6" : "~");
    return used + 1;
}

void clean_spaces(struct buf *buf, size_t n)
{
    while (n-- > 0)
        buf_add_char(buf, ' ');
}
