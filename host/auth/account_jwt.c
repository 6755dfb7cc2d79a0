/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of an authorization server: what they may do, and whose they are. */
#include "auth/account_internal.h"

#include <stdio.h>
#include <string.h>

#include "auth/api_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"

#define EXTERNAL_MAX 900u /* "ISSUER SUBJECT" */
#define NAME_MAX 48u      /* leaves room for what makes it unique */
#define NAME_TRIES 8u

static int refused(int r, struct err *err)
{
    if (r == ERR_INVALID)
        return STATUS_UNKNOWN;
    if (r == ERR_FORBIDDEN)
        return STATUS_FORBIDDEN;
    if (r == ERR_UNAVAILABLE)
        log_line(LOG_DEBUG, "auth", "a token cannot be checked: %s", err ? err->text : "");
    err_set(
        err, ERR_UNAVAILABLE,
        "whether this token is good cannot be told now, because its issuer's keys or the store of "
        "users cannot be reached; try again in a few seconds");
    return STATUS_LATER_ON;
}

static unsigned rights_of(const struct jwt *jwt)
{
    unsigned rights = 0;
    for (size_t i = 0; i < jwt->scope_count; i++) {
        if (str_eq(jwt->scopes[i], SCOPE_READ))
            rights |= RIGHT_READ;
        else if (str_eq(jwt->scopes[i], SCOPE_MANAGE))
            rights |= RIGHT_READ | RIGHT_MANAGE;
        else if (str_eq(jwt->scopes[i], SCOPE_ADMIN))
            rights |= RIGHTS_ALL;
    }
    return rights;
}

/* ---- Whose it is ---- */

/* A name that a user may have, made of what the issuer calls them. */
static void clean_name(const char *wanted, char out[NAME_MAX + 1])
{
    size_t n = 0;
    for (; wanted[n] && n < NAME_MAX; n++) {
        char c = wanted[n];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    strchr(".-_@", c);
        out[n] = good ? c : '-';
    }
    out[n] = '\0';
}

/* The user of external, if the book has one. True with the principal's id and name, and whether it is disabled. */
static bool in_book(struct accounts *accounts, const char *external, struct principal *principal,
                    bool *ret_disabled)
{
    pthread_mutex_lock(&accounts->lock);
    const struct book_user *user =
        accounts->book ? book_user(&accounts->book->externals, external) : NULL;
    if (user) {
        snprintf(principal->id, sizeof principal->id, "%s", user->id);
        snprintf(principal->name, sizeof principal->name, "%s", user->name);
        *ret_disabled = user->disabled;
    }
    pthread_mutex_unlock(&accounts->lock);
    return user;
}

/* Made where there is none: the name, or the name with digits of a hash where it is another's. */
static int make_user(struct accounts *accounts, const char *external, const char *name,
                     struct err *err)
{
    unsigned char hash[SHA256_BYTES];
    char unique[NAME_MAX + 16];
    struct user_row row = {
        .name = unique, .external = external, .created_ms = clock_unix_ns() / NS_PER_MS};
    if (crypto_sha256(external, strlen(external), hash))
        return err_set(err, ERR_SYSTEM, "the TLS library has no SHA-256");
    uuid7(row.id);
    int r = ERR_CONFLICT;
    for (unsigned i = 0; r == ERR_CONFLICT && i < NAME_TRIES; i++) {
        if (!i && user_name_wrong(name, strlen(name)))
            continue;
        snprintf(unique, sizeof unique, i ? "%s-%02x%02x%02x" : "%s", *name ? name : "user",
                 hash[i], hash[i + 1], hash[i + 2]);
        struct user_row found;
        struct arena arena;
        arena_init(&arena, (size_t)64 << 10, NULL);
        r = store_user_add(accounts->store, &row, err);
        /* Another process made the same user, or the name is taken. */
        if (r == ERR_CONFLICT &&
            !store_user_find(accounts->store, NULL, NULL, external, &arena, &found, err))
            r = 0;
        arena_finish(&arena);
    }
    return r;
}

int accounts_take_user(struct accounts *accounts, const char *external, const char *wanted_name,
                       struct principal *principal, struct err *err)
{
    char name[NAME_MAX + 1];
    bool is_disabled = false;
    clean_name(wanted_name, name);
    if (!accounts->store) {
        snprintf(principal->name, sizeof principal->name, "%s", name);
        return derived_id("external", external, principal->id);
    }
    int64_t since = clock_mono_ns();
    bool known = in_book(accounts, external, principal, &is_disabled);
    if (!known) {
        /* Asked itself first: the book may be older. */
        int r = make_user(accounts, external, name, err);
        if (!r)
            r = accounts_read_since(accounts, since, err);
        if (r)
            return r;
        known = in_book(accounts, external, principal, &is_disabled);
    }
    if (!known)
        return err_set(err, ERR_UNAVAILABLE, "the user of this token is not in the store yet");
    if (is_disabled)
        return err_set(err, ERR_INVALID,
                       "the user of this token is disabled; ask who runs this server");
    return 0;
}

/* ---- Checks ---- */

static const char *wanted_name(const struct jwt *jwt)
{
    if (jwt->preferred_username && *jwt->preferred_username)
        return jwt->preferred_username;
    return jwt->email && *jwt->email ? jwt->email : jwt->subject;
}

static int check(struct accounts *accounts, const char *token, struct arena *arena, struct jwt *jwt,
                 uint64_t *ret_generation, struct principal *principal, struct err *err)
{
    char external[EXTERNAL_MAX + 1];
    int r = jwt_parse(token, arena, jwt, err);
    if (r)
        return r;
    if (!str_eq(jwt->issuer, accounts->issuer))
        return err_set(err, ERR_INVALID, "this token is of another issuer than %s",
                       accounts->issuer);
    r = jwks_check(accounts->jwks, jwt, ret_generation, err);
    if (!r)
        r = jwt_check_claims(jwt, accounts->audience, clock_unix_ns() / NS_PER_MS, err);
    if (r)
        return r;
    principal->rights = rights_of(jwt);
    if (!principal->rights)
        return err_set(err, ERR_FORBIDDEN,
                       "this token has none of the scopes " SCOPE_READ ", " SCOPE_MANAGE
                       ", " SCOPE_ADMIN);
    int n = snprintf(external, sizeof external, "%s %s", jwt->issuer, jwt->subject);
    if (n < 0 || (size_t)n >= sizeof external)
        return err_set(err, ERR_INVALID, "this token's sub is too long");
    return accounts_take_user(accounts, external, wanted_name(jwt), principal, err);
}

int accounts_check_jwt(struct accounts *accounts, const char *token,
                       struct principal *ret_principal, struct err *err)
{
    struct arena arena;
    struct jwt jwt;
    struct principal principal = {0};
    struct err own = {0};
    unsigned char hash[SHA256_BYTES];
    uint64_t generation = 0;
    err = err ? err : &own;
    arena_init(&arena, JWT_ARENA_MAX, NULL);
    int r = crypto_sha256(token, strlen(token), hash);
    if (!r)
        r = check(accounts, token, &arena, &jwt, &generation, &principal, err);
    if (!r) {
        verified_put(&accounts->verified, hash, generation, jwt.expires_ms + JWT_SKEW_MS,
                     &principal);
        *ret_principal = principal;
    }
    arena_finish(&arena);
    return r ? refused(r, err) : 0;
}

int accounts_look_jwt(struct accounts *accounts, const char *token, struct principal *ret_principal,
                      struct err *err)
{
    unsigned char hash[SHA256_BYTES];
    if (crypto_sha256(token, strlen(token), hash) ||
        !verified_get(&accounts->verified, hash, jwks_generation(accounts->jwks),
                      clock_unix_ns() / NS_PER_MS, ret_principal))
        return ACCOUNTS_LATER;
    if (!accounts->store)
        return 0;
    /* It is good until it expires, its user only until the operator says otherwise. */
    pthread_mutex_lock(&accounts->lock);
    const struct book_user *user =
        accounts->book ? book_user(&accounts->book->users, ret_principal->id) : NULL;
    bool gone = user && user->disabled;
    pthread_mutex_unlock(&accounts->lock);
    if (!user)
        return ACCOUNTS_LATER;
    if (!gone)
        return 0;
    err_set(err, ERR_INVALID, "the user of this token is disabled; ask who runs this server");
    return STATUS_UNKNOWN;
}
