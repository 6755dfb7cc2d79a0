/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are no success, of the API itself or of whatever stands before it, as one class and
 * one clear message in the backend's own words.
 *
 * Ownership: pointers are borrowed for the call. Threads: pure beside host->fail.
 */
#ifndef SONDE_PROMQL_FAILURE_H
#define SONDE_PROMQL_FAILURE_H

#include "rewrite.h"

struct promql_failure {
    const struct promql_context *context;
    const struct sonde_query *query;
    const struct promql_rewrite *rewrite; /* NULL: the request carried no query */
    const char *path;                     /* of the request, up to its '?' */
    uint32_t status;
    const char *error_type; /* of the JSON envelope; "" none */
    const char *error;      /* NULL none */
    const char *body;       /* its beginning, for answers that are no envelope */
    size_t body_size;
    const char *location; /* of a redirect; "" none */
    uint64_t retry_after_ms;
};

/* An error answer: calls host->fail and returns the class. */
int32_t promql_fail(const struct promql_failure *failure);
/* A success answer that cannot be read: what was expected, what was seen. BAD_ANSWER. */
int32_t promql_fail_unreadable(const struct promql_failure *failure, const char *fault,
                               uint64_t offset);

#endif
