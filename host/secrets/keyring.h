/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master keys and what is done with them. A value is sealed under a data key of its own, the data key under the active master key, both
 * with AES-256-GCM; where it stands (row, owner, field) is authenticated, so that a sealed text moved elsewhere does not open.
 *
 * The ring is text, one key a line: "ID:BASE64 of 32 bytes", '#' begins a comment, the first key is the active one, the others only open.
 *
 * Ownership: keyring_free wipes. Threads: safe; keyring_reload beside the others too.
 */
#ifndef SECRETS_KEYRING_H
#define SECRETS_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/secret.h"

struct keyring;

#define KEY_ID_MAX 32 /* letters, digits, '-', '_', '.' */
#define KEYRING_MAX 16
#define SEALED_MAX ((size_t)32 * 1024) /* bytes of a sealed text */

struct keyring_source {
    const char *file; /* NULL: keyring_default_path */
    const char *
        environment; /* name of a variable, which is removed from the environment once read; NULL none */
    bool make;       /* a missing file is made, 0600, with one random key */
};

/* $CREDENTIALS_DIRECTORY/sonde-keys where systemd gives one, else "keys" beside the default store's file. 0 or ERR_INVALID. */
int keyring_default_path(char *path, size_t size, struct err *err);
/* 0; ERR_NOT_FOUND (no file, and none may be made), ERR_INVALID (readable by others, another owner, a bad line), ERR_SYSTEM, ERR_MEMORY. */
int keyring_open(const struct keyring_source *source, struct keyring **ret_keyring, bool *ret_made,
                 struct err *err);
/* Reads it again; on failure the keys in use stay. From the environment: nothing to do. */
int keyring_reload(struct keyring *keyring, struct err *err);
void keyring_free(struct keyring *keyring);
DEFINE_CLEANUP(struct keyring *, keyring_free);
/* Where it came from, for people. */
const char *keyring_shown(const struct keyring *keyring);
/* Copies of the ids, active first; returns how many. */
size_t keyring_ids(struct keyring *keyring, char ids[KEYRING_MAX][KEY_ID_MAX + 1]);

/* Where a value stands. All of it must be the same when it is opened. */
struct seal_place {
    const char *table; /* "observability_connections" */
    const char *row_id;
    const char *user_id;
    const char *field; /* "auth.token" */
};

/* Appends "sonde1:KEYID:BASE64URL". 0, ERR_LIMIT (larger than 16 KiB, or a place of more than 4 KiB), ERR_SYSTEM, ERR_MEMORY. */
int seal(struct keyring *keyring, const struct seal_place *place, const void *data, size_t size,
         struct buf *out, struct err *err);
/* ERR_INVALID: no sealed text, or it was made for another place or changed; ERR_NOT_FOUND: its key is not in the ring (the text names it). */
int unseal(struct keyring *keyring, const struct seal_place *place, const char *sealed,
           struct secret **ret_secret, struct err *err);
/* Appends the same value with its data key under the active master key; ret_changed false: it was already. 0 or as unseal. */
int reseal(struct keyring *keyring, const struct seal_place *place, const char *sealed,
           struct buf *out, bool *ret_changed, struct err *err);
/* The id of the master key a sealed text needs; ERR_INVALID when it is none. */
int sealed_key_id(const char *sealed, char id[KEY_ID_MAX + 1], struct err *err);
/*
 * A keyed digest (HMAC-SHA-256 under a key derived from the active master key): tells two texts apart without being a way to guess them.
 * Another active key gives another digest. 0 or ERR_SYSTEM.
 */
int keyring_digest(struct keyring *keyring, const void *data, size_t size,
                   unsigned char ret_digest[SHA256_BYTES]);

#endif
