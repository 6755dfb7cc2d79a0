/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's adapter parameters held against what the adapter declared.
 *
 * Ownership: pairs live in the arena given. Threads: pure functions.
 */
#ifndef PLUGIN_PARAMS_H
#define PLUGIN_PARAMS_H

#include "base/arena.h"
#include "base/err.h"
#include "model/connection.h"
#include "plugin/registry.h"

/* The descriptor of a key, or NULL. */
const struct sonde_param *params_find(const struct adapter *adapter, const char *key);
/*
 * Unknown keys (nearest one named), missing required ones, values of the wrong type, a secret where none is asked for, an
 * auth scheme the adapter does not have. 0 or ERR_INVALID naming the key and what is accepted.
 */
int params_check(const struct adapter *adapter, const struct connection *connection,
                 struct err *err);
/*
 * What open gets: every parameter that is set or has a default, in the adapter's order and in canonical form (integers in
 * decimal, "true" or "false", durations in milliseconds); of a secret only "set" or "". 0, ERR_INVALID, ERR_MEMORY.
 */
int params_fill(const struct adapter *adapter, const struct connection *connection,
                struct arena *arena, const struct sonde_pair **ret_pairs, size_t *ret_count,
                struct err *err);

#endif
