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
/*
 * Each member of an object: `struct json_object_iterator i; json_each(i, object)` with json_object_iter_peek_name(&i) and _value. A member's value may be
 * replaced meanwhile; none may be added or taken away. (json-c's own macro is no ISO C.)
 */
#define json_each(i, object)                                                                       \
    for (struct json_object_iterator i##_end = json_object_iter_end(object), *i##_once = &i##_end; \
         i##_once; i##_once = NULL)                                                                \
        for (i = json_object_iter_begin(object); !json_object_iter_equal(&i, &i##_end);            \
             json_object_iter_next(&i))
static inline void json_putp(struct json_object **object)
{
    if (*object)
        json_object_put(*object);
}

#endif
