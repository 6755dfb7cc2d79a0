/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tests/abi/freeze.py. */
/* Compiles only while every layout, signature and constant of ABI 1.0 still holds; members may only be appended. */
#include "frozen_1_0.h"

#define SAME_TYPE(a, b) __builtin_types_compatible_p(a, b)
#define SAME_MEMBER(name, member)                                              \
    _Static_assert(offsetof(struct sonde_##name, member) ==                    \
                       offsetof(struct frozen_##name, member),                 \
                   "sonde_" #name "." #member " has moved");                   \
    _Static_assert(SAME_TYPE(__typeof__(((struct sonde_##name *)0)->member),   \
                             __typeof__(((struct frozen_##name *)0)->member)), \
                   "sonde_" #name "." #member " has another type")
#define NOT_SMALLER(name)                                                       \
    _Static_assert(sizeof(struct sonde_##name) >= sizeof(struct frozen_##name), \
                   "sonde_" #name " has shrunk")
#define NOT_GROWN(name)                                                         \
    _Static_assert(sizeof(struct sonde_##name) == sizeof(struct frozen_##name), \
                   "sonde_" #name " is frozen for ever")
#define SAME_FUNCTION(name) \
    _Static_assert(SAME_TYPE(sonde_##name, frozen_##name), "sonde_" #name " has another type")
#define SAME_VALUE(name, value) _Static_assert((name) == (value), #name " has another value")

/* clang-format off */
SAME_FUNCTION(sink_series_fn);
SAME_FUNCTION(sink_points_fn);
SAME_FUNCTION(sink_histogram_fn);
SAME_FUNCTION(sink_exemplar_fn);
SAME_FUNCTION(sink_log_fn);
SAME_FUNCTION(sink_span_fn);
SAME_FUNCTION(sink_trace_summary_fn);
SAME_FUNCTION(sink_name_fn);
SAME_FUNCTION(sink_edge_fn);
SAME_FUNCTION(sink_event_fn);
SAME_FUNCTION(sink_alert_fn);
SAME_FUNCTION(sink_pattern_fn);
SAME_FUNCTION(sink_count_fn);
SAME_FUNCTION(sink_span_stat_fn);
SAME_FUNCTION(sink_backend_fn);
SAME_FUNCTION(sink_scope_fn);
SAME_FUNCTION(sink_total_fn);
SAME_FUNCTION(sink_partial_fn);
SAME_FUNCTION(sink_note_fn);
SAME_FUNCTION(sink_executed_fn);
SAME_FUNCTION(sink_resume_fn);
SAME_FUNCTION(sink_unapplied_fn);
SAME_FUNCTION(sink_fact_fn);
SAME_FUNCTION(sink_rate_fn);
SAME_FUNCTION(sink_at_end_fn);
SAME_FUNCTION(host_log_fn);
SAME_FUNCTION(host_alloc_fn);
SAME_FUNCTION(host_now_unix_ns_fn);
SAME_FUNCTION(host_now_mono_ms_fn);
SAME_FUNCTION(host_fail_fn);
SAME_FUNCTION(host_fail_after_fn);
SAME_FUNCTION(host_endpoint_fn);
SAME_FUNCTION(host_get_interface_fn);
SAME_FUNCTION(open_fn);
SAME_FUNCTION(close_fn);
SAME_FUNCTION(op_begin_fn);
SAME_FUNCTION(op_next_fn);
SAME_FUNCTION(op_response_head_fn);
SAME_FUNCTION(op_response_data_fn);
SAME_FUNCTION(op_response_end_fn);
SAME_FUNCTION(op_end_fn);
SAME_FUNCTION(link_fn);
SAME_FUNCTION(entry_fn);

NOT_SMALLER(label);
SAME_MEMBER(label, name);
SAME_MEMBER(label, name_size);
SAME_MEMBER(label, value);
SAME_MEMBER(label, value_size);

NOT_SMALLER(pair);
SAME_MEMBER(pair, key);
SAME_MEMBER(pair, value);

NOT_SMALLER(param);
SAME_MEMBER(param, struct_size);
SAME_MEMBER(param, type);
SAME_MEMBER(param, flags);
SAME_MEMBER(param, reserved_0);
SAME_MEMBER(param, key);
SAME_MEMBER(param, def);
SAME_MEMBER(param, help);

NOT_SMALLER(placement);
SAME_MEMBER(placement, struct_size);
SAME_MEMBER(placement, place);
SAME_MEMBER(placement, name);
SAME_MEMBER(placement, template_);

NOT_SMALLER(auth_scheme);
SAME_MEMBER(auth_scheme, struct_size);
SAME_MEMBER(auth_scheme, reserved_0);
SAME_MEMBER(auth_scheme, name);
SAME_MEMBER(auth_scheme, placements);
SAME_MEMBER(auth_scheme, placement_count);

NOT_SMALLER(allowed);
SAME_MEMBER(allowed, struct_size);
SAME_MEMBER(allowed, reserved_0);
SAME_MEMBER(allowed, method);
SAME_MEMBER(allowed, path_prefix);

NOT_SMALLER(alias);
SAME_MEMBER(alias, struct_size);
SAME_MEMBER(alias, reserved_0);
SAME_MEMBER(alias, logical);
SAME_MEMBER(alias, candidates);
SAME_MEMBER(alias, candidate_count);

NOT_SMALLER(filter);
SAME_MEMBER(filter, struct_size);
SAME_MEMBER(filter, op);
SAME_MEMBER(filter, native_type);
SAME_MEMBER(filter, flags);
SAME_MEMBER(filter, logical);
SAME_MEMBER(filter, native);
SAME_MEMBER(filter, values);
SAME_MEMBER(filter, value_count);

NOT_SMALLER(match);
SAME_MEMBER(match, type);
SAME_MEMBER(match, child_count);
SAME_MEMBER(match, text);

NOT_SMALLER(operand);
SAME_MEMBER(operand, struct_size);
SAME_MEMBER(operand, function);
SAME_MEMBER(operand, aggregate);
SAME_MEMBER(operand, reserved_0);
SAME_MEMBER(operand, metric);
SAME_MEMBER(operand, filters);
SAME_MEMBER(operand, filter_count);
SAME_MEMBER(operand, window_ns);
SAME_MEMBER(operand, offset_ns);
SAME_MEMBER(operand, quantile);

NOT_SMALLER(anchor);
SAME_MEMBER(anchor, struct_size);
SAME_MEMBER(anchor, reserved_0);
SAME_MEMBER(anchor, time_ns);
SAME_MEMBER(anchor, ref);
SAME_MEMBER(anchor, ref_size);
SAME_MEMBER(anchor, labels);
SAME_MEMBER(anchor, label_count);

NOT_SMALLER(query);
SAME_MEMBER(query, struct_size);
SAME_MEMBER(query, kind);
SAME_MEMBER(query, must_understand);
SAME_MEMBER(query, start_ns);
SAME_MEMBER(query, end_ns);
SAME_MEMBER(query, step_ns);
SAME_MEMBER(query, deadline_ms);
SAME_MEMBER(query, limit);
SAME_MEMBER(query, direction);
SAME_MEMBER(query, combine);
SAME_MEMBER(query, aggregate);
SAME_MEMBER(query, top_k);
SAME_MEMBER(query, bottom_k);
SAME_MEMBER(query, before);
SAME_MEMBER(query, after);
SAME_MEMBER(query, reserved_0);
SAME_MEMBER(query, scope);
SAME_MEMBER(query, name);
SAME_MEMBER(query, native);
SAME_MEMBER(query, native_size);
SAME_MEMBER(query, filters);
SAME_MEMBER(query, filter_count);
SAME_MEMBER(query, match);
SAME_MEMBER(query, match_count);
SAME_MEMBER(query, operands);
SAME_MEMBER(query, operand_count);
SAME_MEMBER(query, by);
SAME_MEMBER(query, by_count);
SAME_MEMBER(query, ids);
SAME_MEMBER(query, id_count);
SAME_MEMBER(query, anchors);
SAME_MEMBER(query, anchor_count);
SAME_MEMBER(query, resume);
SAME_MEMBER(query, resume_size);
SAME_MEMBER(query, options);
SAME_MEMBER(query, option_count);

NOT_SMALLER(request);
SAME_MEMBER(request, struct_size);
SAME_MEMBER(request, flags);
SAME_MEMBER(request, tag);
SAME_MEMBER(request, delay_ms);
SAME_MEMBER(request, max_size);
SAME_MEMBER(request, endpoint);
SAME_MEMBER(request, method);
SAME_MEMBER(request, path);
SAME_MEMBER(request, headers);
SAME_MEMBER(request, header_count);
SAME_MEMBER(request, body);
SAME_MEMBER(request, body_size);
SAME_MEMBER(request, rate_key);

NOT_SMALLER(response_head);
SAME_MEMBER(response_head, struct_size);
SAME_MEMBER(response_head, status);
SAME_MEMBER(response_head, headers);
SAME_MEMBER(response_head, header_count);

NOT_SMALLER(outcome);
SAME_MEMBER(outcome, struct_size);
SAME_MEMBER(outcome, outcome);
SAME_MEMBER(outcome, attempt);
SAME_MEMBER(outcome, can_retry);
SAME_MEMBER(outcome, body_bytes);
SAME_MEMBER(outcome, text);

NOT_SMALLER(series);
SAME_MEMBER(series, struct_size);
SAME_MEMBER(series, type);
SAME_MEMBER(series, id);
SAME_MEMBER(series, labels);
SAME_MEMBER(series, label_count);
SAME_MEMBER(series, unit);

NOT_SMALLER(histogram_point);
SAME_MEMBER(histogram_point, struct_size);
SAME_MEMBER(histogram_point, bucket_count);
SAME_MEMBER(histogram_point, series_id);
SAME_MEMBER(histogram_point, time_ns);
SAME_MEMBER(histogram_point, count);
SAME_MEMBER(histogram_point, sum);
SAME_MEMBER(histogram_point, lower);
SAME_MEMBER(histogram_point, upper);
SAME_MEMBER(histogram_point, counts);

NOT_SMALLER(exemplar);
SAME_MEMBER(exemplar, struct_size);
SAME_MEMBER(exemplar, reserved_0);
SAME_MEMBER(exemplar, series_id);
SAME_MEMBER(exemplar, time_ns);
SAME_MEMBER(exemplar, value);
SAME_MEMBER(exemplar, trace_id);
SAME_MEMBER(exemplar, span_id);
SAME_MEMBER(exemplar, labels);
SAME_MEMBER(exemplar, label_count);

NOT_SMALLER(log);
SAME_MEMBER(log, struct_size);
SAME_MEMBER(log, severity);
SAME_MEMBER(log, time_ns);
SAME_MEMBER(log, message);
SAME_MEMBER(log, message_size);
SAME_MEMBER(log, stream);
SAME_MEMBER(log, stream_count);
SAME_MEMBER(log, metadata);
SAME_MEMBER(log, metadata_count);
SAME_MEMBER(log, parsed);
SAME_MEMBER(log, parsed_count);
SAME_MEMBER(log, trace_id);
SAME_MEMBER(log, span_id);
SAME_MEMBER(log, ref);
SAME_MEMBER(log, ref_size);
SAME_MEMBER(log, severity_source);
SAME_MEMBER(log, anchor);
SAME_MEMBER(log, side);

NOT_SMALLER(span_link);
SAME_MEMBER(span_link, struct_size);
SAME_MEMBER(span_link, type);
SAME_MEMBER(span_link, trace_id);
SAME_MEMBER(span_link, span_id);

NOT_SMALLER(span_event);
SAME_MEMBER(span_event, struct_size);
SAME_MEMBER(span_event, reserved_0);
SAME_MEMBER(span_event, time_ns);
SAME_MEMBER(span_event, name);
SAME_MEMBER(span_event, attributes);
SAME_MEMBER(span_event, attribute_count);

NOT_SMALLER(span);
SAME_MEMBER(span, struct_size);
SAME_MEMBER(span, status);
SAME_MEMBER(span, trace_id);
SAME_MEMBER(span, span_id);
SAME_MEMBER(span, parent_id);
SAME_MEMBER(span, operation);
SAME_MEMBER(span, service);
SAME_MEMBER(span, kind);
SAME_MEMBER(span, status_text);
SAME_MEMBER(span, start_ns);
SAME_MEMBER(span, duration_ns);
SAME_MEMBER(span, attributes);
SAME_MEMBER(span, attribute_count);
SAME_MEMBER(span, resource);
SAME_MEMBER(span, resource_count);
SAME_MEMBER(span, events);
SAME_MEMBER(span, event_count);
SAME_MEMBER(span, links);
SAME_MEMBER(span, link_count);

NOT_SMALLER(trace_summary);
SAME_MEMBER(trace_summary, struct_size);
SAME_MEMBER(trace_summary, has_error);
SAME_MEMBER(trace_summary, trace_id);
SAME_MEMBER(trace_summary, root_service);
SAME_MEMBER(trace_summary, root_operation);
SAME_MEMBER(trace_summary, start_ns);
SAME_MEMBER(trace_summary, duration_ns);
SAME_MEMBER(trace_summary, span_count);
SAME_MEMBER(trace_summary, service_count);

NOT_SMALLER(name);
SAME_MEMBER(name, struct_size);
SAME_MEMBER(name, type);
SAME_MEMBER(name, name);
SAME_MEMBER(name, name_size);
SAME_MEMBER(name, unit);
SAME_MEMBER(name, help);
SAME_MEMBER(name, parent);
SAME_MEMBER(name, count);
SAME_MEMBER(name, guessed);
SAME_MEMBER(name, reserved_0);

NOT_SMALLER(edge);
SAME_MEMBER(edge, struct_size);
SAME_MEMBER(edge, reserved_0);
SAME_MEMBER(edge, caller);
SAME_MEMBER(edge, callee);
SAME_MEMBER(edge, calls);
SAME_MEMBER(edge, errors);

NOT_SMALLER(event);
SAME_MEMBER(event, struct_size);
SAME_MEMBER(event, reserved_0);
SAME_MEMBER(event, time_ns);
SAME_MEMBER(event, kind);
SAME_MEMBER(event, service);
SAME_MEMBER(event, from);
SAME_MEMBER(event, to);
SAME_MEMBER(event, source);
SAME_MEMBER(event, text);
SAME_MEMBER(event, labels);
SAME_MEMBER(event, label_count);

NOT_SMALLER(alert);
SAME_MEMBER(alert, struct_size);
SAME_MEMBER(alert, silenced);
SAME_MEMBER(alert, since_ns);
SAME_MEMBER(alert, value);
SAME_MEMBER(alert, threshold);
SAME_MEMBER(alert, rule);
SAME_MEMBER(alert, state);
SAME_MEMBER(alert, query);
SAME_MEMBER(alert, labels);
SAME_MEMBER(alert, label_count);
SAME_MEMBER(alert, annotations);
SAME_MEMBER(alert, annotation_count);

NOT_SMALLER(pattern);
SAME_MEMBER(pattern, struct_size);
SAME_MEMBER(pattern, severity);
SAME_MEMBER(pattern, pattern);
SAME_MEMBER(pattern, example);
SAME_MEMBER(pattern, count);
SAME_MEMBER(pattern, first_ns);
SAME_MEMBER(pattern, last_ns);

NOT_SMALLER(count);
SAME_MEMBER(count, struct_size);
SAME_MEMBER(count, reserved_0);
SAME_MEMBER(count, time_ns);
SAME_MEMBER(count, count);
SAME_MEMBER(count, bytes);
SAME_MEMBER(count, labels);
SAME_MEMBER(count, label_count);

NOT_SMALLER(span_stat);
SAME_MEMBER(span_stat, struct_size);
SAME_MEMBER(span_stat, quantile_count);
SAME_MEMBER(span_stat, count);
SAME_MEMBER(span_stat, errors);
SAME_MEMBER(span_stat, quantiles);
SAME_MEMBER(span_stat, durations_ns);
SAME_MEMBER(span_stat, labels);
SAME_MEMBER(span_stat, label_count);

NOT_SMALLER(backend);
SAME_MEMBER(backend, struct_size);
SAME_MEMBER(backend, reserved_0);
SAME_MEMBER(backend, product);
SAME_MEMBER(backend, version);
SAME_MEMBER(backend, status);
SAME_MEMBER(backend, features);
SAME_MEMBER(backend, feature_count);

NOT_SMALLER(scope);
SAME_MEMBER(scope, struct_size);
SAME_MEMBER(scope, is_default);
SAME_MEMBER(scope, id);
SAME_MEMBER(scope, name);
SAME_MEMBER(scope, sort);
SAME_MEMBER(scope, backend);
SAME_MEMBER(scope, path_prefix);
SAME_MEMBER(scope, headers);
SAME_MEMBER(scope, header_count);

NOT_SMALLER(sink);
SAME_MEMBER(sink, struct_size);
SAME_MEMBER(sink, reserved_0);
SAME_MEMBER(sink, series);
SAME_MEMBER(sink, points);
SAME_MEMBER(sink, histogram);
SAME_MEMBER(sink, exemplar);
SAME_MEMBER(sink, log);
SAME_MEMBER(sink, span);
SAME_MEMBER(sink, trace_summary);
SAME_MEMBER(sink, name);
SAME_MEMBER(sink, edge);
SAME_MEMBER(sink, event);
SAME_MEMBER(sink, alert);
SAME_MEMBER(sink, pattern);
SAME_MEMBER(sink, count);
SAME_MEMBER(sink, span_stat);
SAME_MEMBER(sink, backend);
SAME_MEMBER(sink, scope);
SAME_MEMBER(sink, total);
SAME_MEMBER(sink, partial);
SAME_MEMBER(sink, note);
SAME_MEMBER(sink, executed);
SAME_MEMBER(sink, resume);
SAME_MEMBER(sink, unapplied);
SAME_MEMBER(sink, fact);
SAME_MEMBER(sink, rate);
SAME_MEMBER(sink, at_end);

NOT_SMALLER(endpoint);
SAME_MEMBER(endpoint, struct_size);
SAME_MEMBER(endpoint, reserved_0);
SAME_MEMBER(endpoint, name);
SAME_MEMBER(endpoint, url);
SAME_MEMBER(endpoint, sigv4_service);
SAME_MEMBER(endpoint, sigv4_region);

NOT_SMALLER(host);
SAME_MEMBER(host, struct_size);
SAME_MEMBER(host, abi_major);
SAME_MEMBER(host, abi_minor);
SAME_MEMBER(host, reserved_0);
SAME_MEMBER(host, product);
SAME_MEMBER(host, log);
SAME_MEMBER(host, alloc);
SAME_MEMBER(host, now_unix_ns);
SAME_MEMBER(host, now_mono_ms);
SAME_MEMBER(host, fail);
SAME_MEMBER(host, fail_after);
SAME_MEMBER(host, endpoint);
SAME_MEMBER(host, get_interface);

NOT_SMALLER(open);
SAME_MEMBER(open, struct_size);
SAME_MEMBER(open, param_count32);
SAME_MEMBER(open, ctx);
SAME_MEMBER(open, url);
SAME_MEMBER(open, ui_kind);
SAME_MEMBER(open, params);
SAME_MEMBER(open, tenant);

NOT_SMALLER(begin);
SAME_MEMBER(begin, struct_size);
SAME_MEMBER(begin, fact_count);
SAME_MEMBER(begin, ctx);
SAME_MEMBER(begin, query);
SAME_MEMBER(begin, sink);
SAME_MEMBER(begin, facts);

NOT_SMALLER(link);
SAME_MEMBER(link, struct_size);
SAME_MEMBER(link, reserved_0);
SAME_MEMBER(link, query);
SAME_MEMBER(link, executed);
SAME_MEMBER(link, ui_kind);
SAME_MEMBER(link, ui_param);

NOT_SMALLER(plugin);
SAME_MEMBER(plugin, struct_size);
SAME_MEMBER(plugin, abi_major);
SAME_MEMBER(plugin, abi_minor);
SAME_MEMBER(plugin, needs_minor);
SAME_MEMBER(plugin, caps);
SAME_MEMBER(plugin, required_caps);
SAME_MEMBER(plugin, understands);
SAME_MEMBER(plugin, name);
SAME_MEMBER(plugin, version);
SAME_MEMBER(plugin, license);
SAME_MEMBER(plugin, summary);
SAME_MEMBER(plugin, homepage);
SAME_MEMBER(plugin, params);
SAME_MEMBER(plugin, param_count);
SAME_MEMBER(plugin, auth_schemes);
SAME_MEMBER(plugin, auth_scheme_count);
SAME_MEMBER(plugin, allowed);
SAME_MEMBER(plugin, allowed_count);
SAME_MEMBER(plugin, aliases);
SAME_MEMBER(plugin, alias_count);
SAME_MEMBER(plugin, settle_seconds);
SAME_MEMBER(plugin, reserved_0);
SAME_MEMBER(plugin, open);
SAME_MEMBER(plugin, close);
SAME_MEMBER(plugin, op_begin);
SAME_MEMBER(plugin, op_next);
SAME_MEMBER(plugin, op_response_head);
SAME_MEMBER(plugin, op_response_data);
SAME_MEMBER(plugin, op_response_end);
SAME_MEMBER(plugin, op_end);
SAME_MEMBER(plugin, link);

NOT_GROWN(label);
NOT_GROWN(pair);
NOT_GROWN(match);

SAME_VALUE(SONDE_ABI_MAJOR, 1u);
_Static_assert(SONDE_ABI_MINOR >= 0u, "SONDE_ABI_MINOR went back");
SAME_VALUE(SONDE_OK, 0);
SAME_VALUE(SONDE_REQUEST, 1);
SAME_VALUE(SONDE_WAIT, 2);
SAME_VALUE(SONDE_DONE, 3);
SAME_VALUE(SONDE_E_BAD_QUERY, (-1));
SAME_VALUE(SONDE_E_AUTH, (-2));
SAME_VALUE(SONDE_E_FORBIDDEN, (-3));
SAME_VALUE(SONDE_E_NOT_FOUND, (-4));
SAME_VALUE(SONDE_E_THROTTLED, (-5));
SAME_VALUE(SONDE_E_BUSY, (-6));
SAME_VALUE(SONDE_E_TIMEOUT, (-7));
SAME_VALUE(SONDE_E_TOO_MUCH, (-8));
SAME_VALUE(SONDE_E_UNSUPPORTED, (-9));
SAME_VALUE(SONDE_E_BAD_ANSWER, (-10));
SAME_VALUE(SONDE_E_STALE_FACTS, (-11));
SAME_VALUE(SONDE_E_INTERNAL, (-12));
SAME_VALUE(SONDE_E_CANCELLED, (-13));
SAME_VALUE(SONDE_E_DEADLINE, (-14));
SAME_VALUE(SONDE_E_UNREACHABLE, (-15));
SAME_VALUE(SONDE_E_REFUSED, (-16));
SAME_VALUE(SONDE_GO_ON, 0);
SAME_VALUE(SONDE_STOP, 1);
SAME_VALUE(SONDE_SEVERITY_UNKNOWN, 0u);
SAME_VALUE(SONDE_SEVERITY_TRACE, 1u);
SAME_VALUE(SONDE_SEVERITY_DEBUG, 2u);
SAME_VALUE(SONDE_SEVERITY_INFO, 3u);
SAME_VALUE(SONDE_SEVERITY_WARN, 4u);
SAME_VALUE(SONDE_SEVERITY_ERROR, 5u);
SAME_VALUE(SONDE_SEVERITY_FATAL, 6u);
SAME_VALUE(SONDE_PARAM_STRING, 1u);
SAME_VALUE(SONDE_PARAM_INTEGER, 2u);
SAME_VALUE(SONDE_PARAM_BOOLEAN, 3u);
SAME_VALUE(SONDE_PARAM_DURATION, 4u);
SAME_VALUE(SONDE_PARAM_LIST, 5u);
SAME_VALUE(SONDE_PARAM_REQUIRED, 1u);
SAME_VALUE(SONDE_PARAM_SECRET, 2u);
SAME_VALUE(SONDE_PLACE_HEADER, 1u);
SAME_VALUE(SONDE_PLACE_QUERY, 2u);
SAME_VALUE(SONDE_PLACE_BASIC, 3u);
SAME_VALUE(SONDE_PLACE_SIGV4, 4u);
SAME_VALUE(SONDE_KIND_PROBE, 0u);
SAME_VALUE(SONDE_KIND_HEALTH, 1u);
SAME_VALUE(SONDE_KIND_SCOPES, 2u);
SAME_VALUE(SONDE_KIND_EXPLAIN, 3u);
SAME_VALUE(SONDE_KIND_METRICS, 4u);
SAME_VALUE(SONDE_KIND_METRIC_NAMES, 5u);
SAME_VALUE(SONDE_KIND_LABEL_NAMES, 6u);
SAME_VALUE(SONDE_KIND_LABEL_VALUES, 7u);
SAME_VALUE(SONDE_KIND_EXEMPLARS, 8u);
SAME_VALUE(SONDE_KIND_LOGS, 9u);
SAME_VALUE(SONDE_KIND_LOG_CONTEXT, 10u);
SAME_VALUE(SONDE_KIND_LOG_COUNTS, 11u);
SAME_VALUE(SONDE_KIND_LOG_PATTERNS, 12u);
SAME_VALUE(SONDE_KIND_TRACE, 13u);
SAME_VALUE(SONDE_KIND_TRACE_SEARCH, 14u);
SAME_VALUE(SONDE_KIND_SPAN_STATS, 15u);
SAME_VALUE(SONDE_KIND_SERVICES, 16u);
SAME_VALUE(SONDE_KIND_OPERATIONS, 17u);
SAME_VALUE(SONDE_KIND_DEPENDENCIES, 18u);
SAME_VALUE(SONDE_KIND_EVENTS, 19u);
SAME_VALUE(SONDE_KIND_ALERTS, 20u);
SAME_VALUE(SONDE_KIND_SAVED_QUERIES, 21u);
SAME_VALUE(SONDE_KIND_COUNT, 22u);
SAME_VALUE(SONDE_OP_EQ, 1u);
SAME_VALUE(SONDE_OP_NE, 2u);
SAME_VALUE(SONDE_OP_IN, 3u);
SAME_VALUE(SONDE_OP_NOT_IN, 4u);
SAME_VALUE(SONDE_OP_REGEX, 5u);
SAME_VALUE(SONDE_OP_NOT_REGEX, 6u);
SAME_VALUE(SONDE_OP_EXISTS, 7u);
SAME_VALUE(SONDE_OP_PREFIX, 8u);
SAME_VALUE(SONDE_OP_AT_LEAST, 9u);
SAME_VALUE(SONDE_NATIVE_UNKNOWN, 0u);
SAME_VALUE(SONDE_NATIVE_TEXT, 1u);
SAME_VALUE(SONDE_NATIVE_KEYWORD, 2u);
SAME_VALUE(SONDE_NATIVE_LABEL, 3u);
SAME_VALUE(SONDE_NATIVE_ATTRIBUTE, 4u);
SAME_VALUE(SONDE_FILTER_ENFORCED, 1u);
SAME_VALUE(SONDE_MATCH_AND, 1u);
SAME_VALUE(SONDE_MATCH_OR, 2u);
SAME_VALUE(SONDE_MATCH_NOT, 3u);
SAME_VALUE(SONDE_MATCH_TERM, 4u);
SAME_VALUE(SONDE_MATCH_PHRASE, 5u);
SAME_VALUE(SONDE_MATCH_REGEX, 6u);
SAME_VALUE(SONDE_FN_NONE, 0u);
SAME_VALUE(SONDE_FN_RATE, 1u);
SAME_VALUE(SONDE_FN_INCREASE, 2u);
SAME_VALUE(SONDE_FN_DELTA, 3u);
SAME_VALUE(SONDE_FN_AVG_OVER_TIME, 4u);
SAME_VALUE(SONDE_FN_MIN_OVER_TIME, 5u);
SAME_VALUE(SONDE_FN_MAX_OVER_TIME, 6u);
SAME_VALUE(SONDE_FN_QUANTILE, 7u);
SAME_VALUE(SONDE_FN_LAST, 8u);
SAME_VALUE(SONDE_FN_QUANTILE_OVER_TIME, 9u);
SAME_VALUE(SONDE_AGGREGATE_NONE, 0u);
SAME_VALUE(SONDE_AGGREGATE_SUM, 1u);
SAME_VALUE(SONDE_AGGREGATE_AVG, 2u);
SAME_VALUE(SONDE_AGGREGATE_MIN, 3u);
SAME_VALUE(SONDE_AGGREGATE_MAX, 4u);
SAME_VALUE(SONDE_AGGREGATE_COUNT, 5u);
SAME_VALUE(SONDE_AGGREGATE_QUANTILE, 6u);
SAME_VALUE(SONDE_COMBINE_NONE, 0u);
SAME_VALUE(SONDE_COMBINE_RATIO, 1u);
SAME_VALUE(SONDE_COMBINE_DIFFERENCE, 2u);
SAME_VALUE(SONDE_NEWEST_FIRST, 0u);
SAME_VALUE(SONDE_OLDEST_FIRST, 1u);
SAME_VALUE(SONDE_MUST_ENFORCED_FILTERS, ((uint64_t)1));
SAME_VALUE(SONDE_REQUEST_IDEMPOTENT, 1u);
SAME_VALUE(SONDE_REQUEST_MORE, 2u);
SAME_VALUE(SONDE_REQUEST_CREATES, 4u);
SAME_VALUE(SONDE_OUTCOME_OK, 0u);
SAME_VALUE(SONDE_OUTCOME_LOST, 1u);
SAME_VALUE(SONDE_OUTCOME_TIMED_OUT, 2u);
SAME_VALUE(SONDE_OUTCOME_TOO_LARGE, 3u);
SAME_VALUE(SONDE_OUTCOME_REFUSED, 4u);
SAME_VALUE(SONDE_TYPE_UNKNOWN, 0u);
SAME_VALUE(SONDE_TYPE_GAUGE, 1u);
SAME_VALUE(SONDE_TYPE_COUNTER, 2u);
SAME_VALUE(SONDE_TYPE_HISTOGRAM, 3u);
SAME_VALUE(SONDE_TYPE_SUMMARY, 4u);
SAME_VALUE(SONDE_TYPE_INFO, 5u);
SAME_VALUE(SONDE_TYPE_STATESET, 6u);
SAME_VALUE(SONDE_SIDE_NONE, 0u);
SAME_VALUE(SONDE_SIDE_BEFORE, 1u);
SAME_VALUE(SONDE_SIDE_AFTER, 2u);
SAME_VALUE(SONDE_STATUS_UNSET, 0u);
SAME_VALUE(SONDE_STATUS_OK, 1u);
SAME_VALUE(SONDE_STATUS_ERROR, 2u);
SAME_VALUE(SONDE_LINK_CHILD_OF, 1u);
SAME_VALUE(SONDE_LINK_FOLLOWS_FROM, 2u);
SAME_VALUE(SONDE_TOTAL_EXACT, 1u);
SAME_VALUE(SONDE_TOTAL_AT_LEAST, 2u);
SAME_VALUE(SONDE_PARTIAL_LIMIT, 1u);
SAME_VALUE(SONDE_PARTIAL_LOST, 2u);
SAME_VALUE(SONDE_PARTIAL_SHARDS, 3u);
SAME_VALUE(SONDE_PARTIAL_TIMEOUT, 4u);
SAME_VALUE(SONDE_PARTIAL_BACKEND, 5u);
SAME_VALUE(SONDE_UNAPPLIED_FILTER, 1u);
SAME_VALUE(SONDE_UNAPPLIED_MATCH, 2u);
SAME_VALUE(SONDE_LOG_DEBUG, 1u);
SAME_VALUE(SONDE_LOG_INFO, 2u);
SAME_VALUE(SONDE_LOG_WARN, 3u);
SAME_VALUE(SONDE_LOG_ERROR, 4u);
SAME_VALUE(SONDE_CAP_NATIVE, ((uint64_t)1 << 32));
SAME_VALUE(SONDE_CAP_STRUCTURED, ((uint64_t)1 << 33));
SAME_VALUE(SONDE_CAP_COMBINE, ((uint64_t)1 << 34));
SAME_VALUE(SONDE_CAP_NATIVE_FILTERS, ((uint64_t)1 << 35));
SAME_VALUE(SONDE_CAP(21), (uint64_t)2097152);
/* clang-format on */

int main(void)
{
    return 0;
}
