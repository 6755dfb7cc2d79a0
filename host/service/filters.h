/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one value grammar of filters: `a,b` any of, `!a` not, `a*` glob, `/re/` regex, `*` present, else equal.
 *
 * Ownership: results live in the arena. Threads: pure functions.
 */
#ifndef SERVICE_FILTERS_H
#define SERVICE_FILTERS_H

#include <sonde/query.h>
#include "base/arena.h"
#include "base/err.h"

/* key is kept as logical; native stays "". A comma that belongs to a value is written `\,`. 0, ERR_INVALID or ERR_MEMORY. */
int filter_parse(const char *key, const char *value, struct arena *arena,
                 struct sonde_filter **ret_filter, struct err *err);
#endif
