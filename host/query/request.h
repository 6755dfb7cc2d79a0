/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of adapters: what may be sent, and copies to keep for a later try.
 *
 * Ownership: a kept request owns its copy until request_drop. Threads: one thread a request.
 */
#ifndef QUERY_REQUEST_H
#define QUERY_REQUEST_H

#include <sonde/plugin.h>
#include "base/arena.h"
#include "base/err.h"

/*
 * Holds a request against what the adapter declared: method and path prefix, one leading '/', no control characters, no
 * dot segments, none of the headers the host owns. 0 or SONDE_E_REFUSED with the reason.
 */
int request_vet(const struct sonde_plugin *table, const struct sonde_request *request,
                struct err *err);

struct kept_request {
    struct arena arena;
    struct sonde_request request; /* everything it points to is in the arena */
};

/* 0 or ERR_MEMORY: at most 16 MiB, from the budget. */
int request_keep(struct kept_request *kept, const struct sonde_request *request,
                 struct budget *budget);
void request_drop(struct kept_request *kept);

#endif
