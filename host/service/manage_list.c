/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LIST_MAX_BYTES ((size_t)64 << 20)
#define LIMIT_MAX 200

/* Where one page ends and the next begins: names may come twice, a user's own and the operator's. */
static int compare(const struct connection *a, const char *name, const char *id)
{
    int order = strcmp(a->name, name);
    return order ? order : strcmp(a->id, id);
}

static int by_name(const void *a, const void *b)
{
    const struct connection *other = (*(struct slot *const *)b)->connection;
    return compare((*(struct slot *const *)a)->connection, other->name, other->id);
}

static bool has_tag(const struct connection *connection, const char *tag)
{
    const char *equals = strchr(tag, '=');
    size_t size = equals ? (size_t)(equals - tag) : strlen(tag);
    for (size_t i = 0; i < connection->tag_count; i++)
        if (strlen(connection->tags[i].key) == size &&
            memcmp(connection->tags[i].key, tag, size) == 0 &&
            (!equals || str_eq(connection->tags[i].value, equals + 1)))
            return true;
    return false;
}

/* "NAME:ID": names hold no colon. */
static int read_cursor(const char *cursor, struct arena *arena, const char **ret_name,
                       const char **ret_id, struct err *err)
{
    const char *colon = strchr(cursor, ':');
    char *name = colon ? arena_strndup(arena, cursor, (size_t)(colon - cursor)) : NULL;
    if (!name || connection_name_text(name) || strlen(colon + 1) != 36)
        return err_set(err, ERR_INVALID,
                       "cursor: not one that a page before gave; leave it out to begin anew");
    *ret_name = name;
    *ret_id = colon + 1;
    return 0;
}

static const struct connection_row *row_of(const struct connection_row *rows, size_t n,
                                           const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].id, id))
            return &rows[i];
    return NULL;
}

struct listing {
    struct arena arena;
    struct connection_set *set;
    struct connection_row *rows; /* of the own ones */
    size_t row_count;
    struct slot **slots;
    size_t count;
};

static int collect(struct listing *listing, const struct manage_filter *filter, struct err *err)
{
    const char *after_name = NULL;
    const char *after_id = NULL;
    int r = filter->cursor
                ? read_cursor(filter->cursor, &listing->arena, &after_name, &after_id, err)
                : 0;
    if (r)
        return r;
    listing->slots =
        arena_alloc_array(&listing->arena, listing->set->slot_count + 1, sizeof(struct slot *));
    if (!listing->slots)
        return err_set(err, ERR_MEMORY, "no memory for the list");
    for (size_t i = 0; i < listing->set->slot_count; i++) {
        struct slot *slot = &listing->set->slots[i];
        const struct connection *connection = slot->connection;
        if ((filter->backend_type && !str_eq(connection->backend, filter->backend_type)) ||
            (filter->tag && !has_tag(connection, filter->tag)) ||
            (after_name && compare(connection, after_name, after_id) <= 0))
            continue;
        listing->slots[listing->count++] = slot;
    }
    if (listing->count)
        qsort(listing->slots, listing->count, sizeof(struct slot *), by_name);
    return 0;
}

static int write_page(const struct listing *listing, size_t limit, struct buf *out, struct err *err)
{
    size_t shown = 0;
    const struct connection *last = NULL;
    buf_add(out, "{\"connections\":[");
    for (size_t i = 0; i < listing->count && shown < limit; i++) {
        const struct slot *slot = listing->slots[i];
        const struct connection_row *row = NULL;
        if (!connection_shared(slot->connection)) {
            row = row_of(listing->rows, listing->row_count, slot->connection->id);
            if (!row)
                continue; /* removed since */
        }
        buf_json_sep(out);
        int r = manage_document(slot, row, out, err);
        if (r)
            return r;
        last = slot->connection;
        shown++;
    }
    buf_add(out, "],\"next_cursor\":");
    if (last && listing->slots[listing->count - 1]->connection != last && shown == limit)
        buf_printf(out, "\"%s:%s\"}", last->name, last->id);
    else
        buf_add(out, "null}");
    return out->failed ? err_set(err, ERR_LIMIT, "the list is too large; ask for fewer at once")
                       : 0;
}

static int list(struct service *service, const struct principal *principal,
                const struct manage_filter *filter, struct listing *listing, struct buf *out,
                struct err *err)
{
    listing->set = service_set_for(service, principal);
    if (!listing->set)
        return err_set(err, ERR_MEMORY, "no memory for the list");
    if (listing->set->missing[0])
        return err_set(err, ERR_UNAVAILABLE, "%s", listing->set->missing);
    bool own = false;
    for (size_t i = 0; i < listing->set->slot_count; i++)
        own |= !connection_shared(listing->set->slots[i].connection);
    int r = own ? store_connections(service->kept.store, principal->id, NULL, OWN_MAX,
                                    &listing->arena, &listing->rows, &listing->row_count, err)
                : 0;
    if (!r)
        r = collect(listing, filter, err);
    if (!r)
        r = write_page(listing, filter->limit, out, err);
    return r;
}

int manage_list(struct service *service, const struct principal *principal,
                const struct manage_filter *filter, struct buf *out, struct err *err)
{
    int r = manage_may(principal, RIGHT_READ, "see connections", err);
    if (!r && (!filter->limit || filter->limit > LIMIT_MAX))
        r = err_set(err, ERR_INVALID, "limit: expected 1 to %d", LIMIT_MAX);
    if (!r && filter->backend_type && !registry_find(service->registry, filter->backend_type)) {
        r = connection_no_adapter(service->registry, filter->backend_type, err);
        if (err)
            err->code = r = ERR_INVALID;
        err_prefix(err, "backend_type: ");
    }
    if (r)
        return r;
    struct listing listing = {0};
    arena_init(&listing.arena, LIST_MAX_BYTES, NULL);
    r = list(service, principal, filter, &listing, out, err);
    set_unref(listing.set);
    arena_finish(&listing.arena);
    return r;
}
