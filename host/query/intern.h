/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label texts kept once: twenty thousand series share a few hundred names and values.
 *
 * Ownership: texts live in the result; the table goes with intern_finish. Threads: one thread.
 */
#ifndef QUERY_INTERN_H
#define QUERY_INTERN_H

#include "model/result.h"

struct intern_slot {
    const char *text;
    uint32_t size;
    uint32_t hash;
};

struct intern {
    struct result *result;
    struct intern_slot *slots;
    size_t slot_count; /* power of two, or 0 */
    size_t count;
    char *pool; /* short texts are packed */
    size_t pool_left;
};

void intern_init(struct intern *intern, struct result *result);
void intern_finish(struct intern *intern);
/* NUL-terminated storable copy, its size in *ret_size; NULL without memory. */
const char *intern_text(struct intern *intern, const char *data, size_t size, size_t *ret_size);

#endif
