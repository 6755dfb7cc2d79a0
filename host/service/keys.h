/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master keys and the store: whether they belong together, which keys are in use where, and moving everything to the active one.
 *
 * A rotation: the new key's line goes last into every machine's ring (sonde reads it on a reload), then first; keys_rotate puts every data
 * key under it; when keys_status says that nothing is under the old one, its line may go.
 *
 * Ownership: store and keyring are the caller's; what keys_status tells lives in the caller's arena. Threads: any but an event loop's.
 */
#ifndef SERVICE_KEYS_H
#define SERVICE_KEYS_H

#include "secrets/keyring.h"
#include "store/store.h"

#define KEYS_LIVE_MS INT64_C(60000) /* a replica not heard of for longer is gone */

/*
 * Compares the ring with the canary in the store, which is sealed there at the first start. ERR_INVALID: this ring is not the one that the
 * store's secrets are sealed with; else as the store.
 */
int keys_check(struct store *store, struct keyring *keyring, struct err *err);
/* Tells the others that this process is there and which keys it holds. Every 20 s. replica: a UUID. */
int keys_beat(struct store *store, struct keyring *keyring, const char *replica, struct err *err);

struct keys_key {
    char id[KEY_ID_MAX + 1];
    bool in_ring, active;
    bool canary;        /* the store's canary is under it */
    bool may_go;        /* its line is not needed any more */
    size_t connections; /* with a value under it */
    size_t holders;     /* live replicas that have it */
};

struct keys_replica {
    char id[ROW_ID];
    const char *host;
    const char *keys; /* "two, one": the active one first */
    int64_t seen_ms_ago;
    bool has_active;  /* it can open what this ring seals */
    bool same_active; /* it seals with the same key as this ring */
};

struct keys_status {
    struct keys_key *keys; /* those of the ring in their order, then others that values need */
    size_t key_count;
    struct keys_replica *replicas; /* live ones */
    size_t replica_count;
    size_t connections; /* with secrets */
    size_t unreadable;  /* whose configuration holds no proper JSON or sealed text */
};

int keys_status(struct store *store, struct keyring *keyring, struct arena *arena,
                struct keys_status *ret_status, struct err *err);

struct keys_rotation {
    size_t seen;       /* connections looked at */
    size_t moved;      /* connections whose data keys are under the active key now */
    size_t changed;    /* times a connection was changed meanwhile, and done again */
    size_t failed;     /* connections left as they are */
    char failure[512]; /* why, of the first of them */
    bool canary;       /* it was moved too */
};

/*
 * Safe beside running servers, and to be run again after whatever stopped it. ERR_CONFLICT: a live replica lacks the active key (the text names it);
 * ERR_NOT_FOUND, ERR_INVALID: some connections failed, the others are done. progress may be NULL; it is called now and then and at the end.
 */
int keys_rotate(struct store *store, struct keyring *keyring,
                void (*progress)(void *user, const struct keys_rotation *so_far), void *user,
                struct keys_rotation *ret_rotation, struct err *err);

#endif
