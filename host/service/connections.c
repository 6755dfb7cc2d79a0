/* SPDX-License-Identifier: Apache-2.0 */
#include "service/connections.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "service/connection_read.h"

struct loading {
    struct check check;
    struct arena arena; /* of messages */
    struct connection **items;
    const struct node **nodes; /* where each came from; NULL: an option */
    size_t count;
};

static const char *const option_help =
    "expected BACKEND=URL or NAME:BACKEND=URL, such as prometheus=http://localhost:9090";

/* [NAME:]BACKEND=TARGET */
struct option_parts {
    const char *name; /* NULL none */
    const char *backend;
    const char *target;
};

static int split_option(const char *option, struct arena *arena, struct option_parts *ret_parts,
                        struct err *err)
{
    const char *equals = strchr(option, '=');
    bool shown = !strchr(option, '@'); /* it may hold a password */
    if (!equals || memchr(option, '/', (size_t)(equals - option)) || !equals[1])
        return err_set(err, ERR_INVALID, "--connection %s: %s", shown ? option : "...",
                       option_help);
    char *left = arena_strndup(arena, option, (size_t)(equals - option));
    if (!left)
        return err_set(err, ERR_MEMORY, "no memory for --connection");
    struct option_parts parts = {.backend = left, .target = equals + 1};
    char *colon = strchr(left, ':');
    if (colon) {
        *colon = '\0';
        parts.name = left;
        parts.backend = colon + 1;
        const char *wrong = connection_name_text(left);
        if (wrong)
            return err_set(err, ERR_INVALID, "--connection %s: not a name for a connection: %s",
                           left, wrong);
    }
    if (!*parts.backend)
        return err_set(err, ERR_INVALID, "--connection %s: %s", shown ? option : "...",
                       option_help);
    *ret_parts = parts;
    return 0;
}

static bool is_path(const char *target)
{
    return target[0] == '/' || str_eq(target, ".") || str_eq(target, "..") ||
           str_starts(target, "./") || str_starts(target, "../") || str_starts(target, "~/");
}

/* The path without links, absolute; size at least PATH_MAX. */
static int real_path(const char *path, struct arena *arena, char real[PATH_MAX], struct err *err)
{
    const char *whole = check_resolve_path("", path, arena);
    if (!whole)
        return err_set(err, ERR_INVALID, "%s: no home folder is known", path);
    if (!realpath(whole, real))
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    return 0;
}

/* RFC 3986: everything but unreserved characters and '/' is percent-encoded. */
static const char *file_url(const char *path, struct arena *arena)
{
    struct buf url = BUF(3 * PATH_MAX + 16);
    buf_add(&url, "file://");
    for (const char *c = path; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || strchr("/-._~", *c);
        if (plain)
            buf_add_char(&url, *c);
        else
            buf_printf(&url, "%%%02X", (unsigned char)*c);
    }
    const char *text = url.failed ? NULL : arena_strdup(arena, buf_text(&url));
    buf_finish(&url);
    return text;
}

static int option_url(const struct option_parts *parts, struct connection *connection,
                      struct err *err)
{
    struct arena *arena = &connection->arena;
    const char *target = parts->target;
    if (is_path(target)) {
        char path[PATH_MAX];
        int r = real_path(target, arena, path, err);
        if (!r)
            connection->url = file_url(path, arena);
        return !r && !connection->url ? err_set(err, ERR_MEMORY, "no memory for a path") : r;
    }
    if (!str_starts(target, "file:/")) {
        const char *wrong = check_url_text(target, false);
        bool bare = wrong && !strstr(target, "://");
        if (wrong)
            return err_set(err, ERR_INVALID, "not a URL such as http://localhost:9090: %s%s%s%s",
                           wrong, bare ? " (did you mean http://" : "",
                           bare && !strchr(target, '@') ? target : "", bare ? "?)" : "");
    }
    connection->url = arena_strdup(arena, target);
    return 0;
}

static bool name_taken(struct connection *const *taken, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(taken[i]->name, name))
            return true;
    return false;
}

static int option_name(const struct option_parts *parts, struct connection *const *taken, size_t n,
                       struct connection *connection, struct err *err)
{
    struct arena *arena = &connection->arena;
    const char *name = parts->name ? parts->name : parts->backend;
    for (unsigned i = 2; !parts->name && name && name_taken(taken, n, name); i++)
        name = arena_printf(arena, "%s-%u", parts->backend, i);
    if (name && name_taken(taken, n, name))
        return err_set(err, ERR_INVALID,
                       "there is already a connection named %s; take another name", name);
    char id[37];
    connection_operator_id(name ? name : "", id);
    connection->name = name ? arena_strdup(arena, name) : NULL;
    connection->id = arena_strdup(arena, id);
    return 0;
}

static int fill_from_option(struct connection *connection, const struct option_parts *parts,
                            const struct registry *registry, struct connection *const *taken,
                            size_t n, struct err *err)
{
    if (!registry_find(registry, parts->backend))
        return connection_no_adapter(registry, parts->backend, err);
    connection->backend = arena_strdup(&connection->arena, parts->backend);
    int r = option_url(parts, connection, err);
    if (!r)
        r = option_name(parts, taken, n, connection, err);
    if (!r && connection->arena.failed)
        r = err_set(err, ERR_MEMORY, "no memory for it");
    return r;
}

int connection_from_option(const char *option, const struct registry *registry, int64_t timeout_ns,
                           struct connection *const *taken, size_t n,
                           struct connection **ret_connection, struct err *err)
{
    struct connection *connection CLEANUP(connection_unrefp) = connection_new();
    struct option_parts parts;
    if (!connection)
        return err_set(err, ERR_MEMORY, "no memory for --connection");
    int r = split_option(option, &connection->arena, &parts, err);
    if (r)
        return r;
    connection->timeout_ns = timeout_ns;
    connection->revision = 1;
    connection->from_operator = true;
    r = fill_from_option(connection, &parts, registry, taken, n, err);
    if (r) {
        err_prefix(err, "--connection %s=: ", parts.backend);
        return r;
    }
    *ret_connection = STEAL(connection);
    return 0;
}

static void check_clash(struct loading *loading, const struct connection *connection,
                        const struct node *node)
{
    for (size_t i = 0; i < loading->count; i++) {
        const struct connection *other = loading->items[i];
        const struct node *first = loading->nodes[i];
        if (str_eq(other->name, connection->name))
            check_fail(&loading->check, node_get(node, "name"),
                       "the name \"%s\" is taken by the connection on line %d", connection->name,
                       first->line);
        if (connection->is_default && other->is_default &&
            str_eq(other->backend, connection->backend))
            check_fail(&loading->check, node_get(node, "default"),
                       "\"%s\" on line %d is already the default of backend %s; one only",
                       other->name, first->line, other->backend);
    }
}

const char *connections_secret_warning(const struct config *config,
                                       const struct node *literal_secret, struct arena *arena)
{
    if (!literal_secret || !config->others_read)
        return NULL;
    return arena_printf(arena,
                        "%s:%d: %s: a secret in a file that every user of this machine may read: "
                        "chmod 600 %s, or write {env: NAME} or {file: PATH}",
                        literal_secret->file, literal_secret->line,
                        node_path(config->root, literal_secret, arena), literal_secret->file);
}

static void load_list(struct loading *loading, const struct config *config,
                      const struct registry *registry)
{
    const struct node *list = config->connections;
    size_t n = list ? list->child_count : 0;
    if (n > CONNECTIONS_MAX) {
        check_fail(&loading->check, list, "%zu connections, at most %d are accepted", n,
                   CONNECTIONS_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct connection_reading reading = {
            .check = &loading->check, .registry = registry, .timeout_ns = config->limit_timeout_ns};
        struct connection *connection = connection_read(&reading, list->children[i]);
        if (!connection)
            continue;
        const char *warning =
            connections_secret_warning(config, reading.literal_secret, &loading->arena);
        if (warning)
            log_line(LOG_WARN, "config", "%s", warning);
        check_clash(loading, connection, list->children[i]);
        loading->nodes[loading->count] = list->children[i];
        loading->items[loading->count++] = connection;
    }
}

static int load_options(struct loading *loading, const struct config *config,
                        const struct registry *registry, const char *const *options,
                        size_t option_count, struct err *err)
{
    for (size_t i = 0; i < option_count; i++) {
        struct connection *connection = NULL;
        if (loading->count == CONNECTIONS_MAX)
            return err_set(err, ERR_INVALID, "more than %d connections", CONNECTIONS_MAX);
        int r = connection_from_option(options[i], registry, config->limit_timeout_ns,
                                       loading->items, loading->count, &connection, err);
        if (r)
            return r;
        loading->items[loading->count++] = connection;
    }
    return 0;
}

static void drop(struct loading *loading)
{
    for (size_t i = 0; loading->items && i < loading->count; i++)
        connection_unref(loading->items[i]);
    mem_free(loading->items);
}

int connections_load(const struct config *config, const struct registry *registry,
                     const char *const *options, size_t option_count,
                     struct connection ***ret_connections, size_t *ret_count,
                     struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err)
{
    struct loading loading = {.check = {.root = config->root, .mistakes = mistakes}};
    arena_init(&loading.arena, (size_t)8 << 20, NULL);
    loading.check.arena = &loading.arena;
    loading.nodes = arena_alloc_array(&loading.arena, CONNECTIONS_MAX, sizeof(struct node *));
    loading.items = mem_alloc_array(CONNECTIONS_MAX, sizeof(struct connection *));
    int r = 0;
    if (!loading.nodes || !loading.items)
        r = err_set(err, ERR_MEMORY, "no memory for the connections");
    if (!r) {
        load_list(&loading, config, registry);
        r = check_result(&loading.check, err);
    }
    if (!r)
        r = load_options(&loading, config, registry, options, option_count, err);
    *ret_mistake_count = loading.check.count;
    arena_finish(&loading.arena);
    if (r) {
        drop(&loading);
        return r;
    }
    *ret_connections = loading.items;
    *ret_count = loading.count;
    return 0;
}

/* Cuts a down to the deepest folder that holds b too. */
static void common_folder(char *a, const char *b)
{
    size_t same = 0;
    for (size_t i = 0;; i++) {
        bool end_a = !a[i] || a[i] == '/';
        bool end_b = !b[i] || b[i] == '/';
        if (end_a && end_b)
            same = i;
        if (a[i] != b[i] || !a[i])
            break;
    }
    a[same ? same : 1] = '\0';
}

const char *connections_option_folder(const char *const *options, size_t n, struct arena *arena)
{
    char *folder = NULL;
    for (size_t i = 0; i < n; i++) {
        struct option_parts parts;
        char path[PATH_MAX];
        if (split_option(options[i], arena, &parts, NULL) || !is_path(parts.target) ||
            real_path(parts.target, arena, path, NULL))
            continue; /* connection_from_option tells what is wrong with it */
        if (folder)
            common_folder(folder, path);
        else
            folder = arena_strdup(arena, path);
    }
    return folder;
}
