/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-encoding and query strings, strictly: what two readers could read differently is refused.
 *
 * Ownership: uri_query_finish frees what uri_query_parse made. Threads: pure functions.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define URI_MAX_PAIRS 32u

/*
 * Decodes size bytes to out, which has room for size + 1, and ends them with a NUL; out may be text. blanks: '+' stands for one, as in
 * query strings (WHATWG URL 5.1). 0; ERR_INVALID for a percent sign without two hexadecimal digits, control characters and what is not UTF-8.
 */
int uri_decode(const char *text, size_t size, bool blanks, char *out, struct err *err);

struct uri_pair {
    const char *name;
    const char *value;
};

struct uri_query {
    char *text; /* what the pairs point into */
    struct uri_pair pairs[URI_MAX_PAIRS];
    size_t count;
};

/* "a=1&b=2", "" no pairs. 0; ERR_INVALID (malformed, a name twice, a name without '=', too many); ERR_MEMORY. */
int uri_query_parse(const char *query, struct uri_query *ret_query, struct err *err);
void uri_query_finish(struct uri_query *query);
/* NULL when there is none of that name. */
const char *uri_query_get(const struct uri_query *query, const char *name);

#endif
