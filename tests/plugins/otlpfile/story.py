# SPDX-License-Identifier: Apache-2.0
"""Asks the adapter about a generated incident (runner, folder with data/) and checks the rows."""
import sys

sys.dont_write_bytecode = True
from ask import ask, series, truth  # noqa: E402

WEB = 'k8s.namespace.name="production",k8s.pod.name="web-app-xyz"'


def one(native, **more):
    found = series(ask(native, **more))
    check(len(found) == 1, f"{native}: {len(found)} series")
    return found[0]


def check(condition, text):
    if not condition:
        sys.exit("story: " + text)


def near(value, want, tolerance, text):
    check(isinstance(value, (int, float)) and abs(value - want) <= tolerance,
          f"{text}: {value}, not {want}")


def check_cpu():
    for name in ("k8s.pod.cpu.usage", "k8s_pod_cpu_usage"):
        labels, points = one(f"{name}{{{WEB}}}")
        check(labels["__name__"] == "k8s.pod.cpu.usage" and labels["service_version"] == "2.5.0", "labels")
        for t, v in points.items():
            level = truth["metrics"]["cpu"]["before" if t < 300 else "after"]
            near(v, level, 0.051 * level, f"{name} at {t}")
        check(sorted(points) == list(range(0, 601, 15)), "the grid")
    labels, points = one('rate(container_cpu_usage_seconds_total{namespace="production",pod=~"web-app-xy.*"}[1m])')
    check("__name__" not in labels, "rate keeps the name")
    near(points[285], 0.2, 0.02, "rate before")
    near(points[600], 0.95, 0.03, "rate after")
    check(points[345] > 0 and points[360] > 0, "a rate over a restart is negative")
    _, points = one('sum by (k8s.deployment.name) (k8s.pod.cpu.usage{k8s.namespace.name="production",'
                    'service.name="web-app"})', start=-1800)
    for t, v in points.items():
        near(v, 0.2 if t < 300 else 0.95, 0.06, f"cpu of the deployment at {t}")
    check(len(points) == 161, f"{len(points)} steps: the old pod must end where the new one begins")


def check_scope():
    both = series(ask('k8s.pod.cpu.usage{k8s.pod.name="web-app-xyz"}'))
    check(sorted(l["k8s_namespace_name"] for l, _ in both) == ["production", "staging"], "two namespaces")
    rows = ask('k8s.pod.cpu.usage{k8s.pod.name="web-app-xyz"}',
               filters=[{"logical": "namespace", "op": "in", "values": ["staging", "test"]}])
    check([l["k8s_namespace_name"] for l, _ in series(rows)] == ["staging"], "a filter by namespace")
    rows = ask(None, operands=[{"metric": "k8s.pod.cpu.usage", "function": "max_over_time", "window_s": 300,
                                "filters": [{"logical": "service", "values": ["web-app"]}],
                                "aggregate": "max"}], by=["k8s.namespace.name"], step=0)
    found = {l["k8s_namespace_name"]: list(p.values())[0] for l, p in series(rows)}
    near(found["production"], 0.95, 0.02, "structured maximum")
    near(found["staging"], 0.05, 0.01, "structured maximum in staging")


def check_latency():
    for query in ('histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket'
                  '{service_name="web-app",k8s_namespace_name="production"}[2m])))',
                  'histogram_quantile(0.95, sum(rate(http.server.request.duration{service.name="web-app",'
                  'k8s.namespace.name="production"}[2m])))'):
        _, points = one(query, start=-1500)
        near(points[-300], 0.18, 0.05, "p95 before")
        check(3.0 < points[300] < 6.0, f"p95 at the spike: {points[300]}")
    _, points = one('sum(rate(http_server_request_duration_seconds_count{service_name="api-gateway",'
                    'k8s_namespace_name="production"}[5m]))', start=-1200)
    near(points[-600], 12, 0.6, "requests a second")
    found = series(ask('sum by (http_route) (increase(http_server_request_duration_seconds_count'
                       '{service_name="api-gateway",http_response_status_code="503"}[10m]))', step=0))
    check(len(found) == 1 and found[0][0] == {"http_route": "/export"}, "errors by route")
    _, points = one('histogram_quantile(0.5, rate(payments.settlement.duration[10m]))', step=0)
    near(points[600], 0.3, 0.06, "the median of an exponential histogram")


def check_rest():
    versions = {l["version"]: p for l, p in series(ask(
        'build_info{service.name="web-app",k8s.namespace.name="production"}', start=-300, end=300))}
    check(max(versions["2.4.0"]) == -15 and min(versions["2.5.0"]) == 0, "the deploy")
    _, points = one(f"k8s.container.restarts{{{WEB}}}")
    check((points[330], points[345]) == (0, 1), "restarts")
    _, points = one("inventory.items", start=-1800)
    check(sum(v == "NaN" for v in points.values()) == 5, "the NaN gap")
    names = {r["name"]: r for r in ask(None, kind="METRIC_NAMES", start=-1800) if r["row"] == "name"}
    check(names["container_cpu_usage_seconds_total"]["type"] == "counter", "a counter's type")
    check(names["http.server.request.duration"]["type"] == "histogram", "a histogram's type")
    check(names["k8s.pod.cpu.usage"]["count"] == 7, "the number of series")
    values = [r["name"] for r in ask(None, kind="LABEL_VALUES", name="service.name", start=-1800,
                                     filters=[{"logical": "namespace", "values": ["staging"]}])
              if r["row"] == "name"]
    check(values == ["api-gateway", "cadvisor", "web-app"], f"services of staging: {values}")
    labels = [r["name"] for r in ask(None, kind="LABEL_NAMES", name="jvm.gc.duration", start=-1800)
              if r["row"] == "name"]
    check("k8s_pod_name" in labels and "jvm_gc_name" in labels and "http_route" not in labels, "labels")
    exemplars = [r for r in ask('http.server.request.duration{service.name="web-app",http.route="/export",'
                                'http.response.status_code="503"}', start=290, kind="EXEMPLARS")
                 if r["row"] == "exemplar"]
    check(exemplars and {e["trace_id"] for e in exemplars} <= set(truth["traces"]["error_traces"]),
          "exemplars of failing requests lead to failing traces")


check_cpu()
check_scope()
check_latency()
check_rest()
