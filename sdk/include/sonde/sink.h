/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where rows go. Every function takes the operation's ctx and one struct (or arrays), copies what it
 * keeps before it returns, and answers SONDE_GO_ON or SONDE_STOP. Slots the adapter calls are never
 * NULL on a host of its needs_minor.
 *
 * Ownership: the adapter's memory, lifetime call. Threads: only from within a callback of the same
 * operation.
 */
#ifndef SONDE_SINK_H
#define SONDE_SINK_H

#include <sonde/http.h>
#include <sonde/query.h>

#define SONDE_TYPE_UNKNOWN 0u
#define SONDE_TYPE_GAUGE 1u
#define SONDE_TYPE_COUNTER 2u
#define SONDE_TYPE_HISTOGRAM 3u
#define SONDE_TYPE_SUMMARY 4u
#define SONDE_TYPE_INFO 5u
#define SONDE_TYPE_STATESET 6u

/* A series, announced before its points. id is the adapter's own number. */
struct sonde_series {
    uint32_t struct_size;
    uint32_t type;
    uint64_t id;
    const struct sonde_label *labels;
    size_t label_count;
    const char *unit; /* UCUM or the backend's word; NULL unknown */
};

struct sonde_histogram_point {
    uint32_t struct_size;
    uint32_t bucket_count;
    uint64_t series_id;
    int64_t time_ns;
    double count;
    double sum;
    const double *lower; /* [bucket_count] */
    const double *upper;
    const double *counts; /* not cumulative */
};

struct sonde_exemplar {
    uint32_t struct_size;
    uint32_t reserved_0;
    uint64_t series_id;
    int64_t time_ns;
    double value;
    const char *trace_id; /* as the backend writes it; NULL none */
    const char *span_id;
    const struct sonde_label *labels;
    size_t label_count;
};

#define SONDE_SIDE_NONE 0u
#define SONDE_SIDE_BEFORE 1u
#define SONDE_SIDE_AFTER 2u

struct sonde_log {
    uint32_t struct_size;
    uint32_t severity;
    int64_t time_ns;
    const char *message;
    size_t message_size;
    const struct sonde_label *stream; /* labels of the stream */
    size_t stream_count;
    const struct sonde_label *metadata; /* structured metadata */
    size_t metadata_count;
    const struct sonde_label *parsed; /* fields read out of the line */
    size_t parsed_count;
    const char *trace_id;
    const char *span_id;
    const void *ref; /* names this row for LOG_CONTEXT; at most 512 bytes */
    size_t ref_size;
    const char *severity_source; /* where the severity was found; NULL unknown */
    uint32_t anchor;             /* LOG_CONTEXT: index into anchors[] */
    uint32_t side;
};

#define SONDE_STATUS_UNSET 0u
#define SONDE_STATUS_OK 1u
#define SONDE_STATUS_ERROR 2u

#define SONDE_LINK_CHILD_OF 1u
#define SONDE_LINK_FOLLOWS_FROM 2u

struct sonde_span_link {
    uint32_t struct_size;
    uint32_t type;
    const char *trace_id;
    const char *span_id;
};

struct sonde_span_event {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    const char *name;
    const struct sonde_label *attributes;
    size_t attribute_count;
};

struct sonde_span {
    uint32_t struct_size;
    uint32_t status;
    const char *trace_id;
    const char *span_id;
    const char *parent_id; /* NULL or "": a root */
    const char *operation;
    const char *service;
    const char *kind; /* server, client, internal, producer, consumer; NULL unknown */
    const char *status_text;
    int64_t start_ns;
    int64_t duration_ns;
    const struct sonde_label *attributes;
    size_t attribute_count;
    const struct sonde_label *resource;
    size_t resource_count;
    const struct sonde_span_event *const *events;
    size_t event_count;
    const struct sonde_span_link *const *links;
    size_t link_count;
};

struct sonde_trace_summary {
    uint32_t struct_size;
    uint32_t has_error; /* 0, 1; 2 unknown */
    const char *trace_id;
    const char *root_service;
    const char *root_operation;
    int64_t start_ns;
    int64_t duration_ns;
    uint32_t span_count; /* 0 unknown */
    uint32_t service_count;
};

/* A metric, label, label value, service or operation. */
struct sonde_name {
    uint32_t struct_size;
    uint32_t type; /* SONDE_TYPE_* for metrics */
    const char *name;
    size_t name_size;
    const char *unit;
    const char *help;
    const char *parent; /* the service of an operation; NULL none */
    uint64_t count;     /* series or values behind it; 0 unknown */
    uint32_t guessed;   /* 1: the type is a guess from the name */
    uint32_t reserved_0;
};

struct sonde_edge {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *caller;
    const char *callee;
    uint64_t calls;
    uint64_t errors;
};

struct sonde_event {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    const char *kind; /* deploy config flag scale restart annotation */
    const char *service;
    const char *from;
    const char *to;
    const char *source;
    const char *text;
    const struct sonde_label *labels;
    size_t label_count;
};

struct sonde_alert {
    uint32_t struct_size;
    uint32_t silenced;
    int64_t since_ns;
    double value;
    double threshold;
    const char *rule;
    const char *state; /* firing pending inactive */
    const char *query;
    const struct sonde_label *labels;
    size_t label_count;
    const struct sonde_label *annotations;
    size_t annotation_count;
};

struct sonde_pattern {
    uint32_t struct_size;
    uint32_t severity;
    const char *pattern;
    const char *example;
    uint64_t count;
    int64_t first_ns;
    int64_t last_ns;
};

struct sonde_count {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns; /* start of the bucket; 0 for the whole window */
    double count;
    double bytes; /* NaN unknown */
    const struct sonde_label *labels;
    size_t label_count;
};

struct sonde_span_stat {
    uint32_t struct_size;
    uint32_t quantile_count;
    double count;
    double errors;
    const double *quantiles; /* [quantile_count], 0 to 1 */
    const double *durations_ns;
    const struct sonde_label *labels;
    size_t label_count;
};

struct sonde_backend {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *product;
    const char *version; /* "" unknown */
    const char *status;  /* one line; NULL well */
    const char *const *features;
    size_t feature_count;
};

/* What lies behind one connection. For a gateway, backend names the adapter to use there. */
struct sonde_scope {
    uint32_t struct_size;
    uint32_t is_default;
    const char *id;
    const char *name;
    const char *sort;    /* datasource tenant region account index */
    const char *backend; /* NULL: this adapter itself */
    const char *path_prefix;
    const struct sonde_pair *headers;
    size_t header_count;
};

#define SONDE_TOTAL_EXACT 1u
#define SONDE_TOTAL_AT_LEAST 2u

/* Why an answer is partial. */
#define SONDE_PARTIAL_LIMIT 1u
#define SONDE_PARTIAL_LOST 2u
#define SONDE_PARTIAL_SHARDS 3u
#define SONDE_PARTIAL_TIMEOUT 4u
#define SONDE_PARTIAL_BACKEND 5u

#define SONDE_UNAPPLIED_FILTER 1u
#define SONDE_UNAPPLIED_MATCH 2u

typedef int32_t (*sonde_sink_series_fn)(struct sonde_ctx *ctx, const struct sonde_series *row);
/* Points of a series announced before: any batch size, any order. t in ns UTC. */
typedef int32_t (*sonde_sink_points_fn)(struct sonde_ctx *ctx, uint64_t series_id, size_t n,
                                        const int64_t *t, const double *v);
typedef int32_t (*sonde_sink_histogram_fn)(struct sonde_ctx *ctx,
                                           const struct sonde_histogram_point *row);
typedef int32_t (*sonde_sink_exemplar_fn)(struct sonde_ctx *ctx, const struct sonde_exemplar *row);
typedef int32_t (*sonde_sink_log_fn)(struct sonde_ctx *ctx, const struct sonde_log *row);
typedef int32_t (*sonde_sink_span_fn)(struct sonde_ctx *ctx, const struct sonde_span *row);
typedef int32_t (*sonde_sink_trace_summary_fn)(struct sonde_ctx *ctx,
                                               const struct sonde_trace_summary *row);
typedef int32_t (*sonde_sink_name_fn)(struct sonde_ctx *ctx, const struct sonde_name *row);
typedef int32_t (*sonde_sink_edge_fn)(struct sonde_ctx *ctx, const struct sonde_edge *row);
typedef int32_t (*sonde_sink_event_fn)(struct sonde_ctx *ctx, const struct sonde_event *row);
typedef int32_t (*sonde_sink_alert_fn)(struct sonde_ctx *ctx, const struct sonde_alert *row);
typedef int32_t (*sonde_sink_pattern_fn)(struct sonde_ctx *ctx, const struct sonde_pattern *row);
typedef int32_t (*sonde_sink_count_fn)(struct sonde_ctx *ctx, const struct sonde_count *row);
typedef int32_t (*sonde_sink_span_stat_fn)(struct sonde_ctx *ctx,
                                           const struct sonde_span_stat *row);
typedef int32_t (*sonde_sink_backend_fn)(struct sonde_ctx *ctx, const struct sonde_backend *row);
typedef int32_t (*sonde_sink_scope_fn)(struct sonde_ctx *ctx, const struct sonde_scope *row);
/* How many rows there are in all; kind is SONDE_TOTAL_*. */
typedef int32_t (*sonde_sink_total_fn)(struct sonde_ctx *ctx, uint64_t total, uint32_t kind);
/* The answer lacks something; reason is SONDE_PARTIAL_*. */
typedef int32_t (*sonde_sink_partial_fn)(struct sonde_ctx *ctx, uint32_t reason, const char *text);
/* Something the reader should know: a warning of the backend's, a value read otherwise than written. */
typedef int32_t (*sonde_sink_note_fn)(struct sonde_ctx *ctx, const char *code, const char *text);
/* The query as the backend gets it; emitted before the first request. */
typedef int32_t (*sonde_sink_executed_fn)(struct sonde_ctx *ctx, const char *text, size_t size);
/* Where to go on; the last one wins. At most 4 KiB. */
typedef int32_t (*sonde_sink_resume_fn)(struct sonde_ctx *ctx, const void *token, size_t size);
/* Filter or match node number index was not applied: the host does it. what is SONDE_UNAPPLIED_*. */
typedef int32_t (*sonde_sink_unapplied_fn)(struct sonde_ctx *ctx, uint32_t what, size_t index);
/* What was learnt about the connection: at most 32 facts of 1 KiB, kept ttl_ms (0: until the connection changes). */
typedef int32_t (*sonde_sink_fact_fn)(struct sonde_ctx *ctx, const char *key, const char *value,
                                      uint64_t ttl_ms);
/* The backend's own rate limit, from its answer. */
typedef int32_t (*sonde_sink_rate_fn)(struct sonde_ctx *ctx, const char *rate_key,
                                      uint64_t remaining, uint64_t reset_ms);
/* Leave a request with the host, to be sent once when the op ends for any reason; NULL erases. slot 0 to 7. */
typedef int32_t (*sonde_sink_at_end_fn)(struct sonde_ctx *ctx, uint32_t slot,
                                        const struct sonde_request *request);

struct sonde_sink {
    uint32_t struct_size;
    uint32_t reserved_0;
    sonde_sink_series_fn series;
    sonde_sink_points_fn points;
    sonde_sink_histogram_fn histogram;
    sonde_sink_exemplar_fn exemplar;
    sonde_sink_log_fn log;
    sonde_sink_span_fn span;
    sonde_sink_trace_summary_fn trace_summary;
    sonde_sink_name_fn name;
    sonde_sink_edge_fn edge;
    sonde_sink_event_fn event;
    sonde_sink_alert_fn alert;
    sonde_sink_pattern_fn pattern;
    sonde_sink_count_fn count;
    sonde_sink_span_stat_fn span_stat;
    sonde_sink_backend_fn backend;
    sonde_sink_scope_fn scope;
    sonde_sink_total_fn total;
    sonde_sink_partial_fn partial;
    sonde_sink_note_fn note;
    sonde_sink_executed_fn executed;
    sonde_sink_resume_fn resume;
    sonde_sink_unapplied_fn unapplied;
    sonde_sink_fact_fn fact;
    sonde_sink_rate_fn rate;
    sonde_sink_at_end_fn at_end;
};

#endif
