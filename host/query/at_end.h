/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests left with the host, sent once when their operation ends, however it ends.
 *
 * Ownership: copies. Threads: the operation's.
 */
#ifndef QUERY_AT_END_H
#define QUERY_AT_END_H

#include <stdbool.h>
#include "query/request.h"

#define AT_END_SLOTS 8u

struct at_end {
    struct kept_request slots[AT_END_SLOTS];
    bool used[AT_END_SLOTS];
};

/* NULL erases. 0, SONDE_E_REFUSED (slot beyond 7, or a request that may not be sent) or ERR_MEMORY: the slot is then empty. */
int at_end_set(struct at_end *at_end, const struct sonde_plugin *table, uint32_t slot,
               const struct sonde_request *request, struct budget *budget, struct err *err);
void at_end_drop(struct at_end *at_end);

#endif
