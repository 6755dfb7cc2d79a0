/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void rand_bytes(void *out, size_t size)
{
    unsigned char *p = out;
    while (size) {
        size_t n = size < 256 ? size : 256; /* getentropy's maximum */
        if (getentropy(p, n))
            abort();
        p += n;
        size -= n;
    }
}

uint64_t rand_u64(void)
{
    uint64_t value;
    rand_bytes(&value, sizeof value);
    return value;
}

void rand_handle(char *out, size_t n)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t i = 0;
    while (i < n) {
        unsigned char bytes[64];
        rand_bytes(bytes, sizeof bytes);
        for (size_t k = 0; k < sizeof bytes && i < n; k++)
            if (bytes[k] < 248) /* 4 * 62: no character is likelier */
                out[i++] = alphabet[bytes[k] % 62];
    }
    out[n] = '\0';
}

void uuid7(char out[37])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint64_t last_ms;
    static uint64_t counter; /* 12 bits of rand_a, RFC 9562 section 6.2 method 1 */
    unsigned char b[16];
    rand_bytes(b, sizeof b);
    pthread_mutex_lock(&lock);
    uint64_t now_ms = (uint64_t)(clock_unix_ns() / NS_PER_MS);
    if (now_ms > last_ms) {
        last_ms = now_ms;
        counter = b[6] & 0x7u;
    } else if (++counter > 0xfff) {
        last_ms++;
        counter = 0;
    }
    uint64_t ms = last_ms;
    uint64_t count = counter;
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | (count >> 8));
    b[7] = (unsigned char)count;
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    static const char hex[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[b[i] >> 4];
        *p++ = hex[b[i] & 15];
    }
    *p = '\0';
}
