# SPDX-License-Identifier: Apache-2.0
"""sonde against a real VictoriaMetrics: what it does in its own way. Argument: 1.79 or 1.151."""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from checks import check, run_checks  # noqa: E402
from mcp_client import Client, Scratch, free_port, sonde_command, wait_until_ready  # noqa: E402
import prometheus_server  # noqa: E402
from victoriametrics_server import VictoriaMetrics, program  # noqa: E402


def load(server, name, points, **labels):
    points = sorted(points)
    row = {"metric": {"__name__": name, **labels}, "timestamps": [round(t * 1000) for t, _ in points], "values": [v for _, v in points]}
    server.post("/api/v1/import", json.dumps(row).encode() + b"\n")
    server.flush()


def ask(client, query, **arguments):
    answer = client.call("query_metrics", {"query": query, **arguments})
    assert not answer["_error"], answer["_text"]
    return answer


def test_connection(backend, url, *options):
    name = "there"
    return subprocess.run([*sonde_command("connection", "test", name, "--connection", "%s:%s=%s" % (name, backend, url)), *options],
                          capture_output=True, text=True, timeout=60)


@check
def the_newest_sample_is_shown(server, client):
    """The server's own default repeats the value of half a minute ago; 1.79 cannot be kept from it in a range, so that is said."""
    now = time.time()
    load(server, "fresh", [(now - age, 1000 - age) for age in range(5, 120, 5)], namespace="prod")
    instant = ask(client, "fresh", step="0")
    assert float(instant["results"][0]["values"][0][1]) > 990, instant
    ranged = ask(client, "fresh", time_range={"start": str(int(now) - 100), "end": str(int(now))}, step="5s")
    values = [float(v) for _, v in ranged["results"][0]["values"]]
    if server.kind == "1.79":
        assert len(set(values[-6:])) == 1 and "newest 30 s may repeat an older value" in json.dumps(ranged["notes"]), ranged
    else:
        assert max(values) > 990 and len(set(values[-6:])) > 3, values
        assert "newest 30 s may be incomplete" in json.dumps(ranged["notes"]), ranged
    older = ask(client, "fresh", time_range={"start": str(int(now) - 100), "end": str(int(now) - 60)}, step="5s")
    assert "newest" not in json.dumps(older.get("notes", [])), older


@check
def times_are_those_asked_for(server, client):
    now = int(time.time())
    load(server, "aligned", [(now - age, age) for age in range(0, 4000, 10)])
    start = now - 3601
    answer = ask(client, "aligned", time_range={"start": str(start), "end": str(start + 3600)}, step="60s")
    times = [float(t) for t, _ in answer["results"][0]["values"]]
    assert times[0] == start and times[-1] == start + 3600, (start, times[:2], times[-1])


@check
def names_of_older_days(server, client):
    """Without a window VictoriaMetrics lists the names of today."""
    then = time.time() - 5 * 86400
    load(server, "old_metric", [(then - 60, 1), (then, 2)], old_label="old_value")
    time.sleep(1.5)  # names just fetched are not fetched again within a second
    window = {"start": str(int(then) - 3600), "end": str(int(then) + 3600)}
    assert "old_value" in client.call("list_metrics", {"label": "old_label", "time_range": window})["values"]
    found = ask(client, "old_metric", filters={"old_label": "old_value"}, time_range=window)
    assert found["results"], found


@check
def metricsql_with_filters(server, client):
    now = time.time()
    for namespace in ("prod", "stage"):
        load(server, "jobs_done_total", [(now - age, 1000 - age) for age in range(60, 900, 15)], namespace=namespace, code="a")
    end = {"time_range": {"end": str(int(now) - 60)}, "step": "0", "filters": {"namespace": "prod"}}
    one = ask(client, "WITH (j = jobs_done_total, total(q) = sum(q) by (namespace)) total(j)", **end)
    assert [row["metric"] for row in one["results"]] == [{"namespace": "prod"}] or one.get("common_labels") == {"namespace": "prod"}, one
    two = ask(client, "count(rate(jobs_done_total[10i]) keep_metric_names) by (namespace) limit 5 default 1Ki # all", **end)
    assert len(two["results"]) == 1 and float(two["results"][0]["values"][0][1]) == 1, two
    three = ask(client, "sum(range_median(rate(jobs_done_total))) if jobs_done_total", **end)
    assert len(three["results"]) <= 1, three
    either = client.call("query_metrics", {"query": 'count({code="a" or code="b"})', **end})
    if server.kind == "1.79":
        assert either["_error"] and 'unexpected token "or"' in either["_text"], either["_text"]
    else:
        assert float(either["results"][0]["values"][0][1]) == 1, either
    refused = client.call("query_metrics", {"query": "jobs_done_total{f}", **end})
    assert refused["_error"] and "cannot be added to this MetricsQL" in refused["_text"], refused["_text"]
    # As it stands, without filters, the text is the server's to judge.
    assert not client.call("query_metrics", {"query": 'WITH (f = {code="a"}) jobs_done_total{f}', "step": "0"})["_error"]


@check
def histograms_of_its_own(server, client):
    now = int(time.time())
    for bounds, slope in (("1.000e+02...1.136e+02", 2), ("2.154e+02...2.448e+02", 1)):
        load(server, "size_bytes_bucket", [(now - age, (2000 - age) * slope) for age in range(60, 900, 15)], vmrange=bounds, namespace="prod")
    answer = ask(client, "histogram_quantile(0.5, sum by (vmrange) (rate(size_bytes_bucket[5m])))", time_range={"end": str(now - 60)}, step="0",
                 filters={"namespace": "prod"})
    assert 100 < float(answer["results"][0]["values"][0][1]) < 113.6, answer
    buckets = ask(client, "sum by (le) (prometheus_buckets(size_bytes_bucket))", time_range={"end": str(now - 60)}, step="0")
    assert len(buckets["results"]) >= 3, buckets


@check
def errors_keep_its_words(server, client):
    answer = client.call("query_metrics", {"query": "sum by (pod (up)"})
    assert answer["_error"] and "VictoriaMetrics refused the query" in answer["_text"] and "unexpected token" in answer["_text"], answer["_text"]
    answer = client.call("query_metrics", {"query": "nosuchfunction(up)"})
    assert answer["_error"] and "nosuchfunction" in answer["_text"], answer["_text"]
    wrong = test_connection("victoriametrics", server.url + "/nosuch")
    assert wrong.returncode != 0 and "there is no VictoriaMetrics API" in wrong.stdout + wrong.stderr, wrong


@check
def product_and_version(server, client):
    ask(client, "1", step="0")
    row = client.call("list_connections")["connections"][0]
    assert row["health"] == "healthy" and row["product"] == "VictoriaMetrics" and "note" not in row, row
    assert row.get("version", "") == ("" if server.kind == "1.79" else "1.151.0"), row  # Debian's does not know its version
    good = test_connection("victoriametrics", server.url)
    assert good.returncode == 0 and "VictoriaMetrics" in good.stdout and "fits it better" not in good.stdout, good


@check
def the_wrong_backend_is_told(server, client):
    other = test_connection("prometheus", server.url)
    assert other.returncode == 0 and "backend: victoriametrics fits it better" in other.stdout and "2.24.0" not in other.stdout, other
    asked = Client(sonde_command("mcp", "--connection", "there:prometheus=" + server.url))
    assert not asked.call("query_metrics", {"query": "1", "step": "0"})["_error"]
    row = asked.call("list_connections")["connections"][0]
    assert row["product"] == "VictoriaMetrics" and "backend: victoriametrics" in row["note"], row
    assert asked.close()[0] == 0
    for kind in ("debian", "3"):
        if not prometheus_server.programs(kind):
            continue
        real = prometheus_server.Prometheus(kind, load=False)
        try:
            other = test_connection("victoriametrics", real.url)
            assert other.returncode == 0 and "backend: prometheus fits it better" in other.stdout, other
        finally:
            real.close()


@check
def the_step_follows_the_servers_limit(server, client):
    small = VictoriaMetrics(server.kind, load=False, options=["-search.maxPointsPerTimeseries=100", "-search.latencyOffset=0s"])
    try:
        load(small, "a", [(time.time() - age, age) for age in range(60, 4000, 30)])
        asked = Client(sonde_command("mcp", "--connection", "small:victoriametrics=" + small.url))
        answer = asked.call("query_metrics", {"query": "a", "time_range": {"start": "now-1h", "end": "now"}, "step": "10s"})
        assert not answer["_error"] and answer["results"] and "at most 100 points" in answer["_text"], answer["_text"][:1000]
        assert "no outage" not in answer["_text"], answer["_text"][:1000]
        assert asked.close()[0] == 0
    finally:
        small.close()


@check
def behind_vmauth(server, client):
    """A front that lets only queries through, by bearer token, and restricts them with arguments of its own."""
    vmauth = shutil.which("vmauth")
    if not vmauth:
        print("vmauth is not here: not tried")
        return
    load(server, "fronted", [(time.time() - 60, 1)], namespace="prod", team="a")
    load(server, "fronted", [(time.time() - 60, 2)], namespace="prod", team="b")
    load(server, "fronted", [(time.time() - 60, 3)], namespace="stage", team="a")
    with Scratch() as folder:
        port = free_port()
        with open(os.path.join(folder, "auth.yml"), "w") as file:
            file.write("users:\n- bearer_token: topsecret\n  url_map:\n  - src_paths: ['/api/v1/query.*', '/api/v1/label.*']\n"
                       "    url_prefix: '%s/?extra_label=team=a'\n" % server.url)
        front = subprocess.Popen([vmauth, "-httpListenAddr=127.0.0.1:%d" % port, "-auth.config=" + os.path.join(folder, "auth.yml"),
                                  "-loggerLevel=ERROR"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_ready("http://127.0.0.1:%d/health" % port, front)
            path = os.path.join(folder, "sonde.yaml")
            with open(path, "w") as file:
                file.write("".join("%s{name: %s, backend: victoriametrics, url: 'http://127.0.0.1:%d', auth: {type: bearer, token: %s}}\n" % (
                    lead, name, port, token) for lead, name, token in (("connections:\n  - ", "right", "topsecret"), ("  - ", "wrong", "nope"))))
            os.chmod(path, 0o600)
            top = os.environ["top_builddir"]
            asked = Client([os.path.join(top, "sonde"), "mcp", "--config", path, "--plugins", os.path.join(top, "plugins.d")])
            arguments = {"query": "WITH (f = fronted) sum(f)", "time_range": {"end": str(int(time.time()) - 30)}, "step": "0", "connection_id": "right"}
            both = asked.call("query_metrics", {**arguments, "filters": {"namespace": "prod"}})
            assert not both["_error"] and float(both["results"][0]["values"][0][1]) == 1, both["_text"]
            alone = asked.call("query_metrics", arguments)
            assert float(alone["results"][0]["values"][0][1]) == 4, alone
            wrong = asked.call("query_metrics", {**arguments, "connection_id": "wrong"})
            assert wrong["_error"] and "refused the login" in wrong["_text"] and "nope" not in wrong["_text"], wrong["_text"]  # it repeats the token
            row = [row for row in asked.call("list_connections")["connections"] if row["name"] == "right"][0]
            assert row["health"] == "healthy" and row["product"] == "VictoriaMetrics", row
            assert asked.close()[0] == 0
        finally:
            front.terminate()
            front.wait(10)


def main():
    kind = sys.argv[1]
    if not program(kind):
        print("VictoriaMetrics (%s) is not here" % kind)
        return 77
    return run_checks("victoriametrics", VictoriaMetrics(kind, load=False))


sys.exit(main())
