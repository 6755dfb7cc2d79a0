/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `sonde db` asks of the store's schema, without opening the store.
 *
 * Ownership: what is read lives in the caller's arena. Threads: any.
 */
#ifndef SERVICE_DATABASE_H
#define SERVICE_DATABASE_H

#include "config/config.h"
#include "store/store.h"

struct database {
    const char *shown; /* where it is, without a password */
    bool there;        /* false: facts and times are empty */
    struct store_facts facts;
    const struct store_migration *migrations;
    size_t migration_count;
    size_t missing; /* of those, not yet applied */
};

/* ERR_INVALID: nothing is stored by this configuration, or the database is of a newer program; ERR_UNAVAILABLE ... as store.h. */
int database_look(const struct config *config, struct arena *arena, struct database *ret_database,
                  struct err *err);
/* Applies what is missing. */
int database_migrate(const struct config *config, size_t *ret_applied, struct err *err);

#endif
