/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <string.h>

#include "base/mem.h"

struct secret {
    size_t size;
    char data[];
};

void wipe(void *data, size_t size)
{
    explicit_bzero(data, size);
}

struct secret *secret_new(const void *data, size_t size)
{
    struct secret *secret = mem_alloc(sizeof *secret + size + 1);
    if (!secret)
        return NULL;
    secret->size = size;
    if (size)
        memcpy(secret->data, data, size);
    return secret;
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    wipe(secret->data, secret->size);
    mem_free(secret);
}

size_t secret_size(const struct secret *secret)
{
    return secret->size;
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->data;
}

int secret_equal(const struct secret *a, const struct secret *b)
{
    if (a->size != b->size)
        return 0;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a->size; i++)
        difference = (unsigned char)(difference | (a->data[i] ^ b->data[i]));
    return difference == 0;
}
