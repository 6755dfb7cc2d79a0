/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the Prometheus adapter that are not shared with its family.
 *
 * Ownership: static data; answers are kept in the op's memory. Threads: one operation, one thread.
 */
#ifndef SONDE_PROMETHEUS_H
#define SONDE_PROMETHEUS_H

#include "promql/allowed.h"
#include "promql/op.h"

/* The requests of PROBE, in the order of prometheus_probe. */
enum prometheus_step {
    PROMETHEUS_BUILDINFO,
    PROMETHEUS_FEATURES,
    PROMETHEUS_FLAGS,
    PROMETHEUS_STEPS,
};

extern const struct promql_probe_step prometheus_probe[PROMETHEUS_STEPS];
/* What the host lets through: the paths of promql/plan.c and of PROBE, nothing that writes. */
#define PROMETHEUS_ALLOWED (PROMQL_PLAN_ALLOWED_COUNT + 3)
extern const struct sonde_allowed *const prometheus_allowed[PROMETHEUS_ALLOWED];

#define PROMETHEUS_MAX_FEATURES 64

/* What PROBE has read so far. */
struct prometheus_probe_state {
    char product[64];
    char version[64];
    uint64_t max_samples;
    uint64_t timeout_ms;
    uint64_t lookback_ms;
    int exemplars; /* 0 off, 1 on, -1 unknown */
    bool flags_read;
    bool victoriametrics; /* it answers, under another name */
    size_t feature_count;
    const char *features[PROMETHEUS_MAX_FEATURES];
};

void prometheus_probe_field(struct promql_op *op, size_t step, const char *path, const char *value,
                            size_t size);
void prometheus_probe_answered(struct promql_op *op, size_t step, uint32_t status);
void prometheus_probe_done(struct promql_op *op);

#endif
