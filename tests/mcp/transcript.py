#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays transcripts against an MCP server on standard input and output.

    transcript.py --command "sonde mcp --config FILE" FILE...

Each file gets a fresh process. Lines of a transcript:

    # a comment
    > TEXT               sends the line as it is
    >part TEXT           sends it without a newline
    >fill N PREFIX|SUFFIX  sends PREFIX, N times the letter x, SUFFIX and a newline
    >repeat N TEXT       sends the line N times without reading, $i in it counts from 0; then N answers with the
                         ids $i are read, in any order. Memory of the process stays under "memory" (below)
    < PATTERN            the next message matches
    <~ PATTERN           one message of those next to come matches; a row of such lines takes them in any order
    eof                  closes the input
    signal NAME          TERM or INT
    exit STATUS          the process ends with that status and nothing more was sent
    memory MIB           bound for >repeat (not under a sanitizer: they keep freed memory)

A pattern is JSON. In it "*" matches any value, "!absent" no member at all, "~REGEX" a string in which REGEX is found;
objects may have more members, arrays have as many, unless the last one is "...".
"""
import argparse
import json
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading

HANG_S = 60  # a guard against hanging, no claim about speed


class Mismatch(Exception):
    pass


def matches(pattern, value, present=True):
    if pattern == "!absent":
        return not present
    if not present:
        return False
    if pattern == "*":
        return True
    if isinstance(pattern, str) and pattern.startswith("~"):
        return isinstance(value, str) and re.search(pattern[1:], value, re.S) is not None
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(matches(p, value.get(k), k in value) for k, p in pattern.items())
    if isinstance(pattern, list):
        if not isinstance(value, list):
            return False
        if pattern and pattern[-1] == "...":
            return len(value) >= len(pattern) - 1 and all(map(matches, pattern[:-1], value))
        return len(value) == len(pattern) and all(map(matches, pattern, value))
    return type(pattern) is type(value) and pattern == value


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.messages = queue.Queue()
        self.may_read = threading.Event()
        self.may_read.set()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with os.fdopen(os.dup(self.process.stdout.fileno()), "rb", buffering=1 << 16) as pipe:
            while True:
                self.may_read.wait()
                line = pipe.readline()
                self.messages.put(line)
                if not line:
                    return

    def send(self, data):
        while data:
            data = data[self.process.stdin.write(data):]

    def next(self):
        try:
            line = self.messages.get(timeout=HANG_S)
        except queue.Empty:
            raise Mismatch("no message came") from None
        if not line:
            raise Mismatch("the server closed its output")
        if not line.endswith(b"\n"):
            raise Mismatch(f"a message without newline: {line[:300]!r}")
        return json.loads(line)

    def peak_mib(self):
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024
        except (OSError, AttributeError):
            return None

    def finish(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def flood(server, count, text, limit_mib):
    """Sends without reading until the server stops reading too (or all is sent); then reads all answers."""
    server.may_read.clear()
    sent = [0]

    def sender():
        for i in range(count):
            server.send(text.replace("$i", str(i)).encode() + b"\n")
            sent[0] = i + 1

    thread = threading.Thread(target=sender, daemon=True)
    thread.start()
    before = -1
    while thread.is_alive() and sent[0] != before:
        before = sent[0]
        thread.join(0.5)
    peak = server.peak_mib()
    stuck = thread.is_alive()
    server.may_read.set()
    ids = set()
    for _ in range(count):
        message = server.next()
        if "result" not in message:
            raise Mismatch(f"not a result: {str(message)[:300]}")
        ids.add(message["id"])
    if ids != set(range(count)):
        raise Mismatch(f"{len(ids)} different ids came back, not {count}")
    thread.join(HANG_S)
    if limit_mib and peak and os.environ.get("SANITIZED", "no") == "no":
        if not stuck:
            raise Mismatch(f"the server took in all {count} messages while nobody read its answers")
        if peak > limit_mib:
            raise Mismatch(f"the server grew to {peak:.0f} MiB, above {limit_mib}")


def any_order(server, patterns):
    patterns = list(patterns)
    while patterns:
        message = server.next()
        found = next((p for p in patterns if matches(p, message)), None)
        if found is None:
            raise Mismatch(f"unexpected {json.dumps(message)[:600]}\n  wanted one of {json.dumps(patterns)[:900]}")
        patterns.remove(found)


def expect_exit(server, status):
    try:
        code = server.process.wait(timeout=HANG_S)
    except subprocess.TimeoutExpired:
        raise Mismatch("the server does not end") from None
    rest = server.messages.get(timeout=HANG_S)
    if rest:
        raise Mismatch(f"unexpected {rest[:600]!r}")
    if code != status:
        raise Mismatch(f"exit status {code}, not {status}")


def play(server, path):
    limit = 0
    pending = []
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for number, line in enumerate(lines + ["# end"], 1):
        word, _, rest = line.partition(" ")
        try:
            if pending and word != "<~":
                any_order(server, pending)
                pending = []
            if not line or line.startswith("#"):
                continue
            if word == ">":
                server.send(rest.encode() + b"\n")
            elif word == ">part":
                server.send(rest.encode())
            elif word == ">fill":
                size, _, text = rest.partition(" ")
                prefix, _, suffix = text.partition("|")
                server.send(prefix.encode() + b"x" * int(size) + suffix.encode() + b"\n")
            elif word == ">repeat":
                count, _, text = rest.partition(" ")
                flood(server, int(count), text, limit)
            elif word == "<":
                message = server.next()
                if not matches(json.loads(rest), message):
                    raise Mismatch(f"got {json.dumps(message)[:900]}")
            elif word == "<~":
                pending.append(json.loads(rest))
            elif word == "eof":
                server.process.stdin.close()
            elif word == "signal":
                server.process.send_signal(getattr(signal, "SIG" + rest))
            elif word == "exit":
                expect_exit(server, int(rest))
            elif word == "memory":
                limit = int(rest)
            else:
                raise Mismatch("no such command")
        except Mismatch as mismatch:
            raise Mismatch(f"{path}:{number}: {line[:300]}\n  {mismatch}") from None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", required=True)
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    bad = 0
    for path in arguments.files:
        server = Server(shlex.split(arguments.command))
        try:
            play(server, path)
            print(f"ok {path}")
        except (Mismatch, BrokenPipeError, ValueError) as error:
            print(f"FAILED {error!s}")
            bad = 1
        finally:
            server.finish()
    return bad


sys.exit(main())
