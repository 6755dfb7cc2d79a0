/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls into a plugin, timed and counted. A callback above 100 ms is logged with its name; one that never returns
 * cannot be helped in-process.
 *
 * Ownership: as the plugin's table says. Threads: any; the counters are atomic.
 */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H

#include "plugin/registry.h"

int32_t guard_open(const struct adapter *adapter, const struct sonde_open *open,
                   void **ret_instance);
void guard_close(const struct adapter *adapter, void *instance);
int32_t guard_begin(const struct adapter *adapter, void *instance, const struct sonde_begin *begin,
                    void **ret_op);
int32_t guard_next(const struct adapter *adapter, void *op, struct sonde_request *request);
int32_t guard_head(const struct adapter *adapter, void *op, uint32_t tag,
                   const struct sonde_response_head *head);
int32_t guard_data(const struct adapter *adapter, void *op, uint32_t tag, const void *data,
                   size_t size);
int32_t guard_end(const struct adapter *adapter, void *op, uint32_t tag,
                  const struct sonde_outcome *outcome);
void guard_op_end(const struct adapter *adapter, void *op, int32_t reason);
/* SONDE_E_UNSUPPORTED when the adapter has no link. */
int32_t guard_link(const struct adapter *adapter, void *instance, const struct sonde_link *link,
                   char *buf, size_t size);

#endif
