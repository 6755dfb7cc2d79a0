#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sonde side by side with the query itself and with other MCP servers, on one machine, in turns. Prints a table of Markdown; asserts
nothing. `make bench` runs it; bench/fetch brings the others, which are left out when they are not there."""
import argparse
import http.client
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

top = os.environ.get("top_builddir", ".")
sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", "."), "tests/support"))
from mcp_client import free_port, wait_until_ready  # noqa: E402

CACHE = os.environ.get("SONDE_BENCH_CACHE", os.path.expanduser("~/.cache/sonde-bench"))
PACKAGES = os.path.join(CACHE, "node_modules")
IN_FLIGHT = (1, 8, 64)
RANGE = {"name": "range_100_m", "points": 241}
BIG = {"name": "range_2100_m", "points": 800}


def message(method, params, id="@N@"):
    return '{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}' % (id, method, json.dumps(params, separators=(",", ":")))


INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def call(tool, **arguments):
    return message("tools/call", {"name": tool, "arguments": arguments})


running = []


def start(*arguments, **options):
    """A process that does not outlive the benchmark, however that ends."""
    process = subprocess.Popen(*arguments, **options)
    running.append(process)
    return process


class Load:
    """The load generator, told what to do line by line."""

    def __init__(self, *arguments, env=None):
        self.process = start([os.path.join(top, "bench/load"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=None if arguments[0] != "stdio" else subprocess.DEVNULL, text=True, env=env)
        self.pid = int(self.process.stdout.readline() or 0)

    def tell(self, *fields):
        self.process.stdin.write("\t".join(map(str, fields)) + "\n")
        self.process.stdin.flush()

    def ask(self, template):
        self.tell("ask", template)
        return self.process.stdout.readline().strip()

    def run(self, *fields):
        self.tell("run", *fields)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Sonde:
    name = "sonde"
    instant = call("query_metrics", query='up{n="@N@"}', step="0")
    counted = call("query_metrics", query="up + @N@", step="0")
    repeated = call("query_metrics", query='up{n="@F@"}', step="0")
    past = call("query_metrics", query=RANGE["name"] + '{n="@F@"}', step="15s",
                time_range={"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z"})

    def __init__(self, directory):
        self.directory = directory
        self.more = ""  # of configuration

    def config(self, url):
        path = os.path.join(self.directory, "sonde.yaml")
        with open(path, "w") as file:
            file.write('connections: [{name: bench, backend: prometheus, url: "%s"}]\n'
                       "limits: {in_flight: 64, in_flight_per_user: 64, calls_per_user: 128, calls_per_minute: 0, body: 256MiB}\n"
                       "store: %s/sonde.db\nkeys: {file: %s/keys}\n%s" % (url, self.directory, self.directory, self.more))
        os.chmod(path, 0o600)
        return ["--config", path, "--plugins", os.path.join(top, "plugins.d")]

    def stdio(self, url):
        return [os.path.join(top, "sonde"), "mcp", *self.config(url)], None

    def http(self, url, port):
        tokens = os.path.join(self.directory, "tokens")
        with open(tokens, "w") as file:
            file.write(TOKEN + "\n")
        os.chmod(tokens, 0o600)
        return ([os.path.join(top, "sonde"), "serve", "--listen", "127.0.0.1:%d" % port, "--token-file", tokens, *self.config(url)],
                None, "/mcp")

    def range(self, what, end):
        return call("query_metrics", query=what["name"] + '{n="@N@"}', step="15s",
                    time_range={"start": str(end - 15 * (what["points"] - 1)), "end": str(end)})


TOKEN = "bench-bench-bench-bench"


class Go:
    name = "mcp-prometheus 2.1.1 (Go)"
    program = os.path.join(PACKAGES, "mcp-prometheus-linux-amd64/bin/mcp-prometheus-linux-amd64")
    instant = call("query", promql='up{n="@N@"}')
    counted = call("query", promql="up + @N@")

    def stdio(self, url):
        return [self.program, "--url", url], None

    def http(self, url, port):
        return [self.program, "--url", url, "--port", str(port)], None, "/mcp"

    def range(self, what, end):
        return call("queryRange", promql=what["name"] + '{n="@N@"}', step="15s", duration="%dm" % ((what["points"] - 1) * 15 // 60))


class Node:
    name = "prometheus-mcp 1.1.3 (Node)"
    program = os.path.join(PACKAGES, "prometheus-mcp/dist/index.mjs")
    instant = call("prometheus_query", query='up{n="@N@"}')
    counted = call("prometheus_query", query="up + @N@")

    def stdio(self, url):
        return ["node", self.program, "stdio"], {"PROMETHEUS_URL": url}

    def http(self, url, port):
        return ["node", self.program, "http", "--port", str(port)], {"PROMETHEUS_URL": url}, "/mcp"

    def range(self, what, end):
        return call("prometheus_query_range", query=what["name"] + '{n="@N@"}', step="15s",
                    start=str(end - 15 * (what["points"] - 1)), end=str(end))


class Direct:
    name = "the query itself"
    instant = "/api/v1/query?query=up%7Bn%3D%22@N@%22%7D"
    counted = "/api/v1/query?query=up%2B@N@"

    def range(self, what, end):
        return "/api/v1/query_range?query=%s%%7Bn%%3D%%22@N@%%22%%7D&start=%d&end=%d&step=15" % (
            what["name"], end - 15 * (what["points"] - 1), end)


def environment(extra):
    return dict(os.environ, **extra) if extra else None


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """MiB: private and written to, resident, and the peak of the resident since the last forget_peak."""
    dirty = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.startswith("Private_Dirty"):
                dirty = int(line.split()[1])
    with open("/proc/%d/status" % pid) as file:
        status = dict(line.split(":", 1) for line in file if ":" in line)
    return {"dirty": dirty / 1024, "rss": int(status["VmRSS"].split()[0]) / 1024, "peak": int(status["VmHWM"].split()[0]) / 1024}


def forget_peak(pid):
    with open("/proc/%d/clear_refs" % pid, "w") as file:
        file.write("5")


def tokens(text):
    """About as many as tokenizers make of it: words up to six letters, digits in threes, punctuation in pairs."""
    total, run, before = 0.0, 0, " "
    for i, c in enumerate(text):
        kind = "L" if c.isascii() and c.isalpha() else "D" if c.isascii() and c.isdigit() else " " if c == " " else "O" if c.isascii() else "W"
        run = run + 1 if kind == before else 0
        before = kind
        if kind == " ":
            following = text[i + 1:i + 2]
            total += run == 0 and not (following.isascii() and following.isalpha())
        elif kind == "L":
            total += 1 if run == 0 else 1 / 6 if run >= 4 else 0
        elif kind == "D":
            total += run % 3 == 0
        else:
            total += 0.5 if kind == "W" else 1 if run == 0 else 0.25
    return total


def answer_tokens(line):
    """Of what a model is shown: the text or the structured content, whichever is dearer."""
    result = json.loads(line)["result"]
    texts = ["".join(part.get("text", "") for part in result["content"])]
    if "structuredContent" in result:
        texts.append(json.dumps(result["structuredContent"], separators=(",", ":"), ensure_ascii=False))
    return max(tokens(text) for text in texts)


class Table:
    def __init__(self, names):
        self.names = names
        self.rows = []

    def add(self, figure, cells, form="%s"):
        self.rows.append([figure] + [form % cells[name] if cells.get(name) is not None else "" for name in self.names])
        print("  " + " | ".join(self.rows[-1]), file=sys.stderr, flush=True)

    def print(self):
        print("| figure | " + " | ".join(self.names) + " |")
        print("| --- |" + " --- |" * len(self.names))
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.backend = start([os.path.join(top, "bench/backend")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:%d" % int(self.backend.stdout.readline())
        self.servers = [Sonde(directory)]
        for other in (Go(), Node()):
            if os.path.exists(other.program):
                self.servers.append(other)
            else:
                print("%s is not there (bench/fetch brings it): left out" % other.name, file=sys.stderr)
        self.direct = Direct()
        self.table = Table([self.direct.name] + [server.name for server in self.servers])

    def start_load(self, server, url):
        if server is self.direct:
            return Load("get", url)
        command, env = server.stdio(url)
        load = Load("stdio", *command, env=environment(env))
        load.ask(message("initialize", INITIALIZE))
        load.tell("note", '{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return load

    def all_loads(self, url):
        return {server.name: (server, self.start_load(server, url)) for server in [self.direct, *self.servers]}

    # ---- Start and memory ----

    def start(self):
        linked = os.path.join(top, "bench/linked")
        times = {server.name: [] for server in self.servers}
        floor = []
        for _ in range(self.options.rounds * 3):
            for server in self.servers:
                command, env = server.stdio(self.url)
                run = subprocess.run([os.path.join(top, "bench/load"), "start", *command], env=environment(env), capture_output=True)
                times[server.name].append(float(run.stdout))
            floor.append(float(subprocess.run([os.path.join(top, "bench/load"), "start", linked], capture_output=True).stdout))
        self.table.add("start to first answer, ms", {name: statistics.median(t) for name, t in times.items()}, "%.1f")
        self.table.add("the same of a program that only links sonde's libraries, ms", {"sonde": statistics.median(floor)}, "%.1f")

    def idle(self):
        for title, calls in (("after tools/list", 0), ("after 100 calls", 100)):
            cells = {}
            for server in self.servers:
                load = self.start_load(server, self.url)
                load.ask(message("tools/list", {}))
                if calls:
                    load.run(1, "#%d" % calls, server.instant)
                time.sleep(1)
                used = memory(load.pid)
                cells[server.name] = "%.1f, %.1f" % (used["dirty"], used["rss"])
                load.close()
            self.table.add("private memory written to and RSS when idle %s, MiB" % title, cells)

    # ---- Small calls ----

    def slices(self, loads, in_flight, pick):
        """One row a round and server, in turns; the first who comes changes from round to round."""
        names = list(loads)
        rows = {name: [] for name in names}
        for i in range(self.options.rounds):
            for name in names[i % len(names):] + names[:i % len(names)]:
                server, load = loads[name]
                pid = load.server_pid if hasattr(load, "server_pid") else load.pid
                before = cpu_seconds(pid) if pid else 0
                row = load.run(in_flight, self.options.slice, pick(server))
                row["cpu"] = cpu_seconds(pid) - before if pid else 0
                if row["small"]["errors"]:
                    raise SystemExit("%s answered with errors" % name)
                rows[name].append(row)
        return rows

    def report(self, rows, title, cpu=True):
        small = {name: [row["small"] for row in r] for name, r in rows.items()}
        self.table.add("p50, p99 of a call, ms, %s" % title,
                       {name: "%.2f, %.2f" % (statistics.median(s["p50"] for s in r), statistics.median(s["p99"] for s in r))
                        for name, r in small.items()})
        rates = {name: [row["small"]["count"] / row["seconds"] for row in r] for name, r in rows.items()}
        self.table.add("calls per second, %s" % title, {name: statistics.median(r) for name, r in rates.items()}, "%.0f")
        if len(rows) > 1:
            self.table.add("the same as a share of sonde's, median of the rounds",
                       {name: statistics.median(a / b for a, b in zip(r, rates["sonde"])) for name, r in rates.items() if name != "sonde"},
                       "%.2f")
        if cpu:
            self.table.add("CPU seconds of the server per 1,000 calls, %s" % title,
                           {name: 1000 * sum(x["cpu"] for x in r) / sum(x["small"]["count"] for x in r)
                            for name, r in rows.items() if name != self.direct.name}, "%.3f")

    def small(self):
        loads = self.all_loads(self.url)
        for server, load in loads.values():
            load.run(8, 300, server.instant)
        for n in IN_FLIGHT:
            self.report(self.slices(loads, n, lambda server: server.instant), "%d in flight" % n)
        for _, load in loads.values():
            load.close()

    def prometheus(self, directory):
        """The same one at a time before a Prometheus."""
        port = free_port()
        with open(os.path.join(directory, "prometheus.yml"), "w") as file:
            file.write("scrape_configs: [{job_name: self, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:%d']}]}]\n" % port)
        try:
            process = start(["prometheus", "--config.file=" + file.name, "--storage.tsdb.path=" + directory + "/tsdb",
                                        "--web.listen-address=127.0.0.1:%d" % port], stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            print("no prometheus here: left out", file=sys.stderr)
            return
        try:
            url = "http://127.0.0.1:%d" % port
            wait_until_ready(url + "/-/ready", process)
            time.sleep(3)
            loads = self.all_loads(url)
            self.report(self.slices(loads, 1, lambda server: server.counted), "1 in flight before a Prometheus", cpu=False)
            for _, load in loads.values():
                load.close()
        finally:
            stop(process)

    # ---- Large answers ----

    def ranges(self):
        end = int(time.time()) // 60 * 60
        loads = self.all_loads(self.url)
        for what, title in ((RANGE, "range answer of 100 series of 241 points"), (BIG, "range answer of 50 MB")):
            times = {name: [] for name in loads}
            peaks = {name: [] for name in loads}
            cost = {}
            for name, (server, load) in loads.items():
                load.run(1, "#1", server.range(what, end))
                if load.pid:
                    cost[name] = answer_tokens(load.ask(server.range(what, end)))
            for _ in range(self.options.rounds if what is RANGE else max(3, self.options.rounds // 3)):
                for name, (server, load) in loads.items():
                    if load.pid:
                        time.sleep(0.3)
                        idle = memory(load.pid)["rss"]
                        forget_peak(load.pid)
                    row = load.run(1, "#%d" % (10 if what is RANGE else 1), server.range(what, end))
                    times[name].append(row["small"]["p50"])
                    if row["small"]["errors"]:
                        times[name][-1] = float("nan")
                    if load.pid:
                        peaks[name].append(memory(load.pid)["peak"] - idle)
            self.table.add("%s, ms" % title, {name: statistics.median(t) for name, t in times.items()}, "%.1f")
            if what is BIG:
                self.table.add("its peak above idle, MiB", {name: statistics.median(p) for name, p in peaks.items() if p}, "%.0f")
                self.table.add("fetched and read by Python's json, ms", {self.direct.name: self.parse(self.direct.range(BIG, end))}, "%.0f")
            self.table.add("its tokens", cost, "%.0f")
        for _, load in loads.values():
            load.close()

    def parse(self, path):
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            connection = http.client.HTTPConnection(self.url[7:])
            connection.request("GET", path.replace("@N@", "0"))
            json.loads(connection.getresponse().read())
            times.append((time.perf_counter() - begin) * 1000)
            connection.close()
        return statistics.median(times)

    def beside(self):
        """Small calls beside four answers of 50 MB, and without, in turns."""
        end = int(time.time()) // 60 * 60
        loads = self.all_loads(self.url)
        alone = {name: [] for name in loads}
        beside = {name: [] for name in loads}
        for name, (server, load) in loads.items():
            load.run(1, "#50", server.instant, 1, server.range(BIG, end))
        for _ in range(max(3, self.options.rounds // 3)):
            for name, (server, load) in loads.items():
                alone[name].append(load.run(1, 2000, server.instant)["small"])
                beside[name].append(load.run(1, 2000, server.instant, 4, server.range(BIG, end))["small"])
        self.table.add("p50, p99 of small calls beside four answers of 50 MB, ms",
                       {name: "%.2f, %.2f" % (statistics.median(x["p50"] for x in r), statistics.median(x["p99"] for x in r))
                        for name, r in beside.items()})
        self.table.add("that p99 to the one without them, median of the rounds",
                       {name: statistics.median(b["p99"] / a["p99"] for a, b in zip(alone[name], r)) for name, r in beside.items()}, "%.1f")
        for _, load in loads.values():
            load.close()

    # ---- HTTP ----

    def serve(self, server):
        """The server over HTTP: its process and a load that speaks with it, or None."""
        port = free_port()
        command, env, path = server.http(self.url, port)
        process = start(command, env=environment(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            try:
                headers = self.session(port, path)
                break
            except (OSError, http.client.HTTPException):
                if time.monotonic() > until or process.poll() is not None:
                    stop(process)
                    print("%s does not answer over HTTP: left out" % server.name, file=sys.stderr)
                    return None
                time.sleep(0.1)
        load = Load("post", "http://127.0.0.1:%d%s" % (port, path))
        for line in headers:
            load.tell("header", line)
        load.server_pid, load.server, load.port, load.headers, load.path = process.pid, process, port, headers, path
        return load

    def session(self, port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        connection.request("POST", path, message("initialize", INITIALIZE, 1), headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise http.client.HTTPException("status %d" % answer.status)
        lines = ["MCP-Protocol-Version: 2025-06-18", "Authorization: Bearer " + TOKEN]
        if answer.getheader("Mcp-Session-Id"):
            lines.append("Mcp-Session-Id: " + answer.getheader("Mcp-Session-Id"))
        headers.update(line.split(": ", 1) for line in lines)
        connection.request("POST", path, '{"jsonrpc":"2.0","method":"notifications/initialized"}', headers)
        connection.getresponse().read()
        connection.close()
        return lines

    def over_http(self):
        loads = {self.direct.name: (self.direct, Load("get", self.url))}
        for server in self.servers:
            load = self.serve(server)
            if load:
                loads[server.name] = (server, load)
        if "sonde" in loads:
            for name, (server, load) in list(loads.items()):
                if load.run(8, 300, server.instant)["small"]["errors"]:
                    print("%s answers with errors over HTTP: left out" % name, file=sys.stderr)
                    del loads[name]
                    load.close()
                    stop(load.server)
            for n in IN_FLIGHT:
                self.report(self.slices(loads, n, lambda server: server.instant), "%d in flight over HTTP" % n)
        for _, load in loads.values():
            load.close()
            if hasattr(load, "server"):
                stop(load.server)

    def cached(self):
        """A few questions again and again, of sonde alone: over pipes and over HTTP with a token, with and without its history."""
        sonde = self.servers[0]
        for keep, words in (("", "history on"), ("history: {keep: 0}\n", "without history")):
            sonde.more = keep
            loads = {"pipes": self.start_load(sonde, self.url), "HTTP": self.serve(sonde)}
            for way, load in loads.items():
                for what, template in (("an instant", sonde.repeated), ("a past range of 100 series", sonde.past)):
                    load.run(8, 300, template)
                    loads_one = {"sonde": (sonde, load)}
                    for n in (8, 64):
                        rows = self.slices(loads_one, n, lambda server: template)
                        self.report(rows, "%s from the cache, %d in flight over %s, %s" % (what, n, way, words))
                load.close()
                if hasattr(load, "server"):
                    stop(load.server)
        sonde.more = ""

    def streams(self):
        """Idle event streams, and what each costs the server."""
        count = self.options.streams
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * count + 1000)), hard))
        cells = {}
        for server in self.servers:
            load = self.serve(server)
            if not load:
                continue
            held = []
            before = memory(load.server_pid)
            try:
                for _ in range(count):
                    headers = self.session(load.port, load.path)
                    one = socket.create_connection(("127.0.0.1", load.port), 10)
                    held.append(one)
                    one.sendall(("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n%s\r\n\r\n"
                                 % (load.path, load.port, "\r\n".join(headers))).encode())
                    if not one.recv(4096).startswith(b"HTTP/1.1 200"):
                        raise OSError("refused")
                time.sleep(1)
                after = memory(load.server_pid)
                cells[server.name] = "%.1f" % ((after["rss"] - before["rss"]) * 1024 / count)
            except OSError as e:
                cells[server.name] = "%d, then %s" % (len(held) - 1, e)
            for one in held:
                one.close()
            load.close()
            stop(load.server)
        self.table.add("RSS of an idle stream with its session over HTTP, KiB, at %d" % count, cells)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--slice", type=int, default=400, help="milliseconds of load at a time")
    parser.add_argument("--streams", type=int, default=10000)
    parser.add_argument("--only", help="names of parts, with commas between: start idle small prometheus ranges beside over_http cached streams")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as directory:
        bench = Bench(options, directory)
        for part in (options.only or "start,idle,small,prometheus,ranges,beside,over_http,cached,streams").split(","):
            print(part, file=sys.stderr, flush=True)
            getattr(bench, part)(*([directory] if part == "prometheus" else []))
        bench.table.print()


try:
    main()
finally:
    for process in running:
        try:
            if process.stdin:
                process.stdin.close()  # what was started over pipes ends with its input, and ends its own
            else:
                process.terminate()
        except OSError:
            process.terminate()
    for process in reversed(running):
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
