/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "secrets/sealed_json.h"

/* What is null is left out. */
static void drop_nulls(struct json_object *object)
{
    const char *gone[64];
    size_t n = 0;
    if (!json_object_is_type(object, json_type_object))
        return;
    struct json_object_iterator at;
    json_each(at, object)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *value = json_object_iter_peek_value(&at);
        if (!value && n < ARRAY_SIZE(gone))
            gone[n++] = key;
    }
    for (size_t i = 0; i < n; i++)
        json_object_object_del(object, gone[i]);
}

static int check_room(struct service *service, const struct principal *principal, struct err *err)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set_for(service, principal);
    if (!set)
        return err_set(err, ERR_MEMORY, "no memory for the connections");
    if (set->missing[0])
        return err_set(err, ERR_UNAVAILABLE, "%s", set->missing);
    size_t own = 0;
    for (size_t i = 0; i < set->slot_count; i++)
        own += !connection_shared(set->slots[i].connection);
    if (own < OWN_MAX)
        return 0;
    return err_set(err, ERR_CONFLICT,
                   "%d connections is as many as one user may have; remove one that is not needed",
                   OWN_MAX);
}

/* Whether the principal may have a connection of its own at all. */
static int check_user(const struct principal *principal, struct err *err)
{
    if (principal->bound)
        return err_set(err, ERR_FORBIDDEN,
                       "this token is bound to some connections, so it could not see a new one; "
                       "use one that is not");
    if (strlen(principal->id) != 36)
        return err_set(err, ERR_FORBIDDEN,
                       "this token is of the operator's file and belongs to no user who could own "
                       "a connection; make one with `sonde user add` and `sonde token create`");
    return 0;
}

static int add(struct draft *draft, const char *source, struct buf *out, char ret_id[37],
               struct err *err)
{
    struct service *service = draft->service;
    struct connection_row row;
    char id[37];
    uuid7(id);
    drop_nulls(draft->document);
    drop_nulls(json_member(draft->document, "connection_config"));
    int r = draft_read(draft, id, NULL, err);
    if (!r)
        r = draft_check_name(draft, err);
    if (!r)
        r = draft_row(draft, &row, err);
    if (r)
        return r;
    row.source = source;
    row.created_ms = row.updated_ms = clock_unix_ns() / NS_PER_MS;
    r = store_connection_add(service->kept.store, &row, err);
    if (r == ERR_CONFLICT)
        return err_set(err, r,
                       "name: you have a connection \"%s\" already; take another name, or change "
                       "that one",
                       row.name);
    if (!r && out)
        r = manage_show(service, draft->principal, id, out, NULL, err);
    if (!r && ret_id)
        memcpy(ret_id, id, sizeof id);
    return r;
}

int manage_add(struct service *service, const struct principal *principal, const char *body,
               size_t size, const char *source, struct buf *out, char ret_id[37],
               struct manage_mistakes *mistakes, struct err *err)
{
    uint64_t ignored = 0;
    struct draft draft;
    int r = manage_may(principal, RIGHT_MANAGE, "add connections", err);
    if (!r)
        r = manage_needs_store(service, err);
    if (!r)
        r = check_user(principal, err);
    if (!r)
        r = check_room(service, principal, err);
    if (r)
        return r;
    r = draft_init(&draft, service, principal, mistakes, err);
    if (!r)
        r = draft_body(&draft, body, size, &draft.document, &ignored, err);
    if (!r)
        r = add(&draft, source, out, ret_id, err);
    draft_finish(&draft);
    return r;
}
