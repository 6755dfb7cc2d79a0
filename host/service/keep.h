/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service keeps beyond the process: the store and the keys, opened from the configuration.
 *
 * Ownership: kept_finish closes both. Threads: as store.h and keyring.h.
 */
#ifndef SERVICE_KEEP_H
#define SERVICE_KEEP_H

#include "config/config.h"
#include "secrets/keyring.h"
#include "store/store.h"

struct kept {
    struct store *store;     /* NULL: nothing is stored */
    struct keyring *keyring; /* NULL where store is */
};

/*
 * Opens the store and the key ring, making both where there are none, and compares the ring with the canary in the store: a wrong key is
 * ERR_INVALID before anything is served. migrate: bring an older schema up to date.
 */
int kept_open(const struct config *config, bool migrate, struct kept *ret_kept, struct err *err);
void kept_finish(struct kept *kept, int64_t grace_ns);

#endif
