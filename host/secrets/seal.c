/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed text is "sonde1:KEYID:" and the base64url of
 *
 *   version (1), algorithm (1), nonce of the wrapping (12), wrapped data key (32 + 16), nonce (12), ciphertext, tag (16)
 *
 * Each layer authenticates its purpose, version, algorithm and the place; the wrapping also the id of its master key, so that all of the text
 * is covered by one of the two. Nonces are random: that is safe for 2^32 wrappings under one master key, while a data key has one nonce only.
 */
#include "secrets/ring.h"

#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/rand.h"

#define PREFIX "sonde1:"
#define VERSION 1
#define ALGORITHM_AES_256_GCM 1
#define VALUE_MAX ((size_t)16 * 1024)
#define PLACE_MAX ((size_t)4096)

struct head {
    unsigned char version, algorithm;
    unsigned char wrap_nonce[CRYPTO_NONCE_BYTES];
    unsigned char wrapped[CRYPTO_KEY_BYTES + CRYPTO_TAG_BYTES];
    unsigned char nonce[CRYPTO_NONCE_BYTES];
};
_Static_assert(sizeof(struct head) == 74, "no padding: this is what the text encodes");

#define BLOB_MIN (sizeof(struct head) + CRYPTO_TAG_BYTES)
#define BLOB_MAX (BLOB_MIN + VALUE_MAX)

/* Each text with its length before it, so that no two places have the same bytes. */
static void add_field(struct buf *out, const char *text)
{
    size_t size = strlen(text);
    unsigned char length[2] = {(unsigned char)(size >> 8), (unsigned char)size};
    out->failed |= size > PLACE_MAX;
    buf_add_n(out, length, sizeof length);
    buf_add_n(out, text, size);
}

/* What is authenticated beside a layer's contents. 0 or ERR_LIMIT. */
static int describe(struct buf *out, const char *purpose, const struct head *head,
                    const struct seal_place *place, const char *key_id, struct err *err)
{
    unsigned char form[2] = {head->version, head->algorithm};
    buf_clear(out);
    add_field(out, purpose);
    buf_add_n(out, form, sizeof form);
    add_field(out, place->table);
    add_field(out, place->row_id);
    add_field(out, place->user_id);
    add_field(out, place->field);
    add_field(out, key_id);
    return out->failed ? err_set(err, ERR_LIMIT,
                                 "the place of a secret is named by more than %zu bytes", PLACE_MAX)
                       : 0;
}

static int describe_key(struct buf *out, const struct head *head, const struct seal_place *place,
                        const char *key_id, struct err *err)
{
    return describe(out, "sonde data key", head, place, key_id, err);
}

/* Not the master key's id: a value stays as it is when its data key moves to another one. */
static int describe_value(struct buf *out, const struct head *head, const struct seal_place *place,
                          struct err *err)
{
    return describe(out, "sonde value", head, place, "", err);
}

static int refused(struct err *err)
{
    return err_set(err, ERR_SYSTEM, "the cryptographic library refuses AES-256-GCM");
}

/* Wraps the data key under the active master key, whose id is noted. */
static int wrap(struct keyring *keyring, const struct seal_place *place,
                const struct crypto_key *data_key, struct head *head, char key_id[KEY_ID_MAX + 1],
                struct err *err)
{
    struct buf aad = BUF(PLACE_MAX + 64);
    rand_bytes(head->wrap_nonce, sizeof head->wrap_nonce);
    pthread_rwlock_rdlock(&keyring->lock);
    const struct ring_key *master = &keyring->ring.keys[0];
    memcpy(key_id, master->id, sizeof master->id);
    int r = describe_key(&aad, head, place, key_id, err);
    if (!r && crypto_key_wrap(master->key, head->wrap_nonce, aad.data, aad.size, data_key,
                              head->wrapped) < 0)
        r = refused(err);
    pthread_rwlock_unlock(&keyring->lock);
    buf_finish(&aad);
    return r;
}

static int not_this(struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "a sealed value does not open: it was changed, or it was sealed for another "
                   "place or under another key of the same id");
}

static int unwrap(struct keyring *keyring, const struct seal_place *place, const struct head *head,
                  const char *key_id, struct crypto_key **ret_key, struct err *err)
{
    struct buf aad = BUF(PLACE_MAX + 64);
    int r = describe_key(&aad, head, place, key_id, err);
    pthread_rwlock_rdlock(&keyring->lock);
    const struct ring_key *master = r ? NULL : ring_find(&keyring->ring, key_id);
    if (!r && !master)
        r = err_set(err, ERR_NOT_FOUND,
                    "a sealed value needs the key %s, which %s does not hold: put its line back",
                    key_id, keyring->shown);
    int opened = master ? crypto_key_unwrap(master->key, head->wrap_nonce, aad.data, aad.size,
                                            head->wrapped, ret_key)
                        : 0;
    pthread_rwlock_unlock(&keyring->lock);
    buf_finish(&aad);
    if (opened == ERR_INVALID)
        return not_this(err);
    if (opened == ERR_MEMORY)
        return err_set(err, ERR_MEMORY, "no memory for a key");
    return opened ? refused(err) : r;
}

/* ---- The text ---- */

static int no_seal(struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "not a sealed value: expected sonde1:KEY:... as sonde wrote it");
}

/* Takes "sonde1:ID:" off; the rest is what follows. */
static int split(const char *sealed, char id[KEY_ID_MAX + 1], const char **ret_rest,
                 struct err *err)
{
    if (strncmp(sealed, PREFIX, sizeof PREFIX - 1) != 0)
        return no_seal(err);
    sealed += sizeof PREFIX - 1;
    size_t n = strcspn(sealed, ":");
    if (sealed[n] != ':' || !key_id_valid(sealed, n))
        return no_seal(err);
    memcpy(id, sealed, n);
    id[n] = '\0';
    *ret_rest = sealed + n + 1;
    return 0;
}

int sealed_key_id(const char *sealed, char id[KEY_ID_MAX + 1], struct err *err)
{
    const char *rest;
    char found[KEY_ID_MAX + 1];
    int r = split(sealed, found, &rest, err);
    if (r < 0)
        return r;
    memcpy(id, found, sizeof found);
    return 0;
}

struct opened_text {
    char key_id[KEY_ID_MAX + 1];
    struct head head;
    unsigned char *data; /* mem_free: ciphertext and tag */
    size_t size;
};

static int read_text(const char *sealed, struct opened_text *ret, struct err *err)
{
    const char *rest;
    struct opened_text text;
    int r = split(sealed, text.key_id, &rest, err);
    if (r < 0)
        return r;
    size_t length = strnlen(rest, SEALED_MAX);
    if (length == SEALED_MAX)
        return no_seal(err);
    size_t room = length / 4 * 3 + 3;
    room = room < BLOB_MAX ? room : BLOB_MAX;
    unsigned char *blob = mem_alloc(room);
    if (!blob)
        return err_set(err, ERR_MEMORY, "no memory for a sealed value");
    ptrdiff_t size = base64url_read(rest, length, blob, room);
    bool whole = size >= (ptrdiff_t)BLOB_MIN;
    if (whole)
        memcpy(&text.head, blob, sizeof text.head);
    if (!whole || text.head.version != VERSION || text.head.algorithm != ALGORITHM_AES_256_GCM) {
        r = whole ? err_set(err, ERR_INVALID,
                            "a sealed value of version %u and algorithm %u, which this sonde does "
                            "not know: a newer one made it",
                            text.head.version, text.head.algorithm)
                  : no_seal(err);
        mem_free(blob);
        return r;
    }
    text.size = (size_t)size - sizeof text.head;
    memmove(blob, blob + sizeof text.head, text.size);
    text.data = blob;
    *ret = text;
    return 0;
}

static int write_text(const char *key_id, const struct head *head, const unsigned char *data,
                      size_t size, struct buf *out, struct err *err)
{
    unsigned char *blob = mem_alloc(sizeof *head + size);
    if (!blob)
        return err_set(err, ERR_MEMORY, "no memory for a sealed value");
    memcpy(blob, head, sizeof *head);
    memcpy(blob + sizeof *head, data, size);
    buf_add(out, PREFIX);
    buf_add(out, key_id);
    buf_add_char(out, ':');
    base64url_add(out, blob, sizeof *head + size);
    mem_free(blob);
    return out->failed ? err_set(err, ERR_MEMORY, "no memory for a sealed value") : 0;
}

/* ---- Sealing ---- */

/* A fresh data key, whose plain copy lives no longer than this. */
static struct crypto_key *fresh_key(void)
{
    unsigned char bytes[CRYPTO_KEY_BYTES];
    rand_bytes(bytes, sizeof bytes);
    struct crypto_key *key = crypto_key_new(bytes);
    wipe(bytes, sizeof bytes);
    return key;
}

int seal(struct keyring *keyring, const struct seal_place *place, const void *data, size_t size,
         struct buf *out, struct err *err)
{
    if (size > VALUE_MAX)
        return err_set(err, ERR_LIMIT, "a secret of %zu bytes; at most %zu are kept", size,
                       VALUE_MAX);
    struct head head = {.version = VERSION, .algorithm = ALGORITHM_AES_256_GCM};
    CLEANUP(crypto_key_freep) struct crypto_key *key = fresh_key();
    CLEANUP(mem_freep) unsigned char *body = mem_alloc(size + CRYPTO_TAG_BYTES);
    if (!key || !body)
        return err_set(err, ERR_MEMORY, "no memory to seal a value");
    rand_bytes(head.nonce, sizeof head.nonce);
    struct buf aad = BUF(PLACE_MAX + 64);
    int r = describe_value(&aad, &head, place, err);
    if (!r && crypto_seal(key, head.nonce, aad.data, aad.size, data, size, body) < 0)
        r = refused(err);
    buf_finish(&aad);
    char key_id[KEY_ID_MAX + 1];
    if (!r)
        r = wrap(keyring, place, key, &head, key_id, err);
    return r ? r : write_text(key_id, &head, body, size + CRYPTO_TAG_BYTES, out, err);
}

static int open_value(const struct crypto_key *key, const struct opened_text *text,
                      const struct seal_place *place, struct secret **ret_secret, struct err *err)
{
    size_t size = text->size - CRYPTO_TAG_BYTES;
    char *plain = mem_alloc(size + 1);
    struct buf aad = BUF(PLACE_MAX + 64);
    int r = plain ? describe_value(&aad, &text->head, place, err)
                  : err_set(err, ERR_MEMORY, "no memory for a secret");
    int opened =
        r ? 0
          : crypto_open(key, text->head.nonce, aad.data, aad.size, text->data, text->size, plain);
    buf_finish(&aad);
    if (opened)
        r = opened == ERR_INVALID ? not_this(err) : refused(err);
    struct secret *secret = r ? NULL : secret_new(plain, size);
    if (!r && !secret)
        r = err_set(err, ERR_MEMORY, "no memory for a secret");
    if (plain)
        wipe(plain, size);
    mem_free(plain);
    if (r < 0)
        return r;
    *ret_secret = secret;
    return 0;
}

int unseal(struct keyring *keyring, const struct seal_place *place, const char *sealed,
           struct secret **ret_secret, struct err *err)
{
    struct opened_text text;
    int r = read_text(sealed, &text, err);
    if (r < 0)
        return r;
    CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    r = unwrap(keyring, place, &text.head, text.key_id, &key, err);
    if (!r)
        r = open_value(key, &text, place, ret_secret, err);
    mem_free(text.data);
    return r;
}

int reseal(struct keyring *keyring, const struct seal_place *place, const char *sealed,
           struct buf *out, bool *ret_changed, struct err *err)
{
    struct opened_text text;
    int r = read_text(sealed, &text, err);
    if (r < 0)
        return r;
    char old_id[KEY_ID_MAX + 1];
    memcpy(old_id, text.key_id, sizeof old_id);
    CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    r = unwrap(keyring, place, &text.head, text.key_id, &key, err);
    if (!r)
        r = wrap(keyring, place, key, &text.head, text.key_id, err);
    bool changed = !r && strcmp(old_id, text.key_id) != 0;
    if (changed)
        r = write_text(text.key_id, &text.head, text.data, text.size, out, err);
    else if (!r)
        buf_add(out, sealed);
    mem_free(text.data);
    if (r < 0)
        return r;
    *ret_changed = changed;
    return 0;
}
