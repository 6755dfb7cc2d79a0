/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret value in a type that cannot be printed: no function formats it, and it is wiped when freed.
 *
 * Ownership: secret_free wipes and frees. Threads: immutable once made.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>
#include "base/cleanup.h"

struct secret;

struct secret *secret_new(const void *data, size_t size);
void secret_free(struct secret *secret);
size_t secret_size(const struct secret *secret);
/* For the one place that puts it on the wire. NUL-terminated; lifetime of the secret. */
const char *secret_reveal(const struct secret *secret);
int secret_equal(const struct secret *a,
                 const struct secret *b); /* constant time in the contents */
/* Zeroes memory the compiler may not skip. */
void wipe(void *data, size_t size);
DEFINE_CLEANUP(struct secret *, secret_free);

#endif
