/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "base/err.h"

/* Fetched once: looking an algorithm up by name each time costs more than hashing a token. */
static EVP_MD *sha256;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
}

int crypto_sha256(const void *data, size_t size, unsigned char ret_digest[SHA256_BYTES])
{
    pthread_once(&once, fetch);
    if (!sha256 || EVP_Digest(data, size, ret_digest, NULL, sha256, NULL) != 1)
        return ERR_SYSTEM;
    return 0;
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
