/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the VictoriaMetrics adapter that are not shared with the Prometheus family.
 *
 * Ownership: static data; answers are kept in the op's memory. Threads: one operation, one thread.
 */
#ifndef SONDE_VICTORIAMETRICS_H
#define SONDE_VICTORIAMETRICS_H

#include "promql/allowed.h"
#include "promql/op.h"

/* The requests of PROBE, in the order of victoriametrics_probe. */
enum victoriametrics_step {
    VICTORIAMETRICS_QUERY,
    VICTORIAMETRICS_BUILDINFO,
    VICTORIAMETRICS_METRICS,
    VICTORIAMETRICS_STEPS,
};

extern const struct promql_probe_step victoriametrics_probe[VICTORIAMETRICS_STEPS];
/* What the host lets through: the paths of promql/plan.c and of PROBE, nothing that writes. */
#define VICTORIAMETRICS_ALLOWED (PROMQL_PLAN_ALLOWED_COUNT + 2)
extern const struct sonde_allowed *const victoriametrics_allowed[VICTORIAMETRICS_ALLOWED];

/* What PROBE has read so far. */
struct victoriametrics_probe_state {
    bool is_ours;    /* something only VictoriaMetrics says */
    bool is_foreign; /* something it never says */
    bool ignores_match;
    bool has_offset;
    char foreign[64]; /* the other product's name */
    char foreign_version[64];
    char version[64];
    uint64_t latency_offset_ms;
    uint64_t max_points;
    uint64_t timeout_ms;
};

/* Arguments of every query: exact times, what is stored up to now, the operator's filters once more. */
void victoriametrics_query_args(struct promql_op *op, struct sonde_text *form);
void victoriametrics_probe_field(struct promql_op *op, size_t step, const char *path,
                                 const char *value, size_t size);
void victoriametrics_probe_line(struct promql_op *op, size_t step, const char *line, size_t size);
void victoriametrics_probe_answered(struct promql_op *op, size_t step, uint32_t status);
void victoriametrics_probe_done(struct promql_op *op);

#endif
