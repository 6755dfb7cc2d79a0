/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tests/abi/freeze.py. */
/*
 * The layouts and signatures of ABI 1.0, as they were when it was frozen. Pointers lead to the structs of today: what
 * those are is looked at one by one.
 *
 * Ownership: none. Threads: types only.
 */
#ifndef SONDE_FROZEN_1_0_H
#define SONDE_FROZEN_1_0_H

#include <sonde/plugin.h>

/* clang-format off */
typedef int32_t (*frozen_sink_series_fn)(struct sonde_ctx *ctx, const struct sonde_series *row);
typedef int32_t (*frozen_sink_points_fn)(struct sonde_ctx *ctx, uint64_t series_id, size_t n, const int64_t *t, const double *v);
typedef int32_t (*frozen_sink_histogram_fn)(struct sonde_ctx *ctx, const struct sonde_histogram_point *row);
typedef int32_t (*frozen_sink_exemplar_fn)(struct sonde_ctx *ctx, const struct sonde_exemplar *row);
typedef int32_t (*frozen_sink_log_fn)(struct sonde_ctx *ctx, const struct sonde_log *row);
typedef int32_t (*frozen_sink_span_fn)(struct sonde_ctx *ctx, const struct sonde_span *row);
typedef int32_t (*frozen_sink_trace_summary_fn)(struct sonde_ctx *ctx, const struct sonde_trace_summary *row);
typedef int32_t (*frozen_sink_name_fn)(struct sonde_ctx *ctx, const struct sonde_name *row);
typedef int32_t (*frozen_sink_edge_fn)(struct sonde_ctx *ctx, const struct sonde_edge *row);
typedef int32_t (*frozen_sink_event_fn)(struct sonde_ctx *ctx, const struct sonde_event *row);
typedef int32_t (*frozen_sink_alert_fn)(struct sonde_ctx *ctx, const struct sonde_alert *row);
typedef int32_t (*frozen_sink_pattern_fn)(struct sonde_ctx *ctx, const struct sonde_pattern *row);
typedef int32_t (*frozen_sink_count_fn)(struct sonde_ctx *ctx, const struct sonde_count *row);
typedef int32_t (*frozen_sink_span_stat_fn)(struct sonde_ctx *ctx, const struct sonde_span_stat *row);
typedef int32_t (*frozen_sink_backend_fn)(struct sonde_ctx *ctx, const struct sonde_backend *row);
typedef int32_t (*frozen_sink_scope_fn)(struct sonde_ctx *ctx, const struct sonde_scope *row);
typedef int32_t (*frozen_sink_total_fn)(struct sonde_ctx *ctx, uint64_t total, uint32_t kind);
typedef int32_t (*frozen_sink_partial_fn)(struct sonde_ctx *ctx, uint32_t reason, const char *text);
typedef int32_t (*frozen_sink_note_fn)(struct sonde_ctx *ctx, const char *code, const char *text);
typedef int32_t (*frozen_sink_executed_fn)(struct sonde_ctx *ctx, const char *text, size_t size);
typedef int32_t (*frozen_sink_resume_fn)(struct sonde_ctx *ctx, const void *token, size_t size);
typedef int32_t (*frozen_sink_unapplied_fn)(struct sonde_ctx *ctx, uint32_t what, size_t index);
typedef int32_t (*frozen_sink_fact_fn)(struct sonde_ctx *ctx, const char *key, const char *value, uint64_t ttl_ms);
typedef int32_t (*frozen_sink_rate_fn)(struct sonde_ctx *ctx, const char *rate_key, uint64_t remaining, uint64_t reset_ms);
typedef int32_t (*frozen_sink_at_end_fn)(struct sonde_ctx *ctx, uint32_t slot, const struct sonde_request *request);
typedef void (*frozen_host_log_fn)(struct sonde_ctx *ctx, uint32_t level, const char *text);
typedef void *(*frozen_host_alloc_fn)(struct sonde_ctx *ctx, size_t size);
typedef int64_t (*frozen_host_now_unix_ns_fn)(struct sonde_ctx *ctx);
typedef int64_t (*frozen_host_now_mono_ms_fn)(struct sonde_ctx *ctx);
typedef int32_t (*frozen_host_fail_fn)(struct sonde_ctx *ctx, int32_t code, int64_t position, const char *text);
typedef int32_t (*frozen_host_fail_after_fn)(struct sonde_ctx *ctx, int32_t code, uint64_t wait_ms, const char *text);
typedef int32_t (*frozen_host_endpoint_fn)(struct sonde_ctx *ctx, const struct sonde_endpoint *endpoint);
typedef const void *(*frozen_host_get_interface_fn)(struct sonde_ctx *ctx, const char *name, uint32_t major);
typedef int32_t (*frozen_open_fn)(const struct sonde_open *open, void **ret_instance);
typedef void (*frozen_close_fn)(void *instance);
typedef int32_t (*frozen_op_begin_fn)(void *instance, const struct sonde_begin *begin, void **ret_op);
typedef int32_t (*frozen_op_next_fn)(void *op, struct sonde_request *request);
typedef int32_t (*frozen_op_response_head_fn)(void *op, uint32_t tag, const struct sonde_response_head *head);
typedef int32_t (*frozen_op_response_data_fn)(void *op, uint32_t tag, const void *data, size_t size);
typedef int32_t (*frozen_op_response_end_fn)(void *op, uint32_t tag, const struct sonde_outcome *outcome);
typedef void (*frozen_op_end_fn)(void *op, int32_t reason);
typedef int32_t (*frozen_link_fn)(void *instance, const struct sonde_link *link, char *buf, size_t size);
typedef const struct sonde_plugin *(*frozen_entry_fn)(const struct sonde_host *host, char *error, size_t error_size);

struct frozen_label {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};

struct frozen_pair {
    const char *key;
    const char *value;
};

struct frozen_param {
    uint32_t struct_size;
    uint32_t type;
    uint32_t flags;
    uint32_t reserved_0;
    const char *key;
    const char *def;
    const char *help;
};

struct frozen_placement {
    uint32_t struct_size;
    uint32_t place;
    const char *name;
    const char *template_;
};

struct frozen_auth_scheme {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *name;
    const struct sonde_placement *const *placements;
    size_t placement_count;
};

struct frozen_allowed {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *method;
    const char *path_prefix;
};

struct frozen_alias {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *logical;
    const char *const *candidates;
    size_t candidate_count;
};

struct frozen_filter {
    uint32_t struct_size;
    uint32_t op;
    uint32_t native_type;
    uint32_t flags;
    const char *logical;
    const char *native;
    const char *const *values;
    size_t value_count;
};

struct frozen_match {
    uint32_t type;
    uint32_t child_count;
    const char *text;
};

struct frozen_operand {
    uint32_t struct_size;
    uint32_t function;
    uint32_t aggregate;
    uint32_t reserved_0;
    const char *metric;
    const struct sonde_filter *const *filters;
    size_t filter_count;
    int64_t window_ns;
    int64_t offset_ns;
    double quantile;
};

struct frozen_anchor {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    const void *ref;
    size_t ref_size;
    const struct sonde_label *labels;
    size_t label_count;
};

struct frozen_query {
    uint32_t struct_size;
    uint32_t kind;
    uint64_t must_understand;
    int64_t start_ns;
    int64_t end_ns;
    int64_t step_ns;
    uint32_t deadline_ms;
    uint32_t limit;
    uint32_t direction;
    uint32_t combine;
    uint32_t aggregate;
    uint32_t top_k;
    uint32_t bottom_k;
    uint32_t before;
    uint32_t after;
    uint32_t reserved_0;
    const char *scope;
    const char *name;
    const char *native;
    size_t native_size;
    const struct sonde_filter *const *filters;
    size_t filter_count;
    const struct sonde_match *match;
    size_t match_count;
    const struct sonde_operand *const *operands;
    size_t operand_count;
    const char *const *by;
    size_t by_count;
    const char *const *ids;
    size_t id_count;
    const struct sonde_anchor *const *anchors;
    size_t anchor_count;
    const void *resume;
    size_t resume_size;
    const struct sonde_pair *options;
    size_t option_count;
};

struct frozen_request {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t tag;
    uint32_t delay_ms;
    uint64_t max_size;
    const char *endpoint;
    const char *method;
    const char *path;
    const struct sonde_pair *headers;
    size_t header_count;
    const void *body;
    size_t body_size;
    const char *rate_key;
};

struct frozen_response_head {
    uint32_t struct_size;
    uint32_t status;
    const struct sonde_pair *headers;
    size_t header_count;
};

struct frozen_outcome {
    uint32_t struct_size;
    uint32_t outcome;
    uint32_t attempt;
    uint32_t can_retry;
    uint64_t body_bytes;
    const char *text;
};

struct frozen_series {
    uint32_t struct_size;
    uint32_t type;
    uint64_t id;
    const struct sonde_label *labels;
    size_t label_count;
    const char *unit;
};

struct frozen_histogram_point {
    uint32_t struct_size;
    uint32_t bucket_count;
    uint64_t series_id;
    int64_t time_ns;
    double count;
    double sum;
    const double *lower;
    const double *upper;
    const double *counts;
};

struct frozen_exemplar {
    uint32_t struct_size;
    uint32_t reserved_0;
    uint64_t series_id;
    int64_t time_ns;
    double value;
    const char *trace_id;
    const char *span_id;
    const struct sonde_label *labels;
    size_t label_count;
};

struct frozen_log {
    uint32_t struct_size;
    uint32_t severity;
    int64_t time_ns;
    const char *message;
    size_t message_size;
    const struct sonde_label *stream;
    size_t stream_count;
    const struct sonde_label *metadata;
    size_t metadata_count;
    const struct sonde_label *parsed;
    size_t parsed_count;
    const char *trace_id;
    const char *span_id;
    const void *ref;
    size_t ref_size;
    const char *severity_source;
    uint32_t anchor;
    uint32_t side;
};

struct frozen_span_link {
    uint32_t struct_size;
    uint32_t type;
    const char *trace_id;
    const char *span_id;
};

struct frozen_span_event {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    const char *name;
    const struct sonde_label *attributes;
    size_t attribute_count;
};

struct frozen_span {
    uint32_t struct_size;
    uint32_t status;
    const char *trace_id;
    const char *span_id;
    const char *parent_id;
    const char *operation;
    const char *service;
    const char *kind;
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

struct frozen_trace_summary {
    uint32_t struct_size;
    uint32_t has_error;
    const char *trace_id;
    const char *root_service;
    const char *root_operation;
    int64_t start_ns;
    int64_t duration_ns;
    uint32_t span_count;
    uint32_t service_count;
};

struct frozen_name {
    uint32_t struct_size;
    uint32_t type;
    const char *name;
    size_t name_size;
    const char *unit;
    const char *help;
    const char *parent;
    uint64_t count;
    uint32_t guessed;
    uint32_t reserved_0;
};

struct frozen_edge {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *caller;
    const char *callee;
    uint64_t calls;
    uint64_t errors;
};

struct frozen_event {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    const char *kind;
    const char *service;
    const char *from;
    const char *to;
    const char *source;
    const char *text;
    const struct sonde_label *labels;
    size_t label_count;
};

struct frozen_alert {
    uint32_t struct_size;
    uint32_t silenced;
    int64_t since_ns;
    double value;
    double threshold;
    const char *rule;
    const char *state;
    const char *query;
    const struct sonde_label *labels;
    size_t label_count;
    const struct sonde_label *annotations;
    size_t annotation_count;
};

struct frozen_pattern {
    uint32_t struct_size;
    uint32_t severity;
    const char *pattern;
    const char *example;
    uint64_t count;
    int64_t first_ns;
    int64_t last_ns;
};

struct frozen_count {
    uint32_t struct_size;
    uint32_t reserved_0;
    int64_t time_ns;
    double count;
    double bytes;
    const struct sonde_label *labels;
    size_t label_count;
};

struct frozen_span_stat {
    uint32_t struct_size;
    uint32_t quantile_count;
    double count;
    double errors;
    const double *quantiles;
    const double *durations_ns;
    const struct sonde_label *labels;
    size_t label_count;
};

struct frozen_backend {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *product;
    const char *version;
    const char *status;
    const char *const *features;
    size_t feature_count;
};

struct frozen_scope {
    uint32_t struct_size;
    uint32_t is_default;
    const char *id;
    const char *name;
    const char *sort;
    const char *backend;
    const char *path_prefix;
    const struct sonde_pair *headers;
    size_t header_count;
};

struct frozen_sink {
    uint32_t struct_size;
    uint32_t reserved_0;
    frozen_sink_series_fn series;
    frozen_sink_points_fn points;
    frozen_sink_histogram_fn histogram;
    frozen_sink_exemplar_fn exemplar;
    frozen_sink_log_fn log;
    frozen_sink_span_fn span;
    frozen_sink_trace_summary_fn trace_summary;
    frozen_sink_name_fn name;
    frozen_sink_edge_fn edge;
    frozen_sink_event_fn event;
    frozen_sink_alert_fn alert;
    frozen_sink_pattern_fn pattern;
    frozen_sink_count_fn count;
    frozen_sink_span_stat_fn span_stat;
    frozen_sink_backend_fn backend;
    frozen_sink_scope_fn scope;
    frozen_sink_total_fn total;
    frozen_sink_partial_fn partial;
    frozen_sink_note_fn note;
    frozen_sink_executed_fn executed;
    frozen_sink_resume_fn resume;
    frozen_sink_unapplied_fn unapplied;
    frozen_sink_fact_fn fact;
    frozen_sink_rate_fn rate;
    frozen_sink_at_end_fn at_end;
};

struct frozen_endpoint {
    uint32_t struct_size;
    uint32_t reserved_0;
    const char *name;
    const char *url;
    const char *sigv4_service;
    const char *sigv4_region;
};

struct frozen_host {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved_0;
    const char *product;
    frozen_host_log_fn log;
    frozen_host_alloc_fn alloc;
    frozen_host_now_unix_ns_fn now_unix_ns;
    frozen_host_now_mono_ms_fn now_mono_ms;
    frozen_host_fail_fn fail;
    frozen_host_fail_after_fn fail_after;
    frozen_host_endpoint_fn endpoint;
    frozen_host_get_interface_fn get_interface;
};

struct frozen_open {
    uint32_t struct_size;
    uint32_t param_count32;
    struct sonde_ctx *ctx;
    const char *url;
    const char *ui_kind;
    const struct sonde_pair *params;
    const char *tenant;
};

struct frozen_begin {
    uint32_t struct_size;
    uint32_t fact_count;
    struct sonde_ctx *ctx;
    const struct sonde_query *query;
    const struct sonde_sink *sink;
    const struct sonde_pair *facts;
};

struct frozen_link {
    uint32_t struct_size;
    uint32_t reserved_0;
    const struct sonde_query *query;
    const char *executed;
    const char *ui_kind;
    const char *ui_param;
};

struct frozen_plugin {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t needs_minor;
    uint64_t caps;
    uint64_t required_caps;
    uint64_t understands;
    const char *name;
    const char *version;
    const char *license;
    const char *summary;
    const char *homepage;
    const struct sonde_param *const *params;
    size_t param_count;
    const struct sonde_auth_scheme *const *auth_schemes;
    size_t auth_scheme_count;
    const struct sonde_allowed *const *allowed;
    size_t allowed_count;
    const struct sonde_alias *const *aliases;
    size_t alias_count;
    uint32_t settle_seconds;
    uint32_t reserved_0;
    frozen_open_fn open;
    frozen_close_fn close;
    frozen_op_begin_fn op_begin;
    frozen_op_next_fn op_next;
    frozen_op_response_head_fn op_response_head;
    frozen_op_response_data_fn op_response_data;
    frozen_op_response_end_fn op_response_end;
    frozen_op_end_fn op_end;
    frozen_link_fn link;
};

/* clang-format on */

#endif
