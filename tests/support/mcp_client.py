# SPDX-License-Identifier: Apache-2.0
"""A small MCP client over standard input and output, in both protocol eras, and what tests need around it."""
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request


class Client:
    """Starts a server and asks it. modern=True sends the envelope of 2026-07-28 instead of initialize."""

    def __init__(self, command, modern=False, env=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self.modern = modern
        self.next_id = 0
        self.lock = threading.Lock()
        self.answers = {}
        self.arrived = threading.Condition(self.lock)
        self.ended = False
        threading.Thread(target=self._read, daemon=True).start()
        if not modern:
            self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                        "clientInfo": {"name": "test", "version": "1"}})
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            with self.lock:
                if message.get("id") is not None and "method" not in message:
                    self.answers[message["id"]] = message
                self.arrived.notify_all()
        with self.lock:
            self.ended = True
            self.arrived.notify_all()

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def start(self, method, params=None):
        """Sends a request without waiting; returns its id."""
        with self.lock:
            self.next_id += 1
            id = self.next_id
        params = dict(params or {})
        if self.modern:
            params["_meta"] = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                               "io.modelcontextprotocol/clientCapabilities": {}}
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        return id

    def wait(self, id, seconds=60):
        end = time.monotonic() + seconds
        with self.lock:
            while id not in self.answers:
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    raise RuntimeError("no answer to request %s" % id)
                self.arrived.wait(left)
            return self.answers.pop(id)

    def request(self, method, params=None, seconds=60):
        answer = self.wait(self.start(method, params), seconds)
        if "error" in answer:
            raise RuntimeError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    def call(self, tool, arguments=None, seconds=60):
        """A tool's structured answer; text and is_error beside it under "_text" and "_error"."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments or {}}, seconds)
        answer = dict(result.get("structuredContent") or {})
        answer["_text"] = result["content"][0]["text"]
        answer["_error"] = bool(result.get("isError"))
        return answer

    def close(self):
        """Ends its input; returns (exit status, seconds it took)."""
        begin = time.monotonic()
        self.process.stdin.close()
        status = self.process.wait(20)
        return status, time.monotonic() - begin


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until_ready(url, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended with status %s" % process.returncode)
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError("not ready: " + url)


# What sonde_command's config may be where a test asks more than the limits of one user allow.
NO_LIMITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "no_limits.yaml")


def sonde_command(*arguments, config="/dev/null"):
    """The built program with the built plugins and no configuration but the arguments."""
    top = os.environ["top_builddir"]
    return [os.path.join(top, "sonde"), *arguments, "--config", config, "--plugins", os.path.join(top, "plugins.d")]


def make_incident(directory, **options):
    """Writes the incident; returns its truth with t0 in seconds."""
    program = os.path.join(os.environ["top_builddir"], "sonde-incident")
    subprocess.run([program, "--seed", "1", "--end", "now", "--out", directory,
                    *[x for k, v in options.items() for x in ("--" + k, v)]], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(directory, "truth.json")) as file:
        truth = json.load(file)
    truth["t0"] = int(truth["t0_ns"]) / 1e9
    return truth


class Scratch(tempfile.TemporaryDirectory):
    def __init__(self):
        super().__init__(prefix="sonde-test-")
