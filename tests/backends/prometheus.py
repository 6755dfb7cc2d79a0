# SPDX-License-Identifier: Apache-2.0
"""sonde against a real Prometheus that holds the incident: what an agent asks, and the truth it must get. Argument: debian or 3."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from checks import check, run_checks  # noqa: E402
from mcp_client import Client, free_port, sonde_command  # noqa: E402
from prometheus_server import Prometheus, programs  # noqa: E402

CPU = 'sum by (pod, namespace) (rate(container_cpu_usage_seconds_total{pod=~"web-app-.*"}[1m]))'
# bcrypt of "secret"
WEB_CONFIG = "basic_auth_users:\n  sonde: '$2b$04$NWdF.NaayhJFtEVc58cBdem/1lG6CTmLqG59xQy6G2jA/nXCud2tG'\n"


def window(server, start, end):
    t0 = server.truth["t0"]
    return {"start": str(int(t0 + start)), "end": str(int(t0 + end))}


def series_where(answer, **labels):
    common = answer.get("common_labels", {})
    found = [row for row in answer["results"] if all({**common, **row["metric"]}.get(k) == v for k, v in labels.items())]
    assert len(found) == 1, (labels, [row["metric"] for row in answer["results"]], common)
    return found[0]


def points(row):
    return [(float(t), float(v)) for t, v in row["values"]]


@check
def cpu_spike(server, client):
    answer = client.call("query_metrics", {"query": CPU, "time_range": window(server, -1500, 590), "step": "15s"})
    assert not answer["_error"], answer["_text"]
    t0, cpu = server.truth["t0"], server.truth["metrics"]["cpu"]
    row = series_where(answer, pod="web-app-xyz", namespace="production")
    high = [p for p in points(row) if p[1] > 0.8]
    assert high, points(row)
    assert abs(max(p[1] for p in high) - cpu["after"]) < 0.06, max(p[1] for p in high)
    onset = high[0][0] - t0
    assert 300 <= onset <= 420, onset
    before = [v for t, v in points(row) if 90 < t - t0 < 290]  # the pod starts at 0, a rate wants a minute
    assert before and all(abs(v - cpu["before"]) < 0.05 for v in before), before
    assert abs(row["summary"]["max"] - cpu["after"]) < 0.06, row["summary"]
    assert answer["query_executed"].startswith("sum by"), answer["query_executed"]


@check
def filters_keep_staging_apart(server, client):
    answer = client.call("query_metrics", {"query": "rate(container_cpu_usage_seconds_total[1m])", "time_range": window(server, 310, 590),
                                           "filters": {"namespace": "production", "pod": "web-app-*"}})
    assert not answer["_error"], answer["_text"]
    common = answer.get("common_labels", {})
    for row in answer["results"]:
        labels = {**common, **row["metric"]}
        assert labels["namespace"] == "production" and labels["pod"].startswith("web-app-"), labels
    assert answer["results"]
    assert 'namespace="production"' in answer["query_executed"], answer["query_executed"]
    both = client.call("query_metrics", {"query": "sum by (namespace) (rate(container_cpu_usage_seconds_total[1m]))",
                                         "filters": {"namespace": "production,staging"}, "time_range": window(server, 310, 590)})
    assert len(both["results"]) == 2, both
    none = client.call("query_metrics", {"query": "container_cpu_usage_seconds_total", "filters": {"namespace": "!production,staging"},
                                         "time_range": window(server, 310, 590)})
    assert none["results"] == [] and not none["_error"], none


@check
def unknown_filter_key_names_what_there_is(server, client):
    answer = client.call("query_metrics", {"query": "container_cpu_usage_seconds_total", "filters": {"namespaec": "production"},
                                           "time_range": window(server, 0, 590)})
    assert answer["_error"] and "namespace" in answer["_text"], answer["_text"]


@check
def empty_answers_say_why(server, client):
    answer = client.call("query_metrics", {"query": "sum by (pod) (rate(container_cpu_usage_secnds_total[5m]))"})
    assert not answer["_error"] and answer["results"] == [], answer
    assert "did you mean container_cpu_usage_seconds_total?" in answer["_text"], answer["_text"]
    before = client.call("query_metrics", {"query": "container_cpu_usage_seconds_total", "time_range": window(server, -90000, -86400)})
    assert before["results"] == [] and "in this window" in before["_text"], before["_text"]


@check
def names_and_labels(server, client):
    answer = client.call("list_metrics", {"match": "container_cpu"})
    names = {row["name"]: row for row in answer["metrics"]}
    assert names["container_cpu_usage_seconds_total"]["type"] == "counter", names
    values = client.call("list_metrics", {"label": "namespace", "time_range": window(server, -1800, 590)})
    assert set(values["values"]) >= {"production", "staging"}, values
    pods = client.call("list_metrics", {"label": "pod", "filters": {"namespace": "staging"}, "time_range": window(server, -1800, 590)})
    assert pods["values"] and all("inventory" not in name for name in pods["values"]), pods


@check
def histogram_quantile(server, client):
    answer = client.call("query_metrics", {
        "query": "histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[2m])))",
        "filters": {"service": "web-app", "namespace": "production"}, "time_range": window(server, -900, -60)})
    assert not answer["_error"], answer["_text"]
    truth = server.truth["metrics"]["latency"]["p95_before_s"]
    assert abs(answer["results"][0]["summary"]["avg"] - truth) < 0.1, (answer["results"][0]["summary"], truth)


@check
def bad_query_keeps_the_backends_words(server, client):
    answer = client.call("query_metrics", {"query": "sum by (pod (up)"})
    assert answer["_error"] and "parse error" in answer["_text"], answer["_text"]
    answer = client.call("query_metrics", {"query": "rate(up)"})
    assert answer["_error"] and "range vector" in answer["_text"], answer["_text"]
    assert not client.call("query_metrics", {"query": "vector(1)", "step": "0"})["_error"]


@check
def scalars_strings_and_special_values(server, client):
    one = client.call("query_metrics", {"query": "42", "step": "0"})
    assert float(one["results"][0]["values"][0][1]) == 42, one
    odd = client.call("query_metrics", {"query": "vector(0)/0", "step": "0"})
    assert odd["results"][0]["values"][0][1] == "NaN", odd
    inf = client.call("query_metrics", {"query": "vector(1)/0", "step": "0"})
    assert inf["results"][0]["values"][0][1] == "+Inf", inf


@check
def pages_show_every_series_once(server, client):
    query = {"query": "http_server_request_duration_seconds_bucket", "time_range": window(server, 0, 590), "max_tokens": 3000}
    seen, pages, answer = [], 0, client.call("query_metrics", query)
    total = answer["total"]
    while True:
        pages += 1
        common = answer.get("common_labels", {})
        seen += [tuple(sorted({**common, **row["metric"]}.items())) for row in answer["results"]]
        cursor = answer.get("next_cursor")
        if not cursor:
            break
        assert pages < 200
        answer = client.call("query_metrics", {**query, "cursor": cursor})
        assert not answer["_error"], answer["_text"]
    assert len(seen) == len(set(seen)) == total, (len(seen), len(set(seen)), total, pages)
    assert pages > 1
    wrong = client.call("query_metrics", {**query, "query": "up", "cursor": "nonsense"})
    assert wrong["_error"] and "cursor" in wrong["_text"], wrong["_text"]


@check
def answers_fit_their_budget(server, client):
    for budget in (500, 2000, 6000):
        answer = client.call("query_metrics", {"query": '{__name__=~".+"}', "time_range": window(server, 0, 590), "max_tokens": budget})
        assert not answer["_error"], answer["_text"]
        import json
        size = len(json.dumps({k: v for k, v in answer.items() if k[0] != "_"}, separators=(",", ":"), ensure_ascii=False).encode()) / 3
        assert size <= budget * 1.1, (size, budget)


@check
def link_and_health(server, client):
    answer = client.call("list_connections")
    row = answer["connections"][0]
    assert row["health"] == "healthy" and row["product"] == "Prometheus" and row["version"].startswith(("2.", "3.")), row


@check
def exemplars_and_native_histograms(server, client):
    if server.kind != "3":
        return
    server.push_otlp()
    time.sleep(1.5)  # names just fetched are not fetched again within a second
    # The label came with this load, after the connection's names were fetched: it must be found all the same.
    newer = client.call("query_metrics", {"query": 'rate({"http.server.request.duration_count"}[2m])', "filters": {"http.route": "/export"},
                                          "time_range": window(server, 0, 590)})
    assert not newer["_error"] and newer["results"], newer["_text"][:500]
    answer = client.call("query_metrics", {"query": 'sum by (job) (rate({"http.server.request.duration_bucket"}[2m]))', "time_range": window(server, 0, 590),
                                           "filters": {"job": "web-app"}})
    assert not answer["_error"] and 'job="web-app"' in answer["query_executed"], answer["_text"]
    exemplars = [e for row in answer["results"] for e in row.get("exemplars", [])]
    assert exemplars and all(len(e["trace_id"]) == 32 for e in exemplars), answer["_text"][:2000]
    names = client.call("list_metrics", {"match": "http.server", "time_range": window(server, 0, 590)})
    assert names["metrics"], names


@check
def command_line(server, client):
    base = [*sonde_command("query", CPU, "--connection", "prometheus=" + server.url), "--since", "40m"]
    plot = subprocess.run(base, capture_output=True, text=True, timeout=60)
    assert plot.returncode == 0 and "web-app-xyz" in plot.stdout, plot
    csv = subprocess.run(base + ["--csv"], capture_output=True, text=True, timeout=60)
    assert csv.returncode == 0 and csv.stdout.count("\n") > 20, csv
    bad = subprocess.run([*sonde_command("query", "sum(", "--connection", "prometheus=" + server.url)], capture_output=True, text=True, timeout=60)
    assert bad.returncode == 1 and "parse error" in bad.stderr, bad
    test = subprocess.run(sonde_command("connection", "test", "prometheus", "--connection", "prometheus=" + server.url),
                          capture_output=True, text=True, timeout=60)
    assert test.returncode == 0 and "FAILED" not in test.stdout and "Prometheus" in test.stdout, test
    down = subprocess.run(sonde_command("connection", "test", "prometheus", "--connection", "prometheus=http://127.0.0.1:%d" % free_port()),
                          capture_output=True, text=True, timeout=60)
    assert down.returncode == 4 and "FAILED" in down.stdout, down


@check
def three_connections_one_down(server, client):
    several = Client(sonde_command("mcp", "--connection", "a:prometheus=" + server.url, "--connection", "b:prometheus=" + server.url,
                                   "--connection", "c:prometheus=http://127.0.0.1:%d" % free_port()))
    answer = several.call("query_metrics", {"query": CPU, "time_range": window(server, -600, 590), "connection_id": "all"})
    assert not answer["_error"], answer["_text"]
    assert {row["connection"] for row in answer["results"]} == {"a", "b"}, answer
    fared = {row["name"]: row for row in answer["connections"]}
    assert "error" in fared["c"] and "error" not in fared["a"], fared
    assert answer["_text"].index("c") < 200 and "refused" in answer["_text"], answer["_text"][:300]
    some = several.call("query_metrics", {"query": CPU, "time_range": window(server, -600, 590), "connection_id": "a"})
    assert set(some["not_asked"]) == {"b", "c"}, some
    left_out = several.call("query_metrics", {"query": CPU, "time_range": window(server, -600, 590)})
    assert left_out["_error"] and all(name in left_out["_text"] for name in "abc") or left_out.get("not_asked"), left_out
    wrong = several.call("query_metrics", {"query": CPU, "connection_id": "bb"})
    assert wrong["_error"] and '"b' in wrong["_text"] or "b" in wrong["_text"], wrong
    assert several.close()[0] == 0


@check
def wrong_password(server, client):
    protected = Prometheus(server.kind, load=False, web_config=WEB_CONFIG)
    path = os.path.join(protected.dir, "sonde.yaml")
    with open(path, "w") as file:
        file.write("connections:\n"
                   "  - {name: right, backend: prometheus, url: '%s', auth: {type: basic, username: sonde, password: {env: TEST_PASSWORD}}}\n"
                   "  - {name: wrong, backend: prometheus, url: '%s', auth: {type: basic, username: sonde, password: nope}}\n"
                   "  - {name: none, backend: prometheus, url: '%s'}\n" % ((protected.url,) * 3))
    os.chmod(path, 0o600)
    top = os.environ["top_builddir"]
    client = Client([os.path.join(top, "sonde"), "mcp", "--config", path, "--plugins", os.path.join(top, "plugins.d")],
                    env={**os.environ, "TEST_PASSWORD": "secret"})
    try:
        for _ in range(100):
            answer = client.call("query_metrics", {"query": "vector(1)", "step": "0", "connection_id": "all"})
            fared = {row["name"]: row for row in answer["connections"]}
            if all(row.get("error_class") != "unreachable" for row in fared.values()):
                break  # it has come up
            time.sleep(0.1)
        assert "error" not in fared["right"], fared
        for name in ("wrong", "none"):
            assert fared[name]["error_class"] == "auth" if "error_class" in fared[name] else "401" in fared[name]["error"], fared
        assert "nope" not in str(answer) and "secret" not in str(answer), answer
        assert client.close()[0] == 0
    finally:
        protected.close()


def main():
    kind = sys.argv[1]
    if not programs(kind):
        print("Prometheus (%s) is not here" % kind)
        return 77
    return run_checks("prometheus", Prometheus(kind))


sys.exit(main())
