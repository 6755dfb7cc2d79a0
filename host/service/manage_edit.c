/* SPDX-License-Identifier: Apache-2.0 */
#include "service/manage_internal.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "secrets/sealed_json.h"

static int no_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY, "no memory for the connection");
}

/* Takes value over. */
static int put(struct json_object *object, const char *key, struct json_object *value,
               struct err *err)
{
    if (!json_object_object_add(object, key, value))
        return 0;
    json_object_put(value);
    return no_memory(err);
}

static int put_json(struct json_object *object, const char *key, const char *text, struct err *err)
{
    struct json_object *value = NULL;
    if (!text || !*text)
        text = "{}";
    int r = json_parse(text, strlen(text), BODY_DEPTH, &value, err);
    if (r)
        return r;
    return put(object, key, value, err);
}

/* The document the row was made from, secrets sealed. */
static int row_document(const struct connection_row *row, struct json_object **ret_document,
                        struct err *err)
{
    struct json_object *document CLEANUP(json_putp) = json_object_new_object();
    if (!document)
        return no_memory(err);
    int r = put(document, "name", json_object_new_string(row->name), err);
    if (!r)
        r = put(document, "backend_type", json_object_new_string(row->backend_type), err);
    if (!r && row->description && *row->description)
        r = put(document, "description", json_object_new_string(row->description), err);
    if (!r)
        r = put(document, "is_enabled", json_object_new_boolean(row->enabled), err);
    if (!r)
        r = put(document, "is_default", json_object_new_boolean(row->is_default), err);
    if (!r)
        r = put_json(document, "tags", row->tags, err);
    if (!r)
        r = put_json(document, "connection_config", row->config, err);
    if (!r)
        *ret_document = STEAL(document);
    return r;
}

static bool is_masked(struct json_object *value)
{
    return json_object_get_boolean(json_member(value, "masked"));
}

/*
 * Puts what is stored in place of each masked secret of value, which stands where stored does. One that stands for nothing stays, for the
 * reader to refuse. Depth is bounded by the parser's.
 */
static int unmask(struct json_object *value, struct json_object *stored, struct err *err)
{
    if (!json_object_is_type(value, json_type_object))
        return 0;
    struct json_object_iterator at;
    json_each(at, value)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *member = json_object_iter_peek_value(&at);
        struct json_object *there = json_member(stored, key);
        int r = 0;
        if (!is_masked(member))
            r = unmask(member, there, err);
        else if (sealed_text(there) && json_object_object_add(value, key, json_object_get(there)))
            r = no_memory(err);
        if (r)
            return r;
    }
    return 0;
}

static int merge_config(struct json_object *document, struct json_object *given, struct err *err)
{
    struct json_object *config = json_member(document, "connection_config");
    int r = unmask(given, config, err);
    if (r)
        return r;
    struct json_object_iterator at;
    json_each(at, given)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *value = json_object_iter_peek_value(&at);
        if (!value)
            json_object_object_del(config, key);
        else if (json_object_object_add(config, key, json_object_get(value)))
            return no_memory(err);
    }
    return 0;
}

/* Scheme, host and port of a URL, as written. */
static size_t origin_size(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strlen(url);
}

static bool same_origin(struct json_object *before, struct json_object *after, const char *key)
{
    const char *a = json_string_of(before, key);
    const char *b = json_string_of(after, key);
    if (!a || !b)
        return a == b;
    size_t size = origin_size(a);
    return size == origin_size(b) && strncasecmp(a, b, size) == 0;
}

static bool same_member(struct json_object *before, struct json_object *after, const char *key)
{
    return json_object_equal(json_member(before, key), json_member(after, key));
}

/* The first sealed value that is still there. */
static int first_sealed(void *user, const char *field, const char *sealed,
                        struct json_object **ret_value, struct err *err)
{
    (void)sealed;
    (void)ret_value;
    return err_set(err, ERR_INVALID,
                   "connection_config.%s: %s was changed, so secrets go another way: give this one "
                   "again, masked it does not go along",
                   field, (const char *)user);
}

/*
 * Secrets are write-only: who may change where a connection sends, but does not know its secrets, must not have them sent to a place of
 * their own.
 */
static int keep_secrets_home(const struct connection_row *row, struct json_object *after,
                             struct err *err)
{
    struct json_object *before CLEANUP(json_putp) = NULL;
    int r = json_parse(row->config, strlen(row->config), BODY_DEPTH, &before, err);
    if (r)
        return r;
    struct json_object *auth = json_member(before, "auth");
    struct json_object *auth_after = json_member(after, "auth");
    const char *moved = !same_origin(before, after, "url")            ? "url"
                        : !same_origin(auth, auth_after, "token_url") ? "auth.token_url"
                        : !same_member(before, after, "proxy")        ? "proxy"
                                                                      : NULL;
    return moved ? sealed_walk(after, first_sealed, (void *)(uintptr_t)moved, err) : 0;
}

/* What the body says takes the place of what was; what it leaves out stays. */
static int merge(struct json_object *document, struct json_object *body, struct err *err)
{
    struct json_object_iterator at;
    json_each(at, body)
    {
        const char *key = json_object_iter_peek_name(&at);
        struct json_object *value = json_object_iter_peek_value(&at);
        int r = 0;
        if (str_eq(key, "connection_config") && json_object_is_type(value, json_type_object))
            r = merge_config(document, value, err);
        else if (!value && (str_eq(key, "description") || str_eq(key, "tags")))
            json_object_object_del(document, key);
        else
            r = put(document, key, json_object_get(value), err);
        if (r)
            return r;
    }
    return 0;
}

static int check_backend(struct json_object *body, const struct connection_row *row,
                         struct err *err)
{
    struct json_object *given = json_member(body, "backend_type");
    const char *backend = json_string_of(body, "backend_type");
    if (!given || (backend && str_eq(backend, row->backend_type)))
        return 0;
    return err_set(err, ERR_INVALID,
                   "backend_type: is \"%s\" and stays so; make another connection for another "
                   "backend",
                   row->backend_type);
}

/* A connection that cannot even be read, for its adapter or key is gone, may still be disabled. */
static bool only_disables(struct json_object *body)
{
    struct json_object *enabled = json_member(body, "is_enabled");
    return json_object_object_length(body) == 1 &&
           json_object_is_type(enabled, json_type_boolean) && !json_object_get_boolean(enabled);
}

static int write_row(struct draft *draft, struct connection_row *row, uint64_t revision,
                     struct err *err)
{
    row->revision = revision;
    row->updated_ms = clock_unix_ns() / NS_PER_MS;
    int r = store_connection_update(draft->service->kept.store, row, err);
    return r;
}

static int edit(struct draft *draft, struct json_object *body, const struct managed *found,
                uint64_t revision, struct err *err)
{
    const struct connection_row *before = &found->row;
    struct connection_row row = *before;
    if (revision && revision != before->revision)
        return err_set(err, ERR_CONFLICT,
                       "the connection was changed meanwhile: its revision is %" PRIu64
                       ", not %" PRIu64 "; read it again",
                       before->revision, revision);
    int r = check_backend(body, before, err);
    if (!r)
        r = row_document(before, &draft->document, err);
    if (!r)
        r = merge(draft->document, body, err);
    if (!r)
        r = keep_secrets_home(before, json_member(draft->document, "connection_config"), err);
    if (r == ERR_INVALID)
        draft_note(draft, err);
    if (r)
        return r;
    struct err unread = {0};
    r = draft_read(draft, before->id, draft->service->kept.keyring, &unread);
    if (r && !only_disables(body)) {
        *err = unread;
        return r;
    }
    if (r) {
        row.enabled = false;
        draft->mistakes->count = 0;
        return write_row(draft, &row, before->revision, err);
    }
    if (!str_eq(draft->connection->name, before->name))
        r = draft_check_name(draft, err);
    if (!r)
        r = draft_row(draft, &row, err);
    if (!r)
        row.source = before->source;
    if (!r)
        r = write_row(draft, &row, before->revision, err);
    return r;
}

int manage_edit(struct service *service, const struct principal *principal, const char *id,
                const char *body, size_t size, uint64_t revision, struct buf *out,
                uint64_t *ret_revision, struct manage_mistakes *mistakes, struct err *err)
{
    struct managed found;
    struct draft draft;
    struct json_object *object CLEANUP(json_putp) = NULL;
    uint64_t told = 0;
    int r = manage_find_own(service, principal, id, &found, err);
    if (r)
        return r;
    r = draft_init(&draft, service, principal, mistakes, err);
    if (!r)
        r = draft_body(&draft, body, size, &object, &told, err);
    if (!r)
        r = edit(&draft, object, &found, revision ? revision : told, err);
    draft_finish(&draft);
    if (!r && (out || ret_revision)) {
        struct buf unused = BUF(BODY_MAX * 4);
        r = manage_show(service, principal, found.row.id, out ? out : &unused, ret_revision, err);
        buf_finish(&unused);
    }
    managed_finish(&found);
    return r;
}
