/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator does to users and tokens. */
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/api_token.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/rand.h"
#include "base/secret.h"
#include "base/str.h"

#define NAME_BYTES 63u

int account_add_user(struct store *store, const char *name, struct user_row *ret_user,
                     struct err *err)
{
    const char *wrong = user_name_wrong(name, strlen(name));
    if (wrong)
        return err_set(err, ERR_INVALID, "\"%.80s\": %s", name, wrong);
    struct user_row row = {.name = name, .created_ms = clock_unix_ns() / NS_PER_MS};
    uuid7(row.id);
    int r = store_user_add(store, &row, err);
    if (r == ERR_CONFLICT)
        return err_set(err, r, "there is a user %s already; sonde user list shows all", name);
    if (!r)
        *ret_user = row;
    return r;
}

bool account_is_built_in(const struct user_row *user)
{
    return str_eq(user->id, USER_LOCAL_ID) || str_eq(user->id, USER_OPERATOR_ID) ||
           str_eq(user->id, USER_KEEPER_ID);
}

static bool is_plain(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return utf8_valid(name, strlen(name));
}

int account_create_token(struct store *store, const struct user_row *user, const char *name,
                         unsigned rights, int64_t expires_ms, const char *connections_json,
                         char ret_token[API_TOKEN_MAX], struct token_row *ret_row, struct err *err)
{
    char token[API_TOKEN_BYTES + 1];
    char prefix[API_TOKEN_PREFIX_BYTES + 1] = "";
    struct token_row row = {.user_name = user->name,
                            .name = name,
                            .prefix = prefix,
                            .rights = rights,
                            .connections = connections_json,
                            .created_ms = clock_unix_ns() / NS_PER_MS,
                            .expires_ms = expires_ms};
    if (strlen(name) > NAME_BYTES || !is_plain(name))
        return err_set(err, ERR_INVALID,
                       "a token's name is at most 63 bytes of text without control characters");
    uuid7(row.id);
    memcpy(row.user_id, user->id, sizeof row.user_id);
    int r = api_token_make(token);
    if (!r)
        r = crypto_sha256(token, API_TOKEN_BYTES, row.hash);
    if (r)
        return err_set(err, ERR_SYSTEM, "the TLS library has no SHA-256");
    memcpy(prefix, token, API_TOKEN_PREFIX_BYTES);
    r = store_token_add(store, &row, err);
    if (!r) {
        memcpy(ret_token, token, sizeof token);
        row.prefix = NULL;
        *ret_row = row;
    }
    wipe(token, sizeof token);
    return r;
}
