/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plugin file: looked at before it is mapped, mapped, asked for its table. The only caller of dlopen.
 *
 * Ownership: what was loaded stays mapped until the process ends. Threads: one at a time, at start.
 */
#ifndef PLUGIN_LOADER_H
#define PLUGIN_LOADER_H

#include <stdbool.h>
#include <sys/types.h>
#include <sonde/plugin.h>
#include "base/err.h"

struct loaded {
    struct sonde_plugin table; /* checked copy */
    dev_t device;
    ino_t inode;
    bool no_entry; /* refused because it exports no entry at all: no plugin of ours */
};

/* Rules for a file before it is mapped: a regular file inside the folder, neither writable by others. 0 or ERR_INVALID. */
int loader_stat(const char *folder, const char *path, struct loaded *ret_loaded, struct err *err);
/* Maps a file loader_stat accepted, runs its entry, checks its table. 0 or ERR_INVALID with one sentence. */
int loader_open(const char *path, struct loaded *ret_loaded, struct err *err);

#endif
