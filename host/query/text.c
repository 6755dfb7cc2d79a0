/* SPDX-License-Identifier: Apache-2.0 */
#include "query/text.h"

#include <string.h>

#include "base/str.h"

static const char replacement[] = "\xef\xbf\xbd";

bool text_storable(const char *data, size_t size)
{
    return !size || (!memchr(data, 0, size) && utf8_valid(data, size));
}

size_t text_store(char *out, const char *data, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size;) {
        size_t step = data[i] ? utf8_sequence(data + i, size - i) : 0;
        if (step) {
            memcpy(out + n, data + i, step);
            n += step;
            i += step;
        } else {
            memcpy(out + n, replacement, 3);
            n += 3;
            i++;
        }
    }
    return n;
}

const char *text_keep_n(struct result *result, const char *data, size_t size)
{
    if (!size)
        return "";
    bool storable = text_storable(data, size);
    char *copy = result_alloc(result, storable ? size + 1 : 3 * size + 1, 1);
    if (!copy)
        return NULL;
    if (storable)
        memcpy(copy, data, size);
    else
        text_store(copy, data, size);
    return copy;
}

const char *text_keep(struct result *result, const char *string)
{
    return text_keep_n(result, string, string ? strlen(string) : 0);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Right-aligned in width bytes; false when it does not fit or is no hex. */
static bool from_hex(unsigned char *bytes, size_t width, const char *text, size_t n)
{
    if (n > 2 * width)
        return false;
    for (size_t i = 0; i < n; i++) {
        int digit = hex_digit(text[n - 1 - i]);
        if (digit < 0)
            return false;
        bytes[width - 1 - i / 2] |= (unsigned char)(i % 2 ? digit << 4 : digit);
    }
    return true;
}

static bool from_decimal(unsigned char *bytes, size_t width, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned carry = (unsigned)(text[i] - '0');
        for (size_t k = width; k-- > 0;) {
            unsigned value = bytes[k] * 10u + carry;
            bytes[k] = (unsigned char)(value & 0xff);
            carry = value >> 8;
        }
        if (carry)
            return false;
    }
    return true;
}

static bool from_base64(unsigned char *bytes, size_t width, const char *text, size_t n)
{
    while (n && text[n - 1] == '=')
        n--;
    size_t size = n * 6 / 8;
    if (size != width && !(width == 16 && size == 8))
        return false;
    unsigned char *out = bytes + (width - size);
    unsigned value = 0;
    unsigned bits = 0;
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0)
            return false;
        value = (value << 6 | (unsigned)digit) & 0xffff;
        bits += 6;
        if (bits >= 8 && done < size) {
            bits -= 8;
            out[done++] = (unsigned char)(value >> bits);
        }
    }
    return done == size;
}

/* Hex ids that happen to be all digits have 16 or 32 of them nearly always; decimal ones 17 to 20 or 33 to 39. */
static bool looks_decimal(const char *text, size_t n)
{
    bool length = (n >= 17 && n <= 20) || (n >= 33 && n <= 39);
    return length && strspn(text, "0123456789") == n;
}

static bool normalise(char *out, size_t width, const char *text)
{
    unsigned char bytes[16];
    out[0] = '\0';
    size_t n = text ? strnlen(text, 64) : 0;
    if (!n || n == 64)
        return false;
    memset(bytes, 0, sizeof bytes);
    bool ok = looks_decimal(text, n) && from_decimal(bytes, width, text, n);
    if (!ok) {
        memset(bytes, 0, sizeof bytes);
        ok = from_hex(bytes, width, text, n);
    }
    if (!ok) {
        memset(bytes, 0, sizeof bytes);
        ok = from_base64(bytes, width, text, n);
    }
    unsigned any = 0;
    for (size_t i = 0; i < width; i++)
        any |= bytes[i];
    if (!ok || !any)
        return false;
    for (size_t i = 0; i < width; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[2 * width] = '\0';
    return true;
}

bool text_trace_id(char out[33], const char *text)
{
    return normalise(out, 16, text);
}

bool text_span_id(char out[17], const char *text)
{
    return normalise(out, 8, text);
}
