/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between the backends that speak PromQL over the Prometheus API, as data.
 *
 * Ownership: static. Threads: constant data.
 */
#ifndef SONDE_PROMQL_DIALECT_H
#define SONDE_PROMQL_DIALECT_H

#include "walk.h"

#include <sonde/plugin.h>
#include <sonde/text.h>

#include <stdbool.h>

struct promql_op;

/* A request of PROBE; its answer is read as fields, or line by line. */
struct promql_probe_step {
    const char *path; /* with its query, if it has one */
    bool required;    /* else an answer such as 404 is no fault */
    bool at_root;     /* below the connection's url, whatever tenant there is */
    bool lines;       /* plain text: probe_line gets it */
};

struct promql_dialect {
    const char *product;
    const char *tenant_words; /* what a wrong path may come from beside its prefix; NULL nothing */
    const char *language;     /* of its queries; NULL: PromQL */
    uint32_t max_points; /* a series may have in a range answer, unless the fact max_points says */
    bool vmrange;        /* histograms may have vmrange buckets, and none are native */
    bool escapes_names;  /* label names take backslashes, in every version */
    bool plain_paths;    /* and paths take any name, percent-encoded */
    bool limits_names;   /* takes limit for names, in every version */
    /* Names and values are those of today unless a window is given: so one always is. */
    bool always_window;
    promql_walk_fn walk; /* NULL: promql_walk */
    const struct sonde_alias *const *aliases;
    size_t alias_count;
    const struct promql_probe_step *probe;
    size_t probe_count;
    /* What every query is sent with beside the usual, and what the reader should know about its answer; NULL: nothing. */
    void (*add_query_args)(struct promql_op *op, struct sonde_text *form);
    /* One field of a PROBE answer: its keys joined by '.', scalars only. */
    void (*probe_field)(struct promql_op *op, size_t step, const char *path, const char *value,
                        size_t size);
    /* One line of a PROBE answer that is plain text; ones of more than PROMQL_MAX_LINE are left out. */
    void (*probe_line)(struct promql_op *op, size_t step, const char *line, size_t size);
    /* A step is over; status is its HTTP status, 0 when no answer came. */
    void (*probe_answered)(struct promql_op *op, size_t step, uint32_t status);
    /* Every step is over: emits backend and facts. */
    void (*probe_done)(struct promql_op *op);
    size_t probe_state_size; /* zeroed memory at op->probe_state */
};

#define PROMQL_MAX_LINE 1024

#endif
