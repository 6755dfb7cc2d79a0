/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One document of an address that the operator named, or that such a document named.
 *
 * Ownership: body is the caller's. Threads: any but an event loop's: it waits for the network, for 5 s at most.
 */
#ifndef AUTH_FETCH_H
#define AUTH_FETCH_H

#include <stdatomic.h>
#include "base/buf.h"
#include "base/err.h"
#include "io/io.h"

/* GET; redirects are not followed. Ends soon once stopping is set. 0; ERR_UNAVAILABLE with the reason, ERR_MEMORY. */
int fetch_url(struct io *io, const char *url, const atomic_bool *stopping, struct buf *body,
              struct err *err);

#endif
