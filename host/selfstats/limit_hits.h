/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits that were hit, counted by the name of their key below `limits:`; and the one wording for memory that is used up.
 *
 * Ownership: none. Threads: safe.
 */
#ifndef SELFSTATS_LIMIT_HITS_H
#define SELFSTATS_LIMIT_HITS_H

#include "base/err.h"
#include "base/mem.h"

enum limit {
    LIMIT_CALLS,
    LIMIT_CALLS_PER_MINUTE,
    LIMIT_CALLS_PER_USER,
    LIMIT_IN_FLIGHT,
    LIMIT_IN_FLIGHT_PER_USER,
    LIMIT_MEMORY,
    LIMIT_BODY,
    LIMIT_COUNT
};

void limit_hit(enum limit limit);
/* All of them shown, with 0 where none was hit. */
void limits_show(void);
/* Counts LIMIT_MEMORY; ERR_BUSY with when to come back. what: "another request". err may be NULL. */
int limit_memory(struct err *err, const struct budget *budget, const char *what);

#endif
