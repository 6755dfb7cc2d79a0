/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <stdint.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void add(struct buf *out, const unsigned char *data, size_t size, const char *digits,
                bool pad)
{
    for (size_t i = 0; i < size; i += 3) {
        size_t have = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16;
        bits |= have > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        bits |= have > 2 ? data[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            if (k <= have)
                buf_add_char(out, digits[bits >> (18 - 6 * k) & 63]);
            else if (pad)
                buf_add_char(out, '=');
    }
}

void base64_add(struct buf *out, const void *data, size_t size)
{
    add(out, data, size, plain, true);
}

void base64url_add(struct buf *out, const void *data, size_t size)
{
    add(out, data, size, url, false);
}

static int digit(char c, const char *digits)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == digits[62] ? 62 : c == digits[63] ? 63 : -1;
}

/* size digits without padding. */
static ptrdiff_t read_digits(const char *text, size_t size, const char *digits, unsigned char *out,
                             size_t max)
{
    if (size % 4 == 1)
        return -1;
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < size; i++) {
        int value = digit(text[i], digits);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (n == max)
            return -1;
        out[n++] = (unsigned char)(bits >> have);
    }
    return bits & ((1u << have) - 1) ? -1 : (ptrdiff_t)n;
}

ptrdiff_t base64_read(const char *text, size_t size, void *out, size_t max)
{
    if (size % 4)
        return -1;
    for (int i = 0; i < 2 && size && text[size - 1] == '='; i++)
        size--;
    return read_digits(text, size, plain, out, max);
}

ptrdiff_t base64url_read(const char *text, size_t size, void *out, size_t max)
{
    return read_digits(text, size, url, out, max);
}
