/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation against a Prometheus API: which requests its kind takes, in which order, and where
 * their answers go. The functions of the plugin table, shared by the adapters of the family.
 *
 * Ownership: everything is the op's memory; the JSON readers' own goes in promql_op_end. Threads:
 * one operation on one thread at a time; the instance is constant.
 */
#ifndef SONDE_PROMQL_OP_H
#define SONDE_PROMQL_OP_H

#include "metadata.h"
#include "reader.h"
#include "rewrite.h"

#define PROMQL_MAX_STEPS 5
#define PROMQL_MAX_BODY 8192

struct promql_instance {
    const struct sonde_host *host;
    const struct promql_dialect *dialect;
    int64_t scrape_ns;
    const char *endpoint; /* of the API; NULL: the connection's url */
};

enum promql_step_state {
    PROMQL_STEP_READY,
    PROMQL_STEP_SENT,
    PROMQL_STEP_DONE,
};

/* One request and what became of it. */
struct promql_step {
    enum promql_step_state state;
    enum promql_shape shape;
    const char *path;
    const char *form;     /* name=value&...; "" none */
    const char *endpoint; /* NULL: the connection's url */
    bool post;            /* as a form, else in the path */
    bool optional;        /* its failure is no failure of the op */
    bool limited;         /* the server was asked to cut its answer */
    bool lines;           /* of PROBE: plain text */
    uint32_t index;
    uint64_t limit; /* rows read */
    uint64_t max_size;
    /* the answer */
    uint32_t status;
    uint64_t retry_after_ms;
    size_t body_size;
    struct promql_op *op;
    struct promql_reader reader;
    char location[512];
    char body[PROMQL_MAX_BODY]; /* its beginning */
    size_t line_size;           /* beyond PROMQL_MAX_LINE: the line is left out */
    char line[PROMQL_MAX_LINE];
};

struct promql_op {
    const struct promql_instance *instance;
    const struct sonde_host *host;
    struct sonde_ctx *ctx;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    struct promql_context context;
    struct promql_rewrite rewrite; /* text NULL: no query in this op */
    struct promql_metadata metadata;
    const char *product; /* facts; "" unknown */
    const char *version;
    const char *latency_offset; /* a fact: milliseconds that the server would hide; "" unknown */
    uint32_t max_points;        /* a series may have in a range answer */
    struct promql_step *steps[PROMQL_MAX_STEPS];
    uint32_t step_count;
    bool side_by_side;
    bool no_post; /* a fact: the server takes GET only */
    bool stopped; /* the sink wants no more */
    bool cut;     /* an answer did not come whole */
    bool exemplars_off;
    bool ignores_match; /* a fact: names come unfiltered */
    void *probe_state;
};

int32_t promql_op_begin(void *instance, const struct sonde_begin *begin, void **ret_op);
int32_t promql_op_next(void *op, struct sonde_request *request);
int32_t promql_op_head(void *op, uint32_t tag, const struct sonde_response_head *head);
int32_t promql_op_data(void *op, uint32_t tag, const void *data, size_t size);
int32_t promql_op_response_end(void *op, uint32_t tag, const struct sonde_outcome *outcome);
void promql_op_end(void *op, int32_t reason);

/* A new step at the end of the plan, or NULL without memory or room. */
struct promql_step *promql_add_step(struct promql_op *op, const char *path, const char *form,
                                    enum promql_shape shape);

#endif
