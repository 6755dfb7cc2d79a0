/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public keys of an authorization server: found through its metadata (RFC 8414, OpenID Connect Discovery) or at a given address,
 * fetched when first needed, again when an hour old or when a token names a key that is not among them. What was had is kept while
 * the server is gone.
 *
 * Ownership: jwks_free; io must outlive it. Threads: jwks_check and jwks_stop from any thread but an event loop's, the first waits for the
 * network; jwks_generation from any.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/jwt.h"
#include "io/io.h"

struct jwks;

/* address NULL: found through the issuer's metadata. Nothing is fetched yet. */
int jwks_create(struct io *io, const char *issuer, const char *address, struct jwks **ret_jwks,
                struct err *err);
void jwks_free(struct jwks *jwks);
/* Fetches under way end soon, no new ones begin. */
void jwks_stop(struct jwks *jwks);
/* Another number whenever the keys became others. */
uint64_t jwks_generation(struct jwks *jwks);
/*
 * The token's signature. 0 and the generation of the keys it was checked with; ERR_INVALID (the signature, or a key its issuer does not publish),
 * ERR_UNAVAILABLE (the issuer's keys cannot be had now: err says why, for the operator's log only), ERR_SYSTEM, ERR_MEMORY.
 */
int jwks_check(struct jwks *jwks, const struct jwt *jwt, uint64_t *ret_generation, struct err *err);

#endif
