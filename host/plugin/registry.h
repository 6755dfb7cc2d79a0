/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapters of this process: found, checked, loaded, or refused with a reason. Loaded once, never unloaded.
 *
 * Ownership: the registry owns adapters and refusals until the process ends. Threads: immutable once loaded.
 */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sonde/plugin.h>
#include "base/cleanup.h"
#include "base/err.h"

struct adapter {
    struct sonde_plugin table; /* the host's copy: min(struct_size) bytes, the rest zero */
    const char *path;
    atomic_uint_fast64_t callbacks;
    atomic_uint_fast64_t callback_ns;
    atomic_uint_fast64_t slow_callbacks; /* above 100 ms */
    atomic_int_fast64_t quiet_until_ns;  /* the next warning about one; clock_mono_ns */
};

struct plugin_refusal {
    const char *path;
    const char *name;   /* of the file, without .so; "" for a folder */
    const char *reason; /* one sentence with both versions where they matter */
};

struct registry;

/*
 * Scans the folders (missing ones are skipped) for NAME.so in name order; a plugin's file bears its name. enable: names to
 * load; NULL loads the adapters sonde ships ("prometheus", "otlpfile"), a third party's must be named: a file
 * that is not named is never mapped and is listed as a refusal "not enabled". A name in enable that no folder holds, or that was
 * refused, is a refusal too. At most 16 folders and 256 names. Fails only on memory and those two.
 */
int registry_load(const char *const *paths, size_t path_count, const char *const *enable,
                  size_t enable_count, struct registry **ret_registry, struct err *err);
void registry_free(struct registry *registry);
DEFINE_CLEANUP(struct registry *, registry_free);
const struct adapter *registry_find(const struct registry *registry, const char *name);
const struct adapter *const *registry_adapters(const struct registry *registry, size_t *ret_count);
const struct plugin_refusal *registry_refusals(const struct registry *registry, size_t *ret_count);
/*
 * One file, refused or accepted, in a child process, so that a plugin that crashes takes only the child with it: `sonde
 * plugin check FILE`. The child is this very program run as `plugin check-here FILE`, which calls plugin_check_here,
 * prints text on standard output and exits 0 or 1. Writes the verdict to text. 0 accepted, else ERR_INVALID.
 */
int plugin_check_file(const char *path, char *text, size_t text_size);
int plugin_check_here(const char *path, char *text, size_t text_size);

#endif
