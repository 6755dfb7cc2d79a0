# SPDX-License-Identifier: Apache-2.0
"""`sonde serve` from the first start to the last signal: tokens, routes, MCP, reload under load, TLS, the service manager's socket, logs."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

TOP_SRC = os.environ["top_srcdir"]
sys.path[:0] = [os.path.join(TOP_SRC, d) for d in ("tests/support", "tests/backends", "tests/serve")]
from mcp_client import Scratch, free_port  # noqa: E402
from server import Serve, client_context, wait_for, write  # noqa: E402
from slow_prometheus import SlowPrometheus  # noqa: E402

QUERY = {"query": "m", "step": "15s", "time_range": {"start": "5m"}}
checks = []


class Skip(Exception):
    pass


def check(function):
    checks.append(function)
    return function


def connection(name, url, more=""):
    return "  - {name: %s, backend: prometheus, url: '%s'%s}\n" % (name, url, more)


@check
def first_start(scratch):
    with Serve(scratch) as serve:
        assert stat.S_IMODE(os.stat(serve.tokens).st_mode) == 0o600
        assert re.fullmatch(r"sonde_[A-Za-z0-9]{43}", serve.token), serve.token
        log = serve.log()
        assert serve.tokens in log and "claude mcp add --transport http sonde http://127.0.0.1:%d/mcp" % serve.port in log, log
        assert re.search(r"plugins [1-9]\d*, connections 0, tokens 1;", log), log
        first = serve.token
        serve.initialize()
        assert serve.stop() == 0
        assert first not in serve.log() and first[6:] not in serve.log()
    # The second start takes the same file, and does not tell again.
    with Serve(scratch) as serve:
        assert serve.token == first and "claude mcp add" not in serve.log()


@check
def refusals(scratch):
    with Serve(scratch, "hosts: [sonde.example.com]\n") as serve:
        answer = serve.ask("/mcp", "POST", "{}", token=None)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer"), answer.status
        assert answer.json()["status"] == 401
        wrong = "sonde_" + "x" * 43
        assert serve.ask("/mcp", "POST", "{}", token=wrong).status == 401
        assert serve.ask("/mcp?access_token=" + serve.token, "POST", "{}", token=None).status == 400
        assert serve.ask("/healthz", headers={"Host": "evil.example"}).status == 403
        assert serve.ask("/mcp", "POST", "{}", headers={"Origin": "https://evil.example"}).status == 403
        assert serve.ask("/healthz", headers={"Host": "sonde.example.com"}, token=None).status == 200
        assert serve.ask("/nothing").status == 404
        assert serve.ask("/healthz", "POST", "x").status == 405
        assert serve.stop() == 0
        assert wrong not in serve.log() and serve.token not in serve.log()


@check
def pages(scratch):
    with Serve(scratch) as serve:
        for path, body in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
            answer = serve.ask(path, token=None)
            assert (answer.status, answer.body) == (200, body), (path, answer.status, answer.body)
        assert "/mcp" in serve.ask("/", token=None).body
        assert serve.ask("/metrics", token=None).status == 401
        answer = serve.ask("/metrics")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
        for line in answer.body.splitlines():
            assert re.match(r"(# (HELP|TYPE) |)[a-z_]+", line), line
        for line in ("sonde_tokens 1", "sonde_http_requests_pending 1", "sonde_http_refused_total 1"):
            assert "\n%s\n" % line in answer.body, (line, answer.body[-3000:])
        assert serve.stop() == 0
    # Open pages need no token; without plugins nothing can be asked, and that is said.
    os.mkdir(os.path.join(scratch, "empty"))
    with Serve(scratch, "metrics: {open: true}\nplugins: {enable: []}\n") as serve:
        assert serve.ask("/metrics", token=None).status == 200
        answer = serve.ask("/readyz", token=None)
        assert answer.status == 503 and "no plugin" in answer.body, (answer.status, answer.body)
        assert serve.ask("/healthz", token=None).status == 200
        assert serve.stop() == 0


@check
def asks(scratch):
    backend = SlowPrometheus(0)
    yaml = "connections:\n" + connection("good", backend.url) + connection("down", "http://127.0.0.1:%d" % free_port())
    with Serve(scratch, yaml) as serve:
        answer = serve.call("query_metrics", dict(QUERY, connection_id="good"))
        assert not answer["_error"] and len(answer["results"]) == 20, answer["_text"][:500]
        assert sorted(serve.connections()) == ["down", "good"]
        # One that is down is its own trouble.
        assert serve.ask("/readyz", token=None).status == 200
        assert serve.stop() == 0
    backend.shutdown()


class Call(threading.Thread):
    """query_metrics beside the test: its answer, or what was raised."""

    def __init__(self, serve, arguments=QUERY):
        super().__init__()
        self.serve = serve
        self.arguments = arguments
        self.answer = self.error = None
        self.start()

    def run(self):
        try:
            self.answer = self.serve.call("query_metrics", self.arguments)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error


def at_work(backend):
    """Until the backend holds a question."""
    wait_for("a call at work", lambda: backend.asked > 0)


class CountingPrometheus(SlowPrometheus):
    """Counts what it is asked: questions, and how often its version."""

    def __init__(self, delay):
        self.asked = self.versions = 0
        super().__init__(delay)
        plain = self.RequestHandlerClass

        class Counting(plain):
            def answer(handler):
                path = handler.path.split("?")[0]
                self.asked += path.endswith("/query_range")
                self.versions += path.endswith("/buildinfo")
                plain.answer(handler)

            do_GET = do_POST = answer

        self.RequestHandlerClass = Counting


@check
def running_calls_end_well(scratch):
    backend = CountingPrometheus(2)
    with Serve(scratch, "connections:\n" + connection("a", backend.url), ["--grace", "60s"]) as serve:
        serve.initialize()
        call = Call(serve)
        at_work(backend)
        serve.signal(signal.SIGTERM)
        wait_for("the stop", lambda: "stopping" in serve.log())
        # Nobody new is let in.
        try:
            status = serve.ask("/healthz", token=None).status
            raise AssertionError("a new connection was answered with %d" % status)
        except OSError:
            pass
        call.join()
        assert call.error is None, call.error
        assert not call.answer["_error"] and len(call.answer["results"]) == 20, call.answer["_text"]
        assert serve.wait() == 0
        assert "cancelled" not in serve.log(), serve.log()
    backend.shutdown()


@check
def second_signal_is_in_a_hurry(scratch):
    backend = CountingPrometheus(600)
    yaml = "limits: {timeout: 10m}\nconnections:\n" + connection("a", backend.url, ", timeout_seconds: 600")
    with Serve(scratch, yaml, ["--grace", "5m"]) as serve:
        serve.initialize()
        call = Call(serve)
        at_work(backend)
        serve.signal(signal.SIGTERM)
        wait_for("the stop", lambda: "stopping" in serve.log())
        serve.signal(signal.SIGINT)
        assert serve.wait() == 0
        assert "second signal" in serve.log(), serve.log()
        call.join()
        assert call.error is None and call.answer["_error"] and "cancelled" in call.answer["_text"], (call.error, call.answer)
    # Without a second one the grace ends it.
    with Serve(scratch, yaml, ["--grace", "100ms"]) as serve:
        serve.initialize()
        backend.asked = 0
        call = Call(serve)
        at_work(backend)
        assert serve.stop() == 0
        assert "the grace is over" in serve.log(), serve.log()
        call.join()
        assert call.error is None and call.answer["_error"] and "cancelled" in call.answer["_text"], (call.error, call.answer)
    backend.shutdown()


@check
def bad_files_keep_the_old(scratch):
    backend = SlowPrometheus(0)
    good = "connections:\n" + connection("a", backend.url)
    with Serve(scratch, good) as serve:
        assert serve.connections() == ["a"]
        serve.write_config(good + "  - {name: b, backend: promethius, url: 'http://x'}\nlimits: {calls: many}\n")
        write(serve.tokens, "short\n")
        serve.reload("the tokens in use stay")
        log = serve.log()
        assert "sonde.yaml:4: limits.calls: " in log and "the configuration in use stays" in log, log
        assert "tokens:1: a token needs at least 16" in log, log
        assert serve.connections() == ["a"]
        serve.write_config(good + "  - {name: b, backend: promethius, url: 'http://x'}\n")
        serve.reload("the tokens in use stay")
        assert "sonde.yaml:3: connections[1].backend: " in serve.log() and "prometheus" in serve.log(), serve.log()
        assert serve.connections() == ["a"]
        os.remove(serve.config)
        serve.reload("the tokens in use stay")
        assert "cannot read the configuration" in serve.log()
        assert serve.connections() == ["a"]
        # What takes a start is said.
        serve.write_config("listen: 127.0.0.1:1\nhosts: [x]\nmetrics: {open: true}\nplugins: {enable: [prometheus]}\n" + good)
        serve.reload("at the next start: hosts, metrics.open, plugins")
        assert serve.connections() == ["a"]
        assert serve.ask("/metrics", token=None).status == 401
        assert serve.stop() == 0
    backend.shutdown()


@check
def reload_under_load(scratch):
    backend = CountingPrometheus(0.02)
    steady = "connections:\n" + connection("steady", backend.url)
    with Serve(scratch, "limits: {calls_per_minute: 0}\n" + steady) as serve:
        assert not serve.call("query_metrics", QUERY)["_error"]
        stop = threading.Event()
        done, failed = [0] * 4, []

        def load(i):
            while not stop.is_set():
                try:
                    answer = serve.call("query_metrics", dict(QUERY, connection_id="steady"))
                    if answer["_error"] or len(answer["results"]) != 20:
                        failed.append(answer["_text"])
                    done[i] += 1
                except Exception as error:  # noqa: BLE001 - counted
                    failed.append(repr(error))

        threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(12):
            more = connection("other", backend.url, ", tags: {turn: '%d'}" % turn) if turn % 3 else ""
            serve.write_config("limits: {calls_per_minute: 0}\n" + steady + more)
            serve.reload("configuration read again")
            assert serve.connections() == (["steady", "other"] if more else ["steady"])
        begin = sum(done)
        wait_for("more calls", lambda: failed or sum(done) > begin + 20)
        stop.set()
        for thread in threads:
            thread.join()
        assert not failed, failed[:3]
        assert "1 added, 0 changed, 0 removed, 1 as before" in serve.log()
        assert "0 added, 1 changed, 0 removed, 1 as before" in serve.log()
        assert "0 added, 0 changed, 1 removed, 1 as before" in serve.log()
        serve.write_config("timezone: Asia/Tokyo\nlimits: {calls_per_minute: 0}\n" + steady)
        serve.reload("configuration read again")
        assert "+09:00" in json.dumps(serve.call("query_metrics", QUERY))
        # "steady" was asked for its version once, by whoever came first: a reload costs it nothing.
        backend.versions = 0
        serve.reload("configuration read again")
        serve.call("query_metrics", QUERY)
        assert backend.versions == 0, backend.versions
        assert serve.stop() == 0
    backend.shutdown()


@check
def tokens_change(scratch):
    alice, bob = "alice-" + "a" * 20, "bob-" + "b" * 20
    path = write(os.path.join(scratch, "tokens"), alice + " alice\n")
    with Serve(scratch, "tokens: tokens\n") as serve:
        assert serve.ask("/metrics", token=alice).status == 200
        assert serve.ask("/metrics", token=bob).status == 401
        write(path, bob + " bob\n")
        serve.reload("1 token")
        assert serve.ask("/metrics", token=alice).status == 401
        assert serve.ask("/metrics", token=bob).status == 200
        write(path, "# nobody\n")
        serve.reload("nobody may ask")
        assert serve.ask("/metrics", token=bob).status == 401
        assert serve.stop() == 0
        assert alice not in serve.log() and bob not in serve.log()


def certificate(directory, name):
    if not shutil.which("openssl"):
        raise Skip("the openssl command is missing")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name,
                    "-keyout", os.path.join(directory, "key.new"), "-out", os.path.join(directory, "cert.new")],
                   check=True, stderr=subprocess.DEVNULL)
    os.rename(os.path.join(directory, "key.new"), os.path.join(directory, "key.pem"))
    os.rename(os.path.join(directory, "cert.new"), os.path.join(directory, "cert.pem"))


@check
def tls(scratch):
    certificate(scratch, "one")
    with Serve(scratch, "tls: {cert: cert.pem, key: key.pem}\n", context=client_context()) as serve:
        first = ssl.get_server_certificate(("127.0.0.1", serve.port))
        assert serve.ask("/metrics").status == 200
        serve.initialize()
        certificate(scratch, "two")
        serve.reload("certificate read again")
        second = ssl.get_server_certificate(("127.0.0.1", serve.port))
        assert first != second
        write(os.path.join(scratch, "key.pem"), "no key\n")
        serve.reload("the certificate in use stays")
        assert ssl.get_server_certificate(("127.0.0.1", serve.port)) == second
        assert serve.call("list_connections")["connections"] == []
        assert serve.stop() == 0
    with Serve(scratch, "tls: {cert: cert.pem, key: key.pem}\n", wait=False) as serve:
        assert serve.wait() == 2, serve.log()
        assert "key.pem" in serve.log(), serve.log()


def ends(scratch, status, words, yaml="", arguments=()):
    with Serve(scratch, yaml, arguments, wait=False) as serve:
        assert serve.wait() == status, (serve.process.returncode, serve.log())
        for word in words:
            assert word in serve.log(), (word, serve.log())
        assert sum(" info " not in line for line in serve.log().splitlines()) == 1, serve.log()


@check
def start_failures(scratch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        ends(scratch, 1, [address, "in use"], "listen: %s\n" % address)
    ends(scratch, 2, ["sonde.yaml:1: listen: ", "ADDRESS:PORT"], "listen: nowhere\n")
    ends(scratch, 2, ["sonde.yaml:1: tls.cert: ", "No such file"], "tls: {cert: none.pem, key: sonde.yaml}\n")
    ends(scratch, 2, ["--listen", "in digits"], arguments=["--listen", "localhost:80"])
    ends(scratch, 2, ["--grace", "duration"], arguments=["--grace", "soon"])
    ends(scratch, 2, ["--log-level"], arguments=["--log-level", "loud"])
    open_to_all = write(os.path.join(scratch, "open"), "x" * 20 + "\n", 0o644)
    ends(scratch, 2, ["chmod 600"], arguments=["--token-file", open_to_all])


@check
def checks_only(scratch):
    with Serve(scratch, "connections:\n" + connection("a", "http://127.0.0.1:1"), ["--check"], wait=False) as serve:
        out = serve.process.stdout.read().decode()
        assert serve.process.wait(60) == 0, serve.log()
        assert "will be made" in out and "connections  1" in out, out
        assert not os.path.exists(serve.tokens)
    with Serve(scratch, "plugins: {enable: []}\n", ["--check"], wait=False) as serve:
        serve.process.stdout.read()
        assert serve.process.wait(60) == 1 and "no plugin" in serve.log(), serve.log()


def manager_socket(address):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(address)
    manager.settimeout(60)
    return manager


def told(manager, words):
    """Messages up to the one with words."""
    while True:
        message = manager.recv(4096).decode()
        if words in message:
            return message


@check
def service_manager(scratch):
    path = os.path.join(scratch, "notify")
    with manager_socket(path) as manager:
        with Serve(scratch, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}) as serve:
            assert "STATUS=MCP on http://127.0.0.1:%d/mcp" % serve.port in told(manager, "READY=1")
            told(manager, "WATCHDOG=1")
            before = time.monotonic_ns() // 1000
            serve.signal(signal.SIGHUP)
            usec = int(re.search(r"MONOTONIC_USEC=(\d+)", told(manager, "RELOADING=1")).group(1))
            assert before <= usec <= time.monotonic_ns() // 1000
            told(manager, "READY=1")
            told(manager, "WATCHDOG=1")
            serve.signal(signal.SIGTERM)
            told(manager, "STOPPING=1")
            assert serve.wait() == 0
    name = "sonde-test-%d" % os.getpid()
    with manager_socket("\0" + name) as manager:
        with Serve(scratch, env={"NOTIFY_SOCKET": "@" + name}) as serve:
            told(manager, "READY=1")
            assert serve.stop() == 0


@check
def logs(scratch):
    backend = SlowPrometheus(0)
    yaml = "log: {level: debug, format: json}\nconnections:\n" + connection("a", backend.url)
    with Serve(scratch, yaml) as serve:
        refused = serve.ask("/mcp", "POST", "{}", token=None).headers["X-Request-Id"]
        assert not serve.call("query_metrics", QUERY)["_error"]
        good = serve.ask("/metrics").headers["X-Request-Id"]
        assert serve.stop() == 0
        lines = [json.loads(line) for line in serve.log().splitlines()]
        for line in lines:
            assert {"time", "level", "area", "message"} <= set(line), line
        of = {line["request"]: line for line in lines if line.get("request")}
        assert refused in of and "401" in of[refused]["message"], (refused, of)
        assert good in of and "200" in of[good]["message"] and of[good]["level"] == "debug", (good, of.get(good))
        assert serve.token not in serve.log()
    # Not local and without TLS: told, once.
    with Serve(scratch, arguments=["--listen", "0.0.0.0:0"], wait=False) as serve:
        wait_for("the start", lambda: "serves MCP on" in serve.log())
        wait_for("the warning", lambda: "in the clear" in serve.log())
        assert serve.stop() == 0
    backend.shutdown()


def main():
    failed = 0
    only = sys.argv[1:]
    for function in checks:
        if only and function.__name__ not in only:
            continue
        begin = time.monotonic()
        with Scratch() as scratch:
            try:
                function(scratch)
            except Skip as reason:
                print("skipped: %s: %s" % (function.__name__, reason))
                continue
            except Exception:  # noqa: BLE001 - the next ones still run
                import traceback
                traceback.print_exc()
                failed += 1
                for name in ("log",):
                    path = os.path.join(scratch, name)
                    if os.path.exists(path):
                        with open(path) as file:
                            print("--- %s of %s\n%s" % (name, function.__name__, file.read()[-4000:]))
                continue
        print("ok: %s (%.1f s)" % (function.__name__, time.monotonic() - begin), flush=True)
    sys.exit(1 if failed else 0)


main()
