/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service keeps beyond the process: the store and the keys, opened from the configuration.
 *
 * Ownership: kept_finish closes both. Threads: as store.h and keyring.h.
 */
#ifndef SERVICE_KEEP_H
#define SERVICE_KEEP_H

#include "secrets/keyring.h"
#include "service/service.h"
#include "store/store.h"

struct kept {
    struct store *store;     /* NULL: nothing is stored */
    struct keyring *keyring; /* NULL where store is */
    bool whole; /* the server's: the operator's connections are those of its file, and no others */
};

/*
 * Opens the store and the key ring, making both where there are none, brings an older schema up to date, and compares the ring with the
 * canary in the store: a wrong key is ERR_INVALID before anything is served. With KEEP_IF_POSSIBLE a default store or ring that cannot be
 * used, for another reason than a wrong key, is told in the log and done without.
 */
int kept_open(const struct config *config, enum service_keeping keeping, struct kept *ret_kept,
              struct err *err);
/* grace_ns: how long history that waits may take. */
void kept_finish(struct kept *kept, int64_t grace_ns);

#endif
