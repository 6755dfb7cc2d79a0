/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /api/v1/metadata says about metric families, kept bounded, and looked up by the names that
 * series really have: metadata of the counter `rpc` describes the series `rpc_total`.
 *
 * Ownership: memory is the op's. Threads: one table, one thread.
 */
#ifndef SONDE_PROMQL_METADATA_H
#define SONDE_PROMQL_METADATA_H

#include <sonde/plugin.h>
#include <sonde/text.h>

#include <stdbool.h>

#define PROMQL_MAX_FAMILIES 65536u
#define PROMQL_MAX_FAMILY_BYTES ((size_t)8 * 1024 * 1024)

struct promql_family {
    const char *name; /* NULL: a free place */
    size_t name_size;
    uint32_t type;
    uint32_t reserved_0;
    const char *unit; /* "" unknown */
    const char *help;
};

struct promql_metadata {
    const struct sonde_host *host;
    struct sonde_ctx *ctx;
    struct promql_family *places; /* open addressing; a power of two */
    uint32_t capacity;
    uint32_t count;
    size_t bytes;
    bool full; /* families were left out */
};

void promql_metadata_init(struct promql_metadata *metadata, const struct sonde_host *host,
                          struct sonde_ctx *ctx);
/* The first entry of a name stays: targets may disagree. */
void promql_metadata_add(struct promql_metadata *metadata, const char *name, size_t size,
                         const char *type, const char *unit, const char *help);
/* Fills in type, unit, help and guessed of a row whose name is set. */
void promql_metadata_describe(const struct promql_metadata *metadata, struct sonde_name *row);

#endif
