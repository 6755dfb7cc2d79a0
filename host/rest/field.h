/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value that comes from outside: a part of the path, a parameter of the query string, a member of a body. What is checked and what the
 * OpenAPI document says of it are two functions on one row of a table.
 *
 * Ownership: static tables. Threads: pure functions.
 */
#ifndef REST_FIELD_H
#define REST_FIELD_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/json.h"
#include "service/manage.h"

enum field_type {
    FIELD_TEXT,    /* min to max characters */
    FIELD_NAME,    /* of a connection: connection_name_text */
    FIELD_UUID,    /* 36 characters, lower or upper case */
    FIELD_TAG,     /* KEY=VALUE, at most max characters */
    FIELD_INTEGER, /* min to max */
    FIELD_BOOLEAN,
    FIELD_CHOICE, /* one of values */
    FIELD_OBJECT, /* at most max members of any kind */
    FIELD_TEXTS,  /* an object of texts: at most max members */
    FIELD_ANY     /* read only */
};

struct field {
    const char *name;
    enum field_type type;
    bool required;
    bool read_only;  /* members: dropped when they come back */
    unsigned rights; /* parameters: needed for this one beyond the operation's; 0 none */
    int64_t min, max;
    const char *const *values; /* of a choice, NULL-terminated */
    const char *fallback; /* what stands where it is left out, as in the query string; NULL none */
    const char *about;
    const char *example; /* JSON; NULL none */
};

struct fields {
    const struct field *list;
    size_t count;
};

/* A text of the path or the query string. 0, or ERR_INVALID with what is accepted. */
int field_check_text(const struct field *field, const char *text, struct err *err);
/* A body: each member, those that are missing and those that are unknown; every mistake is "path: what is accepted". 0 or ERR_INVALID. */
int fields_check_body(const struct fields *fields, struct json_object *body,
                      struct manage_mistakes *mistakes);
/* "NAME: " + the text, if there is room for another. */
void mistake_add(struct manage_mistakes *mistakes, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A name that none of fields has: "is not known", with the nearest or all there are. */
void mistake_unknown(struct manage_mistakes *mistakes, const char *name,
                     const struct fields *fields);
/* The JSON Schema of one value (2020-12, as OpenAPI 3.1 has it), without its braces. */
void field_write_schema(const struct field *field, struct buf *buf);
/* The schema of an object with those members. */
void fields_write_schema(const struct fields *fields, struct buf *buf);

#endif
