/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for the pure parts of the PromQL library: memory, and the last failure.
 *
 * Ownership: memory goes with fake_free. Threads: one at a time.
 */
#ifndef SONDE_TEST_FAKE_HOST_H
#define SONDE_TEST_FAKE_HOST_H

#include <sonde/plugin.h>

struct sonde_ctx {
    void **blocks;
    size_t block_count;
    int32_t code;
    int64_t position;
    uint64_t wait_ms;
    char text[8192];
};

extern const struct sonde_host fake_host;

void fake_free(struct sonde_ctx *ctx);

#endif
