/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/token_file.h"

#include <stdio.h>

#include "auth/tokens.h"
#include "base/private_file.h"
#include "base/rand.h"
#include "base/secret.h"

/* 43 characters of base62 hold 256 bits. */
#define RANDOM_CHARACTERS 43
#define TOKEN_PREFIX "sonde_"

static struct private_file file_at(const char *path)
{
    return (struct private_file){.path = path,
                                 .what = "token file",
                                 .hint = "name another one with --token-file",
                                 .max = TOKEN_FILE_MAX};
}

int token_file_read(const char *path, char **ret_text, size_t *ret_size, struct err *err)
{
    struct private_file file = file_at(path);
    return private_file_read(&file, ret_text, ret_size, err);
}

int token_file_make(const char *path, bool *ret_made, struct err *err)
{
    struct private_file file = file_at(path);
    char token[RANDOM_CHARACTERS + 1];
    char text[512];
    rand_handle(token, RANDOM_CHARACTERS);
    int n =
        snprintf(text, sizeof text,
                 TOKEN_PREFIX
                 "%s\n"
                 "# Who may ask sonde: one token a line; a name for the logs may follow it after a "
                 "blank.\n"
                 "# To give each person one of their own: openssl rand -hex 32\n"
                 "# Changes are read on SIGHUP: systemctl reload sonde\n",
                 token);
    wipe(token, sizeof token);
    int r = n > 0 && (size_t)n < sizeof text
                ? private_file_make(&file, text, (size_t)n, ret_made, err)
                : err_set(err, ERR_LIMIT, "the first token does not fit its file");
    wipe(text, sizeof text);
    return r;
}

int tokens_default_path(char *path, size_t size, struct err *err)
{
    int r = state_file_path("tokens", path, size);
    if (r == ERR_NOT_FOUND)
        return err_set(
            err, ERR_INVALID,
            "no home folder is known to keep the token file in; name it with --token-file");
    return r ? err_set(err, ERR_INVALID, "the path of the token file is too long") : 0;
}
