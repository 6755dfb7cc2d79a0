/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of an API token: "sonde_", 43 random characters of base62 (256 bits) and six that are a checksum of those before, so that
 * whatever else is sent is told from a token without asking anybody; rights by name; ids made from names.
 *
 * Ownership: caller's buffers. Threads: pure functions.
 */
#ifndef AUTH_API_TOKEN_H
#define AUTH_API_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define API_TOKEN_BYTES 55u
#define API_TOKEN_PREFIX_BYTES 14u /* "sonde_" and eight characters: public, for listing */

/* A new one. 0 or ERR_SYSTEM. */
int api_token_make(char out[API_TOKEN_BYTES + 1]);
bool api_token_well_formed(const char *token);

/* What is wrong with the name of a user, or NULL: 1 to 63 of letters, digits, '.', '-', '_', '@'; not reserved. */
const char *user_name_wrong(const char *name, size_t size);
/* A UUID of version 8 (RFC 9562 section 5.8) that is the same for the same kind and text everywhere. 0 or ERR_SYSTEM. */
int derived_id(const char *kind, const char *text, char out[37]);

#endif
