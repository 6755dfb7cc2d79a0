/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/api_token.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/rand.h"
#include "base/secret.h"
#include "base/str.h"

#define START "sonde_"
#define START_BYTES (sizeof START - 1)
#define RANDOM_CHARACTERS 43u
#define CHECK_CHARACTERS 6u
#define BODY_BYTES (START_BYTES + RANDOM_CHARACTERS)

_Static_assert(BODY_BYTES + CHECK_CHARACTERS == API_TOKEN_BYTES, "the parts of a token");
_Static_assert(API_TOKEN_BYTES < API_TOKEN_MAX, "room for a token");

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* 32 bits of the hash of what stands before it: 62^6 is larger. */
static int checksum(const char *body, char out[CHECK_CHARACTERS])
{
    unsigned char digest[SHA256_BYTES];
    if (crypto_sha256(body, BODY_BYTES, digest))
        return ERR_SYSTEM;
    uint32_t number = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                      (uint32_t)digest[2] << 8 | (uint32_t)digest[3];
    for (size_t i = CHECK_CHARACTERS; i--;) {
        out[i] = base62[number % 62];
        number /= 62;
    }
    wipe(digest, sizeof digest);
    return 0;
}

int api_token_make(char out[API_TOKEN_BYTES + 1])
{
    memcpy(out, START, START_BYTES);
    rand_handle(out + START_BYTES, RANDOM_CHARACTERS);
    out[API_TOKEN_BYTES] = '\0';
    return checksum(out, out + BODY_BYTES);
}

bool api_token_well_formed(const char *token)
{
    char check[CHECK_CHARACTERS];
    return strlen(token) == API_TOKEN_BYTES && str_starts(token, START) &&
           strspn(token + START_BYTES, base62) == API_TOKEN_BYTES - START_BYTES &&
           !checksum(token, check) && memcmp(token + BODY_BYTES, check, sizeof check) == 0;
}

/* ---- Names ---- */

const char *user_name_wrong(const char *name, size_t size)
{
    static const char *const reserved[] = {"local", "operator", "keeper", "anyone", "all"};
    static const char *const wrong = "the name of a user is 1 to 63 letters, digits and . - _ @";
    if (!size || size >= sizeof((struct principal *)NULL)->name)
        return wrong;
    for (size_t i = 0; i < size; i++)
        if (!name[i] || (!strchr(base62, name[i]) && !strchr(".-_@", name[i])))
            return wrong;
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        if (strlen(reserved[i]) == size && memcmp(reserved[i], name, size) == 0)
            return "that name is one of sonde's own (local, operator, keeper, anyone, all); take another";
    return NULL;
}

int derived_id(const char *kind, const char *text, char out[37])
{
    unsigned char digest[SHA256_BYTES];
    char joined[1024];
    int n = snprintf(joined, sizeof joined, "%s/%s", kind, text);
    if (n < 0 || (size_t)n >= sizeof joined || crypto_sha256(joined, (size_t)n, digest))
        return ERR_SYSTEM;
    digest[6] = (unsigned char)((digest[6] & 0x0f) | 0x80);
    digest[8] = (unsigned char)((digest[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = "0123456789abcdef"[digest[i] >> 4];
        out[at++] = "0123456789abcdef"[digest[i] & 15];
    }
    out[at] = '\0';
    return 0;
}

/* ---- Rights ---- */

static const struct {
    const char *name;
    unsigned rights;
} levels[] = {
    {"read", RIGHT_READ},
    {"manage", RIGHT_READ | RIGHT_MANAGE},
    {"admin", RIGHTS_ALL},
};

int rights_parse(const char *text, unsigned *ret_rights, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (!str_eq(levels[i].name, text))
            continue;
        *ret_rights = levels[i].rights;
        return 0;
    }
    return err_set(err, ERR_INVALID, "\"%.32s\" are no rights; accepted are read, manage, admin",
                   text);
}

const char *rights_text(unsigned rights)
{
    if (rights & RIGHT_ADMIN)
        return "admin";
    if (rights & RIGHT_MANAGE)
        return "manage";
    return rights & RIGHT_READ ? "read" : "none";
}
