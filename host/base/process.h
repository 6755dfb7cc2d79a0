/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process uses: processor, memory, descriptors. Where the system does not say, a number is -1.
 *
 * Ownership: none. Threads: safe.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

struct process_usage {
    int64_t cpu_ns;
    int64_t resident_bytes;
    int64_t malloc_bytes; /* handed out by malloc and not freed */
    int64_t open_descriptors;
    int64_t max_descriptors;
};

void process_usage(struct process_usage *ret_usage);

#endif
