/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/private_file.h"
#include "base/rand.h"
#include "base/str.h"

#define CREDENTIAL "sonde-keys"

bool key_id_valid(const char *id, size_t n)
{
    if (!n || n > KEY_ID_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = id[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

const struct ring_key *ring_find(const struct ring *ring, const char *id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (str_eq(ring->keys[i].id, id))
            return &ring->keys[i];
    return NULL;
}

void ring_finish(struct ring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        crypto_key_free(ring->keys[i].key);
    crypto_key_free(ring->digest);
    *ring = (struct ring){0};
}

/* Without what surrounds it. */
static void trim(const char **text, size_t *size)
{
    const char *comment = memchr(*text, '#', *size);
    if (comment)
        *size = (size_t)(comment - *text);
    while (*size && strchr(" \t\r", (*text)[*size - 1]))
        (*size)--;
    while (*size && strchr(" \t", **text)) {
        (*text)++;
        (*size)--;
    }
}

/* What is wrong with a line is said without showing it: it may be a key. */
static int wrong_line(struct err *err, const char *shown, size_t line, const char *what)
{
    return err_set(err, ERR_INVALID, "%s:%zu: %s", shown, line, what);
}

static int add_key(struct ring *ring, const char *text, size_t size, const char *shown, size_t line,
                   struct err *err)
{
    const char *colon = memchr(text, ':', size);
    if (!colon || !key_id_valid(text, (size_t)(colon - text)))
        return wrong_line(
            err, shown, line,
            "expected ID:KEY, the id of 1 to 32 letters, digits, '-', '_' and '.', the "
            "key 32 random bytes in base64 (openssl rand -base64 32)");
    if (ring->count == KEYRING_MAX)
        return wrong_line(err, shown, line,
                          "more than 16 keys; take out those that `sonde key status` no longer "
                          "needs");
    struct ring_key *key = &ring->keys[ring->count];
    unsigned char bytes[CRYPTO_KEY_BYTES];
    size_t id = (size_t)(colon - text);
    ptrdiff_t n = base64_read(colon + 1, size - id - 1, bytes, sizeof bytes);
    if (n != (ptrdiff_t)sizeof bytes) {
        wipe(bytes, sizeof bytes);
        return wrong_line(err, shown, line,
                          "the key is not 32 bytes in base64 (44 characters, the last one '='): "
                          "openssl rand -base64 32");
    }
    memcpy(key->id, text, id);
    key->id[id] = '\0';
    bool again = ring_find(ring, key->id) != NULL;
    key->key = again ? NULL : crypto_key_new(bytes);
    wipe(bytes, sizeof bytes);
    if (again)
        return err_set(err, ERR_INVALID,
                       "%s:%zu: a second key with the id %s; ids are never used again", shown, line,
                       key->id);
    if (!key->key)
        return err_set(err, ERR_MEMORY, "%s: no memory for its keys", shown);
    ring->count++;
    for (size_t i = 0; i + 1 < ring->count; i++)
        if (crypto_key_equal(ring->keys[i].key, key->key))
            return err_set(err, ERR_INVALID, "%s:%zu: the key %s has the same bytes as %s", shown,
                           line, key->id, ring->keys[i].id);
    return 0;
}

static int parse_lines(struct ring *ring, const char *text, size_t size, const char *shown,
                       struct err *err)
{
    size_t line = 0;
    int r = 0;
    while (!r && size) {
        const char *end = memchr(text, '\n', size);
        const char *from = text;
        size_t length = end ? (size_t)(end - text) : size;
        size -= end ? length + 1 : length;
        text += end ? length + 1 : length;
        line++;
        trim(&from, &length);
        if (length)
            r = add_key(ring, from, length, shown, line, err);
    }
    if (!r && !ring->count)
        r = err_set(err, ERR_INVALID,
                    "%s: no key in it; expected a line ID:KEY, KEY being 32 random bytes in base64 "
                    "(openssl rand -base64 32)",
                    shown);
    return r;
}

int ring_parse(const char *text, size_t size, const char *shown, struct ring *ret_ring,
               struct err *err)
{
    struct ring ring = {0};
    int r = parse_lines(&ring, text, size, shown, err);
    if (!r && crypto_key_derive(ring.keys[0].key, "sonde digest", &ring.digest) < 0)
        r = err_set(err, ERR_SYSTEM, "%s: the cryptographic library refuses to derive a key",
                    shown);
    if (r < 0) {
        ring_finish(&ring);
        return r;
    }
    *ret_ring = ring;
    return 0;
}

static struct private_file file_at(const char *path)
{
    return (struct private_file){.path = path,
                                 .what = "key file",
                                 .hint = "name another one under keys.file",
                                 .max = RING_MAX_BYTES};
}

int ring_read_file(const char *path, struct ring *ret_ring, struct err *err)
{
    struct private_file file = file_at(path);
    char *text;
    size_t size;
    int r = private_file_read(&file, &text, &size, err);
    if (r < 0)
        return r;
    r = ring_parse(text, size, path, ret_ring, err);
    wipe(text, size);
    mem_free(text);
    return r;
}

int ring_make_file(const char *path, bool *ret_made, struct err *err)
{
    static const char comment[] =
        "# The keys that secrets in sonde's store are sealed with: keep a copy apart from the "
        "store's.\n"
        "# The first one seals, the others only open. A new one (ID:BASE64, openssl rand -base64 "
        "32) goes last\n"
        "# on every machine, then first, then: sonde key rotate\n";
    struct private_file file = file_at(path);
    struct buf text = BUF(2048);
    char id[9];
    unsigned char bytes[CRYPTO_KEY_BYTES];
    int r = ERR_MEMORY;
    rand_handle(id, sizeof id - 1);
    rand_bytes(bytes, sizeof bytes);
    if (buf_reserve(&text, 1024)) { /* so that no copy is left behind by growing */
        buf_printf(&text, "%s%s:", comment, id);
        base64_add(&text, bytes, sizeof bytes);
        buf_add(&text, "\n");
    }
    wipe(bytes, sizeof bytes);
    if (text.failed)
        err_set(err, ERR_MEMORY, "%s: no memory for a key", path);
    else
        r = private_file_make(&file, text.data, text.size, ret_made, err);
    if (text.data)
        wipe(text.data, text.capacity);
    buf_finish(&text);
    return r;
}

int ring_read_environment(const char *name, struct ring *ret_ring, struct err *err)
{
    char *value = getenv(name);
    if (!value || !*value)
        return err_set(err, ERR_INVALID,
                       "the environment variable %s, which keys.environment names, is not set: "
                       "expected ID:KEY, KEY being 32 random bytes in base64",
                       name);
    size_t size = strlen(value);
    for (char *c = value; *c; c++)
        if (*c == ',') /* files of variables hold no line breaks */
            *c = '\n';
    int r = size > RING_MAX_BYTES
                ? err_set(err, ERR_INVALID, "$%s: longer than %zu bytes", name, RING_MAX_BYTES)
                : ring_parse(value, size, name, ret_ring, err);
    /* Where it stands is shown to this user's other processes (/proc/PID/environ), and handed on to children. */
    wipe(value, size);
    unsetenv(name);
    return r;
}

int keyring_default_path(char *path, size_t size, struct err *err)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY"); /* systemd.exec(5) */
    if (credentials && credentials[0] == '/') {
        int n = snprintf(path, size, "%s/" CREDENTIAL, credentials);
        if (n > 0 && (size_t)n < size && access(path, F_OK) == 0)
            return 0;
    }
    int r = state_file_path("keys", path, size);
    if (r == ERR_NOT_FOUND)
        return err_set(err, ERR_INVALID,
                       "no home folder is known to keep the key file in; name it under keys.file");
    return r ? err_set(err, ERR_INVALID, "the path of the key file is too long") : 0;
}
