/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <string.h>

/* Unicode 15, table 3-7: well-formed UTF-8 byte sequences. */
size_t utf8_sequence(const char *data, size_t size)
{
    const unsigned char *p = (const unsigned char *)data;
    if (!size)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || size < n)
        return 0;
    unsigned char low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool utf8_valid(const char *data, size_t size)
{
    size_t i = 0;
    while (i < size) {
        size_t n = utf8_sequence(data + i, size - i);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

static uint32_t decode(const char *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    uint32_t c = n == 1 ? p[0] : n == 2 ? p[0] & 0x1fu : n == 3 ? p[0] & 0x0fu : p[0] & 0x07u;
    for (size_t i = 1; i < n; i++)
        c = (c << 6) | (p[i] & 0x3fu);
    return c;
}

/* The blocks that matter in names and messages; terminals disagree about the rest anyway. */
static size_t columns_of(uint32_t c)
{
    if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f))
        return 0;
    if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
        (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
        (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
        (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd))
        return 2;
    return 1;
}

size_t utf8_columns(const char *data, size_t size)
{
    size_t columns = 0;
    for (size_t i = 0; i < size;) {
        size_t n = utf8_sequence(data + i, size - i);
        columns += n ? columns_of(decode(data + i, n)) : 1;
        i += n ? n : 1;
    }
    return columns;
}

size_t utf8_clean(char *out, size_t out_size, const char *data, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t written = 0;
    if (!out_size)
        return 0;
    for (size_t i = 0; i < size;) {
        size_t n = utf8_sequence(data + i, size - i);
        unsigned char c = (unsigned char)data[i];
        bool bad = !n || (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
        const char *from = bad ? replacement : data + i;
        size_t bytes = bad ? 3 : n;
        if (written + bytes > out_size - 1)
            break;
        memcpy(out + written, from, bytes);
        written += bytes;
        i += n ? n : 1;
    }
    out[written] = '\0';
    return written;
}
