/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt_maker.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct maker {
    EVP_PKEY *key;
};

static void *or_die(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

struct maker *maker_new(const char *type, unsigned rsa_bits)
{
    struct maker *maker = or_die(calloc(1, sizeof *maker));
    if (!strcmp(type, "RSA"))
        maker->key = EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)rsa_bits);
    else if (!strcmp(type, "EC"))
        maker->key = EVP_PKEY_Q_keygen(NULL, NULL, type, "P-256");
    else
        maker->key = EVP_PKEY_Q_keygen(NULL, NULL, type);
    or_die(maker->key);
    return maker;
}

void maker_free(struct maker *maker)
{
    if (!maker)
        return;
    EVP_PKEY_free(maker->key);
    free(maker);
}

char *maker_base64url(const void *data, size_t size)
{
    char *text = or_die(calloc(1, size * 2 + 8));
    EVP_EncodeBlock((unsigned char *)text, data, (int)size);
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
    return text;
}

static char *number(const EVP_PKEY *key, const char *name, int pad)
{
    BIGNUM *value = NULL;
    unsigned char bytes[1024];
    if (EVP_PKEY_get_bn_param(key, name, &value) != 1)
        abort();
    int size = pad ? pad : BN_num_bytes(value);
    BN_bn2binpad(value, bytes, size);
    BN_free(value);
    return maker_base64url(bytes, (size_t)size);
}

char *maker_jwk(const struct maker *maker, const char *kid, const char *extra)
{
    char *out = or_die(malloc(4096));
    if (EVP_PKEY_is_a(maker->key, "RSA")) {
        char *n = number(maker->key, OSSL_PKEY_PARAM_RSA_N, 0);
        char *e = number(maker->key, OSSL_PKEY_PARAM_RSA_E, 0);
        snprintf(out, 4096, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid, n,
                 e, extra);
        free(n);
        free(e);
    } else if (EVP_PKEY_is_a(maker->key, "EC")) {
        char *x = number(maker->key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
        char *y = number(maker->key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
        snprintf(out, 4096,
                 "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}",
                 kid, x, y, extra);
        free(x);
        free(y);
    } else {
        unsigned char bytes[32];
        size_t size = sizeof bytes;
        if (EVP_PKEY_get_raw_public_key(maker->key, bytes, &size) != 1)
            abort();
        char *x = maker_base64url(bytes, size);
        snprintf(out, 4096, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"%s}",
                 kid, x, extra);
        free(x);
    }
    return out;
}

char *maker_jwks(char *const *keys, size_t n)
{
    size_t size = 32;
    for (size_t i = 0; i < n; i++)
        size += strlen(keys[i]) + 1;
    char *out = or_die(malloc(size));
    int at = snprintf(out, size, "{\"keys\":[");
    for (size_t i = 0; i < n; i++) {
        at += snprintf(out + at, size - (size_t)at, "%s%s", i ? "," : "", keys[i]);
        free(keys[i]);
    }
    snprintf(out + at, size - (size_t)at, "]}");
    return out;
}

char *maker_pem(const struct maker *maker)
{
    BIO *bio = or_die(BIO_new(BIO_s_mem()));
    char *data = NULL;
    if (PEM_write_bio_PUBKEY(bio, maker->key) != 1)
        abort();
    long size = BIO_get_mem_data(bio, &data);
    char *out = or_die(calloc(1, (size_t)size + 1));
    memcpy(out, data, (size_t)size);
    BIO_free(bio);
    return out;
}

/* DER into the two numbers side by side. */
static size_t raw(const unsigned char *der, size_t size, unsigned char *out)
{
    ECDSA_SIG *pair = or_die(d2i_ECDSA_SIG(NULL, &der, (long)size));
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32);
    ECDSA_SIG_free(pair);
    return 64;
}

static size_t sign(const struct maker *maker, const char *algorithm, const char *text,
                   unsigned char *out, size_t room)
{
    EVP_MD_CTX *context = or_die(EVP_MD_CTX_new());
    EVP_PKEY_CTX *pkey = NULL;
    const char *digest = strcmp(algorithm, "EdDSA") ? "SHA256" : NULL;
    size_t size = room;
    if (EVP_DigestSignInit_ex(context, &pkey, digest, NULL, NULL, maker->key, NULL) != 1)
        abort();
    if (!strcmp(algorithm, "PS256") &&
        (EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) != 1))
        abort();
    if (EVP_DigestSign(context, out, &size, (const unsigned char *)text, strlen(text)) != 1)
        abort();
    EVP_MD_CTX_free(context);
    if (strcmp(algorithm, "ES256"))
        return size;
    unsigned char numbers[64];
    raw(out, size, numbers);
    memcpy(out, numbers, sizeof numbers);
    return sizeof numbers;
}

char *maker_sign(const struct maker *maker, const char *algorithm, const char *header,
                 const char *claims, const void *secret, size_t secret_size)
{
    char *first = maker_base64url(header, strlen(header));
    char *second = maker_base64url(claims, strlen(claims));
    size_t room = strlen(first) + strlen(second) + 4096;
    char *out = or_die(malloc(room));
    unsigned char signature[1024];
    size_t size = 0;
    snprintf(out, room, "%s.%s", first, second);
    if (!strcmp(algorithm, "HS256")) {
        unsigned length = 0;
        or_die(HMAC(EVP_sha256(), secret, (int)secret_size, (const unsigned char *)out, strlen(out),
                    signature, &length));
        size = length;
    } else if (strcmp(algorithm, "none")) {
        size = sign(maker, algorithm, out, signature, sizeof signature);
    }
    char *third = maker_base64url(signature, size);
    snprintf(out + strlen(out), room - strlen(out), ".%s", third);
    free(first);
    free(second);
    free(third);
    return out;
}
