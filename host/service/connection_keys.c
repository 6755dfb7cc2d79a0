/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a connection that hold no login: tags, limits, links, filters, and the parameters of its adapter. */
#include "service/connection_reader.h"

#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/str.h"

static const char *const common_keys[] = {
    "name",         "backend", "url",   "description", "default", "tags",   "timeout_seconds",
    "query_limits", "auth",    "tls",   "proxy",       "headers", "tenant", "http2",
    "ui",           "enforce", "access"};
/* Those that stand beside connection_config, not in it. */
static const char *const outer_keys[] = {"name", "backend", "description", "default", "tags"};
static const char *const later_keys[] = {"term_match", "mask"};

const char *reader_copy(struct reader *reader, const char *text)
{
    return arena_strdup(&reader->connection->arena, text);
}

void reader_text(struct reader *reader, const struct node *map, const char *key,
                 const char **ret_text)
{
    const struct node *node = node_get(map, key);
    const char *text;
    if (node && check_text(reader->check, node, &text))
        *ret_text = reader_copy(reader, text);
}

void reader_bool(struct reader *reader, const struct node *map, const char *key, bool *ret_value)
{
    const struct node *node = node_get(map, key);
    if (node)
        check_bool(reader->check, node, ret_value);
}

void reader_note_secret(struct reader *reader, const struct node *node)
{
    struct connection_reading *reading = reader->reading;
    if (!reading->literal_secret)
        reading->literal_secret = node;
    if (!reading->kept)
        return;
    if (reading->secret_count < CONNECTION_SECRETS_MAX)
        reading->secrets[reading->secret_count++] = node;
    else
        check_fail(reader->check, node, "more than %d secrets in one connection",
                   CONNECTION_SECRETS_MAX);
}

/* The text of {"sealed": TEXT}, or NULL. */
static const char *sealed_in(const struct node *node)
{
    const struct node *sealed = node->child_count == 1 ? node_get(node, "sealed") : NULL;
    return sealed && sealed->type == NODE_SCALAR ? sealed->value : NULL;
}

/* NULL after a mistake. */
static struct secret *open_sealed(struct reader *reader, const struct node *node,
                                  const char *sealed)
{
    const struct connection_kept *kept = reader->reading->kept;
    struct seal_place place = {.table = "observability_connections",
                               .row_id = kept->id,
                               .user_id = kept->owner,
                               .field = node_path(reader->map, node, reader->check->arena)};
    struct secret *secret = NULL;
    struct err err = {0};
    if (!kept->keyring)
        check_fail(reader->check, node, "sealed values are not taken; give the value itself");
    else if (unseal(kept->keyring, &place, sealed, &secret, &err))
        check_fail(reader->check, node, "%s", err.text);
    return secret;
}

int reader_kept_secret(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    const char *sealed = sealed_in(node);
    if (sealed) {
        struct secret *secret = open_sealed(reader, node, sealed);
        if (secret)
            *ret = (struct secret_ref){.kind = SECRET_LITERAL, .literal = secret};
        return secret ? 0 : -1;
    }
    if (node_get(node, "masked")) {
        check_fail(reader->check, node,
                   "masked, and there is no stored secret here that it could stand for; give the "
                   "value itself");
        return -1;
    }
    if (reader->reading->kept->local)
        return 1;
    check_fail(reader->check, node,
               "expected the secret itself, a text: env, file and exec would spend what the server "
               "may read, so they are for the operator's and the local user's connections");
    return -1;
}

void reader_outer_keys(struct reader *reader)
{
    static const char *const keys[] = {"name",       "backend_type", "connection_config",
                                       "is_enabled", "description",  "is_default",
                                       "tags"};
    struct connection *connection = reader->connection;
    if (!reader->reading->kept) {
        reader_bool(reader, reader->outer, "default", &connection->is_default);
        return;
    }
    check_keys(reader->check, reader->outer, keys, ARRAY_SIZE(keys), NULL, 0);
    reader_bool(reader, reader->outer, "is_default", &connection->is_default);
    bool enabled = true;
    reader_bool(reader, reader->outer, "is_enabled", &enabled);
    connection->disabled = !enabled;
    for (size_t i = 0; i < ARRAY_SIZE(outer_keys); i++) {
        const struct node *node = node_get(reader->map, outer_keys[i]);
        if (node)
            check_fail(reader->check, node, "stands beside connection_config, not in it");
    }
    const struct node *access = node_get(reader->map, "access");
    if (access)
        check_fail(reader->check, access, "is for the operator's file only");
}

void reader_description(struct reader *reader)
{
    const struct node *node = node_get(reader->outer, "description");
    const char *text;
    if (!node || node_is_null(node) || (node->type == NODE_SCALAR && !*node->value) ||
        !check_text(reader->check, node, &text))
        return;
    if (strlen(text) > DESCRIPTION_MAX)
        check_fail(reader->check, node, "%zu bytes, at most %d are kept", strlen(text),
                   DESCRIPTION_MAX);
    else
        reader->connection->description = reader_copy(reader, text);
}

/* With a login in it, it is a secret of a row. */
void reader_proxy(struct reader *reader)
{
    const struct node *node = node_get(reader->map, "proxy");
    const char *address = NULL;
    if (!node)
        return;
    const char *sealed = reader->reading->kept && node->type == NODE_MAP ? sealed_in(node) : NULL;
    if (sealed) {
        CLEANUP(secret_freep) struct secret *secret = open_sealed(reader, node, sealed);
        if (secret)
            reader->connection->proxy = reader_copy(reader, secret_reveal(secret));
        return;
    }
    if (!check_proxy(reader->check, node, &address))
        return;
    reader->connection->proxy = reader_copy(reader, address);
    if (strchr(address, '@'))
        reader_note_secret(reader, node);
}

void reader_enforce(struct reader *reader)
{
    const struct node *map = node_get(reader->map, "enforce");
    if (!map || !check_map(reader->check, map))
        return;
    struct connection *connection = reader->connection;
    if (map->child_count > ENFORCE_MAX) {
        check_fail(reader->check, map, "%zu filters, at most %d", map->child_count, ENFORCE_MAX);
        return;
    }
    connection->enforce =
        arena_alloc_array(&connection->arena, map->child_count + 1, sizeof *connection->enforce);
    for (size_t i = 0; connection->enforce && i < map->child_count; i++) {
        const struct node *node = map->children[i];
        const char *value;
        if (!*node->key)
            check_fail(reader->check, node, "expected a key such as namespace");
        else if (check_text(reader->check, node, &value))
            connection->enforce[connection->enforce_count++] =
                (struct sonde_pair){reader_copy(reader, node->key), reader_copy(reader, value)};
    }
}

void reader_access(struct reader *reader)
{
    static const char *const keys[] = {"users"};
    const struct node *access = node_get(reader->map, "access");
    if (!access || reader->reading->kept)
        return;
    const struct node *users = node_get(access, "users");
    const char *const *names = NULL;
    size_t n = 0;
    if (access->type != NODE_MAP || !users) {
        check_fail(reader->check, access, "expected {users: [NAME, ...]}");
        return;
    }
    check_keys(reader->check, access, keys, ARRAY_SIZE(keys), NULL, 0);
    if (!check_texts(reader->check, users, &names, &n))
        return;
    if (!n) { /* an empty list would read as "nobody" and work as "everybody" */
        check_fail(reader->check, users, "names nobody; remove the connection, or name users");
        return;
    }
    struct connection *connection = reader->connection;
    const char **copies = arena_alloc_array(&connection->arena, n, sizeof *copies);
    for (size_t i = 0; copies && i < n; i++)
        copies[i] = reader_copy(reader, names[i]);
    connection->access_users = copies;
    connection->access_user_count = copies ? n : 0;
}

void reader_tags(struct reader *reader)
{
    const struct node *tags = node_get(reader->outer, "tags");
    if (!tags || !check_map(reader->check, tags))
        return;
    struct connection *connection = reader->connection;
    if (tags->child_count > TAGS_MAX) {
        check_fail(reader->check, tags, "%zu tags, at most %d", tags->child_count, TAGS_MAX);
        return;
    }
    connection->tags =
        arena_alloc_array(&connection->arena, tags->child_count + 1, sizeof *connection->tags);
    for (size_t i = 0; connection->tags && i < tags->child_count; i++) {
        const struct node *node = tags->children[i];
        const char *value;
        if (!check_text(reader->check, node, &value))
            continue;
        if (strpbrk(node->key, ",=/*? ") || strpbrk(value, ",/*?"))
            check_fail(reader->check, node,
                       "tags are written KEY=VALUE when connections are chosen, so neither may "
                       "hold , / * ? and a key no = or blank");
        connection->tags[connection->tag_count++] =
            (struct sonde_pair){reader_copy(reader, node->key), reader_copy(reader, value)};
    }
}

void reader_ui(struct reader *reader)
{
    static const char *const keys[] = {"kind", "url", "param"};
    const struct node *ui = node_get(reader->map, "ui");
    if (!ui || !check_map(reader->check, ui))
        return;
    struct connection *connection = reader->connection;
    check_keys(reader->check, ui, keys, ARRAY_SIZE(keys), NULL, 0);
    reader_text(reader, ui, "kind", &connection->ui_kind);
    reader_text(reader, ui, "url", &connection->ui_url);
    reader_text(reader, ui, "param", &connection->ui_param);
    const struct node *url = node_get(ui, "url");
    const char *wrong = connection->ui_url ? check_url_text(connection->ui_url, false) : NULL;
    if (wrong)
        check_fail(reader->check, url, "not a URL such as https://grafana.example: %s", wrong);
}

void reader_limits(struct reader *reader)
{
    static const char *const keys[] = {"max_samples", "max_time_range_hours"};
    const struct node *limits = node_get(reader->map, "query_limits");
    if (!limits || !check_map(reader->check, limits))
        return;
    check_keys(reader->check, limits, keys, ARRAY_SIZE(keys), NULL, 0);
    const struct node *samples = node_get(limits, "max_samples");
    int64_t count;
    if (samples && check_whole(reader->check, samples, 1, INT64_C(1000000000000), &count))
        reader->connection->max_samples = (uint64_t)count;
    const struct node *range = node_get(limits, "max_time_range_hours");
    double hours;
    if (!range)
        return;
    if (range->type != NODE_SCALAR || str_to_double(range->value, &hours) || !(hours > 0) ||
        hours > 876000)
        check_fail(reader->check, range, "expected hours, more than 0 and at most 876000, got %s",
                   check_found(reader->check, range));
    else
        reader->connection->max_time_range_ns = (int64_t)(hours * (double)NS_PER_HOUR);
}

static const struct sonde_param *find_param(const struct adapter *adapter, const char *key)
{
    for (size_t i = 0; i < adapter->table.param_count; i++)
        if (str_eq(adapter->table.params[i]->key, key))
            return adapter->table.params[i];
    return NULL;
}

/* The value as the user wrote it; lists joined by newlines. NULL after a mistake. */
static const char *param_text(struct reader *reader, const struct sonde_param *param,
                              const struct node *node)
{
    int64_t number;
    bool truth;
    const char *text;
    const char *const *texts;
    size_t n;
    switch (param->type) {
    case SONDE_PARAM_INTEGER:
        return check_whole(reader->check, node, INT64_MIN, INT64_MAX, &number) ? node->value : NULL;
    case SONDE_PARAM_BOOLEAN:
        return check_bool(reader->check, node, &truth) ? node->value : NULL;
    case SONDE_PARAM_DURATION:
        return check_duration(reader->check, node, 0, 100 * 365 * NS_PER_DAY, &number) ? node->value
                                                                                       : NULL;
    case SONDE_PARAM_LIST:
        if (!check_texts(reader->check, node, &texts, &n))
            return NULL;
        text = "";
        for (size_t i = 0; text && i < n; i++) {
            if (strchr(texts[i], '\n')) {
                check_fail(reader->check, node, "holds a line break");
                return NULL;
            }
            text = arena_printf(reader->check->arena, "%s%s%s", text, i ? "\n" : "", texts[i]);
        }
        return text;
    default:
        return check_text(reader->check, node, &text) ? text : NULL;
    }
}

static void add_param(struct reader *reader, const struct sonde_param *param,
                      const struct node *node)
{
    struct connection *connection = reader->connection;
    struct connection_param *out = &connection->params[connection->param_count];
    for (size_t i = 0; i < connection->param_count; i++) {
        if (!str_eq(connection->params[i].key, param->key))
            continue;
        check_fail(reader->check, node, "%s is given twice", param->key);
        return;
    }
    *out = (struct connection_param){.key = reader_copy(reader, param->key)};
    if (param->flags & SONDE_PARAM_SECRET) {
        if (!reader_secret(reader, node, &out->secret))
            return;
    } else {
        const char *text = param_text(reader, param, node);
        if (!text)
            return;
        out->value = reader_copy(reader, text);
    }
    connection->param_count++;
}

static bool opens_params(const struct adapter *adapter, const char *prefix)
{
    size_t size = strlen(prefix);
    for (size_t i = 0; i < adapter->table.param_count; i++) {
        const char *key = adapter->table.params[i]->key;
        if (str_starts(key, prefix) && key[size] == '.')
            return true;
    }
    return false;
}

static void unknown_key(struct reader *reader, const struct node *node, const char *dotted)
{
    const char *names[MAX_KEYS];
    size_t n = 0;
    const struct sonde_plugin *table = &reader->adapter->table;
    for (size_t i = 0; i < table->param_count && n < MAX_KEYS / 2; i++)
        names[n++] = table->params[i]->key;
    for (size_t i = 0; i < ARRAY_SIZE(common_keys); i++)
        names[n++] = common_keys[i];
    const char *near = str_nearest(dotted, names, n);
    if (near)
        check_fail(reader->check, node, "unknown key; did you mean \"%s\"?", near);
    else
        check_unknown_key(reader->check, node, names, n);
}

/* Nested maps become dotted keys; depth is bounded by the tree's. */
static void read_params(struct reader *reader, const struct node *node, const char *dotted)
{
    const struct sonde_param *param = find_param(reader->adapter, dotted);
    if (param) {
        add_param(reader, param, node);
        return;
    }
    if (node->type != NODE_MAP || !opens_params(reader->adapter, dotted)) {
        unknown_key(reader, node, dotted);
        return;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        const char *longer =
            arena_printf(reader->check->arena, "%s.%s", dotted, node->children[i]->key);
        if (longer)
            read_params(reader, node->children[i], longer);
    }
}

static bool is_common(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(common_keys); i++)
        if (str_eq(common_keys[i], key))
            return true;
    return false;
}

void reader_all_params(struct reader *reader)
{
    struct connection *connection = reader->connection;
    const struct sonde_plugin *table = reader->adapter ? &reader->adapter->table : NULL;
    if (table)
        connection->params = arena_alloc_array(&connection->arena, table->param_count + 1,
                                               sizeof *connection->params);
    for (size_t i = 0; i < reader->map->child_count; i++) {
        const struct node *node = reader->map->children[i];
        if (is_common(node->key) ||
            check_later_key(reader->check, node, later_keys, ARRAY_SIZE(later_keys)))
            continue;
        if (table && connection->params)
            read_params(reader, node, node->key);
    }
    size_t before = reader->check->total;
    for (size_t i = 0; table && i < table->param_count && reader->check->total == before; i++) {
        const struct sonde_param *param = table->params[i];
        bool given = false;
        for (size_t k = 0; k < connection->param_count; k++)
            given |= str_eq(connection->params[k].key, param->key);
        if (!given && (param->flags & SONDE_PARAM_REQUIRED) && !param->def &&
            !node_get(reader->map, param->key))
            check_fail(reader->check, reader->map,
                       "the key \"%s\" is missing, which backend %s needs: %s", param->key,
                       table->name, param->help ? param->help : "it has no default");
    }
}
