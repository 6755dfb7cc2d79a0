/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process uses: processor, memory, descriptors. Where the system does not say, a number is -1. And keeping its memory from others.
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
/*
 * No core dumps, and on Linux no debugger of the same user and no look at /proc/PID/mem: for a process that holds keys. Children started
 * afterwards may dump again but for the limit. Not in sanitized builds, whose leak check attaches to the process.
 */
void process_forbid_dumps(void);

#endif
