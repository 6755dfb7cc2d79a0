# SPDX-License-Identifier: Apache-2.0
"""`sonde serve` as a process of a test: started on a free port, asked over HTTP, always ended."""
import http.client
import itertools
import json
import os
import re
import signal
import ssl
import subprocess
import time

TOP = os.environ["top_builddir"]
PATIENCE = 120  # seconds; beyond it something hangs


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited too long for " + what)


def write(path, text, mode=0o600):
    """In place of what is there at once, as an editor does it."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)
    return path


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    def json(self):
        return json.loads(self.body)


class Serve:
    """yaml is written to sonde.yaml in directory, which is also where state is kept. With tls a client context must be given."""

    def __init__(self, directory, yaml="", arguments=(), env=None, context=None, wait=True):
        self.directory = directory
        self.config = write(os.path.join(directory, "sonde.yaml"), yaml)
        self.context = context
        self.log_path = os.path.join(directory, "log")
        self.tokens = os.path.join(directory, "state", "sonde", "tokens")
        environment = {k: v for k, v in os.environ.items() if k not in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "STATE_DIRECTORY")}
        environment["XDG_STATE_HOME"] = os.path.join(directory, "state")
        environment.update(env or {})
        command = [os.path.join(TOP, "sonde"), "serve", "--config", self.config, "--plugins", os.path.join(TOP, "plugins.d")]
        if "listen:" not in yaml and "--listen" not in arguments:
            command += ["--listen", "127.0.0.1:0"]
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen([*command, *arguments], stderr=log, stdout=subprocess.PIPE, env=environment)
        self.session = None
        self.ids = itertools.count(1)
        self.token = None
        if wait:
            found = wait_for("the start", self._address)
            self.port = int(found.group(1))
            with open(self.tokens if os.path.exists(self.tokens) else os.path.join(directory, "tokens")) as file:
                self.token = file.readline().split()[0]

    def _address(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended with %s: %s" % (self.process.returncode, self.log()))
        return re.search(r"serves MCP on https?://127\.0\.0\.1:(\d+)/mcp", self.log())

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, path, method="GET", body=None, token=True, headers=None):
        """token True: the first of the file; a text: that one; None: none."""
        connection = self.connect()
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = "Bearer " + (self.token if token is True else token)
        try:
            connection.request(method, path, body=body, headers=sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def rpc(self, method, params=None, notify=False, token=True):
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if self.session and method != "initialize":
            headers["Mcp-Session-Id"] = self.session
            headers["MCP-Protocol-Version"] = "2025-11-25"
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        if not notify:
            message["id"] = next(self.ids)
        answer = self.ask("/mcp", "POST", json.dumps(message), token, headers)
        if method == "initialize":
            self.session = answer.headers.get("Mcp-Session-Id")
        if notify:
            assert answer.status == 202, (answer.status, answer.body)
            return None
        assert answer.status == 200, (answer.status, answer.body)
        if answer.headers["Content-Type"].startswith("text/event-stream"):
            events = [json.loads(line[5:]) for line in answer.body.splitlines() if line.startswith("data:") and line[5:].strip()]
            message = [event for event in events if "id" in event][-1]
        else:
            message = answer.json()
        assert "result" in message, message
        return message["result"]

    def initialize(self):
        self.rpc("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
        self.rpc("notifications/initialized", notify=True)

    def call(self, tool, arguments=None, token=True):
        if not self.session:
            self.initialize()
        result = self.rpc("tools/call", {"name": tool, "arguments": arguments or {}}, token=token)
        answer = dict(result.get("structuredContent") or {})
        answer["_text"] = result["content"][0]["text"]
        answer["_error"] = bool(result.get("isError"))
        return answer

    def connections(self):
        return [row["name"] for row in self.call("list_connections")["connections"]]

    def write_config(self, yaml):
        write(self.config, yaml)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, words="token"):
        """HUP, then until the log has a new line with words."""
        before = self.log().count(words)
        self.signal(signal.SIGHUP)
        wait_for("the reload to say %r" % words, lambda: self.log().count(words) > before)

    def wait(self):
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def client_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
