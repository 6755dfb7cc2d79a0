#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three figures of `sonde mcp`: start to first answer beside a program that only links the same libraries, private memory when
idle, and the peak of a 50 MB range answer. Run by `make bench`; prints a table. Nothing here asserts: figures are for reading."""
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

top = os.environ.get("top_builddir", ".")
sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", "."), "tests/support"))
from mcp_client import Client, sonde_command  # noqa: E402

INITIALIZE = (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
              b'"capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}\n')


def start_to_answer(command):
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(INITIALIZE)
    process.stdin.flush()
    process.stdout.readline()
    took = time.perf_counter() - begin
    process.stdin.close()
    process.wait()
    return took * 1000


def memory(pid):
    """KiB: private and written to (nobody else can use it), private with the pages of libraries that no other process happens to map
    just now, resident, and the peak of the resident."""
    smaps = {}
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.startswith("Private_"):
                smaps[line.split(":")[0]] = int(line.split()[1])
    with open("/proc/%d/status" % pid) as file:
        status = dict(line.split(":", 1) for line in file if ":" in line)
    return {"dirty": smaps["Private_Dirty"], "private": sum(smaps.values()), "rss": int(status["VmRSS"].split()[0]),
            "peak": int(status["VmHWM"].split()[0])}


def matrix(series, points):
    """A Prometheus range answer of about 25 bytes a point."""
    head, tail = b'{"status":"success","data":{"resultType":"matrix","result":[', b"]}}"
    now = int(time.time()) // 15 * 15
    rows = []
    for i in range(series):
        values = ",".join('[%d,"%.12f"]' % (now - (points - k) * 15, 0.2 + ((i * 31 + k * 17) % 1000) / 1000)
                          for k in range(points))
        rows.append('{"metric":{"__name__":"m","pod":"web-app-%05d","namespace":"production"},"values":[%s]}' % (i, values))
    return head + ",".join(rows).encode() + tail


class Backend(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, body):
        self.body = body
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        if "query_range" in self.path:
            body = self.server.body
        elif "buildinfo" in self.path:
            body = b'{"status":"success","data":{"version":"3.16.0"}}'
        elif "exemplars" in self.path or "label" in self.path:
            body = b'{"status":"success","data":[]}'
        else:
            body = b'{"status":"success","data":{}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer


def big_answer():
    body = matrix(2100, 800)
    backend = Backend(body)
    client = Client(sonde_command("mcp", "--connection", "prometheus=http://127.0.0.1:%d" % backend.server_address[1]))
    client.call("list_connections")
    client.call("list_metrics", {"match": "m"})
    time.sleep(1)
    idle = memory(client.process.pid)
    begin = time.perf_counter()
    answer = client.call("query_metrics", {"query": "m", "step": "15s", "time_range": {"start": "200m"}}, 120)
    took = time.perf_counter() - begin
    peak = memory(client.process.pid)["peak"]
    client.close()
    begin = time.perf_counter()
    with socket.create_connection(backend.server_address) as s:
        s.sendall(b"GET /api/v1/query_range HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while s.recv(1 << 20):
            pass
    direct = time.perf_counter() - begin
    if answer["_error"]:
        raise SystemExit("the 50 MB answer failed: " + answer["_text"])
    return {"body_mb": len(body) / 1e6, "seconds": took, "direct": direct, "peak_above_idle_mib": (peak - idle["rss"]) / 1024, "idle": idle,
            "tokens": len(json.dumps({k: v for k, v in answer.items() if k[0] != "_"}, separators=(",", ":"))) / 3}


def main():
    sonde = sonde_command("mcp")
    linked = [os.path.join(top, "bench/linked")]
    start_to_answer(sonde), start_to_answer(linked)
    pairs = [(start_to_answer(linked), start_to_answer(sonde)) for _ in range(31)]
    floor = statistics.median(p[0] for p in pairs)
    own = statistics.median(p[1] for p in pairs)
    client = Client(sonde)
    client.request("tools/list")
    time.sleep(0.5)
    fresh = memory(client.process.pid)
    client.close()
    big = big_answer()
    print("| figure | sonde | beside it |")
    print("| --- | --- | --- |")
    print("| start to first answer, median of 31 | %.1f ms | %.1f ms, the same libraries linked: +%.1f ms |" % (own, floor, own - floor))
    for name, used in (("after tools/list", fresh), ("after its first calls to a connection", big["idle"])):
        print("| private memory when idle, %s | %.1f MB | %.1f MB with the libraries' own pages; RSS %.1f MB |"
              % (name, used["dirty"] / 1024, used["private"] / 1024, used["rss"] / 1024))
    print("| range answer of %.0f MB | %.2f s, answer of %.0f tokens | %.2f s to read it only |"
          % (big["body_mb"], big["seconds"], big["tokens"], big["direct"]))
    print("| its peak above idle | %.1f MiB | |" % big["peak_above_idle_mib"])


main()
