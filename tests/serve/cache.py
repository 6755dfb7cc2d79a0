# SPDX-License-Identifier: Apache-2.0
"""The cache as a client meets it: what many ask at once or one after the other reaches the backend once, past windows do so for ever and
across a restart, errors are asked again, and the answers and the metrics say what came from where. CACHE_SECONDS=60 also asks a set of
questions ten times, 5 s apart, and looks at how old each answer is."""
import http.server
import json
import os
import re
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import Serve  # noqa: E402

HOUR = 3600
LONG = float(os.environ.get("CACHE_SECONDS", "0"))


class Backend(http.server.ThreadingHTTPServer):
    """Prometheus-shaped: every sample is the second it was asked at. Counts what it is asked for by query."""
    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = {}
        self.fails = False
        self.delay = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]

    def count(self, query):
        with self.lock:
            return self.asked.get(query, 0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def do_GET(self):
        self.answer("")

    def answer(self, body):
        address = urllib.parse.urlsplit(self.path)
        fields = urllib.parse.parse_qs(address.query + "&" + body)
        status, data = 200, []
        if address.path.endswith("buildinfo"):
            data = {"version": "3.0.0"}
        elif address.path.endswith(("/query", "/query_range")):
            query = fields["query"][0]
            with self.server.lock:
                self.server.asked[query] = self.server.asked.get(query, 0) + 1
            time.sleep(self.server.delay)
            now = time.time()
            status = 500 if self.server.fails else 200
            if "start" in fields:
                start, end, step = float(fields["start"][0]), float(fields["end"][0]), float(fields["step"][0])
                values = [[start + i * step, "%.3f" % now] for i in range(int((end - start) / step) + 1)]
                data = {"resultType": "matrix", "result": [{"metric": {"__name__": "m"}, "values": values}]}
            else:
                data = {"resultType": "vector", "result": [{"metric": {"__name__": "m"}, "value": [now, "%.3f" % now]}]}
        text = json.dumps({"status": "success" if status == 200 else "error", "errorType": "internal", "error": "broken", "data": data}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


def metric(serve, name, **labels):
    """The sum of the samples whose labels are these."""
    total = 0
    for line in serve.ask("/metrics").body.splitlines():
        found = re.match(r"%s(\{.*\})? (\S+)$" % name, line)
        if found and all('%s="%s"' % pair in (found.group(1) or "") for pair in labels.items()):
            total += float(found.group(2))
    return total


def ask(serve, query, **window):
    answer = serve.call("query_metrics", {"query": query, "connection_id": "a", "step": "1m", **({"time_range": window} if window else {})})
    assert not answer["_error"], answer["_text"]
    return answer


def fetched_at(answer):
    return float(answer["results"][0]["values"][-1][1])


def at_once(serve, backend):
    """32 ask the same while the backend is slow: one request, and one more at most where the seconds turn."""
    backend.delay = 1
    serve.initialize()
    answers = []

    def one():
        answers.append(ask(serve, "at_once"))

    threads = [threading.Thread(target=one) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backend.delay = 0
    assert len(answers) == 32
    assert backend.count("at_once") <= 2, backend.count("at_once")


def again(serve, backend):
    """Asked over and over for a while: 20 s serve the same answer, and every answer but the first says its age."""
    first = ask(serve, "again")
    assert "cached_age_s" not in first, first
    begin = time.monotonic()
    later = [ask(serve, "again") for _ in range(20)]
    if time.monotonic() - begin < 15:
        assert backend.count("again") == 1
        assert all("cached_age_s" in answer and "cached, fetched" in answer["_text"] for answer in later), later[0]
        assert all(fetched_at(answer) == fetched_at(first) for answer in later)
        # What it is, not how it is shown.
        assert serve.call("query_metrics", {"query": "again", "step": "1m", "max_tokens": 1000})["_error"] is False
        assert backend.count("again") == 1
    ask(serve, "again", start="2h")  # another window
    ask(serve, "again_not")
    assert backend.count("again_not") == 1
    assert serve.call("query_metrics", {"query": "again", "step": "2m"})["_error"] is False
    assert backend.count("again") >= 3


def errors(serve, backend):
    backend.fails = True
    for _ in range(2):
        before = backend.count("broken")
        answer = serve.call("query_metrics", {"query": "broken", "connection_id": "a"})
        assert answer["_error"] and backend.count("broken") > before, answer["_text"]
    backend.fails = False
    ask(serve, "broken")


def past(serve, backend):
    end = int(time.time()) - 2 * HOUR
    first = ask(serve, "past", start=str(end - HOUR), end=str(end))
    for _ in range(5):
        assert fetched_at(ask(serve, "past", start=str(end - HOUR), end=str(end))) == fetched_at(first)
    assert backend.count("past") == 1
    return end, fetched_at(first)


def numbers(serve):
    assert metric(serve, "sonde_cache_lookups_total", layer="memory", outcome="hit") >= 20
    assert metric(serve, "sonde_cache_lookups_total", layer="memory", outcome="miss") >= 5
    assert metric(serve, "sonde_cache_stored_total", layer="memory") >= 5
    assert metric(serve, "sonde_flights_total", role="joined") >= 16
    assert metric(serve, "sonde_cache_bytes") > 0 and metric(serve, "sonde_cache_entries") >= 5


def repeats(serve, backend):
    """The set of questions, ten times, 5 s apart."""
    end = int(time.time()) - 2 * HOUR
    questions = [dict(query="r%d" % i, window={"start": "%dm" % (10 + i)}) for i in range(6)]
    questions += [dict(query="since", window={"start": str(int(time.time()) - 600)}), dict(query="r_past", window={"start": str(end - HOUR), "end": str(end)})]
    for round in range(10):
        begin = time.monotonic()
        for question in questions:
            asked = time.time()
            answer = ask(serve, question["query"], **question["window"])
            assert question["query"] == "r_past" or asked - fetched_at(answer) <= 30, (question, asked - fetched_at(answer))
        time.sleep(max(0, 5 - (time.monotonic() - begin)))
    fetched = sum(backend.count(question["query"]) for question in questions)
    assert backend.count("r_past") == 1
    served = 1 - (fetched - len(questions)) / (9 * len(questions))
    print("%d of %d repeats fetched: %.0f %% served from the cache" % (fetched - len(questions), 9 * len(questions), 100 * served))
    assert served > 0.7


def main():
    backend = Backend()
    yaml = "limits: {calls_per_minute: 0, calls_per_user: 256}\nconnections:\n  - {name: a, backend: prometheus, url: \"%s\"}\n" % backend.url
    with tempfile.TemporaryDirectory(prefix="sonde-cache-") as folder:
        with Serve(folder, yaml) as serve:
            at_once(serve, backend)
            again(serve, backend)
            errors(serve, backend)
            end, when = past(serve, backend)
            numbers(serve)
            if LONG:
                repeats(serve, backend)
            # Off and on again: nothing is left of what was in memory.
            serve.write_config(yaml + "cache: {memory: 0}\n")
            serve.reload("reload")
            ask(serve, "off")
            ask(serve, "off")
            assert backend.count("off") == 2
            assert serve.stop() == 0
        # What is past is in the store, and serves the next process.
        with Serve(folder, yaml) as serve:
            answer = ask(serve, "past", start=str(end - HOUR), end=str(end))
            assert fetched_at(answer) == when and backend.count("past") == 1
            assert "cached_age_s" in answer
            assert metric(serve, "sonde_cache_lookups_total", layer="table", outcome="hit") >= 1
            assert serve.stop() == 0
    backend.shutdown()


main()
