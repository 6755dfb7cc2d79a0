/* SPDX-License-Identifier: Apache-2.0 */
#include "service/database.h"

#include <limits.h>
#include <stdio.h>

struct place {
    char path[PATH_MAX];
};

static int find_place(const struct config *config, struct place *place, const char **ret_location,
                      struct err *err)
{
    const char *location = config->keep.store;
    if (location && !location[0])
        return err_set(
            err, ERR_INVALID,
            "nothing is stored: the configuration says `store: none`; leave the key out for "
            "a file in the usual place");
    if (!location) {
        int r = store_default_path(place->path, sizeof place->path, err);
        if (r)
            return r;
        location = place->path;
    }
    *ret_location = location;
    return 0;
}

int database_look(const struct config *config, struct arena *arena, struct database *ret_database,
                  struct err *err)
{
    struct place place;
    const char *location;
    char shown[512];
    struct database database = {0};
    struct store_migration *migrations = NULL;
    int r = find_place(config, &place, &location, err);
    if (r)
        return r;
    store_place(location, shown, sizeof shown);
    database.shown = arena_strdup(arena, shown);
    if (!database.shown)
        return err_set(err, ERR_MEMORY, "out of memory");
    r = store_migrations(location, arena, &migrations, &database.migration_count, err);
    if (r)
        return r;
    database.migrations = migrations;
    for (size_t i = 0; i < database.migration_count; i++)
        database.missing += !migrations[i].applied;
    r = store_facts(location, arena, &database.facts, err);
    if (r && r != ERR_NOT_FOUND)
        return r;
    database.there = !r;
    *ret_database = database;
    return 0;
}

int database_migrate(const struct config *config, size_t *ret_applied, struct err *err)
{
    struct place place;
    const char *location;
    int r = find_place(config, &place, &location, err);
    return r ? r : store_migrate(location, ret_applied, err);
}
