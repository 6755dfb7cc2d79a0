/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of an operation, labels and names: what every part of this adapter stands on.
 *
 * Ownership: everything got from a struct memory lives until the operation ends. Threads: one
 * operation, one thread at a time.
 */
#ifndef OTLPFILE_COMMON_H
#define OTLPFILE_COMMON_H

#include <sonde/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
    const struct sonde_host *host;
    struct sonde_ctx *ctx;
    bool full; /* sticky: something could not be had */
};

/* Zeroed; NULL and memory->full when the operation's budget is spent. */
void *memory_get(struct memory *memory, size_t size);
char *memory_copy(struct memory *memory, const char *text, size_t size);
/*
 * An array with room for one more element: itself, or a copy of twice the capacity. NULL when memory
 * is full or max elements are there.
 */
void *memory_grow(struct memory *memory, void *array, size_t count, size_t *capacity,
                  size_t element, size_t max);

/* A label as it is shown: name with underscores, both NUL-terminated. */
struct label {
    const char *name;
    const char *value;
};

/* Sorted by name, no name twice, no empty value. */
struct labels {
    const struct label *at;
    size_t count;
    uint64_t hash;
};

const char *labels_get(const struct labels *labels, const char *name); /* "" when absent */
uint64_t labels_hash(const struct label *at, size_t count);
bool labels_equal(const struct labels *a, const struct labels *b);
/* Those named (keep) or all others. names are normalised. */
int labels_select(struct memory *memory, const struct labels *labels, const char *const *names,
                  size_t count, bool keep, struct labels *ret_labels);
int labels_with(struct memory *memory, const struct labels *labels, const char *name,
                const char *value, struct labels *ret_labels);
/* In place of what is there: sorts and drops the earlier of two of the same name. */
size_t labels_sort(struct label *at, size_t count);

/* Every byte that is no ASCII letter, digit or colon becomes '_', so that dotted names equal underscored. */
void normalise(char *text);
char *normalised_copy(struct memory *memory, const char *text, size_t size);
uint64_t hash_text(uint64_t hash, const char *text);
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

#endif
