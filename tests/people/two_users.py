# SPDX-License-Identifier: Apache-2.0
"""Two users whose connections have the same names and who ask the same questions, 32 clients each, over MCP and REST: no row, secret, cached answer or
history of one may reach the other. USERS_SECONDS (default 6) says how long. STORE is a postgresql:// address; left out: SQLite.

The backend answers with the name of whoever's token it was asked with, so that every answer tells whose it is."""
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import free_port, wait_until_ready  # noqa: E402

SECONDS = float(os.environ.get("USERS_SECONDS", "6"))
CLIENTS = 32
QUERIES = 20
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
          "io.modelcontextprotocol/clientInfo": {"name": "two-users", "version": "1"}}
SONDE = os.path.join(os.environ["top_builddir"], "sonde")
PLUGINS = os.path.join(os.environ["top_builddir"], "plugins.d")
USERS = {"anna": "backend-secret-of-anna-5f1c", "bert": "backend-secret-of-bert-9d27"}
REST = "/api/v1/observability"
failures = []


def check(good, text):
    if not good and len(failures) < 20:
        failures.append(text)


class Backend:
    """Prometheus-shaped; its one series says whose token asked."""

    def __init__(self):
        self.owners = {"Bearer " + secret: name for name, secret in USERS.items()}
        self.asked = 0

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                if length:
                    await reader.readexactly(int(length.group(1)))
                token = re.search(r"(?i)authorization: ([^\r]+)", head)
                owner = self.owners.get(token.group(1) if token else "")
                status, text = self.answer(head.split(" ")[1], owner)
                writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(text)) + text)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the loop ends while connections are kept
        finally:
            writer.close()

    def answer(self, path, owner):
        if not owner:
            return b"401 Unauthorized", b"{}"
        self.asked += 1
        now = time.time()
        data = {}
        labels = {"__name__": "m", "owner": owner}
        if "query_range" in path:
            data = {"resultType": "matrix", "result": [{"metric": labels, "values": [[now - 60, "1"], [now, "2"]]}]}
        elif "exemplars" in path:
            data = []
        elif "/query" in path:
            data = {"resultType": "vector", "result": [{"metric": labels, "value": [now, "1"]}]}
        elif "buildinfo" in path:
            data = {"version": "3.16.0"}
        elif "label/" in path or "series" in path or "labels" in path:
            data = ["m"] if "__name__" in path else [owner]
        return b"200 OK", json.dumps({"status": "success", "data": data}).encode()


async def ask(port, token, method, path, body=None, headers=None):
    """(status, headers, text) of one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        payload = json.dumps(body).encode() if body is not None else b""
        lines = {"Host": "127.0.0.1", "Authorization": "Bearer " + token, "Connection": "close", "Content-Length": str(len(payload)),
                 "Content-Type": "application/json", "Accept": "application/json, text/event-stream", **(headers or {})}
        writer.write(("%s %s HTTP/1.1\r\n%s\r\n" % (method, path, "".join("%s: %s\r\n" % pair for pair in lines.items()))).encode() + payload)
        head, _, text = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), head.decode(), text.decode()
    finally:
        writer.close()


class User:
    def __init__(self, name, port, backend, config):
        self.name, self.port, self.backend = name, port, backend
        self.other = next(other for other in USERS if other != name)
        sonde("user", "add", name, config=config)
        self.token = sonde("token", "create", name, "--rights", "manage", config=config).strip()
        self.calls = self.cached = 0

    async def rest(self, method, path, body=None, headers=None):
        status, head, text = await ask(self.port, self.token, method, REST + path, body, headers)
        check(USERS["anna"] not in text and USERS["bert"] not in text, "a secret in %s %s: %s" % (method, path, text[:300]))
        return status, json.loads(text) if text else None

    async def connect(self):
        document = {"name": "prod", "backend_type": "prometheus", "is_default": True, "connection_config": {
            "url": self.backend.url, "auth": {"type": "bearer", "token": USERS[self.name]}}}
        status, made = await self.rest("POST", "/connections", document)
        if status != 201:
            raise SystemExit("POST /connections as %s: %d %s" % (self.name, status, made))
        self.id = made["id"]

    async def query(self, number):
        arguments = {"query": "m + %d" % (number % QUERIES), "connection_id": "prod", "time_range": {"start": "30m"}}
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call",
                   "params": {"name": "query_metrics", "arguments": arguments, "_meta": MODERN}}
        status, head, text = await ask(self.port, self.token, "POST", "/mcp", message, {
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "query_metrics"})
        self.calls += 1
        self.cached += "cached" in text
        check(status == 200 and '"isError":true' not in text, "a call of %s: %d %s" % (self.name, status, text[:400]))
        check(self.name in text, "an answer to %s without its own row: %s" % (self.name, text[:400]))
        check(self.other not in text, "%s sees a row of %s: %s" % (self.name, self.other, text[:400]))

    async def client(self, number, ends):
        while time.monotonic() < ends:
            await self.query(number)
            number += 7
            if number % 50 == 0:
                await self.look()

    async def look(self):
        """What REST shows is one's own."""
        status, page = await self.rest("GET", "/connections")
        names = [c["name"] for c in page["connections"]]
        check(status == 200 and names == ["prod"] and page["connections"][0]["id"] == self.id, "connections of %s: %s" % (self.name, page))

    async def history(self, user=None):
        """All rows of its history; none is another's."""
        rows, cursor = 0, None
        while True:
            status, page = await self.rest("GET", "/query-history?limit=200" + ("&cursor=" + cursor if cursor else ""))
            check(status == 200, "history: %d %s" % (status, page))
            if status != 200:
                return rows
            for row in page["queries"]:
                rows += 1
                text = json.dumps(row)
                check(row["connection_id"] in (self.id, None) and not (user and user.id in text), "a row of the other: %s" % text[:300])
                check(self.other not in text, "a row that names the other: %s" % text[:300])
            cursor = page["next_cursor"]
            if not cursor:
                return rows

    async def guess(self, user):
        """Another's connection is not there, whatever is tried."""
        for method, path, body, headers in (
                ("GET", "/connections/" + user.id, None, None), ("DELETE", "/connections/" + user.id, None, {"If-Match": "*"}),
                ("POST", "/connections/%s/test" % user.id, {}, None),
                ("PUT", "/connections/" + user.id, {"name": "stolen"}, {"If-Match": "*"})):
            status, answer = await self.rest(method, path, body, headers)
            check(status == 404, "%s %s as the other user: %d %s" % (method, path, status, answer))
        status, _ = await self.rest("GET", "/query-history?user=" + user.name)
        check(status == 403, "another's history: %d" % status)
        status, page = await self.rest("GET", "/query-history?connection_id=" + user.id)
        check(status == 200 and page["queries"] == [], "history by the other's connection: %s" % page)


def sonde(*words, config):
    done = subprocess.run([SONDE, *words, "--config", config], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("sonde %s: %d %s" % (" ".join(words), done.returncode, done.stderr))
    return done.stdout


def write_config(folder):
    path = os.path.join(folder, "sonde.yaml")
    with open(path, "w") as file:
        json.dump({"store": os.environ.get("STORE", os.path.join(folder, "sonde.db")), "keys": {"file": os.path.join(folder, "keys")},
                   "tokens": os.path.join(folder, "tokens"), "network": {"allow": ["127.0.0.0/8"]}, "plugins": {"path": [PLUGINS]},
                   "limits": {"calls_per_minute": 0, "calls_per_user": 256, "in_flight": 256, "in_flight_per_user": 128}}, file)
    os.chmod(path, 0o600)
    return path


def find_secrets(folder):
    """No file holds a secret: database, its journal, logs."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        data = open(path, "rb").read() if os.path.isfile(path) else b""
        for secret in USERS.values():
            check(secret.encode() not in data, "%s holds a secret" % name)


async def run(folder, port, config, log):
    backend = Backend()
    await backend.start()
    users = [User(name, port, backend, config) for name in USERS]
    for user in users:
        await user.connect()
        await user.look()
    ends = time.monotonic() + SECONDS
    await asyncio.gather(*(user.client(number, ends) for user in users for number in range(CLIENTS)))
    for user, other in (users, users[::-1]):
        await user.guess(other)
    await asyncio.sleep(0.5)  # history is written within 100 ms
    for user, other in (users, users[::-1]):
        rows = await user.history(other)
        check(rows >= user.calls, "%s made %d calls, its history has %d rows" % (user.name, user.calls, rows))
    print("%d calls, %d from the cache, %d requests at the backend" % (
        sum(u.calls for u in users), sum(u.cached for u in users), backend.asked))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        config = write_config(folder)
        port = free_port()
        with open(os.path.join(folder, "log"), "w") as log:
            server = subprocess.Popen([SONDE, "serve", "--config", config, "--listen", "127.0.0.1:%d" % port], stderr=log)
            try:
                wait_until_ready("http://127.0.0.1:%d/readyz" % port, server)
                asyncio.run(run(folder, port, config, log))
            finally:
                server.terminate()
                code = server.wait(30)
        check(code == 0, "sonde serve ended with %d: %s" % (code, open(os.path.join(folder, "log")).read()[-2000:]))
        find_secrets(folder)
    for text in failures:
        print("FAILED: " + text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
