/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections as documents: what is shown of them, and what the store is told of the operator's.
 *
 * Ownership: written to the caller's buffer. Threads: pure functions.
 */
#ifndef SERVICE_SHOWN_H
#define SERVICE_SHOWN_H

#include "base/buf.h"
#include "base/json.h"
#include "model/connection.h"

/* The connection_config of one of the operator's, made from what was read: no secret, and no file, variable or command one comes from. */
void shown_config(const struct connection *connection, struct buf *json);
/* tags as an object. */
void shown_tags(const struct connection *connection, struct buf *json);
/* Puts {"masked": true} wherever something sealed stands. 0, ERR_LIMIT, ERR_MEMORY. */
int shown_mask(struct json_object *config, struct err *err);

#endif
