/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and tokens as an authorization server makes them, good and bad.
 *
 * Ownership: maker_free; texts made are freed by free. Threads: one.
 */
#ifndef TESTS_JWT_MAKER_H
#define TESTS_JWT_MAKER_H

#include <stddef.h>

struct maker; /* one key pair */

/* "RSA", "EC", "ED25519"; rsa_bits for the first. */
struct maker *maker_new(const char *type, unsigned rsa_bits);
void maker_free(struct maker *maker);
/* {"kty": ..., "kid": kid, EXTRA}: extra begins with a comma or is "". */
char *maker_jwk(const struct maker *maker, const char *kid, const char *extra);
/* {"keys":[...]} of texts, which it frees. */
char *maker_jwks(char *const *keys, size_t n);
/* header and claims as they are, signed by that algorithm: RS256, PS256, ES256, EdDSA; HS256 with secret; "none". */
char *maker_sign(const struct maker *maker, const char *algorithm, const char *header,
                 const char *claims, const void *secret, size_t secret_size);
/* The public key as PEM, which an attacker would take for a shared secret. */
char *maker_pem(const struct maker *maker);
char *maker_base64url(const void *data, size_t size);

#endif
