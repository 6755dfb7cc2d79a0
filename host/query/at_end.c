/* SPDX-License-Identifier: Apache-2.0 */
#include "query/at_end.h"

int at_end_set(struct at_end *at_end, const struct sonde_plugin *table, uint32_t slot,
               const struct sonde_request *request, struct budget *budget, struct err *err)
{
    if (slot >= AT_END_SLOTS)
        return err_set(err, SONDE_E_REFUSED, "slot %u is beyond the last one, %u", slot,
                       AT_END_SLOTS - 1);
    if (at_end->used[slot])
        request_drop(&at_end->slots[slot]);
    at_end->used[slot] = false;
    if (!request)
        return 0;
    int r = request_vet(table, request, err);
    if (r)
        return r;
    if (request_keep(&at_end->slots[slot], request, budget))
        return err_set(err, ERR_MEMORY, "no memory for a request to be sent at the end");
    at_end->used[slot] = true;
    return 0;
}

void at_end_drop(struct at_end *at_end)
{
    for (size_t i = 0; i < AT_END_SLOTS; i++) {
        if (at_end->used[i])
            request_drop(&at_end->slots[i]);
        at_end->used[i] = false;
    }
}
