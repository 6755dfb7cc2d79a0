/* SPDX-License-Identifier: Apache-2.0 */
#include "service/connection_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

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
    const struct node *node = node_get(reader->outer, "name");
    if (!node) {
        check_fail(reader->check, reader->outer, "the key \"name\" is missing");
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
    reader->connection->name = reader_copy(reader, name);
    if (reader->reading->kept)
        return;
    reader->connection->id = reader_copy(reader, id);
}

static void read_backend(struct reader *reader)
{
    const char *key = reader->reading->kept ? "backend_type" : "backend";
    const struct node *node = node_get(reader->outer, key);
    if (!node) {
        check_fail(reader->check, reader->outer,
                   "the key \"%s\" is missing: it names the kind of system, such as prometheus",
                   key);
        return;
    }
    const char *backend;
    if (!check_text(reader->check, node, &backend))
        return;
    reader->connection->backend = reader_copy(reader, backend);
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
    if (str_starts(url, "file:") && reader->reading->kept && !reader->reading->kept->local) {
        check_fail(reader->check, node,
                   "files are for the operator's and the local user's connections; give an http "
                   "or https address");
        return;
    }
    if (str_starts(url, "file:/")) {
        reader->connection->url = reader_copy(reader, url);
        return;
    }
    const char *wrong = str_starts(url, "file:")
                            ? "file: needs an absolute path, such as file:///srv/telemetry"
                            : check_url_text(url, false);
    if (!wrong)
        reader->connection->url = reader_copy(reader, url);
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
    *ret = (struct secret_ref){.kind = SECRET_ENV, .name = reader_copy(reader, name)};
    return true;
}

/* A file that must be there now; what it holds is read when it is needed. */
static bool read_file_path(struct reader *reader, const struct node *node, const char **ret_path)
{
    const char *path;
    if (!check_path(reader->check, node, &path))
        return false;
    if (reader->reading->kept && (!reader->reading->kept->local || *path != '/')) {
        check_fail(reader->check, node, "%s",
                   reader->reading->kept->local
                       ? "expected a whole path, beginning with \"/\""
                       : "files of the server are for the operator's connections; give ca_pem or "
                         "the value itself");
        return false;
    }
    struct stat status;
    if (stat(path, &status) || access(path, R_OK)) {
        check_fail(reader->check, node, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        check_fail(reader->check, node, "%s is a folder, expected a file", path);
        return false;
    }
    *ret_path = reader_copy(reader, path);
    return true;
}

static bool read_secret_map(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    static const char *const keys[] = {"env", "file", "exec"};
    size_t before = reader->check->total;
    check_keys(reader->check, node, keys, ARRAY_SIZE(keys), NULL, 0);
    if (reader->check->total != before)
        return false;
    if (node->child_count != 1) {
        check_fail(
            reader->check, node,
            "expected one of {env: NAME}, {file: PATH} and {exec: [PROGRAM, ...]}, got %zu keys",
            node->child_count);
        return false;
    }
    const struct node *from = node->children[0];
    if (str_eq(from->key, "env"))
        return read_secret_env(reader, from, ret);
    if (str_eq(from->key, "exec"))
        return reader_exec(reader, from, ret);
    const char *path;
    if (!read_file_path(reader, from, &path))
        return false;
    *ret = (struct secret_ref){.kind = SECRET_FILE, .name = path};
    return true;
}

/* A secret's value is never part of a message. */
bool reader_secret(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    if (node->type == NODE_MAP) {
        int r = reader->reading->kept ? reader_kept_secret(reader, node, ret) : 1;
        return r > 0 ? read_secret_map(reader, node, ret) : r == 0;
    }
    if (node->type == NODE_LIST || node_is_null(node) || !*node->value) {
        check_fail(reader->check, node,
                   "expected a text, {env: NAME}, {file: PATH} or {exec: [PROGRAM, ...]}, got %s",
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
    reader_note_secret(reader, node);
    return true;
}

const struct node *reader_need(struct reader *reader, const struct node *map, const char *key,
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
        forms[type].name ? reader_need(reader, auth, forms[type].name, type_name) : NULL;
    if (node && check_text(reader->check, node, &text)) {
        if (type == AUTH_BASIC && strchr(text, ':'))
            check_fail(reader->check, node, "a user name cannot hold ':'");
        else if (type == AUTH_HEADER && !is_header_name(text))
            check_fail(reader->check, node, "expected the name of a header such as X-Api-Key");
        *(type == AUTH_BASIC ? &out->user : &out->header) = reader_copy(reader, text);
    }
    node = forms[type].secret ? reader_need(reader, auth, forms[type].secret, type_name) : NULL;
    if (node)
        reader_secret(reader, node, &out->secret);
}

static void read_auth(struct reader *reader)
{
    static const char *const later[] = {"aws"};
    const struct node *auth = node_get(reader->map, "auth");
    if (!auth)
        return;
    if (auth->type != NODE_MAP) {
        check_fail(reader->check, auth,
                   "expected a map such as {type: bearer, token: {env: NAME}}");
        return;
    }
    const struct node *type = reader_need(reader, auth, "type", "of login");
    if (!type)
        return;
    const char *names[MAX_KEYS] = {"none", "basic", "bearer", "header", "oauth2"};
    static const enum auth_type types[] = {AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_HEADER,
                                           AUTH_OAUTH2};
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
        out->scheme = reader_copy(reader, names[choice]);
    if (out->type == AUTH_OAUTH2)
        reader_oauth2(reader, auth);
    else
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
    reader_text(reader, tls, "ca_pem", &out->ca_pem);
    reader_text(reader, tls, "server_name", &out->server_name);
    reader_bool(reader, tls, "insecure_skip_verify", &out->insecure_skip_verify);
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
        header->name = reader_copy(reader, node->key);
        if (reader_secret(reader, node, &header->value))
            connection->header_count++;
    }
}

static void read_common(struct reader *reader)
{
    struct connection *connection = reader->connection;
    read_name(reader);
    read_backend(reader);
    read_url(reader);
    reader_outer_keys(reader);
    reader_description(reader);
    reader_text(reader, reader->map, "tenant", &connection->tenant);
    reader_bool(reader, reader->map, "http2", &connection->http2);
    const struct node *timeout = node_get(reader->map, "timeout_seconds");
    if (timeout)
        check_duration(reader->check, timeout, 100 * NS_PER_MS, NS_PER_HOUR,
                       &connection->timeout_ns);
    reader_proxy(reader);
    reader_tags(reader);
    reader_limits(reader);
    read_auth(reader);
    read_tls(reader);
    read_headers(reader);
    reader_ui(reader);
    reader_enforce(reader);
    reader_access(reader);
}

/* Whose it is, and where its keys stand. */
static bool begin(struct reader *reader, const struct node *map)
{
    const struct connection_kept *kept = reader->reading->kept;
    struct connection *connection = reader->connection;
    connection->timeout_ns = reader->reading->timeout_ns;
    connection->revision = 1;
    connection->from_operator = !kept || kept->local;
    reader->outer = map;
    reader->map = map;
    if (!kept)
        return true;
    connection->id = reader_copy(reader, kept->id);
    connection->owner = reader_copy(reader, kept->owner);
    reader->map = node_get(map, "connection_config");
    if (reader->map && reader->map->type == NODE_MAP)
        return true;
    check_fail(reader->check, reader->map ? reader->map : map,
               reader->map ? "expected an object such as {\"url\": \"http://host:9090\"}"
                           : "the key \"connection_config\" is missing: an object with url, auth "
                             "and so on");
    return false;
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
    struct reader reader = {.reading = reading, .check = reading->check, .connection = connection};
    size_t before = reading->check->total;
    if (begin(&reader, map)) {
        read_common(&reader);
        reader_all_params(&reader);
    }
    if (connection->arena.failed)
        check_fail(reading->check, map, "more than a connection may hold, or no memory for it");
    return reading->check->total == before ? STEAL(connection) : NULL;
}
