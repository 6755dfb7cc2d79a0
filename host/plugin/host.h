/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of services handed to plugins, and what their opaque ctx is.
 *
 * Ownership: whoever makes a ctx (a backend, an operation) finishes it. Threads: one ctx is used by one
 * thread at a time; the table is constant.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include <sonde/plugin.h>
#include "base/arena.h"
#include "base/err.h"
#include "plugin/registry.h"

typedef int32_t (*ctx_endpoint_fn)(struct sonde_ctx *ctx, const struct sonde_endpoint *endpoint);

struct sonde_ctx {
    struct arena arena; /* what alloc gives */
    const struct adapter *adapter;
    const char *connection;   /* its name, for the log; lifetime of the ctx */
    struct err failure;       /* what the plugin said last through fail; code 0: nothing */
    ctx_endpoint_fn endpoint; /* NULL but while open runs */
    void *owner;              /* the backend in open, the sink in an operation */
};

/* max_bytes of memory for the plugin, from the budget. */
void ctx_init(struct sonde_ctx *ctx, const struct adapter *adapter, const char *connection,
              size_t max_bytes, struct budget *budget, void *owner);
void ctx_finish(struct sonde_ctx *ctx);
/*
 * Turns what a callback returned into err: the plugin's own words if it called fail, else a sentence that says it
 * gave none. Codes only the host may use, and unknown ones, become INTERNAL. Returns the code.
 */
int ctx_failure(struct sonde_ctx *ctx, int32_t code, const char *callback, struct err *ret_err);

const struct sonde_host *host_table(void);

#endif
