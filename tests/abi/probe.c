/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tests/abi/freeze.py. */
/* A function for every struct and function type, so that a tool which compares binaries sees them all. */
#include <sonde/plugin.h>

/* clang-format off */
SONDE_EXPORT void probe_struct_label(struct sonde_label *value);
void probe_struct_label(struct sonde_label *value) { (void)value; }
SONDE_EXPORT void probe_struct_pair(struct sonde_pair *value);
void probe_struct_pair(struct sonde_pair *value) { (void)value; }
SONDE_EXPORT void probe_struct_param(struct sonde_param *value);
void probe_struct_param(struct sonde_param *value) { (void)value; }
SONDE_EXPORT void probe_struct_placement(struct sonde_placement *value);
void probe_struct_placement(struct sonde_placement *value) { (void)value; }
SONDE_EXPORT void probe_struct_auth_scheme(struct sonde_auth_scheme *value);
void probe_struct_auth_scheme(struct sonde_auth_scheme *value) { (void)value; }
SONDE_EXPORT void probe_struct_allowed(struct sonde_allowed *value);
void probe_struct_allowed(struct sonde_allowed *value) { (void)value; }
SONDE_EXPORT void probe_struct_alias(struct sonde_alias *value);
void probe_struct_alias(struct sonde_alias *value) { (void)value; }
SONDE_EXPORT void probe_struct_filter(struct sonde_filter *value);
void probe_struct_filter(struct sonde_filter *value) { (void)value; }
SONDE_EXPORT void probe_struct_match(struct sonde_match *value);
void probe_struct_match(struct sonde_match *value) { (void)value; }
SONDE_EXPORT void probe_struct_operand(struct sonde_operand *value);
void probe_struct_operand(struct sonde_operand *value) { (void)value; }
SONDE_EXPORT void probe_struct_anchor(struct sonde_anchor *value);
void probe_struct_anchor(struct sonde_anchor *value) { (void)value; }
SONDE_EXPORT void probe_struct_query(struct sonde_query *value);
void probe_struct_query(struct sonde_query *value) { (void)value; }
SONDE_EXPORT void probe_struct_request(struct sonde_request *value);
void probe_struct_request(struct sonde_request *value) { (void)value; }
SONDE_EXPORT void probe_struct_response_head(struct sonde_response_head *value);
void probe_struct_response_head(struct sonde_response_head *value) { (void)value; }
SONDE_EXPORT void probe_struct_outcome(struct sonde_outcome *value);
void probe_struct_outcome(struct sonde_outcome *value) { (void)value; }
SONDE_EXPORT void probe_struct_series(struct sonde_series *value);
void probe_struct_series(struct sonde_series *value) { (void)value; }
SONDE_EXPORT void probe_struct_histogram_point(struct sonde_histogram_point *value);
void probe_struct_histogram_point(struct sonde_histogram_point *value) { (void)value; }
SONDE_EXPORT void probe_struct_exemplar(struct sonde_exemplar *value);
void probe_struct_exemplar(struct sonde_exemplar *value) { (void)value; }
SONDE_EXPORT void probe_struct_log(struct sonde_log *value);
void probe_struct_log(struct sonde_log *value) { (void)value; }
SONDE_EXPORT void probe_struct_span_link(struct sonde_span_link *value);
void probe_struct_span_link(struct sonde_span_link *value) { (void)value; }
SONDE_EXPORT void probe_struct_span_event(struct sonde_span_event *value);
void probe_struct_span_event(struct sonde_span_event *value) { (void)value; }
SONDE_EXPORT void probe_struct_span(struct sonde_span *value);
void probe_struct_span(struct sonde_span *value) { (void)value; }
SONDE_EXPORT void probe_struct_trace_summary(struct sonde_trace_summary *value);
void probe_struct_trace_summary(struct sonde_trace_summary *value) { (void)value; }
SONDE_EXPORT void probe_struct_name(struct sonde_name *value);
void probe_struct_name(struct sonde_name *value) { (void)value; }
SONDE_EXPORT void probe_struct_edge(struct sonde_edge *value);
void probe_struct_edge(struct sonde_edge *value) { (void)value; }
SONDE_EXPORT void probe_struct_event(struct sonde_event *value);
void probe_struct_event(struct sonde_event *value) { (void)value; }
SONDE_EXPORT void probe_struct_alert(struct sonde_alert *value);
void probe_struct_alert(struct sonde_alert *value) { (void)value; }
SONDE_EXPORT void probe_struct_pattern(struct sonde_pattern *value);
void probe_struct_pattern(struct sonde_pattern *value) { (void)value; }
SONDE_EXPORT void probe_struct_count(struct sonde_count *value);
void probe_struct_count(struct sonde_count *value) { (void)value; }
SONDE_EXPORT void probe_struct_span_stat(struct sonde_span_stat *value);
void probe_struct_span_stat(struct sonde_span_stat *value) { (void)value; }
SONDE_EXPORT void probe_struct_backend(struct sonde_backend *value);
void probe_struct_backend(struct sonde_backend *value) { (void)value; }
SONDE_EXPORT void probe_struct_scope(struct sonde_scope *value);
void probe_struct_scope(struct sonde_scope *value) { (void)value; }
SONDE_EXPORT void probe_struct_sink(struct sonde_sink *value);
void probe_struct_sink(struct sonde_sink *value) { (void)value; }
SONDE_EXPORT void probe_struct_endpoint(struct sonde_endpoint *value);
void probe_struct_endpoint(struct sonde_endpoint *value) { (void)value; }
SONDE_EXPORT void probe_struct_host(struct sonde_host *value);
void probe_struct_host(struct sonde_host *value) { (void)value; }
SONDE_EXPORT void probe_struct_open(struct sonde_open *value);
void probe_struct_open(struct sonde_open *value) { (void)value; }
SONDE_EXPORT void probe_struct_begin(struct sonde_begin *value);
void probe_struct_begin(struct sonde_begin *value) { (void)value; }
SONDE_EXPORT void probe_struct_link(struct sonde_link *value);
void probe_struct_link(struct sonde_link *value) { (void)value; }
SONDE_EXPORT void probe_struct_plugin(struct sonde_plugin *value);
void probe_struct_plugin(struct sonde_plugin *value) { (void)value; }
SONDE_EXPORT void probe_function_sink_series_fn(sonde_sink_series_fn value);
void probe_function_sink_series_fn(sonde_sink_series_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_points_fn(sonde_sink_points_fn value);
void probe_function_sink_points_fn(sonde_sink_points_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_histogram_fn(sonde_sink_histogram_fn value);
void probe_function_sink_histogram_fn(sonde_sink_histogram_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_exemplar_fn(sonde_sink_exemplar_fn value);
void probe_function_sink_exemplar_fn(sonde_sink_exemplar_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_log_fn(sonde_sink_log_fn value);
void probe_function_sink_log_fn(sonde_sink_log_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_span_fn(sonde_sink_span_fn value);
void probe_function_sink_span_fn(sonde_sink_span_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_trace_summary_fn(sonde_sink_trace_summary_fn value);
void probe_function_sink_trace_summary_fn(sonde_sink_trace_summary_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_name_fn(sonde_sink_name_fn value);
void probe_function_sink_name_fn(sonde_sink_name_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_edge_fn(sonde_sink_edge_fn value);
void probe_function_sink_edge_fn(sonde_sink_edge_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_event_fn(sonde_sink_event_fn value);
void probe_function_sink_event_fn(sonde_sink_event_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_alert_fn(sonde_sink_alert_fn value);
void probe_function_sink_alert_fn(sonde_sink_alert_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_pattern_fn(sonde_sink_pattern_fn value);
void probe_function_sink_pattern_fn(sonde_sink_pattern_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_count_fn(sonde_sink_count_fn value);
void probe_function_sink_count_fn(sonde_sink_count_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_span_stat_fn(sonde_sink_span_stat_fn value);
void probe_function_sink_span_stat_fn(sonde_sink_span_stat_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_backend_fn(sonde_sink_backend_fn value);
void probe_function_sink_backend_fn(sonde_sink_backend_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_scope_fn(sonde_sink_scope_fn value);
void probe_function_sink_scope_fn(sonde_sink_scope_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_total_fn(sonde_sink_total_fn value);
void probe_function_sink_total_fn(sonde_sink_total_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_partial_fn(sonde_sink_partial_fn value);
void probe_function_sink_partial_fn(sonde_sink_partial_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_note_fn(sonde_sink_note_fn value);
void probe_function_sink_note_fn(sonde_sink_note_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_executed_fn(sonde_sink_executed_fn value);
void probe_function_sink_executed_fn(sonde_sink_executed_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_resume_fn(sonde_sink_resume_fn value);
void probe_function_sink_resume_fn(sonde_sink_resume_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_unapplied_fn(sonde_sink_unapplied_fn value);
void probe_function_sink_unapplied_fn(sonde_sink_unapplied_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_fact_fn(sonde_sink_fact_fn value);
void probe_function_sink_fact_fn(sonde_sink_fact_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_rate_fn(sonde_sink_rate_fn value);
void probe_function_sink_rate_fn(sonde_sink_rate_fn value) { (void)value; }
SONDE_EXPORT void probe_function_sink_at_end_fn(sonde_sink_at_end_fn value);
void probe_function_sink_at_end_fn(sonde_sink_at_end_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_log_fn(sonde_host_log_fn value);
void probe_function_host_log_fn(sonde_host_log_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_alloc_fn(sonde_host_alloc_fn value);
void probe_function_host_alloc_fn(sonde_host_alloc_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_now_unix_ns_fn(sonde_host_now_unix_ns_fn value);
void probe_function_host_now_unix_ns_fn(sonde_host_now_unix_ns_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_now_mono_ms_fn(sonde_host_now_mono_ms_fn value);
void probe_function_host_now_mono_ms_fn(sonde_host_now_mono_ms_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_fail_fn(sonde_host_fail_fn value);
void probe_function_host_fail_fn(sonde_host_fail_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_fail_after_fn(sonde_host_fail_after_fn value);
void probe_function_host_fail_after_fn(sonde_host_fail_after_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_endpoint_fn(sonde_host_endpoint_fn value);
void probe_function_host_endpoint_fn(sonde_host_endpoint_fn value) { (void)value; }
SONDE_EXPORT void probe_function_host_get_interface_fn(sonde_host_get_interface_fn value);
void probe_function_host_get_interface_fn(sonde_host_get_interface_fn value) { (void)value; }
SONDE_EXPORT void probe_function_open_fn(sonde_open_fn value);
void probe_function_open_fn(sonde_open_fn value) { (void)value; }
SONDE_EXPORT void probe_function_close_fn(sonde_close_fn value);
void probe_function_close_fn(sonde_close_fn value) { (void)value; }
SONDE_EXPORT void probe_function_op_begin_fn(sonde_op_begin_fn value);
void probe_function_op_begin_fn(sonde_op_begin_fn value) { (void)value; }
SONDE_EXPORT void probe_function_op_next_fn(sonde_op_next_fn value);
void probe_function_op_next_fn(sonde_op_next_fn value) { (void)value; }
SONDE_EXPORT void probe_function_op_response_head_fn(sonde_op_response_head_fn value);
void probe_function_op_response_head_fn(sonde_op_response_head_fn value) { (void)value; }
SONDE_EXPORT void probe_function_op_response_data_fn(sonde_op_response_data_fn value);
void probe_function_op_response_data_fn(sonde_op_response_data_fn value) { (void)value; }
SONDE_EXPORT void probe_function_op_response_end_fn(sonde_op_response_end_fn value);
void probe_function_op_response_end_fn(sonde_op_response_end_fn value) { (void)value; }
SONDE_EXPORT void probe_function_op_end_fn(sonde_op_end_fn value);
void probe_function_op_end_fn(sonde_op_end_fn value) { (void)value; }
SONDE_EXPORT void probe_function_link_fn(sonde_link_fn value);
void probe_function_link_fn(sonde_link_fn value) { (void)value; }
SONDE_EXPORT void probe_function_entry_fn(sonde_entry_fn value);
void probe_function_entry_fn(sonde_entry_fn value) { (void)value; }
/* clang-format on */
