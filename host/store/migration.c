/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/str.h"

int migration_sum(const char *text, char ret_sum[65], struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    if (crypto_sha256(text, strlen(text), digest))
        return err_set(err, ERR_SYSTEM, "SHA-256 is not to be had");
    for (size_t i = 0; i < SHA256_BYTES; i++)
        snprintf(ret_sum + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

int migration_compare(const char *shown, size_t at, int version, const char *name, const char *sum,
                      bool postgres, struct err *err)
{
    char own[65];
    if (at >= migration_count)
        return err_set(err, ERR_INVALID,
                       "%s was written by a newer sonde: it has migration %d (%s), this program "
                       "knows %zu; run the newer program, nothing was changed",
                       shown, version, name ? name : "", migration_count);
    const struct migration *known = &migrations[at];
    if (known->version != version || !str_eq(known->name, name))
        return err_set(err, ERR_INVALID,
                       "%s has migration %d (%s) where this program has %d (%s): it is of another "
                       "line of sonde; nothing was changed",
                       shown, version, name ? name : "", known->version, known->name);
    int r = migration_sum(postgres ? known->postgres : known->sqlite, own, err);
    if (r)
        return r;
    if (!str_eq(own, sum))
        return err_set(
            err, ERR_INVALID,
            "%s: migration %s was applied with another text than this program has; put "
            "back the program that made it, or a copy of the database; nothing was changed",
            shown, known->name);
    return 0;
}

int migration_missing(const char *shown, size_t applied, struct err *err)
{
    return err_set(
        err, ERR_INVALID,
        "the schema of %s is older than this program: %zu of %zu migrations are applied; "
        "run `sonde db migrate`",
        shown, applied, migration_count);
}

int migration_list(size_t applied, const int64_t *times, struct arena *arena,
                   struct store_migration **ret_migrations, size_t *ret_count, struct err *err)
{
    struct store_migration *list = arena_alloc_array(arena, migration_count, sizeof *list);
    if (!list)
        return err_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < migration_count; i++)
        list[i] = (struct store_migration){.version = migrations[i].version,
                                           .name = migrations[i].name,
                                           .applied = i < applied,
                                           .applied_ms = i < applied ? times[i] : 0};
    *ret_migrations = list;
    *ret_count = migration_count;
    return 0;
}
