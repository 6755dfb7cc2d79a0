#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Master keys from end to end: connections with secrets, a rotation that is killed again and again while they change, an old key taken out; a
server that holds the keys of the ring it was started with, and follows it; a wrong key, which nothing is served with."""

import base64
import http.server
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("top_builddir", ".")
SONDE = os.path.join(BUILD, "sonde")
COUNT = 40
failures = 0


def check(what, well, detail=""):
    global failures
    if not well:
        failures += 1
        print("FAILED: %s %s" % (what, detail))


class Backend(http.server.BaseHTTPRequestHandler):
    """Notes the login of each request."""

    seen = set()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.seen.add(self.headers.get("Authorization"))
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET


class Scratch:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sonde-rotation-")
        self.keys = os.path.join(self.folder, "keys")
        self.database = os.path.join(self.folder, "sonde.db")
        self.config = os.path.join(self.folder, "sonde.yaml")
        self.lines = []
        with open(self.config, "w", encoding="ascii") as file:
            file.write("store: %s\nkeys: {file: %s}\n" % (self.database, self.keys))
        os.chmod(self.config, 0o600)

    def command(self, *arguments):
        return [SONDE, "--config", self.config, "--plugins", os.path.join(BUILD, "plugins.d"), *arguments]

    def run(self, *arguments, text=None, timeout=60):
        return subprocess.run(self.command(*arguments), input=text or "", capture_output=True, text=True, timeout=timeout, check=False)

    def put_ring(self, lines):
        """As an administrator does it: a new file in the old one's place."""
        self.lines = lines
        draft = self.keys + ".new"
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(draft, self.keys)

    def status(self):
        result = self.run("key", "status", "--json")
        if result.returncode:
            raise SystemExit("key status: " + result.stderr)
        return json.loads(result.stdout)


def new_key(name):
    return name + ":" + base64.b64encode(os.urandom(32)).decode()


def add_connections(scratch, port):
    for i in range(COUNT):
        config = {"url": "http://127.0.0.1:%d" % port, "auth": {"type": "bearer", "token": "secret-%d" % i}, "headers": {"X-More": "more-%d" % i}}
        result = scratch.run("connection", "add", "c%d" % i, "prometheus", "--config-json", "-", text=json.dumps(config))
        if result.returncode:
            raise SystemExit("connection add: " + result.stderr)


def all_open(scratch, numbers):
    """Every login reaches the backend as it was given."""
    Backend.seen.clear()
    for i in numbers:
        result = scratch.run("query", "up", "-c", "c%d" % i)
        check("c%d is asked with its own secret" % i, "Bearer secret-%d" % i in Backend.seen, result.stderr)


def sealed_under(scratch):
    """Ids of the keys in the rows as they lie in the file."""
    with sqlite3.connect(scratch.database) as database:
        rows = database.execute("SELECT connection_config FROM observability_connections").fetchall()
    values = [part.split(":")[1] for (row,) in rows for part in row.split('"') if part.startswith("sonde1:")]
    check("two secrets a row", len(values) == 2 * COUNT, len(values))
    check("no secret in the clear", not any("secret-" in row or "more-" in row for (row,) in rows))
    return set(values)


def kill_again_and_again(scratch):
    stop = threading.Event()

    def change():
        while not stop.is_set():
            i = random.randrange(COUNT)
            result = scratch.run("connection", "edit", "c%d" % i, "--config-json", "-", text=json.dumps({"timeout_seconds": random.randrange(1, 100)}))
            check("an edit meanwhile", result.returncode == 0, result.stderr)

    editor = threading.Thread(target=change)
    editor.start()
    killed = 0
    for _ in range(20):
        with subprocess.Popen(scratch.command("key", "rotate"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(random.uniform(0.01, 0.08))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
    stop.set()
    editor.join()
    check("some were killed", killed > 0)


def rotate(scratch):
    old = scratch.lines[0].split(":")[0]
    scratch.put_ring(scratch.lines + [new_key("second")])
    check("nothing moves by itself", sealed_under(scratch) == {old})
    scratch.put_ring(scratch.lines[::-1])
    kill_again_and_again(scratch)
    result = scratch.run("key", "rotate")
    check("the last rotation completes", result.returncode == 0 and "done" in result.stdout, result.stderr)
    check("everything is under the new key", sealed_under(scratch) == {"second"}, sealed_under(scratch))
    keys = {key["id"]: key for key in scratch.status()["keys"]}
    check("the old one may go", keys[old]["may_go"] and not keys["second"]["may_go"], keys)
    scratch.put_ring(scratch.lines[:1])
    all_open(scratch, random.sample(range(COUNT), 6))


def server_follows(scratch):
    """A running process that lacks the new key holds the rotation up, until it has read the ring."""
    arguments = ("serve", "--listen", "127.0.0.1:0", "--token-file", os.path.join(scratch.folder, "tokens"))
    with subprocess.Popen(scratch.command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 20
        while not scratch.status()["processes"] and time.monotonic() < until:
            time.sleep(0.05)
        scratch.put_ring([new_key("third")] + scratch.lines)
        result = scratch.run("key", "rotate")
        check("refused while it lacks the key", result.returncode == 1 and "does not hold the key third" in result.stderr, result.stderr)
        process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 60
        while not all(one["same_active"] for one in scratch.status()["processes"]) and time.monotonic() < until:
            time.sleep(0.05)
        result = scratch.run("key", "rotate")
        check("done once it has it", result.returncode == 0, result.stderr)
        check("everything is under the third key", sealed_under(scratch) == {"third"})
        process.terminate()
        check("it ends well", process.wait(timeout=20) == 0)


def wrong_key(scratch):
    right = scratch.lines
    for lines, says in (([new_key("other")], "does not hold"), ([new_key("third")], "only its id is the same")):
        scratch.put_ring(lines)
        for arguments in (("mcp",), ("serve", "--listen", "127.0.0.1:0", "--token-file", os.path.join(scratch.folder, "tokens")), ("key", "status"), ("query", "up")):
            result = scratch.run(*arguments)
            check("%s with a wrong key" % arguments[0], result.returncode == 2 and says in result.stderr, (result.returncode, result.stderr))
            check("no key in the message", lines[0].split(":")[1] not in result.stderr)
    scratch.put_ring(right)
    all_open(scratch, [0])


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scratch = Scratch()
    try:
        scratch.put_ring([new_key("first")])
        add_connections(scratch, server.server_address[1])
        all_open(scratch, [0, COUNT - 1])
        rotate(scratch)
        server_follows(scratch)
        wrong_key(scratch)
    finally:
        shutil.rmtree(scratch.folder)
        server.shutdown()
    sys.exit(failures > 0)


main()
