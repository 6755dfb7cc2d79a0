/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells the content of a connection from any other, for the keys of the cache: the same number only while everything that decides
 * answers is the same.
 *
 * Ownership: none. Threads: pure functions.
 */
#ifndef SERVICE_CONTENT_H
#define SERVICE_CONTENT_H

#include "model/connection.h"
#include "secrets/keyring.h"

/* Of a row of the store: each edit makes another revision. Never 0 but when the hash fails. */
uint64_t content_of_row(const char *id, uint64_t revision);
/* Of the operator's, whose revisions begin anew with each process; keyed, for its secrets count. keyring NULL: 0. */
uint64_t content_of_file(struct keyring *keyring, const struct connection *connection);

#endif
