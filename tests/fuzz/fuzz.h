/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fuzz target defines. Built with --enable-fuzzers it is libFuzzer's; otherwise replay.c feeds it its corpus.
 *
 * Ownership: data is the caller's. Threads: called from one thread.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Always 0; a fault aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
