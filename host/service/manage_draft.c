/* SPDX-License-Identifier: Apache-2.0 */
/* From the JSON of a body to a row: read by the one reader of connections, then every secret sealed. */
#include "service/manage_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "secrets/sealed_json.h"

#define DRAFT_MAX_BYTES ((size_t)8 << 20)

int draft_init(struct draft *draft, struct service *service, const struct principal *principal,
               struct manage_mistakes *mistakes, struct err *err)
{
    *draft = (struct draft){.service = service, .principal = principal, .mistakes = mistakes};
    arena_init(&draft->arena, DRAFT_MAX_BYTES, NULL);
    if (!mistakes)
        draft->mistakes = draft->own_mistakes = mem_alloc(sizeof *draft->mistakes);
    if (!draft->mistakes)
        return err_set(err, ERR_MEMORY, "no memory for the connection");
    draft->mistakes->count = 0;
    return 0;
}

void draft_finish(struct draft *draft)
{
    connection_unref(draft->connection);
    json_object_put(draft->document);
    mem_free(draft->own_mistakes);
    arena_finish(&draft->arena);
}

static int refuse_sealed(void *user, const char *field, const char *sealed,
                         struct json_object **ret_value, struct err *err)
{
    (void)user;
    (void)sealed;
    (void)ret_value;
    return err_set(err, ERR_INVALID, "%s: sealed values are not taken; give the value itself",
                   field);
}

/* What a document shows and nobody can set, so that a document read may be sent back. */
static void drop_shown(struct json_object *body)
{
    static const char *const shown[] = {"id",     "owner",      "source",    "revision",
                                        "health", "created_at", "updated_at"};
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        json_object_object_del(body, shown[i]);
}

int draft_body(struct draft *draft, const char *body, size_t size, struct json_object **ret_body,
               uint64_t *ret_revision, struct err *err)
{
    (void)draft;
    struct json_object *object CLEANUP(json_putp) = NULL;
    if (size > BODY_MAX)
        return err_set(err, ERR_LIMIT,
                       "a body of %zu bytes; %zu are taken, of which connection_config may be %zu",
                       size, BODY_MAX, CONFIG_MAX_BYTES);
    int r = json_parse(body, size, BODY_DEPTH, &object, err);
    if (r)
        return r;
    if (!json_object_is_type(object, json_type_object))
        return err_set(err, ERR_INVALID,
                       "expected an object such as {\"name\": ..., \"backend_type\": ..., "
                       "\"connection_config\": {...}}");
    r = sealed_walk(object, refuse_sealed, NULL, err);
    if (r)
        return r;
    int64_t revision = json_object_get_int64(json_member(object, "revision"));
    *ret_revision = revision > 0 ? (uint64_t)revision : 0;
    drop_shown(object);
    *ret_body = STEAL(object);
    return 0;
}

/* One that is not about a key of the body goes to the mistakes as well: callers may look there alone. */
void draft_note(struct draft *draft, const struct err *err)
{
    struct manage_mistakes *mistakes = draft->mistakes;
    if (!mistakes->count) {
        utf8_clean(mistakes->list[0].text, sizeof mistakes->list[0].text, err->text,
                   strlen(err->text));
        mistakes->count = 1;
    }
}

static int note(struct draft *draft, int code, const struct err *err)
{
    draft_note(draft, err);
    return code;
}

/* Parameters, login scheme, addresses: all that opening finds out. */
static int try_open(struct draft *draft, struct err *err)
{
    struct backend *backend = NULL;
    int r = backend_open(draft->service->engine, draft->connection, &backend, err);
    if (!r && !backend_has_endpoint(backend))
        r = err_set(err, ERR_INVALID, "url: missing; give one such as https://prometheus.example");
    backend_unref(backend);
    if (!r)
        return 0;
    err_prefix(err, "connection_config: ");
    if (r == ERR_MEMORY)
        return r;
    err->code = ERR_INVALID;
    return note(draft, ERR_INVALID, err);
}

int draft_read(struct draft *draft, const char *id, struct keyring *keyring, struct err *err)
{
    CLEANUP(set_unrefp) struct connection_set *set = service_set(draft->service);
    CLEANUP(buf_finish) struct buf json = BUF(NODE_MAX_TEXT);
    buf_json_object(&json, draft->document);
    if (json.failed)
        return err_set(err, ERR_MEMORY, "no memory for the connection");
    int r = node_parse(json.data, json.size, "", &draft->arena, &draft->root, err);
    if (r)
        return r == ERR_INVALID ? note(draft, r, err) : r;
    draft->kept = (struct connection_kept){.id = id,
                                           .owner = draft->principal->id,
                                           .local = draft->principal->local,
                                           .keyring = keyring};
    draft->check = (struct check){
        .root = draft->root, .arena = &draft->arena, .mistakes = draft->mistakes->list};
    draft->reading = (struct connection_reading){.check = &draft->check,
                                                 .registry = draft->service->registry,
                                                 .timeout_ns = set->config->limit_timeout_ns,
                                                 .kept = &draft->kept};
    draft->connection = connection_read(&draft->reading, draft->root);
    draft->mistakes->count = draft->check.count;
    if (!draft->connection)
        return check_result(&draft->check, err) ? ERR_INVALID
                                                : err_set(err, ERR_MEMORY, "no memory for it");
    struct json_object *config = json_member(draft->document, "connection_config");
    buf_clear(&json);
    buf_json_object(&json, config);
    if (json.failed || json.size > CONFIG_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "connection_config: %zu bytes, at most %zu are kept",
                       json.size, CONFIG_MAX_BYTES);
    return try_open(draft, err);
}

int draft_check_name(struct draft *draft, struct err *err)
{
    CLEANUP(set_unrefp)
    struct connection_set *set = service_set_for(draft->service, draft->principal);
    for (size_t i = 0; set && i < set->slot_count; i++) {
        const struct connection *other = set->slots[i].connection;
        if (!connection_shared(other) || !str_eq(other->name, draft->connection->name))
            continue;
        return err_set(err, ERR_CONFLICT,
                       "name: \"%s\" is a connection of the operator's; take another name",
                       other->name);
    }
    return set ? 0 : err_set(err, ERR_MEMORY, "no memory for the connections");
}

static bool is_secret(const struct draft *draft, const struct node *node)
{
    for (size_t i = 0; i < draft->reading.secret_count; i++)
        if (draft->reading.secrets[i] == node)
            return true;
    return false;
}

/* The tree was parsed from the document, so both have the same shape. Depth is bounded by the parser's. */
static int seal_below(struct draft *draft, const struct node *config, const struct node *node,
                      struct json_object *value, struct err *err)
{
    for (size_t i = 0; node->type == NODE_MAP && i < node->child_count; i++) {
        const struct node *child = node->children[i];
        struct json_object *member = json_member(value, child->key);
        int r = 0;
        if (is_secret(draft, child)) {
            struct seal_place place = {.table = "observability_connections",
                                       .row_id = draft->kept.id,
                                       .user_id = draft->kept.owner,
                                       .field = node_path(config, child, &draft->arena)};
            struct json_object *sealed = NULL;
            size_t size = strlen(child->value);
            while (size && (child->value[size - 1] == '\n' || child->value[size - 1] == '\r'))
                size--; /* as the reader takes it */
            r = sealed_make(draft->service->kept.keyring, &place, child->value, size, &sealed, err);
            if (!r && json_object_object_add(value, child->key, sealed)) {
                json_object_put(sealed);
                r = err_set(err, ERR_MEMORY, "no memory for a secret");
            }
        } else {
            r = seal_below(draft, config, child, member, err);
        }
        if (r)
            return r;
    }
    return 0;
}

static const char *text_of(struct draft *draft, struct json_object *object, size_t max)
{
    struct buf json = BUF(max);
    buf_json_object(&json, object);
    const char *text = json.failed ? NULL : arena_strdup(&draft->arena, buf_text(&json));
    buf_finish(&json);
    return text;
}

int draft_row(struct draft *draft, struct connection_row *ret_row, struct err *err)
{
    struct json_object *config = json_member(draft->document, "connection_config");
    const struct node *node = node_get(draft->root, "connection_config");
    struct json_object *tags = json_member(draft->document, "tags");
    const struct connection *connection = draft->connection;
    int r = seal_below(draft, node, node, config, err);
    if (r)
        return r;
    struct connection_row row = {.name = connection->name,
                                 .description =
                                     connection->description ? connection->description : "",
                                 .backend_type = connection->backend,
                                 .config = text_of(draft, config, 4 * CONFIG_MAX_BYTES),
                                 .tags = tags ? text_of(draft, tags, BODY_MAX) : "{}",
                                 .enabled = !connection->disabled,
                                 .is_default = connection->is_default,
                                 .revision = 1,
                                 .health_error = ""};
    snprintf(row.id, sizeof row.id, "%s", draft->kept.id);
    snprintf(row.user_id, sizeof row.user_id, "%s", draft->kept.owner);
    if (!row.config || !row.tags)
        return err_set(err, ERR_MEMORY, "no memory for the connection");
    *ret_row = row;
    return 0;
}
