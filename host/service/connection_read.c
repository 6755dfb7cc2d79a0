/* SPDX-License-Identifier: Apache-2.0 */
#include "service/connection_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define MAX_KEYS 64

static const char *const common_keys[] = {
    "name",    "backend",         "url",          "description", "default",
    "tags",    "timeout_seconds", "query_limits", "auth",        "tls",
    "headers", "tenant",          "proxy",        "http2",       "ui"};
static const char *const later_keys[] = {"enforce", "access", "term_match", "mask"};

struct reader {
    struct connection_reading *reading;
    struct check *check;
    const struct adapter *adapter; /* NULL: unknown, parameters are not looked at */
    struct connection *connection;
    const struct node *map;
};

static const char *copy(struct reader *reader, const char *text)
{
    return arena_strdup(&reader->connection->arena, text);
}

static void read_text(struct reader *reader, const struct node *map, const char *key,
                      const char **ret_text)
{
    const struct node *node = node_get(map, key);
    const char *text;
    if (node && check_text(reader->check, node, &text))
        *ret_text = copy(reader, text);
}

static void read_bool(struct reader *reader, const struct node *map, const char *key,
                      bool *ret_value)
{
    const struct node *node = node_get(map, key);
    if (node)
        check_bool(reader->check, node, ret_value);
}

const char *connection_name_text(const char *name)
{
    size_t size = strlen(name);
    if (!size || size > CONNECTION_NAME_MAX)
        return "1 to 63 characters";
    if (str_eq_nocase(name, "all"))
        return "\"all\" means every connection; take another";
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (!i || !strchr("._-", c)))
            return "letters, digits, '.', '_' and '-', beginning with a letter or digit";
    }
    return NULL;
}

/* FNV-1a over 128 bits: prime 2^88 + 0x13b (Fowler, Noll, Vo). Stable for ever, unlike the keyed hash of maps. */
static void hash_128(const char *text, uint64_t *high, uint64_t *low)
{
    for (const char *c = text; *c; c++) {
        *low ^= (unsigned char)*c;
        uint64_t p0 = (*low & 0xffffffff) * 0x13b;
        uint64_t p1 = (*low >> 32) * 0x13b + (p0 >> 32);
        *high = *high * 0x13b + (p1 >> 32) + (*low << 24);
        *low = (p1 << 32) | (p0 & 0xffffffff);
    }
}

void connection_operator_id(const char *name, char out[37])
{
    uint64_t high = 0x6c62272e07bb0142;
    uint64_t low = 0x62b821756295c58d;
    hash_128("operator/", &high, &low);
    hash_128(name, &high, &low);
    high = (high & ~UINT64_C(0xf000)) | 0x8000;
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (unsigned i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[n++] = '-';
        uint64_t word = i < 16 ? high : low;
        out[n++] = digits[word >> (60 - 4 * (i % 16)) & 15];
    }
    out[n] = '\0';
}

int connection_no_adapter(const struct registry *registry, const char *backend, struct err *err)
{
    size_t n;
    const struct adapter *const *adapters = registry_adapters(registry, &n);
    size_t refused;
    const struct plugin_refusal *refusals = registry_refusals(registry, &refused);
    for (size_t i = 0; i < refused; i++)
        if (str_eq(refusals[i].name, backend))
            return err_set(err, ERR_NOT_FOUND, "the plugin for backend \"%s\" was refused: %s",
                           backend, refusals[i].reason);
    const char *names[MAX_KEYS];
    struct buf list = BUF(1024);
    for (size_t i = 0; i < n && i < MAX_KEYS; i++) {
        names[i] = adapters[i]->table.name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = str_nearest(backend, names, n < MAX_KEYS ? n : MAX_KEYS);
    err_set(err, ERR_NOT_FOUND, "no backend \"%.64s\" is loaded%s%s%s; loaded are: %s", backend,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "",
            list.size ? buf_text(&list) : "none (see sonde plugin list)");
    buf_finish(&list);
    return ERR_NOT_FOUND;
}

static void read_name(struct reader *reader)
{
    const struct node *node = node_get(reader->map, "name");
    if (!node) {
        check_fail(reader->check, reader->map, "the key \"name\" is missing");
        return;
    }
    const char *name;
    if (!check_text(reader->check, node, &name))
        return;
    const char *wrong = connection_name_text(name);
    if (wrong) {
        check_fail(reader->check, node, "not a name for a connection, got %s: %s",
                   check_found(reader->check, node), wrong);
        return;
    }
    char id[37];
    connection_operator_id(name, id);
    reader->connection->name = copy(reader, name);
    reader->connection->id = copy(reader, id);
}

static void read_backend(struct reader *reader)
{
    const struct node *node = node_get(reader->map, "backend");
    if (!node) {
        check_fail(reader->check, reader->map,
                   "the key \"backend\" is missing: it names the kind of system, such as "
                   "prometheus");
        return;
    }
    const char *backend;
    if (!check_text(reader->check, node, &backend))
        return;
    reader->connection->backend = copy(reader, backend);
    reader->adapter = registry_find(reader->reading->registry, backend);
    if (reader->adapter)
        return;
    struct err err = {0};
    connection_no_adapter(reader->reading->registry, backend, &err);
    check_fail(reader->check, node, "%s", err.text);
}

static void read_url(struct reader *reader)
{
    const struct node *node = node_get(reader->map, "url");
    const char *url;
    if (!node || !check_text(reader->check, node, &url))
        return;
    if (str_starts(url, "file:/")) {
        reader->connection->url = copy(reader, url);
        return;
    }
    const char *wrong = str_starts(url, "file:")
                            ? "file: needs an absolute path, such as file:///srv/telemetry"
                            : check_url_text(url, false);
    if (!wrong)
        reader->connection->url = copy(reader, url);
    else if (strchr(url, '@')) /* it may hold a password: not shown */
        check_fail(reader->check, node, "not a URL such as http://host:9090: %s", wrong);
    else
        check_fail(reader->check, node, "not a URL such as http://host:9090, got %s: %s",
                   check_found(reader->check, node), wrong);
}

static bool is_env_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        if (!letter && !(c > name && *c >= '0' && *c <= '9'))
            return false;
    }
    return *name;
}

static bool read_secret_env(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    const char *name;
    if (!check_text(reader->check, node, &name))
        return false;
    if (!is_env_name(name)) {
        check_fail(reader->check, node, "expected the name of an environment variable");
        return false;
    }
    const char *value = getenv(name);
    if (!value || !*value) {
        check_fail(reader->check, node,
                   "the environment variable %.128s is not set; set it before starting sonde",
                   name);
        return false;
    }
    *ret = (struct secret_ref){.kind = SECRET_ENV, .name = copy(reader, name)};
    return true;
}

/* A file that must be there now; what it holds is read when it is needed. */
static bool read_file_path(struct reader *reader, const struct node *node, const char **ret_path)
{
    const char *path;
    if (!check_path(reader->check, node, &path))
        return false;
    struct stat status;
    if (stat(path, &status) || access(path, R_OK)) {
        check_fail(reader->check, node, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        check_fail(reader->check, node, "%s is a folder, expected a file", path);
        return false;
    }
    *ret_path = copy(reader, path);
    return true;
}

static bool read_secret_map(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    static const char *const keys[] = {"env", "file"};
    static const char *const later[] = {"exec"};
    size_t before = reader->check->total;
    check_keys(reader->check, node, keys, ARRAY_SIZE(keys), later, ARRAY_SIZE(later));
    if (reader->check->total != before)
        return false;
    if (node->child_count != 1) {
        check_fail(reader->check, node,
                   "expected one of {env: NAME} and {file: PATH}, got %zu keys", node->child_count);
        return false;
    }
    const struct node *from = node->children[0];
    if (str_eq(from->key, "env"))
        return read_secret_env(reader, from, ret);
    const char *path;
    if (!read_file_path(reader, from, &path))
        return false;
    *ret = (struct secret_ref){.kind = SECRET_FILE, .name = path};
    return true;
}

/* A secret's value is never part of a message. */
static bool read_secret(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    if (node->type == NODE_MAP)
        return read_secret_map(reader, node, ret);
    if (node->type == NODE_LIST || node_is_null(node) || !*node->value) {
        check_fail(reader->check, node, "expected a text, {env: NAME} or {file: PATH}, got %s",
                   node->type == NODE_LIST ? "a list" : "no value");
        return false;
    }
    size_t size = strlen(node->value);
    while (size && (node->value[size - 1] == '\n' || node->value[size - 1] == '\r'))
        size--; /* of a block scalar */
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)node->value[i] >= ' ' && node->value[i] != 0x7f)
            continue;
        check_fail(reader->check, node, "holds a line break or control character");
        return false;
    }
    *ret = (struct secret_ref){.kind = SECRET_LITERAL, .literal = secret_new(node->value, size)};
    if (!ret->literal)
        reader->connection->arena.failed = 1;
    if (!reader->reading->literal_secret)
        reader->reading->literal_secret = node;
    return true;
}

/* One of the two texts that a login needs, which must be there. */
static const struct node *need(struct reader *reader, const struct node *map, const char *key,
                               const char *type)
{
    const struct node *node = node_get(map, key);
    if (!node)
        check_fail(reader->check, map, "the key \"%s\" is missing, which type %s needs", key, type);
    return node;
}

static bool is_header_name(const char *name)
{
    /* RFC 9110 section 5.6.2: token */
    for (const char *c = name; *c; c++) {
        bool plain =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!plain && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    }
    return *name;
}

static void read_auth_keys(struct reader *reader, const struct node *auth, enum auth_type type,
                           const char *type_name)
{
    static const char *const basic[] = {"type", "username", "password"};
    static const char *const bearer[] = {"type", "token"};
    static const char *const header[] = {"type", "header", "value"};
    static const struct {
        const char *const *keys;
        size_t count;
        const char *name;   /* key of the text */
        const char *secret; /* key of the secret */
    } forms[] = {[AUTH_NONE] = {basic, 1, NULL, NULL},
                 [AUTH_BASIC] = {basic, 3, "username", "password"},
                 [AUTH_BEARER] = {bearer, 2, NULL, "token"},
                 [AUTH_HEADER] = {header, 3, "header", "value"},
                 [AUTH_SCHEME] = {basic, 1, NULL, NULL}};
    struct connection_auth *out = &reader->connection->auth;
    check_keys(reader->check, auth, forms[type].keys, forms[type].count, NULL, 0);
    const char *text = NULL;
    const struct node *node =
        forms[type].name ? need(reader, auth, forms[type].name, type_name) : NULL;
    if (node && check_text(reader->check, node, &text)) {
        if (type == AUTH_BASIC && strchr(text, ':'))
            check_fail(reader->check, node, "a user name cannot hold ':'");
        else if (type == AUTH_HEADER && !is_header_name(text))
            check_fail(reader->check, node, "expected the name of a header such as X-Api-Key");
        *(type == AUTH_BASIC ? &out->user : &out->header) = copy(reader, text);
    }
    node = forms[type].secret ? need(reader, auth, forms[type].secret, type_name) : NULL;
    if (node)
        read_secret(reader, node, &out->secret);
}

static void read_auth(struct reader *reader)
{
    static const char *const later[] = {"oauth2", "aws"};
    const struct node *auth = node_get(reader->map, "auth");
    if (!auth)
        return;
    if (auth->type != NODE_MAP) {
        check_fail(reader->check, auth,
                   "expected a map such as {type: bearer, token: {env: NAME}}");
        return;
    }
    const struct node *type = need(reader, auth, "type", "of login");
    if (!type)
        return;
    const char *names[MAX_KEYS] = {"none", "basic", "bearer", "header"};
    static const enum auth_type types[] = {AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_HEADER};
    size_t n = ARRAY_SIZE(types);
    for (size_t i = 0; reader->adapter && i < reader->adapter->table.auth_scheme_count; i++)
        if (n < MAX_KEYS)
            names[n++] = reader->adapter->table.auth_schemes[i]->name;
    for (size_t i = 0; type->type == NODE_SCALAR && i < ARRAY_SIZE(later); i++) {
        if (!str_eq(type->value, later[i]))
            continue;
        check_fail(reader->check, type, "%s is not in this version of sonde", later[i]);
        return;
    }
    size_t choice;
    if (!check_choice(reader->check, type, names, n, &choice))
        return;
    struct connection_auth *out = &reader->connection->auth;
    out->type = choice < ARRAY_SIZE(types) ? types[choice] : AUTH_SCHEME;
    if (out->type == AUTH_SCHEME)
        out->scheme = copy(reader, names[choice]);
    read_auth_keys(reader, auth, out->type, names[choice]);
}

static void read_tls_file(struct reader *reader, const struct node *tls, const char *key,
                          const char **ret_path)
{
    const struct node *node = node_get(tls, key);
    if (node)
        read_file_path(reader, node, ret_path);
}

static void read_tls(struct reader *reader)
{
    static const char *const keys[] = {"ca_file", "ca_pem",      "cert",
                                       "key",     "server_name", "insecure_skip_verify"};
    const struct node *tls = node_get(reader->map, "tls");
    if (!tls || !check_map(reader->check, tls))
        return;
    struct connection_tls *out = &reader->connection->tls;
    check_keys(reader->check, tls, keys, ARRAY_SIZE(keys), NULL, 0);
    read_tls_file(reader, tls, "ca_file", &out->ca_file);
    read_tls_file(reader, tls, "cert", &out->cert);
    read_tls_file(reader, tls, "key", &out->key);
    read_text(reader, tls, "ca_pem", &out->ca_pem);
    read_text(reader, tls, "server_name", &out->server_name);
    read_bool(reader, tls, "insecure_skip_verify", &out->insecure_skip_verify);
    const struct node *pem = node_get(tls, "ca_pem");
    if (out->ca_pem && !strstr(out->ca_pem, "-----BEGIN CERTIFICATE-----"))
        check_fail(reader->check, pem, "expected PEM text with -----BEGIN CERTIFICATE-----");
    if (pem && node_get(tls, "ca_file"))
        check_fail(reader->check, pem, "give ca_file or ca_pem, not both");
    if (!node_get(tls, "cert") != !node_get(tls, "key"))
        check_fail(reader->check, tls, "cert and key go together; the key \"%s\" is missing",
                   node_get(tls, "cert") ? "key" : "cert");
}

static void read_headers(struct reader *reader)
{
    const struct node *headers = node_get(reader->map, "headers");
    if (!headers || node_is_null(headers))
        return;
    struct connection *connection = reader->connection;
    if (headers->type != NODE_MAP) { /* not shown: it may hold a secret */
        check_fail(reader->check, headers, "expected a map such as {X-Team: payments}");
        return;
    }
    connection->headers = arena_alloc_array(&connection->arena, headers->child_count + 1,
                                            sizeof *connection->headers);
    for (size_t i = 0; connection->headers && i < headers->child_count; i++) {
        const struct node *node = headers->children[i];
        struct connection_header *header = &connection->headers[connection->header_count];
        if (!is_header_name(node->key)) {
            check_fail(reader->check, node, "not the name of a header");
            continue;
        }
        header->name = copy(reader, node->key);
        if (read_secret(reader, node, &header->value))
            connection->header_count++;
    }
}

static void read_tags(struct reader *reader)
{
    const struct node *tags = node_get(reader->map, "tags");
    if (!tags || !check_map(reader->check, tags))
        return;
    struct connection *connection = reader->connection;
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
            (struct sonde_pair){copy(reader, node->key), copy(reader, value)};
    }
}

static void read_ui(struct reader *reader)
{
    static const char *const keys[] = {"kind", "url", "param"};
    const struct node *ui = node_get(reader->map, "ui");
    if (!ui || !check_map(reader->check, ui))
        return;
    struct connection *connection = reader->connection;
    check_keys(reader->check, ui, keys, ARRAY_SIZE(keys), NULL, 0);
    read_text(reader, ui, "kind", &connection->ui_kind);
    read_text(reader, ui, "url", &connection->ui_url);
    read_text(reader, ui, "param", &connection->ui_param);
    const struct node *url = node_get(ui, "url");
    const char *wrong = connection->ui_url ? check_url_text(connection->ui_url, false) : NULL;
    if (wrong)
        check_fail(reader->check, url, "not a URL such as https://grafana.example: %s", wrong);
}

static void read_limits(struct reader *reader)
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
    *out = (struct connection_param){.key = copy(reader, param->key)};
    if (param->flags & SONDE_PARAM_SECRET) {
        if (!read_secret(reader, node, &out->secret))
            return;
    } else {
        const char *text = param_text(reader, param, node);
        if (!text)
            return;
        out->value = copy(reader, text);
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

static void read_all_params(struct reader *reader)
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

static void read_common(struct reader *reader)
{
    struct connection *connection = reader->connection;
    read_name(reader);
    read_backend(reader);
    read_url(reader);
    read_text(reader, reader->map, "description", &connection->description);
    read_text(reader, reader->map, "tenant", &connection->tenant);
    read_bool(reader, reader->map, "default", &connection->is_default);
    read_bool(reader, reader->map, "http2", &connection->http2);
    const struct node *timeout = node_get(reader->map, "timeout_seconds");
    if (timeout)
        check_duration(reader->check, timeout, 100 * NS_PER_MS, NS_PER_HOUR,
                       &connection->timeout_ns);
    const struct node *proxy = node_get(reader->map, "proxy");
    const char *address = NULL;
    if (proxy && check_proxy(reader->check, proxy, &address))
        connection->proxy = copy(reader, address);
    read_tags(reader);
    read_limits(reader);
    read_auth(reader);
    read_tls(reader);
    read_headers(reader);
    read_ui(reader);
}

struct connection *connection_read(struct connection_reading *reading, const struct node *map)
{
    if (map->type != NODE_MAP) {
        check_fail(reading->check, map, "expected a map that begins with \"name:\", got %s",
                   check_found(reading->check, map));
        return NULL;
    }
    struct connection *connection CLEANUP(connection_unrefp) = connection_new();
    if (!connection) {
        check_fail(reading->check, map, "no memory for it");
        return NULL;
    }
    connection->timeout_ns = reading->timeout_ns;
    connection->revision = 1;
    connection->from_operator = true;
    struct reader reader = {
        .reading = reading, .check = reading->check, .connection = connection, .map = map};
    size_t before = reading->check->total;
    read_common(&reader);
    read_all_params(&reader);
    if (connection->arena.failed)
        check_fail(reading->check, map, "more than a connection may hold, or no memory for it");
    return reading->check->total == before ? STEAL(connection) : NULL;
}
