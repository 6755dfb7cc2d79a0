/* SPDX-License-Identifier: Apache-2.0 */
#include "render/clean.h"

#include "base/str.h"

/* C1 controls; zero-width and direction marks, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F. */
static bool is_hidden(const unsigned char *p, size_t sequence)
{
    if (sequence == 2)
        return p[0] == 0xc2 && p[1] < 0xa0;
    if (sequence != 3 || p[0] != 0xe2)
        return false;
    return (p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
           (p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf);
}

void clean_add(struct buf *buf, const char *data, size_t size, bool unicode)
{
    size_t i = 0;
    while (i < size) {
        unsigned char c = (unsigned char)data[i];
        size_t sequence = utf8_sequence(data + i, size - i);
        if (c == '\n')
            buf_add(buf, "\\n");
        else if (c == '\t')
            buf_add(buf, "\\t");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(buf, "\\x%02x", c);
        else if (!sequence || is_hidden((const unsigned char *)data + i, sequence))
            buf_add(buf, unicode ? "\xef\xbf\xbd" : "?");
        else if (c >= 0x80 && !unicode)
            buf_add_char(buf, '?');
        else
            buf_add_n(buf, data + i, sequence);
        i += sequence ? sequence : 1;
    }
}

size_t clean_cut(struct buf *buf, const char *text, size_t size, size_t columns, bool unicode)
{
    size_t from = buf->size;
    clean_add(buf, text, size, unicode);
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
