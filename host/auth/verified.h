/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of an authorization server that were checked already, by the SHA-256 of their text, until they expire: a signature costs more than
 * the whole rest of a request.
 *
 * Ownership: verified_finish. Threads: one lock inside.
 */
#ifndef AUTH_VERIFIED_H
#define AUTH_VERIFIED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/crypto.h"
#include "base/map.h"
#include "model/principal.h"

#define VERIFIED_MAX 10000u /* then those that came first go */

struct verified {
    pthread_mutex_t lock;
    struct map by_hash;
};

void verified_init(struct verified *verified);
void verified_finish(struct verified *verified);
/* generation: of the keys it was checked with; with others it must be checked again. */
bool verified_get(struct verified *verified, const unsigned char hash[SHA256_BYTES],
                  uint64_t generation, int64_t now_ms, struct principal *ret_principal);
/* Without memory nothing is kept. */
void verified_put(struct verified *verified, const unsigned char hash[SHA256_BYTES],
                  uint64_t generation, int64_t expires_ms, const struct principal *principal);

#endif
