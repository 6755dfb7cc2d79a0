/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between the backends that speak PromQL over the Prometheus API, as data.
 *
 * Ownership: static. Threads: constant data.
 */
#ifndef SONDE_PROMQL_DIALECT_H
#define SONDE_PROMQL_DIALECT_H

#include <sonde/plugin.h>

#include <stdbool.h>

struct promql_op;

/* A request of PROBE; its answer is read as fields. */
struct promql_probe_step {
    const char *path;
    bool required; /* else an answer such as 404 is no fault */
};

struct promql_dialect {
    const char *product;
    uint32_t max_points; /* a series may have in a range answer */
    bool no_cache;       /* nocache=1 keeps the start and end that were asked for */
    const struct sonde_alias *const *aliases;
    size_t alias_count;
    const struct promql_probe_step *probe;
    size_t probe_count;
    /* One field of a PROBE answer: its keys joined by '.', scalars only. */
    void (*probe_field)(struct promql_op *op, size_t step, const char *path, const char *value,
                        size_t size);
    /* A step is over; status is its HTTP status, 0 when no answer came. */
    void (*probe_answered)(struct promql_op *op, size_t step, uint32_t status);
    /* Every step is over: emits backend and facts. */
    void (*probe_done)(struct promql_op *op);
    size_t probe_state_size; /* zeroed memory at op->probe_state */
};

#endif
