/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "plugin/loader.h"

#define MAX_FOLDERS 16u
#define MAX_FILES 256u
#define MAX_ENABLED 256u
#define REGISTRY_MAX_BYTES (8u * 1024u * 1024u)

static const char *const shipped[] = {"prometheus", "victoriametrics", "otlpfile"};

struct known {
    struct adapter adapter;
    dev_t device;
    ino_t inode;
};

struct registry {
    struct arena arena;
    struct known *known[MAX_FILES];
    const struct adapter *adapters[MAX_FILES];
    size_t adapter_count;
    struct plugin_refusal refusals[2 * MAX_FILES];
    size_t refusal_count;
    const char *const *enable;
    size_t enable_count;
    bool enable_given;
};

static void refuse(struct registry *registry, const char *path, const char *name,
                   const char *reason)
{
    if (registry->refusal_count == ARRAY_SIZE(registry->refusals))
        return;
    struct plugin_refusal refusal = {.path = arena_strdup(&registry->arena, path),
                                     .name = arena_strdup(&registry->arena, name),
                                     .reason = arena_strdup(&registry->arena, reason)};
    if (refusal.path && refusal.name && refusal.reason)
        registry->refusals[registry->refusal_count++] = refusal;
}

static bool enabled(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->enable_count; i++)
        if (str_eq(registry->enable[i], name))
            return true;
    return false;
}

static bool same_file(const struct registry *registry, const struct loaded *loaded,
                      const char **ret_path)
{
    for (size_t i = 0; i < registry->adapter_count; i++) {
        const struct known *known = registry->known[i];
        if (known->device == loaded->device && known->inode == loaded->inode) {
            *ret_path = known->adapter.path;
            return true;
        }
    }
    return false;
}

/* The rules beyond the table itself: its name is that of its file, and not taken. */
static int accept(struct registry *registry, const char *path, const char *stem,
                  struct loaded *loaded, struct err *err)
{
    const struct adapter *other = registry_find(registry, loaded->table.name);
    if (!str_eq(loaded->table.name, stem))
        return err_set(err, ERR_INVALID, "it calls itself \"%s\", so its file must be %s.so",
                       loaded->table.name, loaded->table.name);
    if (other)
        return err_set(err, ERR_INVALID, "the name %s is taken by %s", loaded->table.name,
                       other->path);
    struct known *known = arena_alloc(&registry->arena, sizeof *known);
    char *copy = arena_strdup(&registry->arena, path);
    if (!known || !copy)
        return err_set(err, ERR_MEMORY, "no memory for plugin %s", path);
    known->adapter.table = loaded->table;
    known->adapter.path = copy;
    known->device = loaded->device;
    known->inode = loaded->inode;
    registry->known[registry->adapter_count] = known;
    registry->adapters[registry->adapter_count++] = &known->adapter;
    return 0;
}

static int try_file(struct registry *registry, const char *folder, const char *path,
                    const char *stem)
{
    struct err err = {0};
    struct loaded loaded = {0};
    const char *other = NULL;
    if (!enabled(registry, stem)) {
        /* Mapping it would already run its code, so not even its table is looked at. */
        refuse(registry, path, stem, "not enabled: name it under plugins.enable to load it");
        return 0;
    }
    int r = loader_stat(folder, path, &loaded, &err);
    if (!r && same_file(registry, &loaded, &other))
        r = err_set(&err, ERR_INVALID, "it is the same file as %s", other);
    if (!r)
        r = loader_open(path, &loaded, &err);
    if (!r)
        r = accept(registry, path, stem, &loaded, &err);
    if (r == ERR_MEMORY)
        return r;
    /* Libraries that are no plugins may lie in the folder; one the user named is a mistake to be told. */
    if (r && !(loaded.no_entry && !registry->enable_given))
        refuse(registry, path, stem, err.text);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* Names of the folder's *.so in order; -1 when the folder cannot be read. */
static int list_folder(struct registry *registry, const char *folder, const char **names,
                       size_t *ret_count)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return -1;
    size_t n = 0;
    for (const struct dirent *entry = readdir(dir); entry && n < MAX_FILES; entry = readdir(dir)) {
        if (entry->d_name[0] == '.' || !str_ends(entry->d_name, ".so"))
            continue;
        names[n] = arena_strdup(&registry->arena, entry->d_name);
        if (names[n])
            n++;
    }
    closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    *ret_count = n;
    return 0;
}

static int scan(struct registry *registry, const char *folder)
{
    const char *names[MAX_FILES];
    size_t n = 0;
    if (list_folder(registry, folder, names, &n)) {
        /* The installed folder is absent before `make install`; that is no fault. Anything else is. */
        if (errno != ENOENT) {
            const char *why = arena_printf(&registry->arena, "cannot read the plugin folder: %s",
                                           strerror(errno));
            refuse(registry, folder, "", why ? why : "cannot read the plugin folder");
        }
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        char *path = arena_printf(&registry->arena, "%s/%s", folder, names[i]);
        char *stem = arena_strndup(&registry->arena, names[i], strlen(names[i]) - 3);
        if (!path || !stem)
            return ERR_MEMORY;
        if (registry->adapter_count == MAX_FILES)
            refuse(registry, path, stem, "256 plugins are loaded already, the most that can be");
        else if (try_file(registry, folder, path, stem))
            return ERR_MEMORY;
    }
    return 0;
}

static void refuse_missing(struct registry *registry, const char *const *paths, size_t path_count)
{
    for (size_t i = 0; registry->enable_given && i < registry->enable_count; i++) {
        const char *name = registry->enable[i];
        bool known = registry_find(registry, name) != NULL;
        for (size_t k = 0; k < registry->refusal_count && !known; k++)
            known = str_eq(registry->refusals[k].name, name);
        if (known)
            continue;
        char *reason = arena_printf(&registry->arena, "no %s.so in %s%s", name,
                                    path_count ? paths[0] : "any folder: none is configured",
                                    path_count > 1 ? " or the other plugin folders" : "");
        refuse(registry, "", name, reason ? reason : "not found");
    }
}

int registry_load(const char *const *paths, size_t path_count, const char *const *enable,
                  size_t enable_count, struct registry **ret_registry, struct err *err)
{
    if (path_count > MAX_FOLDERS || enable_count > MAX_ENABLED)
        return err_set(err, ERR_LIMIT, "plugins: at most %u folders and %u names are accepted",
                       MAX_FOLDERS, MAX_ENABLED);
    CLEANUP(registry_freep) struct registry *registry = mem_alloc(sizeof *registry);
    if (!registry)
        return err_set(err, ERR_MEMORY, "no memory for the plugins");
    arena_init(&registry->arena, REGISTRY_MAX_BYTES, NULL);
    registry->enable_given = enable != NULL;
    registry->enable = enable ? enable : shipped;
    registry->enable_count = enable ? enable_count : ARRAY_SIZE(shipped);
    for (size_t i = 0; i < path_count; i++)
        if (scan(registry, paths[i]))
            return err_set(err, ERR_MEMORY, "no memory for the plugins");
    refuse_missing(registry, paths, path_count);
    registry->enable = NULL;
    registry->enable_count = 0;
    *ret_registry = STEAL(registry);
    return 0;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    arena_finish(&registry->arena);
    mem_free(registry);
}

const struct adapter *registry_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->adapter_count; i++)
        if (str_eq(registry->adapters[i]->table.name, name))
            return registry->adapters[i];
    return NULL;
}

const struct adapter *const *registry_adapters(const struct registry *registry, size_t *ret_count)
{
    *ret_count = registry->adapter_count;
    return registry->adapters;
}

const struct plugin_refusal *registry_refusals(const struct registry *registry, size_t *ret_count)
{
    *ret_count = registry->refusal_count;
    return registry->refusals;
}
