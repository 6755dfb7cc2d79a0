/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes and comparisons that secrets need.
 *
 * Ownership: none. Threads: safe.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_BYTES 32u

/* FIPS 180-4. 0, or ERR_SYSTEM when the library refuses. */
int crypto_sha256(const void *data, size_t size, unsigned char ret_digest[SHA256_BYTES]);
/* Takes the same time wherever the first difference lies. */
bool crypto_equal(const void *a, const void *b, size_t size);

#endif
