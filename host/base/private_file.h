/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of secrets: read only when nobody else may, made so that a second process finds a whole one or none.
 *
 * Ownership: the caller wipes and frees (mem_free) what is read. Threads: safe.
 */
#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

struct private_file {
    const char *path;
    const char *what; /* "token file": what messages call it */
    const char *hint; /* what to do when it cannot be made: "name another one with --token-file" */
    size_t max;
};

/*
 * In one block, so that no copy of the secrets stays behind. 0, ERR_NOT_FOUND (no file), ERR_INVALID (no file of its owner alone: the owner must be
 * this process's user or root, nobody else may read it; too large), ERR_SYSTEM, ERR_MEMORY.
 */
int private_file_read(const struct private_file *file, char **ret_text, size_t *ret_size,
                      struct err *err);
/*
 * Mode 0600 in folders of 0700, under a temporary name first and linked into place. ret_made false: another process was faster, its file
 * stands. 0, ERR_SYSTEM, ERR_LIMIT.
 */
int private_file_make(const struct private_file *file, const char *data, size_t size,
                      bool *ret_made, struct err *err);
/*
 * Where a file of sonde's own state is when nobody says: in $STATE_DIRECTORY (set by systemd), $XDG_STATE_HOME/sonde, for root /var/lib/sonde,
 * else ~/.local/state/sonde. 0; ERR_NOT_FOUND (no such folder is known) or ERR_LIMIT (too long), without a message.
 */
int state_file_path(const char *name, char *path, size_t size);

#endif
