/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An adapter whose every step a test may replace, and a registry that holds just it.
 *
 * Without hooks it sends plan.requests one after the other (or side by side where they say MORE) and reads
 * lines out of the answers: "s ID" a series, "p ID SECOND VALUE" a point, "n NAME" a name. A status outside 2xx ends in
 * the class of it.
 *
 * Ownership: the plan is the test's. Threads: plan is read only while operations run; counters are atomic.
 */
#ifndef SUPPORT_TOY_ADAPTER_H
#define SUPPORT_TOY_ADAPTER_H

#include <stdatomic.h>
#include <sonde/plugin.h>
#include "plugin/registry.h"

struct toy_op {
    struct sonde_ctx *ctx;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    const struct sonde_pair *facts;
    uint32_t fact_count;
    size_t next; /* request to send */
    size_t answered;
    uint32_t status[64];
    char line[64][128];
    size_t line_size[64];
    unsigned steps; /* for hooks */
};

struct toy_plan {
    struct sonde_request requests[64];
    size_t count;
    int32_t (*begin)(struct toy_op *op);
    int32_t (*next)(struct toy_op *op, struct sonde_request *request);
    int32_t (*head)(struct toy_op *op, uint32_t tag, const struct sonde_response_head *head);
    int32_t (*data)(struct toy_op *op, uint32_t tag, const void *data, size_t size);
    int32_t (*end)(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome);
    int32_t (*open)(const struct sonde_open *open);
    atomic_uint begins, ends, response_heads, response_ends, opens, closes;
    atomic_int last_reason;
    atomic_uint last_outcome, last_attempt, last_can_retry;
    char last_text[256];
};

extern struct toy_plan plan;
extern const struct sonde_host *toy_host;
extern struct adapter toy; /* caps may be changed before a test runs */

void toy_reset(void);
/* Adds a GET of path with flags; its tag is its number. */
struct sonde_request *toy_request(const char *path, uint32_t flags);
/* What it would do without a hook. */
int32_t toy_next(struct toy_op *op, struct sonde_request *request);
int32_t toy_head(struct toy_op *op, uint32_t tag, const struct sonde_response_head *head);
int32_t toy_data(struct toy_op *op, uint32_t tag, const void *data, size_t size);
int32_t toy_end(struct toy_op *op, uint32_t tag, const struct sonde_outcome *outcome);
struct registry *toy_registry(void);

#endif
