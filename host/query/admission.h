/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls one user may make a minute (limits.calls_per_minute: a bucket of that many, refilled evenly) and have running at once
 * (limits.calls_per_user). The keeper's own work is not counted.
 *
 * Ownership: whoever creates it destroys it. Threads: safe.
 */
#ifndef QUERY_ADMISSION_H
#define QUERY_ADMISSION_H

#include <stdint.h>
#include "base/err.h"
#include "model/principal.h"

/* Users remembered at once; beyond it the one idle longest is forgotten, which gives it a full bucket. */
#define ADMISSION_MAX_USERS 10000u

struct admission;

/* 0 turns a limit off. 0 or ERR_MEMORY. */
int admission_create(uint32_t per_minute, uint32_t at_once, struct admission **ret_admission);
/* From now on; what a user has used up of a bucket counts in the time it takes to be refilled. */
void admission_set_limits(struct admission *admission, uint32_t per_minute, uint32_t at_once);
void admission_destroy(struct admission *admission);
/*
 * A call begins at now_ns (clock_mono_ns). 0, and admission_leave is owed; else ERR_LIMIT (too many a minute) or ERR_BUSY (too many
 * at once, or no memory), with the limit, its value and when to come back in err.
 */
int admission_enter(struct admission *admission, const struct principal *principal, int64_t now_ns,
                    struct err *err);
void admission_leave(struct admission *admission, const struct principal *principal);
/* Users remembered now. */
uint32_t admission_users(struct admission *admission);

#endif
