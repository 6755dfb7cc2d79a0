# SPDX-License-Identifier: Apache-2.0
"""A client of MCP over HTTP for tests: raw requests, so that every mistake can be made, and streams of events."""
import http.client
import json
import subprocess

HANG_S = 60  # a guard against hanging, no claim about speed
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
MODERN = "2026-07-28"


class Mismatch(Exception):
    pass


class Program:
    """The server under test: prints its port, obeys lines, ends with its input."""

    def __init__(self, path, *arguments):
        self.process = subprocess.Popen([path, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.port = int(self.process.stdout.readline())

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def counts(self):
        words = self.ask("counts")
        return dict(zip(words[::2], map(int, words[1::2])))

    def finish(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(timeout=HANG_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Mismatch("the server does not end") from None
        if status:
            raise Mismatch(f"the server ended with status {status}")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.type = (response.getheader("Content-Type") or "").split(";")[0]
        self.response = response
        self.body = None
        self.json = None

    def read(self):
        self.body = self.response.read()
        if self.type == "application/json":
            self.json = json.loads(self.body)
        return self

    def events(self):
        """Events as they come, until the stream ends: dicts of event, id, retry, data (joined lines)."""
        event = {}
        for raw in self.response:
            line = raw.decode().rstrip("\r\n")
            if line.startswith(":"):
                continue
            if not line:
                if event:
                    yield event
                event = {}
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            event[name] = event[name] + "\n" + value if name in event else value

    def messages(self):
        return [json.loads(event["data"]) for event in self.events() if event.get("data")]


class Client:
    """One connection. headers None in a request: leave that one out."""

    def __init__(self, port, token="alpha"):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)
        self.token = token

    def begin(self, method, body=None, headers=None):
        """Sends; the answer's body is not read yet."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        all_headers = {"Authorization": "Bearer " + self.token, "Accept": "application/json, text/event-stream"}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        all_headers.update(headers or {})
        self.connection.request(method, "/mcp", body=body.encode() if body is not None else None,
                                headers={k: v for k, v in all_headers.items() if v is not None})
        return self

    def answer(self):
        return Answer(self.connection.getresponse())

    def ask(self, method, body=None, headers=None):
        return self.begin(method, body, headers).answer().read()

    def close(self):
        """As a client that leaves: whatever the answer is."""
        if self.connection.sock:
            self.connection.sock.close()
        self.connection.close()


def request(method, params=None, id=1):
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    if params is not None:
        message["params"] = params
    return message


def notification(method, params=None):
    message = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        message["params"] = params
    return message


def call(query, id=1, token=None):
    params = {"name": "query_metrics", "arguments": {"query": query}}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return request("tools/call", params, id)


def modern(message, version=MODERN):
    """The message with the envelope of the modern era."""
    params = message.setdefault("params", {})
    params["_meta"] = {**params.get("_meta", {}), VERSION: version, CAPABILITIES: {}}
    return message


def modern_headers(message, **changes):
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": message.get("method")}
    name = message.get("params", {}).get("name")
    if name:
        headers["Mcp-Name"] = name
    headers.update({k.replace("_", "-"): v for k, v in changes.items()})
    return headers


def initialize(version="2025-11-25"):
    return request("initialize", {"protocolVersion": version, "capabilities": {},
                                  "clientInfo": {"name": "test", "version": "1"}}, 0)


def session(client, version="2025-11-25"):
    """Begins a session; returns the headers of its further requests."""
    answer = client.ask("POST", initialize(version))
    if answer.status != 200 or answer.json["result"]["protocolVersion"] != version:
        raise Mismatch(f"initialize: {answer.status} {answer.body!r}")
    return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "MCP-Protocol-Version": version}
