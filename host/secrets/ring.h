/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a key ring: the keys by id, and reading them from where they are kept.
 *
 * Ownership: ring_finish wipes and frees what a ring holds. Threads: a ring is immutable once read; the ring in a keyring is looked at under
 * its lock.
 */
#ifndef SECRETS_RING_H
#define SECRETS_RING_H

#include <pthread.h>
#include <limits.h>
#include "secrets/keyring.h"

#define RING_MAX_BYTES ((size_t)16 * 1024)

struct ring_key {
    char id[KEY_ID_MAX + 1];
    struct crypto_key *key;
};

struct ring {
    struct ring_key keys[KEYRING_MAX]; /* the first is the active one */
    size_t count;
    struct crypto_key *digest; /* derived from the active one */
};

struct keyring {
    pthread_rwlock_t lock; /* of ring */
    struct ring ring;
    bool from_environment;
    char shown[PATH_MAX]; /* the file's path, or the variable's name */
};

/* Whether n characters may be the id of a key. */
bool key_id_valid(const char *id, size_t n);
/* shown: where the text came from; its lines are counted in messages, its keys never shown. 0, ERR_INVALID, ERR_MEMORY, ERR_SYSTEM. */
int ring_parse(const char *text, size_t size, const char *shown, struct ring *ret_ring,
               struct err *err);
void ring_finish(struct ring *ring);
/* NULL: none of this id. */
const struct ring_key *ring_find(const struct ring *ring, const char *id);
/* 0 and as keyring_open. */
int ring_read_file(const char *path, struct ring *ret_ring, struct err *err);
/* A file with one random key. ret_made false: somebody else's stands there. */
int ring_make_file(const char *path, bool *ret_made, struct err *err);
/* Takes the variable out of the environment. ERR_INVALID: it is not set. */
int ring_read_environment(const char *name, struct ring *ret_ring, struct err *err);

#endif
