/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents of the protocol (small, bounded): checked by the strict reader first, which also refuses
 * duplicate keys, NUL in keys and integers beyond 64 bits, then parsed by json-c.
 *
 * Ownership: json_object_put what json_parse gave. Threads: one thread owns a document.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <json-c/json.h>
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

/* max_depth 1 to 256. 0 or ERR_INVALID with the byte in err->position. */
int json_parse(const char *text, size_t size, unsigned max_depth, struct json_object **ret_object,
               struct err *err);
/* Appends the document, compact and as written (numbers keep their text, '/' is not escaped). */
void buf_json_object(struct buf *buf, struct json_object *object);
/* Members of an object by type; NULL or fallback when absent or of another type. Lifetime of the object. */
const char *json_string_of(struct json_object *object, const char *key);
struct json_object *json_member(struct json_object *object, const char *key);
static inline void json_putp(struct json_object **object)
{
    if (*object)
        json_object_put(*object);
}

#endif
