/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token file on disk: read when nobody else may, made when there is none.
 *
 * Ownership: the caller wipes and frees (mem_free) the text. Threads: safe.
 */
#ifndef AUTH_TOKEN_FILE_H
#define AUTH_TOKEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define TOKEN_FILE_MAX ((size_t)4 << 20)

/* In one block, so that no copy of the secrets stays behind. 0, ERR_NOT_FOUND (no file), ERR_INVALID, ERR_SYSTEM, ERR_MEMORY. */
int token_file_read(const char *path, char **ret_text, size_t *ret_size, struct err *err);
/* One random token on the first line. ret_made false: another process was faster, its file stands. 0, ERR_SYSTEM, ERR_LIMIT. */
int token_file_make(const char *path, bool *ret_made, struct err *err);

#endif
