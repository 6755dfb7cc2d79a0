/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/ring.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static int read_file(struct keyring *keyring, const struct keyring_source *source, bool *ret_made,
                     struct err *err)
{
    int r = 0;
    int n = 0;
    if (source->file)
        n = snprintf(keyring->shown, sizeof keyring->shown, "%s", source->file);
    else
        r = keyring_default_path(keyring->shown, sizeof keyring->shown, err);
    if (n < 0 || (size_t)n >= sizeof keyring->shown)
        return err_set(err, ERR_INVALID, "the path of the key file is too long");
    if (r < 0)
        return r;
    r = ring_read_file(keyring->shown, &keyring->ring, err);
    if (r != ERR_NOT_FOUND)
        return r;
    if (!source->make)
        return err_set(err, ERR_NOT_FOUND,
                       "%s: there is no such key file; sonde serve and sonde mcp make one, or "
                       "name yours under keys.file",
                       keyring->shown);
    r = ring_make_file(keyring->shown, ret_made, err);
    return r < 0 ? r : ring_read_file(keyring->shown, &keyring->ring, err);
}

static int read_environment(struct keyring *keyring, const char *name, struct err *err)
{
    keyring->from_environment = true;
    int n = snprintf(keyring->shown, sizeof keyring->shown, "environment variable %s", name);
    if (n < 0 || (size_t)n >= sizeof keyring->shown)
        return err_set(err, ERR_INVALID, "the name of the variable with the keys is too long");
    return ring_read_environment(name, &keyring->ring, err);
}

int keyring_open(const struct keyring_source *source, struct keyring **ret_keyring, bool *ret_made,
                 struct err *err)
{
    struct keyring *keyring = mem_alloc(sizeof *keyring);
    if (!keyring || pthread_rwlock_init(&keyring->lock, NULL)) {
        mem_free(keyring);
        return err_set(err, ERR_MEMORY, "no memory for the keys");
    }
    bool made = false;
    int r = source->environment ? read_environment(keyring, source->environment, err)
                                : read_file(keyring, source, &made, err);
    if (r < 0) {
        keyring_free(keyring);
        return r;
    }
    *ret_keyring = keyring;
    *ret_made = made;
    return 0;
}

int keyring_reload(struct keyring *keyring, struct err *err)
{
    if (keyring->from_environment)
        return 0;
    struct ring ring = {0};
    int r = ring_read_file(keyring->shown, &ring, err);
    if (r < 0)
        return r;
    pthread_rwlock_wrlock(&keyring->lock);
    struct ring old = keyring->ring;
    keyring->ring = ring;
    pthread_rwlock_unlock(&keyring->lock);
    ring_finish(&old);
    return 0;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    ring_finish(&keyring->ring);
    pthread_rwlock_destroy(&keyring->lock);
    mem_free(keyring);
}

const char *keyring_shown(const struct keyring *keyring)
{
    return keyring->shown;
}

size_t keyring_ids(struct keyring *keyring, char ids[KEYRING_MAX][KEY_ID_MAX + 1])
{
    pthread_rwlock_rdlock(&keyring->lock);
    size_t count = keyring->ring.count;
    for (size_t i = 0; i < count; i++)
        memcpy(ids[i], keyring->ring.keys[i].id, sizeof keyring->ring.keys[i].id);
    pthread_rwlock_unlock(&keyring->lock);
    return count;
}

int keyring_digest(struct keyring *keyring, const void *data, size_t size,
                   unsigned char ret_digest[SHA256_BYTES])
{
    pthread_rwlock_rdlock(&keyring->lock);
    int r = crypto_hmac_sha256(keyring->ring.digest, data, size, ret_digest);
    pthread_rwlock_unlock(&keyring->lock);
    return r;
}
