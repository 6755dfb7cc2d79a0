/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/zone.h"
#include "config/check.h"
#include "config/keep.h"
#include "config/serve.h"

#define CONFIG_MAX_ARENA ((size_t)32 << 20)
#define MIB ((uint64_t)1 << 20)

static const char *const root_keys[] = {
    "timezone", "files",   "plugins",     "limits", "log",  "network", "listen", "tls",  "hosts",
    "tokens",   "metrics", "connections", "store",  "keys", "history", "cache",  "oauth"};
static const char *const plugin_keys[] = {"path", "enable"};
static const char *const limit_keys[] = {
    "calls",   "calls_per_minute", "calls_per_user", "in_flight", "in_flight_per_user",
    "timeout", "memory",           "body",           "points",    "max_tokens"};
static const char *const network_keys[] = {"proxy", "no_proxy", "allow"};
static const char *const log_keys[] = {"level", "format"};

static const char *const default_plugin_paths[] = {SONDE_PLUGIN_DIR};

static void set_defaults(struct config *config)
{
    config->path = "";
    config->timezone = "";
    config->files = "";
    config->log_level = "info";
    config->plugin_paths = default_plugin_paths;
    config->plugin_path_count = ARRAY_SIZE(default_plugin_paths);
    config->serve.listen = CONFIG_DEFAULT_LISTEN;
    config->limit_calls = 256;
    config->limit_calls_per_minute = 120;
    config->limit_calls_per_user = 64;
    config->limit_in_flight = 16;
    config->limit_in_flight_per_user = 8;
    config->limit_timeout_ns = 30 * NS_PER_S;
    config->limit_memory = 512 * MIB;
    config->limit_body = 64 * MIB;
    config->limit_points = 2000000;
    config->limit_max_tokens = 25000;
    config_keep_defaults(config);
}

static void read_u32(struct check *check, const struct node *node, int64_t min, int64_t max,
                     uint32_t *ret_value)
{
    int64_t value;
    if (node && check_whole(check, node, min, max, &value))
        *ret_value = (uint32_t)value;
}

static void read_limits(struct check *check, const struct node *limits, struct config *config)
{
    if (!limits || !check_map(check, limits))
        return;
    check_keys(check, limits, limit_keys, ARRAY_SIZE(limit_keys), NULL, 0);
    read_u32(check, node_get(limits, "calls"), 1, 4096, &config->limit_calls);
    read_u32(check, node_get(limits, "calls_per_minute"), 0, 1000000,
             &config->limit_calls_per_minute);
    read_u32(check, node_get(limits, "calls_per_user"), 1, 4096, &config->limit_calls_per_user);
    read_u32(check, node_get(limits, "in_flight"), 1, 256, &config->limit_in_flight);
    read_u32(check, node_get(limits, "in_flight_per_user"), 1, 256,
             &config->limit_in_flight_per_user);
    read_u32(check, node_get(limits, "max_tokens"), 500, 200000, &config->limit_max_tokens);
    const struct node *timeout = node_get(limits, "timeout");
    if (timeout)
        check_duration(check, timeout, 100 * NS_PER_MS, NS_PER_HOUR, &config->limit_timeout_ns);
    const struct node *memory = node_get(limits, "memory");
    if (memory)
        check_size(check, memory, 16 * MIB, MIB << 20, &config->limit_memory);
    const struct node *body = node_get(limits, "body");
    if (body)
        check_size(check, body, 64 * 1024, 4096 * MIB, &config->limit_body);
    const struct node *points = node_get(limits, "points");
    int64_t count;
    if (points && check_whole(check, points, 1000, 100000000, &count))
        config->limit_points = (uint64_t)count;
}

static void read_plugins(struct check *check, const struct node *plugins, struct config *config)
{
    if (!plugins || !check_map(check, plugins))
        return;
    check_keys(check, plugins, plugin_keys, ARRAY_SIZE(plugin_keys), NULL, 0);
    const struct node *path = node_get(plugins, "path");
    const char *const *paths;
    size_t count;
    if (path && check_texts(check, path, &paths, &count)) {
        const char **resolved = arena_alloc_array(check->arena, count ? count : 1, sizeof *paths);
        for (size_t i = 0; resolved && i < count; i++) {
            resolved[i] = check_resolve_path(path->file, paths[i], check->arena);
            if (!resolved[i]) {
                check_fail(check, path, "cannot find the home folder for \"%s\"", paths[i]);
                resolved[i] = paths[i];
            }
        }
        config->plugin_paths = resolved;
        config->plugin_path_count = resolved ? count : 0;
    }
    const struct node *enable = node_get(plugins, "enable");
    if (enable)
        check_texts(check, enable, &config->plugins_enabled, &config->plugins_enabled_count);
}

static void read_network(struct check *check, const struct node *network, struct config *config)
{
    if (!network || !check_map(check, network))
        return;
    check_keys(check, network, network_keys, ARRAY_SIZE(network_keys), NULL, 0);
    config_read_allow(check, node_get(network, "allow"), config);
    const struct node *proxy = node_get(network, "proxy");
    if (proxy)
        check_proxy(check, proxy, &config->proxy);
    const struct node *no_proxy = node_get(network, "no_proxy");
    if (no_proxy)
        check_texts(check, no_proxy, &config->no_proxy, &config->no_proxy_count);
}

static void read_log(struct check *check, const struct node *log, struct config *config)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"text", "json"};
    if (!log || !check_map(check, log))
        return;
    check_keys(check, log, log_keys, ARRAY_SIZE(log_keys), NULL, 0);
    size_t choice;
    const struct node *level = node_get(log, "level");
    if (level && check_choice(check, level, levels, ARRAY_SIZE(levels), &choice))
        config->log_level = levels[choice];
    const struct node *format = node_get(log, "format");
    if (format && check_choice(check, format, formats, ARRAY_SIZE(formats), &choice))
        config->log_json = choice == 1;
}

static void read_timezone(struct check *check, const struct node *node, struct config *config)
{
    const char *name;
    if (!node || !check_text(check, node, &name))
        return;
    struct zone *zone = NULL;
    struct err err = {0};
    if (zone_open(name, &zone, &err)) {
        check_fail(check, node, "%s", err.text);
        return;
    }
    zone_unref(zone);
    config->timezone = name;
}

static void read_files(struct check *check, const struct node *node, struct config *config)
{
    const char *path;
    if (!node || !check_path(check, node, &path))
        return;
    struct stat status;
    if (stat(path, &status))
        check_fail(check, node, "%s: %s; make the folder or leave the key out", path,
                   strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        check_fail(check, node, "%s is not a folder", path);
    else
        config->files = path;
}

static void read_root(struct check *check, struct config *config)
{
    const struct node *root = config->root;
    if (root->type != NODE_MAP) {
        check_fail(check, root, "expected a map of keys such as \"connections:\", got %s",
                   check_found(check, root));
        return;
    }
    check_keys(check, root, root_keys, ARRAY_SIZE(root_keys), NULL, 0);
    read_timezone(check, node_get(root, "timezone"), config);
    read_files(check, node_get(root, "files"), config);
    read_plugins(check, node_get(root, "plugins"), config);
    read_limits(check, node_get(root, "limits"), config);
    read_network(check, node_get(root, "network"), config);
    read_log(check, node_get(root, "log"), config);
    config_read_serve(check, root, config);
    config_read_keep(check, root, config);
    const struct node *connections = node_get(root, "connections");
    if (!connections || node_is_null(connections))
        return;
    if (connections->type != NODE_LIST)
        check_fail(check, connections,
                   "expected a list, each entry beginning with \"- name:\", got %s",
                   check_found(check, connections));
    config->connections = connections;
}

static int new_config(struct config **ret_config, struct err *err)
{
    struct config *config = mem_alloc(sizeof *config);
    if (!config)
        return err_set(err, ERR_MEMORY, "no memory for the configuration");
    arena_init(&config->arena, CONFIG_MAX_ARENA, NULL);
    set_defaults(config);
    *ret_config = config;
    return 0;
}

/* A failure with one cause is told both ways, so that a caller may print mistakes[] alone. */
static int one_mistake(int code, struct config_mistake *mistakes, size_t *ret_count,
                       const struct err *err)
{
    utf8_clean(mistakes[0].text, sizeof mistakes[0].text, err->text, strlen(err->text));
    *ret_count = 1;
    return code;
}

int config_parse(const char *text, size_t size, const char *path, struct config **ret_config,
                 struct config_mistake *mistakes, size_t *ret_mistake_count, struct err *err)
{
    struct err own;
    err = err ? err : &own;
    struct config *config CLEANUP(config_freep) = NULL;
    struct node *root = NULL;
    int r = new_config(&config, err);
    if (!r)
        r = node_parse(text, size, path, &config->arena, &root, err);
    if (r)
        return one_mistake(r, mistakes, ret_mistake_count, err);
    config->root = root;
    config->path = root->file;
    struct check check = {.root = root, .arena = &config->arena, .mistakes = mistakes};
    read_root(&check, config);
    r = check_result(&check, err);
    if (!r && config->arena.failed)
        r = one_mistake(err_set(err, ERR_MEMORY, "%s: no memory to read it", path), mistakes,
                        &check.count, err);
    *ret_mistake_count = check.count;
    if (!r)
        *ret_config = STEAL(config);
    return r;
}

static int check_file(const char *path, struct stat *status, struct err *err)
{
    if (stat(path, status)) {
        int code = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM;
        return err_set(err, code, "%s: cannot read the configuration: %s", path, strerror(errno));
    }
    if (S_ISDIR(status->st_mode))
        return err_set(err, ERR_SYSTEM, "%s: a folder, expected the configuration file itself",
                       path);
    /* /dev/null and pipes are what the caller makes of them. */
    if (S_ISREG(status->st_mode) && (status->st_mode & S_IWOTH))
        return err_set(err, ERR_SYSTEM,
                       "%s: every user of this machine may change it, so it is not used: "
                       "chmod o-w %s",
                       path, path);
    return 0;
}

static int load_file(const char *path, struct config **ret_config, struct config_mistake *mistakes,
                     size_t *ret_mistake_count, struct err *err)
{
    struct stat status;
    char *text CLEANUP(mem_freep) = NULL;
    size_t size = 0;
    int r = check_file(path, &status, err);
    if (!r)
        r = file_read(path, NODE_MAX_TEXT, &text, &size, err);
    if (r)
        return one_mistake(r, mistakes, ret_mistake_count, err);
    r = config_parse(text, size, path, ret_config, mistakes, ret_mistake_count, err);
    wipe(text, size); /* it may hold secrets */
    if (!r)
        (*ret_config)->others_read = S_ISREG(status.st_mode) && (status.st_mode & S_IROTH);
    return r;
}

/* The user's own file, or NULL where no home folder is known. */
static const char *user_path(struct arena *arena)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    if (base && base[0] == '/') /* XDG Base Directory Specification: relative ones are ignored */
        return arena_printf(arena, "%s/sonde/sonde.yaml", base);
    const char *home = getenv("HOME");
    return home && *home ? arena_printf(arena, "%s/.config/sonde/sonde.yaml", home) : NULL;
}

int config_load(const char *path, struct config **ret_config, struct config_mistake *mistakes,
                size_t *ret_mistake_count, struct err *err)
{
    struct err own;
    err = err ? err : &own;
    *ret_mistake_count = 0;
    if (path)
        return load_file(path, ret_config, mistakes, ret_mistake_count, err);
    struct arena arena;
    arena_init(&arena, 16384, NULL);
    const char *user = user_path(&arena);
    int r = ERR_NOT_FOUND;
    if (user)
        r = load_file(user, ret_config, mistakes, ret_mistake_count, err);
    arena_finish(&arena);
    if (r == ERR_NOT_FOUND)
        r = load_file(SONDE_SYSCONF_DIR "/sonde/sonde.yaml", ret_config, mistakes,
                      ret_mistake_count, err);
    if (r != ERR_NOT_FOUND)
        return r;
    *ret_mistake_count = 0;
    err->code = 0;
    return new_config(ret_config, err);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    arena_finish(&config->arena);
    mem_free(config);
}
