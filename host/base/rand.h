/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness from the kernel, and ids made of it.
 *
 * Ownership: caller's buffers. Threads: safe.
 */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Aborts if the kernel has none: nothing may go on with a guessable value. */
void rand_bytes(void *out, size_t size);
uint64_t rand_u64(void);
/* n base62 characters and a NUL: 5.95 bits each. */
void rand_handle(char *out, size_t n);
/* UUIDv7 (RFC 9562 section 5.7), 36 characters and a NUL; monotonic within a process. */
void uuid7(char out[37]);

#endif
