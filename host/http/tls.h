/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for the listener, over OpenSSL: certificates, and reading and writing without blocking.
 *
 * Ownership: a context is counted by its connections; tls_free leaves the descriptor open. Threads: a context from any thread; a
 * connection from one at a time.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stddef.h>
#include <sys/types.h>
#include "base/err.h"

struct tls_context;
struct tls;

/* PEM files. 0; ERR_INVALID says which file and why. */
int tls_context_create(const char *cert, const char *key, struct tls_context **ret_context,
                       struct err *err);
void tls_context_free(struct tls_context *context); /* NULL is allowed */

struct tls *tls_new(struct tls_context *context, int fd); /* NULL: no memory */
void tls_free(struct tls *tls);

enum {
    TLS_END = 0,
    TLS_WANT_READ = -1,
    TLS_WANT_WRITE = -2,
    TLS_BROKEN = -3,
    TLS_PLAIN_HTTP = -4 /* the client does not speak TLS but HTTP */
};
/* Bytes read or written, or one of the above. The handshake is done on the way. */
ssize_t tls_read(struct tls *tls, void *data, size_t size);
ssize_t tls_write(struct tls *tls, const void *data, size_t size);
/* Says goodbye as far as that is possible without waiting. */
void tls_goodbye(struct tls *tls);

#endif
