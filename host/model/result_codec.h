/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A result as text that can be stored: a JSON object {"v":1,"n":BYTES,"z":"..."} whose z is base64 of a zlib stream of n bytes. In it the result is packed
 * as numbers of variable length and raw doubles; zlib adds its checksum. JSON, so that a database's JSON column takes it; packed, so
 * that doubles come back bit by bit (NaN, infinities and holes included) and a range answer takes a fifth of what it would as JSON.
 *
 * Ownership: encoding writes to the caller's buffer; decoding makes a result of the caller's. Threads: pure.
 */
#ifndef MODEL_RESULT_CODEC_H
#define MODEL_RESULT_CODEC_H

#include "base/buf.h"
#include "model/result.h"

/* What one packed result may take before compression: more is not stored. */
#define RESULT_PACKED_MAX ((size_t)2 << 20)

/* Appends to buf. 0, or ERR_LIMIT (it would not fit into buf or is larger than RESULT_PACKED_MAX), ERR_MEMORY. */
int result_encode(const struct result *result, struct buf *buf);
/* 0, or ERR_INVALID (damaged, cut, of another version), ERR_MEMORY. The result holds at most max_bytes, drawn from budget. */
int result_decode(const char *text, size_t size, size_t max_bytes, struct budget *budget,
                  struct result **ret_result);

/* The same without compression and text; for result_encode, result_decode and those who test them. */
int result_pack(const struct result *result, struct buf *buf);
int result_unpack(const void *data, size_t size, size_t max_bytes, struct budget *budget,
                  struct result **ret_result);

#endif
