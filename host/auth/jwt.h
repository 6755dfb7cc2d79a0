/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Web Tokens of an authorization server (RFC 7519, 9068): read strictly, checked against one public key, whose kind alone decides the
 * algorithm: RS256 or PS256, ES256, EdDSA. Nothing a token says of keys but the key's name is looked at.
 *
 * Ownership: a jwt's texts live in the arena it was read into; jwk_unref. Threads: a jwk is immutable; the rest is the caller's.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"

#define JWT_MAX_BYTES ((size_t)16 * 1024)
#define JWT_ARENA_MAX ((size_t)64 * 1024)
#define JWT_SKEW_MS INT64_C(60000)
#define JWKS_MAX_BYTES ((size_t)512 * 1024)
#define JWKS_MAX_KEYS 64u

enum jwt_algorithm { JWT_RS256, JWT_PS256, JWT_ES256, JWT_EDDSA };

struct jwt {
    enum jwt_algorithm algorithm;
    const char *kid; /* NULL none */
    const char *signed_text;
    size_t signed_size;
    const unsigned char *signature;
    size_t signature_size;
    /* What it claims; nothing of it is true before jwt_verify. NULL: absent. */
    const char *issuer, *subject;
    const char *const *audiences;
    size_t audience_count;
    const char *const *scopes; /* the words of scope or scp */
    size_t scope_count;
    const char *preferred_username, *email;
    int64_t expires_ms, not_before_ms; /* not_before_ms 0: absent */
};

/* Whether it has the three parts of one; says nothing about what is in them. */
bool jwt_looks_like(const char *token);
/* 0; ERR_INVALID (what is wrong with its form; shows nothing of it), ERR_MEMORY. */
int jwt_parse(const char *token, struct arena *arena, struct jwt *ret_jwt, struct err *err);
/* Time and audience, within JWT_SKEW_MS. 0 or ERR_INVALID with a sentence. After jwt_verify. */
int jwt_check_claims(const struct jwt *jwt, const char *audience, int64_t now_ms, struct err *err);
/* n characters of base64url without padding, strictly; returns the bytes written, or -1. out has room for n * 3 / 4 bytes. */
ptrdiff_t base64url_decode(const char *text, size_t n, unsigned char *out);

/* --- keys --- */
struct jwk;

/* The usable public keys of a JWKS document, in its order; others are passed over. */
struct jwk_set {
    struct jwk *keys[JWKS_MAX_KEYS];
    size_t count;
};

/* 0; ERR_INVALID: no JWKS, or none of its keys can be used here (says which kinds can); ERR_LIMIT; ERR_MEMORY. */
int jwk_set_parse(const char *text, size_t size, struct jwk_set *ret_set, struct err *err);
void jwk_set_finish(struct jwk_set *set);
/*
 * The key a token names, that is of its algorithm's kind; without a name the only one of that kind. Borrowed; NULL: none.
 */
const struct jwk *jwk_set_find(const struct jwk_set *set, const struct jwt *jwt);
bool jwk_set_equal(const struct jwk_set *a, const struct jwk_set *b);
/* 0 or ERR_INVALID; ERR_SYSTEM where the library refuses to work. */
int jwt_verify(const struct jwt *jwt, const struct jwk *key, struct err *err);

#endif
