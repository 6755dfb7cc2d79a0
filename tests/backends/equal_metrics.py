# SPDX-License-Identifier: Apache-2.0
"""The same incident in every metrics store that is here: the same questions must get the same answers through sonde, or differ for a reason
that is stated, checked to be needed, and bounded."""
import math
import os
import sys

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import NO_LIMITS, Client, Scratch, make_incident, sonde_command  # noqa: E402
import prometheus_server  # noqa: E402
import victoriametrics_server  # noqa: E402

# name: backend, how to start it
STORES = {
    "prometheus_2": ("prometheus", lambda incident: prometheus_server.Prometheus("debian", incident=incident)),
    "prometheus_3": ("prometheus", lambda incident: prometheus_server.Prometheus("3", incident=incident)),
    "victoriametrics_1_79": ("victoriametrics", lambda incident: victoriametrics_server.VictoriaMetrics("1.79", incident=incident)),
    "victoriametrics_1_151": ("victoriametrics", lambda incident: victoriametrics_server.VictoriaMetrics("1.151", incident=incident)),
}
HERE = {
    "prometheus_2": lambda: prometheus_server.programs("debian"),
    "prometheus_3": lambda: prometheus_server.programs("3"),
    "victoriametrics_1_79": lambda: victoriametrics_server.program("1.79"),
    "victoriametrics_1_151": lambda: victoriametrics_server.program("1.151"),
}
ABSENT = {"prometheus_2": "Prometheus of Debian", "prometheus_3": "Prometheus 3", "victoriametrics_1_79": "VictoriaMetrics of Debian",
          "victoriametrics_1_151": "VictoriaMetrics 1.151"}
PROMETHEUS = {"prometheus_2", "prometheus_3"}

# Why VictoriaMetrics may differ from Prometheus. near: how far values may lie apart then (relative), inf where series or times differ too;
# without: a label that only one of them keeps, after which they must be equal.
RATE = {"why": "VictoriaMetrics counts from the sample before the window and does not extrapolate to the window's edges", "near": 0.35}
FEW = {"why": RATE["why"] + ", which weighs where a window holds few events", "near": 1.0}
DELTA = {"why": "VictoriaMetrics takes the difference to the sample before the window, unextrapolated: another question where values swing", "near": 20}
CHANGES = {"why": "VictoriaMetrics compares the first sample of a window with the one before it", "near": 0.2}
STALE = {"why": "a pod that is gone leaves VictoriaMetrics after a few scrape intervals, Prometheus after five minutes", "near": math.inf}
NAME = {"why": "VictoriaMetrics keeps the name where a function leaves the meaning of values as it is", "near": 0, "without": "__name__"}

CPU = "container_cpu_usage_seconds_total"
LATENCY = "http_server_request_duration_seconds"
BEFORE = {"start": -1200, "end": -60}  # the deploy of T0 ends pods and begins others
ACROSS = {"time_range": {"start": -600, "end": 540}}
AT = {"time_range": {"end": -90}, "step": "0"}
# name: (arguments beside the common window and step, reason or None)
QUERIES = {
    "gauge": ({"query": "payments_queue_depth"}, None),
    "gauge_of_pods": ({"query": "k8s_pod_cpu_usage"}, None),
    "sum_by": ({"query": "sum by (k8s_namespace_name) (k8s_pod_memory_working_set_bytes)"}, None),
    "sum_without": ({"query": "sum without (pod, container) (container_memory_working_set_bytes)"}, None),
    "avg_min_max": ({"query": "max(k8s_pod_cpu_usage) - min(k8s_pod_cpu_usage) + avg(k8s_pod_cpu_usage)"}, None),
    "count": ({"query": "count by (k8s_node_name) (k8s_pod_cpu_usage)"}, None),
    "count_values": ({"query": 'count_values("restarts", k8s_container_restarts)'}, None),
    "stddev": ({"query": "stddev(k8s_pod_cpu_usage)"}, None),
    "quantile": ({"query": "quantile(0.9, k8s_pod_cpu_usage)"}, None),
    "rate": ({"query": "rate(%s[2m])" % CPU}, RATE),
    "rate_sum": ({"query": "sum by (namespace) (rate(%s[2m]))" % CPU}, RATE),
    "rate_of_rare_counts": ({"query": 'sum by (http_response_status_code) (rate(%s_count[5m]))' % LATENCY}, FEW),
    "increase": ({"query": "sum(increase(%s_count[5m]))" % LATENCY}, RATE),
    "error_ratio": ({"query": 'sum(rate(%s_count{http_response_status_code=~"5.."}[5m])) / sum(rate(%s_count[5m]))' % (LATENCY, LATENCY)}, FEW),
    "p95": ({"query": "histogram_quantile(0.95, sum by (le) (rate(%s_bucket[5m])))" % LATENCY}, RATE),
    "p50_by_service": ({"query": "histogram_quantile(0.5, sum by (le, service_name) (rate(%s_bucket[5m])))" % LATENCY}, RATE),
    "irate": ({"query": "irate(%s[2m])" % CPU}, None),
    "delta": ({"query": "delta(payments_queue_depth[3m])"}, DELTA),
    "avg_over_time": ({"query": "avg_over_time(k8s_pod_cpu_usage[2m])"}, NAME),
    "max_over_time": ({"query": "max by (k8s_namespace_name) (max_over_time(k8s_pod_memory_working_set_bytes[3m]))"}, None),
    "quantile_over_time": ({"query": "quantile_over_time(0.8, payments_queue_depth[4m])"}, NAME),
    "last_over_time": ({"query": "last_over_time(inventory_items[2m])"}, None),
    "changes": ({"query": "changes(inventory_items[10m])"}, CHANGES),
    "count_over_time": ({"query": "count_over_time(payments_queue_depth[2m])"}, None),
    "subquery": ({"query": "max_over_time(sum(k8s_pod_cpu_usage)[5m:1m])"}, None),
    "offset": ({"query": "payments_queue_depth offset 5m"}, None),
    "offset_difference": ({"query": "sum(k8s_pod_cpu_usage) - sum(k8s_pod_cpu_usage offset 10m)"}, None),
    "comparison": ({"query": "k8s_pod_cpu_usage > 0.2"}, None),
    "comparison_bool": ({"query": "payments_queue_depth > bool 10"}, None),
    "regex": ({"query": 'k8s_pod_cpu_usage{k8s_pod_name=~"web-app-.+",k8s_namespace_name!~"stag.*"}'}, None),
    "set_operators": ({"query": "sum by (k8s_pod_name) (k8s_pod_cpu_usage) unless on (k8s_pod_name) (sum by (k8s_pod_name) (k8s_pod_cpu_usage) < 0.2)"},
                      None),
    "join": ({"query": "k8s_pod_memory_working_set_bytes / on (k8s_pod_name, k8s_namespace_name) group_left k8s_container_memory_limit_bytes"}, None),
    "absent": ({"query": 'absent(nosuch_metric{job="x"})'}, None),
    "absent_not": ({"query": "absent(payments_queue_depth)"}, None),
    "label_replace": ({"query": 'label_replace(sum by (k8s_pod_name) (k8s_pod_cpu_usage), "app", "$1", "k8s_pod_name", "([a-z]+)-.*")'}, None),
    "clamp_and_round": ({"query": "round(clamp_max(k8s_pod_cpu_usage, 0.5), 0.01)"}, NAME),
    "constant": ({"query": "42"}, None),
    "nothing": ({"query": "nosuch_metric_at_all"}, None),
    "instant": ({"query": "sum by (k8s_namespace_name) (k8s_pod_cpu_usage)", **AT}, None),
    "instant_topk": ({"query": "topk(3, k8s_pod_memory_working_set_bytes)", **AT}, None),
    "instant_bottomk": ({"query": "bottomk(2, sum by (k8s_pod_name) (k8s_pod_cpu_usage))", **AT}, None),
    "instant_sum_rate": ({"query": "sum(rate(%s[5m]))" % CPU, **AT}, RATE),
    "instant_string_of_time": ({"query": "vector(time())", **AT}, None),
    "filter_namespace": ({"query": "sum by (pod) (container_memory_working_set_bytes)", "filters": {"namespace": "production"}}, None),
    "filter_pods": ({"query": "k8s_pod_cpu_usage", "filters": {"pod": "web-app-*", "namespace": "production"}}, None),
    "filter_service": ({"query": "k8s_pod_cpu_usage", "filters": {"service": "web-app,api-gateway"}}, None),
    "filter_not": ({"query": "k8s_pod_cpu_usage", "filters": {"namespace": "!staging"}}, None),
    "filter_regex": ({"query": "sum by (k8s_pod_name) (k8s_pod_cpu_usage)", "filters": {"k8s_pod_name": "/.*-[a-f0-9]+-.*/"}}, None),
    "filter_with_rate": ({"query": "sum(rate(%s[2m]))" % CPU, "filters": {"pod": "web-app-*"}}, RATE),
    "pods_that_end": ({"query": "k8s_pod_cpu_usage", **ACROSS}, STALE),
    "pods_that_end_counted": ({"query": "count by (k8s_namespace_name) (k8s_pod_cpu_usage)", **ACROSS}, {**STALE, "near": 0.5}),
    "spike": ({"query": "sum by (pod) (rate(%s[2m]))" % CPU, "filters": {"pod": "web-app-xyz", "namespace": "production"}, **ACROSS}, {**RATE, "near": 1}),
    "two_selectors_filtered": ({"query": "sum(container_memory_working_set_bytes) / count(container_memory_working_set_bytes)",
                                "filters": {"namespace": "staging"}}, None),
}
NAMES = {
    "all_names": {},
    "names_like": {"match": "memory"},
    "label_values": {"label": "k8s_namespace_name"},
    "label_values_filtered": {"label": "k8s_pod_name", "filters": {"k8s_namespace_name": "staging"}},
    "label_values_of_services": {"label": "service_name", "match": "-"},
    "label_values_of_buckets": {"label": "le"},
}
# name: which store may differ, how its names are made like the others', why
NAME_REASONS = {"label_values_of_buckets": ("prometheus_3", lambda name: name.removesuffix(".0"), "Prometheus 3 writes le as a float")}


def window(truth, range_):
    return {key: str(int(truth["t0"]) + seconds) for key, seconds in range_.items()}


def series_of(answer):
    """{labels: [(time, value)]}"""
    common = answer.get("common_labels", {})
    found = {}
    for row in answer["results"]:
        key = tuple(sorted({**common, **row["metric"]}.items()))
        assert key not in found, ("a series twice", key)
        found[key] = [(float(t), float(v)) for t, v in row["values"]]
    return found


def ask(client, store, truth, arguments):
    arguments = {"time_range": BEFORE, "step": "60s", "max_tokens": 25000, **arguments, "connection_id": store}
    arguments["time_range"] = window(truth, arguments["time_range"])
    answer = client.call("query_metrics", arguments)
    assert not answer["_error"], (store, answer["_text"])
    assert answer.get("total", len(answer["results"])) == len(answer["results"]), (store, "the answer must fit whole", answer["_text"][:300])
    return series_of(answer)


def distance(a, b):
    """0 equal, else the greatest relative distance of two values; infinite where series or times differ."""
    if a.keys() != b.keys() or any([t for t, _ in a[key]] != [t for t, _ in b[key]] for key in a):
        return math.inf
    far = 0.0
    for key in a:
        for (_, x), (_, y) in zip(a[key], b[key]):
            if x != y and not (math.isnan(x) and math.isnan(y)):
                far = max(far, abs(x - y) / max(abs(x), abs(y)))
    return far if far > 1e-9 else 0.0


def strip(answer, label):
    return {tuple(pair for pair in key if pair[0] != label): values for key, values in answer.items()}


def difference(a, b):
    if a.keys() != b.keys():
        return "series %s against %s" % ([k for k in a if k not in b][:2], [k for k in b if k not in a][:2])
    return [(dict(key), [(x, y) for x, y in zip(a[key], b[key]) if x != y][:3], len(a[key]), len(b[key])) for key in a if a[key] != b[key]][:2]


def check_query(clients, truth, stores, arguments, reason):
    answers = {store: ask(clients[store], store, truth, arguments) for store in stores}
    far = {True: [], False: []}  # within a product, between the two
    names = sorted(answers)
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            same = (a in PROMETHEUS) == (b in PROMETHEUS)
            d = distance(answers[a], answers[b])
            far[same].append(d)
            if reason and "without" in reason and not same:
                d = distance(strip(answers[a], reason["without"]), strip(answers[b], reason["without"]))
            allowed = 0 if reason is None or same else reason["near"]
            assert d <= allowed, "%s and %s differ by %s (%s allowed): %s" % (a, b, d, allowed, difference(answers[a], answers[b]))
    if reason and far[False]:
        assert any(far[False]), "equal after all: the reason is stale (%s)" % reason["why"]
    return max(map(len, answers.values())), max(far[False], default=0)


def check_names(clients, truth, stores, arguments, reason):
    answers = {}
    for store in stores:
        answer = clients[store].call("list_metrics", {"time_range": window(truth, {"start": -1700, "end": 540}), "max_tokens": 25000, **arguments,
                                                      "connection_id": store})
        assert not answer["_error"], (store, answer["_text"])
        answers[store] = sorted(answer["values"]) if "label" in arguments else sorted(row["name"] for row in answer["metrics"])
        assert answers[store], (store, answer["_text"])
    odd, like, why = reason or (None, None, None)
    others = [answers[store] for store in stores if store != odd]
    assert all(names == others[0] for names in others), answers
    if odd in answers:
        assert answers[odd] != others[0], "equal after all: the reason is stale (%s)" % why
        assert sorted(map(like, answers[odd])) == sorted(map(like, others[0])), (odd, answers[odd], others[0])
    return len(others[0])


def main():
    stores = [store for store in STORES if HERE[store]()]
    for store in STORES:
        if store not in stores:
            print("%s is not here: skipped" % ABSENT[store])
    if len(stores) < 2:
        print("nothing to compare")
        return 77
    running, failures = {}, 0
    with Scratch() as folder:
        try:
            truth = make_incident(folder, format="all")
            for store in stores:
                running[store] = STORES[store][1]((folder, truth))
            # One sonde a store: the calls of one are limited to some a minute.
            clients = {store: Client(sonde_command("mcp", "--connection", "%s:%s=%s" % (store, STORES[store][0], running[store].url),
                                                  config=NO_LIMITS))
                       for store in stores}
            rows = [(name, lambda a=a, r=r: check_query(clients, truth, stores, a, r)) for name, (a, r) in QUERIES.items()]
            rows += [(name, lambda n=name, a=a: (check_names(clients, truth, stores, a, NAME_REASONS.get(n)), 0)) for name, a in NAMES.items()]
            for name, function in rows:
                try:
                    count, far = function()
                    print("ok %s: %d%s" % (name, count, ", VictoriaMetrics within %.3g" % far if far else ""))
                except AssertionError as error:
                    failures += 1
                    print("FAILED", name, str(error)[:3000])
            failures += sum(client.close()[0] != 0 for client in clients.values())
        finally:
            for server in running.values():
                server.close()
    print("%d questions, %d stores, %d failures" % (len(QUERIES) + len(NAMES), len(stores), failures))
    return 1 if failures else 0


sys.exit(main())
