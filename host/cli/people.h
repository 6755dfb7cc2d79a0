/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `sonde user` and `sonde token` share.
 *
 * Ownership: people_close ends what people_open began, half-built too. Threads: main thread only.
 */
#ifndef CLI_PEOPLE_H
#define CLI_PEOPLE_H

#include "auth/accounts.h"
#include "cli/cli.h"

struct people {
    struct config *config;
    struct store *store;
    struct arena arena;
};

/* The configuration and its store, made where there is none. 0, or an exit code with the reason printed. */
int people_open(const struct cli *cli, struct people *people);
void people_close(struct people *people);
/* 0; ERR_NOT_FOUND names the command that makes one; ERR_FORBIDDEN: one of sonde's own. */
int people_find_user(struct people *people, const char *name, struct user_row *ret_user,
                     struct err *err);
/* "2026-11-24T10:00:00Z"; none where ms is 0. */
const char *people_time(int64_t ms, const char *none, char out[32]);
/* The same for JSON, null where ms is 0. */
void people_json_time(struct buf *out, const char *key, int64_t ms);

#endif
