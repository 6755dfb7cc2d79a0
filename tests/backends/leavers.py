# SPDX-License-Identifier: Apache-2.0
"""64 clients over HTTP in both eras, half of whom leave in the middle of a call. Memory and descriptors must not grow; what a stateless client asked
must be gone from the backend once it has left, what a session asked must go on. LEAVERS_SECONDS (default 8) says how long; the first third
warms up. Prints how soon the backend saw each transfer go; asserts only that none waited for its answer."""
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import free_port, wait_until_ready  # noqa: E402
from soak import usage  # noqa: E402

SECONDS = float(os.environ.get("LEAVERS_SECONDS", "8"))
CLIENTS = 64
SLOW = 3.0  # seconds a slow answer takes
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


class Backend:
    """Prometheus-shaped. A query that speaks of "slow" is answered after SLOW seconds; notes when its client was seen to leave."""

    def __init__(self):
        self.left = {}  # number of the query -> when its transfer was seen gone
        self.seen = set()  # numbers that arrived
        self.answered = set()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                body = (await reader.readexactly(int(length.group(1)))).decode() if length else ""
                await self.answer(head.split(" ")[1], body, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, path, body, reader, writer):
        data = {}
        slow = re.search(r"slow_(\d+)", body + path)
        number = int(slow.group(1)) if slow else None
        if number is not None:
            self.seen.add(number)
            gone = asyncio.ensure_future(reader.read(1))
            done, _ = await asyncio.wait([gone], timeout=SLOW)
            if done:
                self.left[number] = time.monotonic()
                raise ConnectionError
            gone.cancel()
            await asyncio.wait([gone])
            self.answered.add(number)
        if "/query" in path and "exemplars" not in path:
            now = time.time()
            if "query_range" in path:
                data = {"resultType": "matrix", "result": [{"metric": {"__name__": "m"}, "values": [[now - 60, "1"], [now, "2"]]}]}
            else:
                data = {"resultType": "vector", "result": [{"metric": {"__name__": "m"}, "value": [now, "1"]}]}
        elif "buildinfo" in path:
            data = {"version": "3.16.0"}
        elif "label" in path or "exemplars" in path or "series" in path:
            data = ["m"] if "__name__" in path else []
        text = json.dumps({"status": "success", "data": data}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        await writer.drain()


class Load:
    def __init__(self, port, token, backend):
        self.port, self.token, self.backend = port, token, backend
        self.calls = self.bad = 0
        self.left_at = {}  # stateless callers: number -> when they left
        self.kept = set()  # numbers of calls in sessions whose client left
        self.ends = time.monotonic() + SECONDS

    async def post(self, message, session=None, leave_after=None):
        """(status, head, body); None when it left."""
        headers = {"Host": "127.0.0.1", "Authorization": "Bearer " + self.token, "Content-Type": "application/json",
                   "Accept": "application/json, text/event-stream"}
        if session:
            headers["Mcp-Session-Id"] = session
        elif "_meta" in message["params"]:
            headers["MCP-Protocol-Version"] = "2026-07-28"
            headers["Mcp-Method"] = message["method"]
            headers["Mcp-Name"] = message["params"].get("name", "")
        body = json.dumps(message).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            lines = "".join("%s: %s\r\n" % pair for pair in headers.items())
            writer.write(("POST /mcp HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (lines, len(body))).encode() + body)
            if leave_after is not None:
                await asyncio.sleep(leave_after)
                return None
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)content-length: (\d+)", head)
            text = await reader.readexactly(int(length.group(1))) if length else await reader.read()
            return int(head.split(" ")[1]), head, text
        finally:
            writer.close()

    def call(self, query, modern):
        self.calls += 1
        params = {"name": "query_metrics", "arguments": {"query": query, "connection_id": "a", "time_range": {"start": "30m"}}}
        if modern:
            params["_meta"] = MODERN
        return {"jsonrpc": "2.0", "id": self.calls, "method": "tools/call", "params": params}

    async def session(self):
        message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "leaver", "version": "1"}}}
        status, head, _ = await self.post(message)
        found = re.search(r"(?i)mcp-session-id: (\S+)", head)
        if status != 200 or not found:
            raise SystemExit("no session: %d %s" % (status, head))
        return found.group(1)

    async def client(self, number):
        modern = number % 4 != 0
        session = None if modern else await self.session()
        while time.monotonic() < self.ends:
            if self.calls % 2:
                message = self.call("m + %d" % self.calls, modern)
                status, head, text = await self.post(message, session)
                if status != 200 or b'"isError":true' in text or b'"result"' not in text:
                    self.bad += 1
                    print("bad: %d %s" % (status, text[:300]))
            else:
                slow = self.calls + 1
                message = self.call("slow_%d" % slow, modern)
                await self.post(message, session, random.uniform(0.02, 0.15))
                if modern:
                    self.left_at[slow] = time.monotonic()
                else:
                    self.kept.add(slow)
                    await asyncio.sleep(0.2)


def report(load, backend):
    late = [n for n in load.left_at if n in backend.answered]
    took = sorted(backend.left[n] - load.left_at[n] for n in load.left_at if n in backend.left)
    reached = [n for n in load.left_at if n in backend.seen]
    cut = [n for n in load.kept if n in backend.left and n not in backend.answered]
    print("%d calls, %d bad; %d left without a session: of %d transfers that had reached the backend %d were seen to go, after %.1f ms (median), %.1f ms (p99), %.1f ms (longest);"
          " %d answered all the same; %d left a session, %d of their transfers were cut"
          % (load.calls, load.bad, len(load.left_at), len(reached), len(took), 1000 * took[len(took) // 2], 1000 * took[int(len(took) * 0.99)], 1000 * took[-1],
             len(late), len(load.kept), len(cut)))
    return reached and len(took) == len(reached) and not load.bad and not late and not cut


async def drive(process, port, token, backend):
    load = Load(port, token, backend)
    tasks = [asyncio.ensure_future(load.client(n)) for n in range(CLIENTS)]
    await asyncio.sleep(SECONDS / 3)
    warm = usage(process.pid)
    await asyncio.gather(*tasks)
    await asyncio.sleep(SLOW + 12)  # what sessions asked goes on until it is answered; then idle threads end
    return load, warm, usage(process.pid)


async def main():
    random.seed(7)
    backend = Backend()
    await backend.start()
    top, port = os.environ["top_builddir"], free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "sonde.yaml")
        with open(config, "w") as file:
            file.write("limits: {calls_per_minute: 0, calls_per_user: 1024, calls: 1024, in_flight: 256, in_flight_per_user: 256}\ncache: {memory: 1MiB}\n"
                       "connections:\n  - {name: a, backend: prometheus, url: \"%s\"}\n" % backend.url)
        process = subprocess.Popen([os.path.join(top, "sonde"), "serve", "--config", config, "--plugins", os.path.join(top, "plugins.d"),
                                    "--listen", "127.0.0.1:%d" % port, "--token-file", os.path.join(folder, "tokens")])
        try:
            await asyncio.to_thread(wait_until_ready, "http://127.0.0.1:%d/healthz" % port, process)
            with open(os.path.join(folder, "tokens")) as file:
                token = [line.split()[0] for line in file if line.strip() and line[0] != "#"][0]
            load, warm, end = await drive(process, port, token, backend)
        finally:
            process.terminate()
            status = await asyncio.to_thread(process.wait, 30)
    good = report(load, backend)
    print("private %d -> %d KiB, descriptors %d -> %d, exit %d" % (warm[0], end[0], warm[1], end[1], status))
    # Sanitizers keep freed memory in quarantine, so only the plain build can be held to a number.
    plain = os.environ.get("SANITIZED", "no") == "no"
    grown = plain and end[0] > warm[0] + 8192
    # Kept connections to the backend come and go; one descriptor for each who left would be a thousand.
    return 0 if good and not status and not grown and end[1] <= warm[1] + 64 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
