/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading small files whole.
 *
 * Ownership: the caller frees *ret_data with mem_free. Threads: safe.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include "base/err.h"

/* At most max bytes, NUL added after them. 0 or ERR_SYSTEM, ERR_LIMIT, ERR_MEMORY with path in the text. "-" is standard input. */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_size, struct err *err);

#endif
