/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a plugin's table may be used: a pure verdict over bytes, testable without a .so.
 *
 * Ownership: copies into ret_table. Threads: pure.
 */
#ifndef PLUGIN_ABI_CHECK_H
#define PLUGIN_ABI_CHECK_H

#include <sonde/plugin.h>
#include "base/err.h"

/* Never reads beyond the table's struct_size. 0 and a zero-extended copy, or ERR_INVALID naming member, numbers or bits. */
int abi_check(const struct sonde_plugin *table, struct sonde_plugin *ret_table, struct err *err);
/* Feature bits of the table that this host does not know and ignores. */
uint64_t abi_unknown_caps(const struct sonde_plugin *table);

#endif
