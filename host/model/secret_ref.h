/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value of a connection that may be secret: where to get it, not what it is.
 *
 * Ownership: part of its connection. Threads: immutable.
 */
#ifndef MODEL_SECRET_REF_H
#define MODEL_SECRET_REF_H

#include "base/secret.h"

enum secret_kind { SECRET_NONE, SECRET_LITERAL, SECRET_ENV, SECRET_FILE, SECRET_EXEC };

struct secret_ref {
    enum secret_kind kind;
    struct secret *literal;     /* SECRET_LITERAL */
    const char *name;           /* variable or path */
    const char *const *command; /* SECRET_EXEC: program and arguments, NULL at the end */
};

#endif
