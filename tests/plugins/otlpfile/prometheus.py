# SPDX-License-Identifier: Apache-2.0
"""Compares the adapter with a Prometheus on loopback (runner, folder with data/ and tsdb/, this folder)."""
import json
import math
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.argv, here = sys.argv[:3], sys.argv[3]
sys.path.insert(0, here)
sys.dont_write_bytecode = True
from ask import T0, ask, folder, offset, series  # noqa: E402

# Steps off the scrape times: whether a window takes its very first instant differs between versions.
START, END, STEP = -1193, 587, 60
PROD = 'k8s_namespace_name="production"'
QUERIES = [
    "container_memory_working_set_bytes",
    'container_cpu_usage_seconds_total{pod=~"web-.*|pay.+",namespace!="staging"}',
    'rate(container_cpu_usage_seconds_total{namespace="production",pod=~"web-app-.*"}[1m])',
    "increase(container_cpu_usage_seconds_total[5m])",
    "delta(jvm_memory_used_bytes[3m])",
    "sum by (pod) (rate(container_cpu_usage_seconds_total[2m] offset 2m))",
    "avg without (pod, container, namespace) (container_memory_working_set_bytes)",
    "max_over_time(k8s_pod_memory_working_set_bytes[4m])",
    "min_over_time(payments_queue_depth[4m])",
    "sum_over_time(k8s_container_restarts[90s])",
    "count_over_time(inventory_items[5m])",
    "avg_over_time(inventory_items[2m])",
    "last_over_time(build_info[2m])",
    "quantile_over_time(0.8, payments_queue_depth[10m])",
    'topk(2, k8s_pod_memory_working_set_bytes{k8s_pod_name!="web-app-uvw"})',
    "bottomk(3, system_cpu_utilization_ratio)",
    "quantile(0.4, container_memory_working_set_bytes)",
    "count by (k8s_namespace_name) (build_info)",
    "min(container_memory_working_set_bytes) / 1000000 - 3",
    "100 / system_cpu_utilization_ratio",
    "histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket"
    '{service_name="web-app",%s}[2m])))' % PROD,
    # A counter that has just begun: how far back it is drawn differs between versions, so the old pod.
    'histogram_quantile(0.5, rate(jvm_gc_duration_seconds_bucket{service_version="2.4.0"}[3m]))',
    "sum(rate(http_server_request_duration_seconds_sum[5m]))",
    'sum by (http_route, http_response_status_code) (increase(http_server_request_duration_seconds_count'
    '{service_name="api-gateway",%s}[5m]))' % PROD,
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start():
    port = free_port()
    open(folder + "/prometheus.yml", "w").write("scrape_configs: []\n")
    server = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
         f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(150):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5)
            return server, port
        except OSError:
            time.sleep(0.2)
    server.kill()
    sys.exit("prometheus did not become ready")


def theirs(port, query):
    form = urllib.parse.urlencode({"query": query, "start": T0 + START, "end": T0 + END, "step": STEP})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query_range?{form}") as answer:
        result = json.load(answer)["data"]["result"]
    return {key(r["metric"]): {int(t) - T0: float(v) for t, v in r["values"]} for r in result}


def key(labels):
    # The text format has target labels of its own, and a metric its Prometheus name.
    return tuple(sorted((k, v) for k, v in labels.items() if k not in ("__name__", "job", "instance")))


def ours(query):
    found = series(ask(query, start=START, end=END, step=STEP))
    return {key(labels): {t: float(v) for t, v in points.items()} for labels, points in found}


def ended(labels):
    """The old pod: the files say when it ended, the text for promtool cannot."""
    return any(v == "web-app-uvw" for _, v in labels)


def compare(query, a, b):
    if set(a) != set(b):
        return f"series differ: only ours {set(a) - set(b)}, only theirs {set(b) - set(a)}"
    for labels, points in a.items():
        stop = 0 if ended(labels) else END + 1
        mine = {t: v for t, v in points.items() if t < stop}
        other = {t: v for t, v in b[labels].items() if t < stop}
        if set(mine) != set(other):
            return f"{labels}: steps differ: {sorted(set(mine) ^ set(other))}"
        for t, v in mine.items():
            w = other[t]
            if not (math.isclose(v, w, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(v) and math.isnan(w))):
                return f"{labels} at {t}: ours {v}, theirs {w}"
    return None


def sums_over_pods(query):
    """Where the old pod is summed away, only the time before the deploy compares."""
    return query.startswith(("avg without", "quantile(", "count by", "min(container", "bottomk"))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server never stays
    server, port = start()
    bad = 0
    try:
        for query in QUERIES:
            a, b = ours(query), theirs(port, query)
            if not b:
                bad += 1
                print(f"{query}: Prometheus has nothing")
            if sums_over_pods(query):
                a, b = ({k: {t: v for t, v in p.items() if t < 0} for k, p in m.items()} for m in (a, b))
            fault = compare(query, a, b)
            if fault:
                bad += 1
                print(f"{query}: {fault}")
    finally:
        server.terminate()
        server.wait()
    sys.exit(1 if bad else 0)


main()
