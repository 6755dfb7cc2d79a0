/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage_internal.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define FOUND_MAX_BYTES ((size_t)1 << 20)

int manage_may(const struct principal *principal, unsigned right, const char *what, struct err *err)
{
    if (principal->rights & right)
        return 0;
    return err_set(err, ERR_FORBIDDEN, "this token may not %s: that needs the right \"%s\"", what,
                   right == RIGHT_ADMIN    ? "admin"
                   : right == RIGHT_MANAGE ? "manage"
                                           : "read");
}

int manage_needs_store(struct service *service, struct err *err)
{
    if (service->kept.store && service->kept.keyring)
        return 0;
    return err_set(err, ERR_UNAVAILABLE,
                   "nothing is stored here (store: \"\" in the configuration), so connections come "
                   "from the configuration file alone");
}

static int not_found(const struct connection_set *set, const char *id, struct err *err)
{
    const char *names[256];
    size_t n = 0;
    for (size_t i = 0; i < set->slot_count && n < ARRAY_SIZE(names); i++)
        names[n++] = set->slots[i].connection->name;
    if (set->missing[0])
        return err_set(err, ERR_UNAVAILABLE, "%s", set->missing);
    char shown[65];
    utf8_clean(shown, sizeof shown, id, strlen(id));
    const char *near = str_nearest(id, names, n);
    return err_set(err, ERR_NOT_FOUND, "there is no connection \"%s\"%s%s%s", shown,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

int manage_find(struct service *service, const struct principal *principal, const char *id,
                struct managed *ret_managed, struct err *err)
{
    struct managed found = {.set = service_set_for(service, principal)};
    if (!found.set)
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    arena_init(&found.arena, FOUND_MAX_BYTES, NULL);
    found.slot = set_find_id(found.set, id);
    found.own = found.slot && !connection_shared(found.slot->connection);
    int r = found.slot ? 0 : not_found(found.set, id, err);
    if (found.own)
        r = store_connection_get(service->kept.store, principal->id, found.slot->connection->id,
                                 &found.arena, &found.row, err);
    if (r) {
        managed_finish(&found);
        return r;
    }
    *ret_managed = found;
    return 0;
}

int manage_find_own(struct service *service, const struct principal *principal, const char *id,
                    struct managed *ret_managed, struct err *err)
{
    struct managed found;
    int r = manage_may(principal, RIGHT_MANAGE, "change connections", err);
    if (!r)
        r = manage_needs_store(service, err);
    if (!r)
        r = manage_find(service, principal, id, &found, err);
    if (r)
        return r;
    if (!found.own) {
        err_set(err, ERR_FORBIDDEN,
                "\"%s\" is the operator's: it can be changed in the configuration file only",
                found.slot->connection->name);
        managed_finish(&found);
        return ERR_FORBIDDEN;
    }
    *ret_managed = found;
    return 0;
}

void managed_finish(struct managed *managed)
{
    set_unref(managed->set);
    managed->set = NULL;
    arena_finish(&managed->arena);
}

int manage_show(struct service *service, const struct principal *principal, const char *id,
                struct buf *out, uint64_t *ret_revision, struct err *err)
{
    struct managed found;
    int r = manage_may(principal, RIGHT_READ, "see connections", err);
    if (!r)
        r = manage_find(service, principal, id, &found, err);
    if (r)
        return r;
    r = manage_document(found.slot, found.own ? &found.row : NULL, out, err);
    if (!r && ret_revision)
        *ret_revision = found.own ? found.row.revision : found.slot->connection->revision;
    managed_finish(&found);
    return r;
}

int manage_remove(struct service *service, const struct principal *principal, const char *id,
                  uint64_t revision, struct err *err)
{
    struct managed found;
    int r = manage_find_own(service, principal, id, &found, err);
    if (r)
        return r;
    r = store_connection_delete(service->kept.store, principal->id, found.row.id, revision,
                                clock_unix_ns() / NS_PER_MS, err);
    managed_finish(&found);
    if (!r) /* closes it for new calls; those under way hold what they began with */
        set_unref(service_set_for(service, principal));
    return r;
}
