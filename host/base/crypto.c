/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>

#include "base/err.h"

#define SECURE_HEAP ((size_t)64 * 1024)
#define SECURE_PIECE ((size_t)32)

struct crypto_key {
    unsigned char bytes[CRYPTO_KEY_BYTES];
};

/* Fetched once: looking an algorithm up by name each time costs more than hashing a token. */
static EVP_MD *sha256;
static EVP_CIPHER *aes_256_gcm;
static EVP_MAC *hmac;
static EVP_KDF *hkdf;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

static void make_heap(void)
{
    /* Without it (no memory may be locked) allocations below come from the plain heap. */
    if (!CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_PIECE);
}

static struct crypto_key *key_empty(void)
{
    static pthread_once_t heap = PTHREAD_ONCE_INIT;
    pthread_once(&heap, make_heap);
    struct crypto_key *key = OPENSSL_secure_zalloc(sizeof *key);
    /* The secure heap is small: when it is full the key is better in plain memory than not there. */
    return key ? key : OPENSSL_zalloc(sizeof *key);
}

struct crypto_key *crypto_key_new(const unsigned char bytes[CRYPTO_KEY_BYTES])
{
    struct crypto_key *key = key_empty();
    if (key)
        memcpy(key->bytes, bytes, sizeof key->bytes);
    return key;
}

void crypto_key_free(struct crypto_key *key)
{
    OPENSSL_secure_clear_free(key, sizeof *key); /* knows which of the heaps it is from */
}

bool crypto_key_equal(const struct crypto_key *a, const struct crypto_key *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int crypto_sha256(const void *data, size_t size, unsigned char ret_digest[SHA256_BYTES])
{
    pthread_once(&once, fetch);
    if (!sha256 || EVP_Digest(data, size, ret_digest, NULL, sha256, NULL) != 1)
        return ERR_SYSTEM;
    return 0;
}

/* OSSL_PARAM takes what it only reads by a pointer that is not const. */
static OSSL_PARAM bytes_param(const char *name, const void *data, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, size);
}

static OSSL_PARAM digest_param(const char *name)
{
    static char digest[] = "SHA2-256";
    return OSSL_PARAM_construct_utf8_string(name, digest, 0);
}

int crypto_hmac_sha256(const struct crypto_key *key, const void *data, size_t size,
                       unsigned char ret_digest[SHA256_BYTES])
{
    pthread_once(&once, fetch);
    EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    OSSL_PARAM params[] = {digest_param(OSSL_MAC_PARAM_DIGEST), OSSL_PARAM_construct_end()};
    size_t made = 0;
    bool well = context && EVP_MAC_init(context, key->bytes, sizeof key->bytes, params) == 1 &&
                EVP_MAC_update(context, data, size) == 1 &&
                EVP_MAC_final(context, ret_digest, &made, SHA256_BYTES) == 1;
    EVP_MAC_CTX_free(context);
    return well && made == SHA256_BYTES ? 0 : ERR_SYSTEM;
}

int crypto_hkdf_sha256(const void *key, size_t key_size, const void *salt, size_t salt_size,
                       const void *info, size_t info_size, void *out, size_t out_size)
{
    pthread_once(&once, fetch);
    EVP_KDF_CTX *context = hkdf ? EVP_KDF_CTX_new(hkdf) : NULL;
    OSSL_PARAM params[] = {
        digest_param(OSSL_KDF_PARAM_DIGEST), bytes_param(OSSL_KDF_PARAM_KEY, key, key_size),
        bytes_param(OSSL_KDF_PARAM_SALT, salt, salt_size),
        bytes_param(OSSL_KDF_PARAM_INFO, info, info_size), OSSL_PARAM_construct_end()};
    bool well = context && EVP_KDF_derive(context, out, out_size, params) == 1;
    EVP_KDF_CTX_free(context);
    return well ? 0 : ERR_SYSTEM;
}

int crypto_key_derive(const struct crypto_key *key, const char *purpose,
                      struct crypto_key **ret_key)
{
    struct crypto_key *made = key_empty();
    if (!made)
        return ERR_MEMORY;
    int r = crypto_hkdf_sha256(key->bytes, sizeof key->bytes, "", 0, purpose, strlen(purpose),
                               made->bytes, sizeof made->bytes);
    if (r < 0) {
        crypto_key_free(made);
        return r;
    }
    *ret_key = made;
    return 0;
}

int crypto_seal(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                const void *aad, size_t aad_size, const void *data, size_t size, void *out)
{
    pthread_once(&once, fetch);
    if (size > INT_MAX || aad_size > INT_MAX)
        return ERR_SYSTEM;
    EVP_CIPHER_CTX *context = aes_256_gcm ? EVP_CIPHER_CTX_new() : NULL;
    unsigned char *to = out;
    int n;
    bool well = context && EVP_EncryptInit_ex2(context, aes_256_gcm, key->bytes, nonce, NULL) == 1;
    well = well && EVP_EncryptUpdate(context, NULL, &n, aad, (int)aad_size) == 1;
    well = well && (!size || EVP_EncryptUpdate(context, to, &n, data, (int)size) == 1);
    well = well && EVP_EncryptFinal_ex(context, to + size, &n) == 1;
    well = well && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)CRYPTO_TAG_BYTES,
                                       to + size) == 1;
    EVP_CIPHER_CTX_free(context); /* wipes the key's schedule */
    return well ? 0 : ERR_SYSTEM;
}

int crypto_open(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                const void *aad, size_t aad_size, const void *sealed, size_t size, void *out)
{
    pthread_once(&once, fetch);
    if (size < CRYPTO_TAG_BYTES)
        return ERR_INVALID;
    if (size > INT_MAX || aad_size > INT_MAX)
        return ERR_SYSTEM;
    size -= CRYPTO_TAG_BYTES;
    const unsigned char *from = sealed;
    EVP_CIPHER_CTX *context = aes_256_gcm ? EVP_CIPHER_CTX_new() : NULL;
    unsigned char *to = out;
    int n;
    bool well = context && EVP_DecryptInit_ex2(context, aes_256_gcm, key->bytes, nonce, NULL) == 1;
    well = well && EVP_DecryptUpdate(context, NULL, &n, aad, (int)aad_size) == 1;
    well = well && (!size || EVP_DecryptUpdate(context, to, &n, from, (int)size) == 1);
    well = well && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)CRYPTO_TAG_BYTES,
                                       (void *)(uintptr_t)(from + size)) == 1;
    bool real = well && EVP_DecryptFinal_ex(context, to + size, &n) == 1;
    EVP_CIPHER_CTX_free(context);
    if (!real && size)
        OPENSSL_cleanse(to, size);
    return real ? 0 : well ? ERR_INVALID : ERR_SYSTEM;
}

int crypto_key_wrap(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                    const void *aad, size_t aad_size, const struct crypto_key *inner,
                    unsigned char out[CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES])
{
    return crypto_seal(key, nonce, aad, aad_size, inner->bytes, sizeof inner->bytes, out);
}

int crypto_key_unwrap(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_BYTES],
                      const void *aad, size_t aad_size,
                      const unsigned char wrapped[CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES],
                      struct crypto_key **ret_inner)
{
    struct crypto_key *inner = key_empty();
    if (!inner)
        return ERR_MEMORY;
    int r = crypto_open(key, nonce, aad, aad_size, wrapped, CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES,
                        inner->bytes);
    if (r < 0) {
        crypto_key_free(inner);
        return r;
    }
    *ret_inner = inner;
    return 0;
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
