/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys (RFC 7517, 7518, 8037) and the signatures made with them. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "auth/jwt.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define DEPTH 16u
#define MEMBER_MAX ((size_t)2048) /* bytes of a modulus of 16384 bits */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define ES256_HALF 32u
#define KEYS_LOOKED_AT 256u

enum kind { KIND_RSA, KIND_EC, KIND_OKP };

struct jwk {
    enum kind kind;
    bool fixed; /* the document says which algorithm */
    enum jwt_algorithm algorithm;
    char *kid; /* NULL none */
    EVP_PKEY *key;
};

DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free);
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);

static void jwk_free(struct jwk *jwk)
{
    if (!jwk)
        return;
    EVP_PKEY_free(jwk->key);
    mem_free(jwk->kid);
    mem_free(jwk);
}

void jwk_set_finish(struct jwk_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        jwk_free(set->keys[i]);
    set->count = 0;
}

/* ---- Reading ---- */

/* Bytes of a member in base64url, or -1. */
static ptrdiff_t member_bytes(struct json_object *object, const char *name,
                              unsigned char out[MEMBER_MAX])
{
    const char *text = json_string_of(object, name);
    size_t size = text ? strlen(text) : 0;
    if (!size || size > MEMBER_MAX * 4 / 3)
        return -1;
    return base64url_decode(text, size, out);
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
    CLEANUP(OSSL_PARAM_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    CLEANUP(EVP_PKEY_CTX_freep)
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static EVP_PKEY *read_rsa(struct json_object *object)
{
    unsigned char bytes[MEMBER_MAX];
    ptrdiff_t size = member_bytes(object, "n", bytes);
    CLEANUP(BN_freep) BIGNUM *n = size > 0 ? BN_bin2bn(bytes, (int)size, NULL) : NULL;
    size = member_bytes(object, "e", bytes);
    CLEANUP(BN_freep) BIGNUM *e = size > 0 ? BN_bin2bn(bytes, (int)size, NULL) : NULL;
    CLEANUP(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!n || !e || !build || BN_num_bits(n) < RSA_BITS_MIN || BN_num_bits(n) > RSA_BITS_MAX ||
        !BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 64 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return NULL;
    return make_key("RSA", build);
}

static EVP_PKEY *read_ec(struct json_object *object)
{
    unsigned char bytes[MEMBER_MAX];
    unsigned char point[1 + 2 * ES256_HALF] = {POINT_CONVERSION_UNCOMPRESSED};
    const char *curve = json_string_of(object, "crv");
    if (!curve || !str_eq(curve, "P-256") || member_bytes(object, "x", bytes) != ES256_HALF)
        return NULL;
    memcpy(point + 1, bytes, ES256_HALF);
    if (member_bytes(object, "y", bytes) != ES256_HALF)
        return NULL;
    memcpy(point + 1 + ES256_HALF, bytes, ES256_HALF);
    CLEANUP(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!build ||
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) != 1)
        return NULL;
    return make_key("EC", build);
}

static EVP_PKEY *read_okp(struct json_object *object)
{
    unsigned char bytes[MEMBER_MAX];
    const char *curve = json_string_of(object, "crv");
    if (!curve || !str_eq(curve, "Ed25519") || member_bytes(object, "x", bytes) != 32)
        return NULL;
    CLEANUP(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (!build || OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, bytes, 32) != 1)
        return NULL;
    return make_key("ED25519", build);
}

/* The key is meant to check signatures, or does not say what for. */
static bool may_verify(struct json_object *object)
{
    const char *use = json_string_of(object, "use");
    struct json_object *operations = json_member(object, "key_ops");
    if (use && !str_eq(use, "sig"))
        return false;
    if (!operations)
        return true;
    size_t n =
        json_object_is_type(operations, json_type_array) ? json_object_array_length(operations) : 0;
    for (size_t i = 0; i < n; i++)
        if (str_eq(json_object_get_string(json_object_array_get_idx(operations, i)), "verify"))
            return true;
    return false;
}

static const struct {
    const char *kty;
    enum kind kind;
    EVP_PKEY *(*read)(struct json_object *object);
} kinds[] = {{"RSA", KIND_RSA, read_rsa}, {"EC", KIND_EC, read_ec}, {"OKP", KIND_OKP, read_okp}};

static const struct {
    const char *name;
    enum jwt_algorithm algorithm;
    enum kind kind;
} algorithms[] = {{"RS256", JWT_RS256, KIND_RSA},
                  {"PS256", JWT_PS256, KIND_RSA},
                  {"ES256", JWT_ES256, KIND_EC},
                  {"EdDSA", JWT_EDDSA, KIND_OKP}};

/* False: it is for an algorithm that is not spoken here, or does not fit the kind of key. */
static bool take_algorithm(struct json_object *object, struct jwk *jwk)
{
    const char *name = json_string_of(object, "alg");
    if (!name)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (!str_eq(algorithms[i].name, name) || algorithms[i].kind != jwk->kind)
            continue;
        jwk->fixed = true;
        jwk->algorithm = algorithms[i].algorithm;
        return true;
    }
    return false;
}

/* 0 with NULL for a key that is of no use here, or ERR_MEMORY. */
static int read_key(struct json_object *object, struct jwk **ret_jwk)
{
    const char *kty = json_string_of(object, "kty");
    const char *kid = json_string_of(object, "kid");
    *ret_jwk = NULL;
    if (!json_object_is_type(object, json_type_object) || !kty || !may_verify(object))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!str_eq(kinds[i].kty, kty))
            continue;
        struct jwk *jwk = mem_alloc(sizeof *jwk);
        if (!jwk)
            return ERR_MEMORY;
        jwk->kind = kinds[i].kind;
        jwk->kid = kid ? mem_strdup(kid) : NULL;
        jwk->key = take_algorithm(object, jwk) ? kinds[i].read(object) : NULL;
        if (!jwk->key || !jwk->kid != !kid)
            jwk_free(jwk);
        else
            *ret_jwk = jwk;
        return 0;
    }
    return 0;
}

int jwk_set_parse(const char *text, size_t size, struct jwk_set *ret_set, struct err *err)
{
    if (size > JWKS_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "the keys take more than %zu bytes", JWKS_MAX_BYTES);
    CLEANUP(json_putp) struct json_object *document = NULL;
    if (json_parse(text, size, DEPTH, &document, NULL))
        return err_set(err, ERR_INVALID, "the keys are not JSON");
    struct json_object *keys =
        json_object_is_type(document, json_type_object) ? json_member(document, "keys") : NULL;
    if (!json_object_is_type(keys, json_type_array))
        return err_set(err, ERR_INVALID, "there is no list \"keys\" in the document of keys");
    struct jwk_set set = {0};
    size_t n = json_object_array_length(keys);
    for (size_t i = 0; i < n && i < KEYS_LOOKED_AT && set.count < JWKS_MAX_KEYS; i++) {
        struct jwk *jwk = NULL;
        if (read_key(json_object_array_get_idx(keys, i), &jwk)) {
            jwk_set_finish(&set);
            return err_set(err, ERR_MEMORY, "no memory for keys");
        }
        if (jwk)
            set.keys[set.count++] = jwk;
    }
    ERR_clear_error(); /* of keys that were passed over: the queue is the thread's, and others read it */
    if (!set.count)
        return err_set(err, ERR_INVALID,
                       "none of the %zu keys is for signatures by RS256, PS256, ES256 or EdDSA", n);
    *ret_set = set;
    return 0;
}

/* ---- Which key ---- */

static bool fits(const struct jwk *jwk, enum jwt_algorithm algorithm)
{
    if (jwk->fixed)
        return jwk->algorithm == algorithm;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (algorithms[i].algorithm == algorithm)
            return algorithms[i].kind == jwk->kind;
    return false;
}

const struct jwk *jwk_set_find(const struct jwk_set *set, const struct jwt *jwt)
{
    const struct jwk *found = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct jwk *jwk = set->keys[i];
        if (!fits(jwk, jwt->algorithm) || (jwt->kid && !(jwk->kid && str_eq(jwk->kid, jwt->kid))))
            continue;
        if (jwt->kid)
            return jwk;
        if (found)
            return NULL; /* which of them is not said */
        found = jwk;
    }
    return found;
}

bool jwk_set_equal(const struct jwk_set *a, const struct jwk_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->keys[i]->kid, b->keys[i]->kid) ||
            EVP_PKEY_eq(a->keys[i]->key, b->keys[i]->key) != 1)
            return false;
    return true;
}

/* ---- Signatures ---- */

/* The two numbers side by side, as ES256 has them, into DER, as the library wants them. Freed by OPENSSL_free. */
static int to_der(const struct jwt *jwt, unsigned char **ret_der)
{
    if (jwt->signature_size != (size_t)2 * ES256_HALF)
        return -1;
    CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(jwt->signature, ES256_HALF, NULL);
    BIGNUM *s = BN_bin2bn(jwt->signature + ES256_HALF, ES256_HALF, NULL);
    if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return -1;
    }
    return i2d_ECDSA_SIG(pair, ret_der);
}

static int verify(const struct jwt *jwt, EVP_PKEY *key, const unsigned char *signature, size_t size)
{
    CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL; /* context's */
    const char *digest = jwt->algorithm == JWT_EDDSA ? NULL : "SHA2-256";
    if (!context ||
        EVP_DigestVerifyInit_ex(context, &key_context, digest, NULL, NULL, key, NULL) != 1)
        return ERR_SYSTEM;
    if (jwt->algorithm == JWT_PS256 &&
        (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1))
        return ERR_SYSTEM;
    return EVP_DigestVerify(context, signature, size, (const unsigned char *)jwt->signed_text,
                            jwt->signed_size) == 1
               ? 0
               : ERR_INVALID;
}

int jwt_verify(const struct jwt *jwt, const struct jwk *key, struct err *err)
{
    int r = ERR_INVALID;
    if (!fits(key, jwt->algorithm))
        return err_set(err, ERR_INVALID, "this token's algorithm is not that of its key");
    if (jwt->algorithm == JWT_ES256) {
        unsigned char *der = NULL;
        int size = to_der(jwt, &der);
        if (size > 0)
            r = verify(jwt, key->key, der, (size_t)size);
        OPENSSL_free(der);
    } else {
        r = verify(jwt, key->key, jwt->signature, jwt->signature_size);
    }
    ERR_clear_error();
    if (r == ERR_INVALID)
        return err_set(err, r, "this token's signature is not its issuer's");
    return r ? err_set(err, r, "the TLS library cannot check signatures now") : 0;
}
