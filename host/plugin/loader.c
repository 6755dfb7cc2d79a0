/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/str.h"
#include "plugin/abi_check.h"
#include "plugin/host.h"

#define NEWEST_MAJOR_LOOKED_FOR 9u

static int check_writers(const char *what, const char *path, const struct stat *st, struct err *err)
{
    if (!(st->st_mode & (S_IWGRP | S_IWOTH)))
        return 0;
    return err_set(err, ERR_INVALID,
                   "%s %s may be written by its group or others (mode %03o), so anyone of them "
                   "could run code here: "
                   "chmod go-w it",
                   what, path, (unsigned)(st->st_mode & 0777));
}

int loader_stat(const char *folder, const char *path, struct loaded *ret_loaded, struct err *err)
{
    char real_folder[PATH_MAX];
    char real_file[PATH_MAX];
    struct stat folder_stat;
    struct stat st;
    if (!realpath(folder, real_folder) || !realpath(path, real_file) ||
        stat(real_folder, &folder_stat) || stat(real_file, &st))
        return err_set(err, ERR_INVALID, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is not a regular file", path);
    size_t n = strlen(real_folder);
    const char *rest = real_file + n;
    bool inside = strncmp(real_file, real_folder, n) == 0 && *rest == '/' && !strchr(rest + 1, '/');
    if (!inside)
        return err_set(err, ERR_INVALID, "%s leads to %s, outside the plugin folder", path,
                       real_file);
    int r = check_writers("the plugin folder", real_folder, &folder_stat, err);
    if (!r)
        r = check_writers("the file", real_file, &st, err);
    if (r)
        return r;
    *ret_loaded = (struct loaded){.device = st.st_dev, .inode = st.st_ino};
    return 0;
}

/* dlsym gives an object pointer; ISO C lets no cast make a function of it. */
static sonde_entry_fn entry_of(void *symbol)
{
    sonde_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    return entry;
}

static int no_entry(void *handle, struct loaded *loaded, struct err *err)
{
    for (unsigned major = 0; major <= NEWEST_MAJOR_LOOKED_FOR; major++) {
        char symbol[40];
        snprintf(symbol, sizeof symbol, "sonde_plugin_entry_v%u", major);
        if (major != SONDE_ABI_MAJOR && dlsym(handle, symbol))
            return err_set(err, ERR_INVALID, "built for plugin ABI %u, this host speaks %u", major,
                           SONDE_ABI_MAJOR);
    }
    loaded->no_entry = true;
    return err_set(err, ERR_INVALID, "it exports no %s: not a sonde plugin", SONDE_ENTRY_SYMBOL);
}

int loader_open(const char *path, struct loaded *loaded, struct err *err)
{
    /* NOW: a missing symbol shows here instead of crashing a call later. */
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        return err_set(err, ERR_INVALID, "cannot be loaded: %s", why ? why : "no reason given");
    }
    void *symbol = dlsym(handle, SONDE_ENTRY_SYMBOL);
    if (!symbol) {
        int r = no_entry(handle, loaded, err);
        dlclose(handle);
        return r;
    }
    /* Its code runs from here on: the mapping stays, whatever becomes of it. */
    char reason[512] = "";
    const struct sonde_plugin *table = entry_of(symbol)(host_table(), reason, sizeof reason);
    reason[sizeof reason - 1] = '\0';
    if (!table) {
        char clean[512];
        utf8_clean(clean, sizeof clean, reason, strlen(reason));
        return err_set(err, ERR_INVALID, "its entry failed: %s",
                       clean[0] ? clean : "no reason given");
    }
    int r = abi_check(table, &loaded->table, err);
    if (r)
        return r;
    if (abi_unknown_caps(&loaded->table))
        log_line(LOG_DEBUG, "plugin", "%s: unknown features 0x%llx ignored", loaded->table.name,
                 (unsigned long long)abi_unknown_caps(&loaded->table));
    return 0;
}
