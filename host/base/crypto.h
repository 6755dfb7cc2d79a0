/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes, sealing with a key, and comparisons that secrets need; keys in memory that is neither swapped nor dumped.
 *
 * Ownership: crypto_key_free wipes and frees; else caller's buffers. Threads: safe.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"

#define SHA256_BYTES 32u
#define CRYPTO_KEY_BYTES 32u
#define CRYPTO_NONCE_BYTES 12u
#define CRYPTO_TAG_BYTES 16u

/* A key of 256 bits in the library's secure heap (64 KiB, locked, left out of dumps); where that is full, in plain memory. */
struct crypto_key;

/* NULL without memory. The caller wipes its own copy. */
struct crypto_key *crypto_key_new(const unsigned char bytes[CRYPTO_KEY_BYTES]);
void crypto_key_free(struct crypto_key *key);
DEFINE_CLEANUP(struct crypto_key *, crypto_key_free);
bool crypto_key_equal(const struct crypto_key *a, const struct crypto_key *b);

/* FIPS 180-4. 0, or ERR_SYSTEM when the library refuses. */
int crypto_sha256(const void *data, size_t size, unsigned char ret_digest[SHA256_BYTES]);
/* RFC 2104. 0 or ERR_SYSTEM. */
int crypto_hmac_sha256(const struct crypto_key *key, const void *data, size_t size,
                       unsigned char ret_digest[SHA256_BYTES]);
/* RFC 5869 with SHA-256: up to 8,160 bytes for one purpose, which info names. 0 or ERR_SYSTEM. */
int crypto_hkdf_sha256(const void *key, size_t key_size, const void *salt, size_t salt_size,
                       const void *info, size_t info_size, void *out, size_t out_size);
/* Another key for one purpose. 0, ERR_SYSTEM or ERR_MEMORY. */
int crypto_key_derive(const struct crypto_key *key, const char *purpose,
                      struct crypto_key **ret_key);

/*
 * AES-256-GCM (NIST SP 800-38D). A nonce is used once a key. out takes size bytes and the tag behind them. 0, or ERR_SYSTEM when the
 * library refuses.
 */
int crypto_seal(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                const void *aad, size_t aad_size, const void *data, size_t size, void *out);
/*
 * size counts the tag; out takes size - CRYPTO_TAG_BYTES. 0; ERR_INVALID: not sealed with this key, nonce and aad, or changed since (out is
 * wiped then); ERR_SYSTEM.
 */
int crypto_open(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                const void *aad, size_t aad_size, const void *sealed, size_t size, void *out);
/* crypto_seal and crypto_open of a key itself, whose bytes never leave the secure heap in the clear. */
int crypto_key_wrap(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                    const void *aad, size_t aad_size, const struct crypto_key *inner,
                    unsigned char out[CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES]);
int crypto_key_unwrap(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                      const void *aad, size_t aad_size,
                      const unsigned char wrapped[CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES],
                      struct crypto_key **ret_inner);

/* Takes the same time wherever the first difference lies. */
bool crypto_equal(const void *a, const void *b, size_t size);

#endif
