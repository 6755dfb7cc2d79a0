# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong between sonde and a backend, a client, a plugin folder or a file: one clear error each, nothing leaks, the
next call works."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from faulty_prometheus import Server  # noqa: E402
from mcp_client import Client, Scratch, free_port, sonde_command  # noqa: E402

TOP = os.environ["top_builddir"]
# fault: words of the one error it must give, in lower case (any of those in a tuple)
FAULTS = {
    "html": [("html", "sign in")],
    "html502": ["502"],
    "slow": [("timed out", "time", "deadline")],
    "huge": [("64", "large", "limit")],
    "midway": [("closed", "ended", "cut", "before")],
    "wrong-length": [("json", "ended", "cut", "short")],
    "bomb": ["unpacks"],
    "redirect": ["redirect", "169.254.169.254"],
    "garbage": [("http", "not")],
    "not-json": [("json", "upstream connect error")],
    "wrong-shape": [("unexpected", "expected", "shape", "result")],
    "empty": [("empty", "json")],
    "auth": ["401"],
    "throttled": [("429", "slow down", "later", "throttl")],
    "reset": [("closed", "reset", "connection")],
    "down": [("refused", "connect")],
}
checks = []


def check(function):
    checks.append(function)
    return function


def write(directory, name, text, mode=0o600):
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


@check
def backend_faults(scratch):
    server = Server()
    lines = ["connections:", "  - {name: good, backend: prometheus, url: '%s/good'}" % server.url]
    for fault in FAULTS:
        url = "http://127.0.0.1:%d" % free_port() if fault == "down" else "%s/%s" % (server.url, fault)
        lines.append("  - {name: %s, backend: prometheus, url: '%s', timeout_seconds: 2}" % (fault, url))
    lines.append("  - {name: utf8, backend: prometheus, url: '%s/utf8'}" % server.url)
    path = write(scratch, "faults.yaml", "\n".join(lines) + "\n")
    client = Client([os.path.join(TOP, "sonde"), "mcp", "--config", path, "--plugins", os.path.join(TOP, "plugins.d")])
    bad = []
    for fault, words in FAULTS.items():
        answer = client.call("query_metrics", {"query": "up", "connection_id": fault})
        text = answer["_text"].lower()
        if not answer["_error"] and not (fault == "bomb" and "partial" in text):
            bad.append("%s: no error: %s" % (fault, text[:200]))
        for word in words:
            if not any(w in text for w in (word if isinstance(word, tuple) else (word,))):
                bad.append("%s: %r not in: %s" % (fault, word, text[:300]))
        good = client.call("query_metrics", {"query": "up", "connection_id": "good"})
        if good["_error"] or not good["results"]:
            bad.append("after %s the good one fails: %s" % (fault, good["_text"][:300]))
    answer = client.call("query_metrics", {"query": "up", "connection_id": "utf8"})
    if answer["_error"] and "utf-8" not in answer["_text"].lower():
        bad.append("utf8: " + answer["_text"][:200])
    everything = client.call("query_metrics", {"query": "up", "connection_id": "all"})
    if everything["_error"] or not any(row.get("connection") == "good" for row in everything["results"]):
        bad.append("all: " + everything["_text"][:500])
    server.stop.set()
    status, seconds = client.close()
    assert not bad, "\n".join(bad)
    assert status == 0, status


@check
def unknown_names_get_the_nearest(scratch):
    client = Client(sonde_command("mcp", "--connection", "prod:prometheus=http://127.0.0.1:1"))
    wrong = client.call("query_metrics", {"qurey": "up"})
    assert wrong["_error"] and "query" in wrong["_text"], wrong
    wrong = client.call("query_metrics", {"query": "up", "connection_id": "prd"})
    assert wrong["_error"] and "prod" in wrong["_text"], wrong
    wrong = client.call("query_metrics", {"query": "up", "time_range": {"start": "last tuesday"}})
    assert wrong["_error"] and "time_range" in wrong["_text"], wrong
    answer = client.wait(client.start("tools/call", {"name": "query_metric", "arguments": {}}))
    assert answer["error"]["code"] == -32602 and "query_metrics" in answer["error"]["message"], answer
    assert client.close()[0] == 0


@check
def many_connections_fit_an_answer(scratch):
    config = write(scratch, "many.yaml", "connections:\n" + "".join(
        "  - {name: prom-%03d, backend: prometheus, url: 'http://127.0.0.1:1'}\n" % i for i in range(200)))
    client = Client([os.path.join(TOP, "sonde"), "mcp", "--config", config, "--plugins", os.path.join(TOP, "plugins.d")])
    answer = client.call("list_connections")
    assert answer["truncated"] and answer["total"] == 200 and answer["returned"] == len(answer["connections"]) < 200, answer["_text"][-300:]
    assert len(answer["_text"]) < 40000
    one = client.call("list_connections", {"match": "prom-199"})
    assert [row["name"] for row in one["connections"]] == ["prom-199"] and one["connections"][0]["health"] == "unhealthy", one
    assert client.close()[0] == 0


@check
def hostile_client(scratch):
    client = Client(sonde_command("mcp"))
    pipe = client.process.stdin
    pipe.write(b"{not json\n")
    pipe.write(b"[" * 100000 + b"\n")
    pipe.write(b'{"jsonrpc":"2.0","id":77,"method":"' + b"x" * (20 << 20) + b'"}\n')
    pipe.write(b"\xff\xfe\n\n")
    pipe.flush()
    assert client.request("ping") == {}
    status, seconds = client.close()
    assert status == 0


@check
def client_that_does_not_read(scratch):
    process = subprocess.Popen(sonde_command("mcp"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.set_blocking(process.stdin.fileno(), False)
    line = b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n'
    sent, stuck_since, end = 0, None, time.monotonic() + 20
    while time.monotonic() < end and sent < 400000:
        try:
            os.write(process.stdin.fileno(), line % sent)
            sent, stuck_since = sent + 1, None
        except BlockingIOError:
            stuck_since = stuck_since or time.monotonic()
            if time.monotonic() - stuck_since > 1:
                break  # it has stopped taking requests: memory is bounded
            time.sleep(0.01)
    with open("/proc/%d/status" % process.pid) as file:
        rss = next(int(row.split()[1]) for row in file if row.startswith("VmRSS"))
    process.stdin.close()
    process.stdout.close()
    process.wait(20)
    assert stuck_since, "it took %d requests without an answer being read" % sent
    assert os.environ.get("SANITIZED", "no") != "no" or rss < 200 * 1024, rss


@check
def plugins_are_refused_with_a_reason(scratch):
    folder = os.path.join(scratch, "plugins")
    os.mkdir(folder, 0o755)
    shutil.copy(os.path.join(TOP, "plugins.d/prometheus.so"), folder)
    os.chmod(os.path.join(folder, "prometheus.so"), 0o666)
    shown = subprocess.run([os.path.join(TOP, "sonde"), "plugin", "list", "--config", "/dev/null", "--plugins", folder],
                           capture_output=True, text=True)
    assert "refused" in shown.stdout and "writ" in shown.stdout and "looked in" in shown.stdout, shown
    config = write(scratch, "enable.yaml", "plugins: {path: [%s], enable: [prometheus, nosuch]}\n" % os.path.join(TOP, "plugins.d"))
    shown = subprocess.run([os.path.join(TOP, "sonde"), "plugin", "list", "--config", config], capture_output=True, text=True)
    assert "refused nosuch" in shown.stdout and "refused" in shown.stdout.split("otlpfile.so")[0].splitlines()[-1], shown
    zoo = os.path.join(TOP, "zoo.d")
    names = sorted(os.listdir(zoo))
    assert names, "no zoo"
    for name in names:
        if not name.endswith(".so"):
            continue
        checked = subprocess.run([os.path.join(TOP, "sonde"), "plugin", "check", os.path.join(zoo, name)], capture_output=True, text=True)
        assert checked.returncode in (0, 1) and checked.stdout.strip(), (name, checked)


@check
def plugins_that_misbehave_in_a_call(scratch):
    server = Server()
    config = write(scratch, "wait.yaml", "plugins: {path: [%s, %s], enable: [zoo_actor]}\nconnections:\n"
                   "  - {name: w, backend: zoo_actor, url: '%s/good'}\n" % (os.path.join(TOP, "zoo.d"), os.path.join(TOP, "plugins.d"), server.url))
    client = Client([os.path.join(TOP, "sonde"), "mcp", "--config", config])
    for text in ("wait_forever", "undeclared_path", "forbidden_header", "endless_requests", "endless_rows", "alloc_forever", "bad_code"):
        answer = client.call("query_metrics", {"query": text})
        assert answer["_error"] or "partial" in answer["_text"], (text, answer)
    assert "zoo_actor" in client.call("query_metrics", {"query": "wait_forever"})["_text"]
    assert client.call("query_metrics", {"query": "three points"})["results"], "the next call works"
    assert client.call("list_connections")["connections"], "the next call works"
    assert client.close()[0] == 0


@check
def configuration_mistakes(scratch):
    cases = {
        "duplicate.yaml": ("limits:\n  calls: 5\n  calls: 6\n", ["duplicate.yaml:3", "calls"]),
        "type.yaml": ("limits:\n  calls: many\n", ["type.yaml:2", "limits.calls", "many"]),
        "unknown.yaml": ("conections: []\n", ["unknown.yaml:1", "connections"]),
        "backend.yaml": ("connections:\n  - {name: a, backend: prometeus, url: 'http://x'}\n", ["backend.yaml:2", "prometheus"]),
        "syntax.yaml": ("limits: {calls: [}\n", ["syntax.yaml:1"]),
        "json.json": ('{"limits": {"calls": "x"}}', ["json.json:1", "limits.calls"]),
        "secret.yaml": ("connections:\n  - {name: a, backend: prometheus, url: 'http://x', auth: {type: bearer, token: {env: NO_SUCH_VARIABLE}}}\n",
                        ["secret.yaml:2", "NO_SUCH_VARIABLE"]),
    }
    bad = []
    for name, (text, words) in cases.items():
        path = write(scratch, name, text)
        run = subprocess.run([os.path.join(TOP, "sonde"), "query", "up", "--config", path, "--plugins", os.path.join(TOP, "plugins.d")],
                             capture_output=True, text=True)
        if run.returncode != 2:
            bad.append("%s: exit %d, %s" % (name, run.returncode, run.stderr))
        bad += ["%s: %r not in: %s" % (name, word, run.stderr) for word in words if word not in run.stderr]
    missing = subprocess.run([os.path.join(TOP, "sonde"), "query", "up", "--config", os.path.join(scratch, "nowhere.yaml")],
                             capture_output=True, text=True)
    if missing.returncode != 2 or "nowhere.yaml" not in missing.stderr:
        bad.append("missing file: %s" % missing)
    assert not bad, "\n".join(bad)


@check
def end_of_input_ends_it_quickly_in_the_middle_of_calls(scratch):
    server = Server()
    client = Client(sonde_command("mcp", "--connection", "prometheus=%s/slow" % server.url))
    for _ in range(5):
        client.start("tools/call", {"name": "query_metrics", "arguments": {"query": "up"}})
    time.sleep(0.3)
    status, seconds = client.close()
    server.stop.set()
    assert status == 0, status


@check
def cancel_reaches_the_backend(scratch):
    server = Server()
    client = Client(sonde_command("mcp", "--connection", "prometheus=%s/slow" % server.url))
    id = client.start("tools/call", {"name": "query_metrics", "arguments": {"query": "up"}})
    time.sleep(0.3)
    client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
    assert client.request("ping") == {}
    time.sleep(0.2)
    with client.lock:
        assert id not in client.answers, client.answers
    # No connection to the backend is left.
    port = "%04X" % server.server_address[1]
    with open("/proc/net/tcp") as file:
        open_now = [row.split() for row in file][1:]
    assert not [row for row in open_now if row[2].endswith(":" + port) and row[3] == "01"], open_now
    assert client.close()[0] == 0
    server.stop.set()


def main():
    failures = 0
    with Scratch() as scratch:
        for function in checks:
            directory = os.path.join(scratch, function.__name__)
            os.mkdir(directory, 0o755)
            try:
                function(directory)
                print("ok", function.__name__)
            except Exception as error:  # each check is told apart
                failures += 1
                print("FAILED", function.__name__, type(error).__name__, str(error)[:4000])
    return 1 if failures else 0


sys.exit(main())
