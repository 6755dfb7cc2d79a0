/* SPDX-License-Identifier: Apache-2.0 */
#include "service/keep.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/keys.h"

static int open_store(const struct config *config, struct store **ret_store, struct err *err)
{
    char path[PATH_MAX];
    const char *location = config->keep.store;
    int r = location ? 0 : store_default_path(path, sizeof path, err);
    if (r)
        return r;
    struct store_settings settings = {.location = location ? location : path,
                                      .history_ns = config->keep.history_ns,
                                      .migrate = true};
    r = store_open(&settings, ret_store, err);
    if (r)
        err_prefix(err, "store: ");
    return r;
}

static int open_keyring(const struct config *config, struct keyring **ret_keyring, struct err *err)
{
    struct keyring_source source = {
        .file = config->keep.key_file, .environment = config->keep.key_environment, .make = true};
    bool made = false;
    int r = keyring_open(&source, ret_keyring, &made, err);
    if (r)
        err_prefix(err, "keys: ");
    else if (made)
        log_line(LOG_INFO, "keys",
                 "%s was made: the key that stored credentials are sealed with; without it they "
                 "cannot be read, so keep a copy apart from the store",
                 keyring_shown(*ret_keyring));
    return r;
}

static int open_both(const struct config *config, struct kept *kept, bool *ret_wrong_key,
                     struct err *err)
{
    int r = open_store(config, &kept->store, err);
    if (!r)
        r = open_keyring(config, &kept->keyring, err);
    if (r)
        return r;
    r = keys_check(kept->store, kept->keyring, err);
    *ret_wrong_key = r == ERR_INVALID;
    return r;
}

int kept_open(const struct config *config, enum service_keeping keeping, struct kept *ret_kept,
              struct err *err)
{
    const char *location = config->keep.store;
    if (keeping == KEEP_NOTHING || (location && !*location))
        return 0;
    struct kept kept = {0};
    bool wrong_key = false;
    int r = open_both(config, &kept, &wrong_key, err);
    if (!r) {
        kept.whole = keeping == KEEP_ALWAYS;
        *ret_kept = kept;
        return 0;
    }
    kept_finish(&kept, 0);
    if (keeping == KEEP_ALWAYS || wrong_key || location)
        return r;
    log_line(LOG_WARN, "store",
             "%s; going on without stored connections and history (store: none says so for good)",
             err->text);
    *err = (struct err){.position = -1};
    return 0;
}

int service_describe_store(const struct config *config, char *text, size_t size, struct err *err)
{
    char path[PATH_MAX];
    const char *location = config->keep.store;
    int r = location ? 0 : store_default_path(path, sizeof path, err);
    if (r)
        return r;
    location = location ? location : path;
    if (!*location) {
        snprintf(text, size, "none");
        return 0;
    }
    struct arena arena;
    struct store_migration *migrations = NULL;
    size_t n = 0, missing = 0;
    arena_init(&arena, (size_t)1 << 20, NULL);
    r = store_migrations(location, &arena, &migrations, &n, err);
    for (size_t i = 0; i < n; i++)
        missing += !migrations[i].applied;
    if (r)
        err_prefix(err, "store: ");
    else
        snprintf(text, size, "%s%s", strstr(location, "://") ? "PostgreSQL" : location,
                 missing == n ? " (will be made)"
                 : missing    ? " (will be brought up to date)"
                              : "");
    arena_finish(&arena);
    return r;
}

void kept_finish(struct kept *kept, int64_t grace_ns)
{
    if (kept->store)
        store_close(kept->store, grace_ns);
    keyring_free(kept->keyring);
    *kept = (struct kept){0};
}
