/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a well-formed UTF-8 character is (RFC 3629, section 4), once for all of the SDK.
 *
 * Ownership: none. Threads: pure functions.
 */
#ifndef SONDE_SDK_UTF8_H
#define SONDE_SDK_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes follow a lead byte beyond ASCII, and the bounds of the first of them; 0: no lead byte. */
static inline uint32_t utf8_lead(unsigned char c, uint32_t *low, uint32_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf)
        return 1;
    if (c >= 0xe0 && c <= 0xef) {
        if (c == 0xe0)
            *low = 0xa0;
        if (c == 0xed)
            *high = 0x9f;
        return 2;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (c == 0xf0)
            *low = 0x90;
        if (c == 0xf4)
            *high = 0x8f;
        return 3;
    }
    return 0;
}

/* The size of the character at p when all of it is within left (>= 1) bytes and well formed, else 0. */
static inline size_t utf8_size(const unsigned char *p, size_t left)
{
    uint32_t low;
    uint32_t high;
    if (*p < 0x80)
        return 1;
    const uint32_t more = utf8_lead(*p, &low, &high);
    if (!more || left <= more || p[1] < low || p[1] > high)
        return 0;
    for (uint32_t i = 2; i <= more; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    }
    return more + 1u;
}

#endif
