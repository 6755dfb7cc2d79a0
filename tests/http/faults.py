#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that misbehave, leave, crawl or come in crowds, against tests/http/http_server. faults.py SERVER [NAME...]"""
import contextlib
import json
import os
import resource
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

PATIENCE = 60 if os.environ.get("SANITIZED", "no") != "no" else 30
AUTH = b"Authorization: Bearer good-token\r\n"
SERVER = sys.argv[1] if len(sys.argv) > 1 else "tests/http/http_server"


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            raise AssertionError("no server: " + line + self.process.stderr.read())
        host, port = line.split()[1].rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))
        self.errors = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.end(kind is not None)

    def end(self, failing=False):
        if self.process.returncode is not None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            if not failing:
                raise AssertionError("the server does not end")
        self.errors = self.process.stderr.read()
        if not failing and self.process.returncode != 0:
            raise AssertionError("exit %d: %s" % (self.process.returncode, self.errors))

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def connect(self):
        connection = socket.create_connection(self.address, PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def counts(self):
        with self.connect() as c:
            return json.loads(ask(c, b"GET", b"/counts")[2])

    def wait_for(self, check, what):
        end = time.monotonic() + PATIENCE
        while True:
            counts = self.counts()
            if check(counts):
                return counts
            if time.monotonic() > end:
                raise AssertionError("%s: %s" % (what, counts))
            time.sleep(0.01)

    def memory(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def head(method, target, headers=b"", host=b"localhost"):
    return method + b" " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + headers + b"\r\n"


def read_answer(connection):
    """Status, headers (names in lower case), body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise EOFError(data)
        data += piece
    top, rest = data.split(b"\r\n\r\n", 1)
    lines = top.decode().split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, value = line.split(": ", 1)
        headers[name.lower()] = value
    while len(rest) < int(headers.get("content-length", 0)):
        piece = connection.recv(65536)
        if not piece:
            raise EOFError(data)
        rest += piece
    return int(lines[0].split()[1]), headers, rest


def ask(connection, method, target, headers=b"", body=None, host=b"localhost"):
    if body is not None:
        headers += b"Content-Length: %d\r\n" % len(body)
    connection.sendall(head(method, target, headers, host) + (body or b""))
    return read_answer(connection)


def ended(connection):
    """The server closes, with or without a reset; what it still sends is passed over."""
    connection.settimeout(PATIENCE)
    try:
        while connection.recv(65536):
            pass
    except (ConnectionResetError, BrokenPipeError):
        pass
    return True


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError("%s: %r instead of %r" % (what, found, wanted))


def read_until(connection, text):
    data = b""
    while text not in data:
        piece = connection.recv(65536)
        if not piece:
            raise AssertionError("ended after %r" % data[-200:])
        data += piece
    return data


# ---- One request after the other

def test_answers():
    with Server() as server, server.connect() as c:
        status, headers, body = ask(c, b"POST", b"/echo", AUTH, b"x" * 1000)
        expect((status, body), (200, b"x" * 1000), "echo")
        assert headers["x-request-id"].startswith("r-") and len(headers["x-request-id"]) == 18, headers
        assert headers["date"].endswith(" GMT"), headers
        again = ask(c, b"POST", b"/echo", AUTH, b"y")[1]["x-request-id"]
        assert again != headers["x-request-id"]
        expect(ask(c, b"GET", b"/slow?ms=20", AUTH)[2], b"late\n", "slow")
        c.sendall(head(b"HEAD", b"/hello"))
        data = read_until(c, b"\r\n\r\n")
        assert b"Content-Length: 6\r\n" in data and data.endswith(b"\r\n\r\n"), data
        expect(ask(c, b"GET", b"http://localhost/hello")[0], 200, "absolute target")
        expect(ask(c, b"GET", b"/hell%6f")[0], 404, "percent left as it is")
        status, headers, body = ask(c, b"DELETE", b"/hello")
        expect((status, headers["allow"]), (405, "GET, HEAD, POST"), "method")
        expect(headers["content-type"], "application/problem+json", "type of a problem")
        expect(json.loads(body)["status"], 405, "problem")
        # A chunked body in pieces.
        c.sendall(head(b"POST", b"/echo", AUTH + b"Transfer-Encoding: chunked\r\n") + b"5\r\nhel")
        time.sleep(0.05)
        c.sendall(b"lo\r\n0\r\n\r\n")
        expect(read_answer(c)[2], b"hello", "chunked")
        # 100-continue
        c.sendall(head(b"POST", b"/echo", AUTH + b"Expect: 100-continue\r\nContent-Length: 2\r\n"))
        expect(read_until(c, b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n", "continue")
        c.sendall(b"ab")
        expect(read_answer(c)[2], b"ab", "after continue")
        c.sendall(head(b"GET", b"/hello", b"Connection: close\r\n"))
        expect(read_answer(c)[1]["connection"], "close", "close")
        assert ended(c)
        with server.connect() as old:
            old.sendall(b"GET /hello HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
            expect(read_answer(old)[1]["connection"], "close", "HTTP/1.0")
            assert ended(old)
        with server.connect() as dropped:
            dropped.sendall(head(b"GET", b"/drop", AUTH))
            expect(dropped.recv(100), b"", "drop")


def test_guards():
    with Server() as server, server.connect() as c:
        expect(ask(c, b"GET", b"/hello", host=b"evil.example")[0], 403, "wrong Host")
        expect(ask(c, b"GET", b"http://evil.example/hello")[0], 403, "wrong Host in the target")
        for good in (b"localhost:1", b"127.0.0.1", b"[::1]:7", b"a.localhost", b"Sonde.example.org"):
            expect(ask(c, b"GET", b"/hello", host=good)[0], 200, good)
        body = ask(c, b"GET", b"/hello", host=b"evil.example")[2]
        assert b" hosts " in body, body
        expect(ask(c, b"GET", b"/hello", b"Origin: http://evil.example\r\n")[0], 403, "wrong Origin")
        expect(ask(c, b"GET", b"/hello", b"Origin: null\r\n")[0], 403, "Origin null")
        expect(ask(c, b"GET", b"/hello", b"Origin: http://localhost:3000\r\n")[0], 200, "Origin")
        status, headers, _ = ask(c, b"POST", b"/echo", b"", b"body")
        expect((status, headers["www-authenticate"]), (401, 'Bearer realm="sonde"'), "no token")
        assert "connection" not in headers, "a small refused body is read, and the connection kept"
        status, headers, _ = ask(c, b"GET", b"/echo", b"Authorization: Bearer bad-token\r\n")
        expect(status, 401, "bad token")
        assert "invalid_token" in headers["www-authenticate"], headers
        expect(ask(c, b"GET", b"/echo", b"Authorization: Basic YTpi\r\n")[0], 401, "another scheme")
        expect(ask(c, b"GET", b"/echo", b"Authorization: Bearer forbidden-token\r\n")[0], 403, "forbidden")
        expect(ask(c, b"GET", b"/echo?access_token=good-token", AUTH)[0], 400, "token in the URL")
        expect(ask(c, b"GET", b"/nothing")[0], 404, "no such path")
        counts = server.counts()
        assert counts["refused"] == 11, counts
    assert "good-token" not in server.errors and "bad-token" not in server.errors, server.errors


def test_address_as_host():
    with Server("listen=127.0.0.2:0") as server, server.connect() as c:
        expect(ask(c, b"GET", b"/hello", host=b"127.0.0.2:9")[0], 200, "the address connected to")
        expect(ask(c, b"GET", b"/hello", host=b"127.0.0.3")[0], 403, "another address")


def test_listening():
    with Server() as server:
        taken = "127.0.0.1:%d" % server.address[1]
        for where, words in ((taken, "another program has that port"), ("127.0.0.1", "ADDRESS:PORT"), ("1.2.3.4.5:80", "no address"),
                             ("127.0.0.1:70000", "ADDRESS:PORT"), ("::1:80", "ADDRESS:PORT")):
            done = subprocess.run([SERVER, "listen=" + where], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
            assert done.returncode == 1 and words in done.stderr and where in done.stderr, done
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        print("  no IPv6 here")
        return
    with Server("listen=[::1]:0") as server, server.connect() as c:
        expect(ask(c, b"GET", b"/hello", host=b"[::1]:%d" % server.address[1])[0], 200, "IPv6")


def test_refused_framing():
    smuggled = head(b"GET", b"/hello")
    cases = {
        b"Content-Length: 4\r\nContent-Length: 5\r\n": 400,
        b"Transfer-Encoding : chunked\r\n": 400,
        b"Transfer-Encoding: gzip, chunked\r\n": 501,
        b"A: b\r\n c\r\n": 400,
        b"A: \x00\r\n": 400,
    }
    with Server() as server:
        for lines, wanted in cases.items():
            for cut in (False, True):
                with server.connect() as c:
                    text = head(b"POST", b"/hello", lines)
                    if cut:
                        c.sendall(text[:-1])
                        time.sleep(0.01)
                        text = text[-1:]
                    with contextlib.suppress(OSError):
                        c.sendall(text + b"0\r\n\r\n" + smuggled)
                    status, headers, _ = read_answer(c)
                    expect((status, headers["connection"]), (wanted, "close"), lines)
                    expect(c.recv(10), b"", "nothing after a refusal")
        with server.connect() as c:
            c.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 20000)
            expect(read_answer(c)[0], 431, "long head")
        with server.connect() as c:
            c.sendall(b"GET /" + b"a" * 9000)
            expect(read_answer(c)[0], 414, "long target")
        expect(server.counts()["requests"] > 0, True, "alive")


def test_pipelining():
    with Server() as server:
        with server.connect() as c:
            c.sendall(head(b"GET", b"/slow?ms=50", AUTH) + head(b"GET", b"/hello"))
            status, headers, body = read_answer(c)
            expect((status, headers["connection"], body), (200, "close", b"late\n"), "first")
            expect(c.recv(10), b"", "the second is not answered")
        with server.connect() as c:
            c.sendall(head(b"GET", b"/slow?ms=200", AUTH))
            time.sleep(0.05)
            c.sendall(head(b"GET", b"/hello"))
            expect(read_answer(c)[1]["connection"], "close", "sent while pending")
            expect(c.recv(10), b"", "not answered")
        with server.connect() as c:  # one who floods while pending is closed
            c.sendall(head(b"GET", b"/slow?ms=100000", AUTH))
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    c.sendall(b"x" * 65536)
            assert ended(c)
        server.wait_for(lambda n: n["pending"] == 1 and n["gone"] == 1, "flooder gone")


# ---- Leaving

def test_leaving():
    with Server() as server:
        how = {
            "close": lambda c: c.close(),
            "reset": lambda c: (c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)), c.close()),
            "half-close": lambda c: c.shutdown(socket.SHUT_WR),
        }
        gone = 0
        for target in (b"/slow?ms=100000", b"/stream?ms=100000"):
            for name, leave in how.items():
                c = server.connect()
                c.sendall(head(b"GET", target, AUTH))
                if b"stream" in target:
                    read_until(c, b"\r\n\r\n")
                server.wait_for(lambda n: n["pending"] == 2, "pending")
                begin = time.monotonic()
                leave(c)
                gone += 1
                counts = server.wait_for(lambda n: n["gone"] == gone, name)
                print("  %s of %s seen after %.1f ms" % (name, target.decode(), 1000 * (time.monotonic() - begin)))
                expect((counts["pending"], counts["streams"]), (1, 0), name)
                c.close()
        # 200 leave at once, with answers on their way
        crowd = [server.connect() for _ in range(200)]
        for i, c in enumerate(crowd):
            c.sendall(head(b"GET", b"/slow?ms=%d" % (i % 20), AUTH))
        for c in crowd:
            c.close()
        server.wait_for(lambda n: n["pending"] == 1 and n["connections"] == 1, "all gone")


# ---- Slow ones

def test_slow_heads_and_bodies():
    with Server("head_ms=600", "body_ms=600", "idle_ms=600") as server:
        with server.connect() as c:
            begin = time.monotonic()
            with contextlib.suppress(OSError):
                for byte in head(b"GET", b"/hello", b"A: b\r\n" * 60):
                    c.sendall(bytes([byte]))
                    time.sleep(0.05)
                    if select.select([c], [], [], 0)[0]:
                        break
            expect(read_answer(c)[0], 408, "dribbled head")
            assert ended(c)
            assert time.monotonic() - begin >= 0.5
        with server.connect() as c:
            c.sendall(head(b"POST", b"/echo", AUTH + b"Content-Length: 1000\r\n"))
            with contextlib.suppress(OSError):
                for _ in range(200):
                    c.sendall(b"x")
                    time.sleep(0.05)
                    if select.select([c], [], [], 0)[0]:
                        break
            expect(read_answer(c)[0], 408, "dribbled body")
        with server.connect() as c:
            expect(c.recv(10), b"", "one who says nothing is closed without a word")
        with server.connect() as c:
            expect(ask(c, b"GET", b"/hello")[0], 200, "first")
            expect(c.recv(10), b"", "idle between requests")
        with server.connect() as c:
            expect(ask(c, b"GET", b"/slow?ms=1500", AUTH)[0], 200, "an answer may take longer than any deadline")
        counts = server.counts()
        assert counts["slow"] >= 3, counts


def test_slow_readers():
    with Server("write_ms=500", "max_output=100000") as server:
        with server.connect() as c:  # takes nothing of a big answer
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sendall(head(b"GET", b"/big?n=50000000", AUTH))
            server.wait_for(lambda n: n["slow"] == 1 and n["connections"] == 1, "closed")
        with server.connect() as c:  # a stream beyond what may wait
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sendall(head(b"GET", b"/stream?n=100000000", AUTH))
            server.wait_for(lambda n: n["slow"] == 2 and n["streams"] == 0, "stream closed")
        with server.connect() as c:  # slow, but reading
            c.sendall(head(b"GET", b"/big?n=5000000", AUTH))
            begin = time.monotonic()
            data = b""
            while time.monotonic() - begin < 1.5:
                data += c.recv(100000)
                time.sleep(0.05)
            while len(data) < 5000000:
                piece = c.recv(1000000)
                if not piece:
                    raise AssertionError("closed after %d" % len(data))
                data += piece


def test_big_bodies():
    big = b"x" * (20 * 1024 * 1024)
    with Server() as server:
        for headers in (AUTH, AUTH + b"Expect: 100-continue\r\n"):
            with server.connect() as c:
                c.sendall(head(b"POST", b"/echo", headers + b"Content-Length: %d\r\n" % len(big)))
                c.sendall(big)  # as a client does that reads only when it has sent all
                expect(read_answer(c)[0], 413, "20 MB")
        with server.connect() as c:
            c.sendall(head(b"POST", b"/echo", AUTH + b"Transfer-Encoding: chunked\r\n"))
            for _ in range(20):
                c.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
            expect(read_answer(c)[0], 413, "20 MB in chunks")
        with server.connect() as c:
            body = os.urandom(4 * 1024 * 1024)
            expect(ask(c, b"POST", b"/echo", AUTH, body)[2] == body, True, "4 MiB back")
        assert server.memory() < 150e6 or os.environ.get("SANITIZED", "no") != "no", server.memory()


# ---- Streams

def test_streams():
    with Server("heartbeat_ms=100") as server:
        with server.connect() as c:
            c.sendall(head(b"POST", b"/stream?n=3", AUTH + b"Content-Length: 0\r\n"))
            data = read_until(c, b"0\r\n\r\n")
            assert b"Content-Type: text/event-stream\r\n" in data and b"X-Accel-Buffering: no\r\n" in data, data
            expect(data.count(b"id: 1\ndata: \n\n"), 3, "events")
            expect(ask(c, b"GET", b"/hello")[0], 200, "the connection serves on")
            c.sendall(head(b"GET", b"/stream?n=0&ms=1000", AUTH))
            assert read_until(c, b"0\r\n\r\n").count(b"\r\n:\n\n\r\n") >= 3, "comment lines keep it alive"
        with server.connect() as c:
            c.sendall(b"GET /stream?n=2 HTTP/1.0\r\nHost: localhost\r\n" + AUTH + b"\r\n")
            data = b""
            while True:
                piece = c.recv(65536)
                if not piece:
                    break
                data += piece
            assert data.endswith(b"\r\n\r\nid: 1\ndata: \n\nid: 1\ndata: \n\n"), data


# ---- Crowds

def crowd_size(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 100), hard))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)


def test_crowds():
    n = crowd_size(int(os.environ.get("HTTP_CROWD", "2000")))
    with Server("heartbeat_ms=600000") as server:
        before = server.memory()
        idle = [server.connect() for _ in range(n)]
        server.wait_for(lambda c: c["connections"] == n + 1, "all connected")
        print("  %d idle connections: %d bytes each" % (n, (server.memory() - before) // n))
        for c in idle:
            c.sendall(head(b"GET", b"/stream?ms=1000000000", AUTH + b"Accept: text/event-stream\r\nUser-Agent: tests/1.0\r\n"))
        counts = server.wait_for(lambda c: c["streams"] == n, "all streaming")
        print("  %d idle streams: %d bytes each" % (n, (server.memory() - before) // n))
        cpu = server.counts()["cpu_us"]
        time.sleep(1)
        print("  CPU in one second of silence: %d us" % (server.counts()["cpu_us"] - cpu))
        for c in idle:
            c.close()
        server.wait_for(lambda c: c["streams"] == 0 and c["connections"] == 1, "all gone")


def test_connection_limit():
    with Server("max_connections=20") as server:
        crowd = [server.connect() for _ in range(20)]
        for c in crowd:
            expect(ask(c, b"GET", b"/hello")[0], 200, "within the limit")
        late = server.connect()
        late.sendall(head(b"GET", b"/hello"))
        late.settimeout(0.3)
        with contextlib.suppress(socket.timeout):
            late.recv(1)
            raise AssertionError("answered beyond the limit")
        late.settimeout(PATIENCE)
        crowd.pop().close()
        expect(read_answer(late)[0], 200, "when another has left")
        for c in crowd:
            c.close()
        late.close()


def test_descriptors_exhausted():
    with Server() as server:
        expect(server.command("limit 40"), "limited", "limit")
        crowd = [server.connect() for _ in range(60)]
        end = time.monotonic() + PATIENCE
        for c in crowd[:10]:
            expect(ask(c, b"GET", b"/hello")[0], 200, "those who are in are served")
        paused = json.loads(ask(crowd[0], b"GET", b"/counts")[2])
        expect(paused["paused"], 1, "accepting pauses")
        time.sleep(1)
        cpu = json.loads(ask(crowd[0], b"GET", b"/counts")[2])["cpu_us"] - paused["cpu_us"]
        print("  CPU in one second without descriptors: %d us" % cpu)
        assert cpu < 300000, cpu
        for c in crowd[:30]:
            c.close()
        expect(ask(crowd[59], b"GET", b"/hello")[0], 200, "accepting comes back")
        assert time.monotonic() < end
        for c in crowd[30:]:
            c.close()
    lines = server.errors.count("no new connections")
    assert 1 <= lines <= 12, server.errors  # one a pause of a quarter second


# ---- The end

def test_drain_and_stop():
    with Server() as server:
        idle = server.connect()
        expect(ask(idle, b"GET", b"/hello")[0], 200, "before")
        slow = server.connect()
        slow.sendall(head(b"GET", b"/slow?ms=700", AUTH))
        server.wait_for(lambda n: n["pending"] == 2, "pending")
        expect(server.command("idle"), "busy", "busy")
        expect(server.command("drain"), "draining", "drain")
        expect(idle.recv(10), b"", "idle ones close")
        end = time.monotonic() + PATIENCE
        while True:
            try:
                server.connect().close()
            except OSError:
                break
            assert time.monotonic() < end, "still listening"
        status, headers, body = read_answer(slow)
        expect((status, headers["connection"], body), (200, "close", b"late\n"), "pending ones are answered")
        while server.command("idle") != "idle":
            assert time.monotonic() < end, "never idle"
            time.sleep(0.01)
    with Server() as server:  # stopped with requests that still have owners
        crowd = [server.connect() for _ in range(20)]
        for i, c in enumerate(crowd):
            c.sendall(head(b"GET", b"/slow?ms=100000" if i % 2 else b"/stream?ms=100000", AUTH))
        server.wait_for(lambda n: n["pending"] == 21, "pending")
        begin = time.monotonic()
        server.end()
        print("  stopped with 20 pending after %.0f ms" % (1000 * (time.monotonic() - begin)))
        for c in crowd:
            assert ended(c)


# ---- TLS

def make_pair(directory, name):
    cert, key = os.path.join(directory, name + ".pem"), os.path.join(directory, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def wrap(server, minimum=None, maximum=None, protocols=("http/1.1",)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if maximum:
        context.maximum_version = maximum
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(server.connect(), server_hostname="localhost")


def common_name(c):
    return subprocess.run(["openssl", "x509", "-noout", "-subject"], input=ssl.DER_cert_to_PEM_cert(c.getpeercert(True)),
                          text=True, check=True, capture_output=True).stdout.split("=")[-1].strip()


class TlsServer(Server):
    def counts(self):
        with wrap(self) as c:
            return json.loads(ask(c, b"GET", b"/counts")[2])


def test_tls():
    with tempfile.TemporaryDirectory() as directory:
        one, two = make_pair(directory, "one"), make_pair(directory, "two")
        with TlsServer("cert=" + one[0], "key=" + one[1], "head_ms=800", "heartbeat_ms=100") as server:
            c = wrap(server, protocols=("h2", "http/1.1"))
            expect((c.selected_alpn_protocol(), common_name(c)), ("http/1.1", "one"), "handshake")
            body = os.urandom(1000000)
            expect(ask(c, b"POST", b"/echo", AUTH, body)[2] == body, True, "echo")
            expect(ask(c, b"GET", b"/slow?ms=20", AUTH)[2], b"late\n", "from another thread")
            expect(len(ask(c, b"GET", b"/big?n=3000000", AUTH)[2]), 3000000, "big")
            c.sendall(head(b"GET", b"/stream?n=2&ms=500", AUTH))
            assert read_until(c, b"0\r\n\r\n").count(b":\n\n") >= 2, "stream"
            c.sendall(head(b"GET", b"/hello", b"Connection: close\r\n"))
            expect(read_answer(c)[0], 200, "last")
            expect(c.recv(10), b"", "close_notify, not a cut")
            with wrap(server, maximum=ssl.TLSVersion.TLSv1_2) as old:
                expect((old.version(), ask(old, b"GET", b"/hello")[0]), ("TLSv1.2", 200), "TLS 1.2")
            with server.connect() as old:  # written by hand: libraries do not offer TLS 1.1 alone any more
                suites = b"\xc0\x09\xc0\x13\x00\x2f"
                hello = b"\x03\x02" + bytes(32) + b"\x00" + struct.pack(">H", len(suites)) + suites + b"\x01\x00"
                hello = b"\x01" + struct.pack(">I", len(hello))[1:] + hello
                old.sendall(b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello)
                alert = old.recv(7)
                expect((alert[:1], alert[5:]), (b"\x15", b"\x02\x46"), "alert protocol_version for TLS 1.1")
            with contextlib.suppress(ssl.SSLError, OSError):
                wrap(server, protocols=("h2",))
                raise AssertionError("HTTP/2 is taken")
            with server.connect() as garbage:
                garbage.sendall(os.urandom(500))
                assert ended(garbage)
            with server.connect() as plain:
                plain.sendall(head(b"GET", b"/hello"))
                status, _, body = read_answer(plain)
                expect(status, 400, "plain HTTP")
                assert b"https" in body, body
            with server.connect() as silent:
                silent.sendall(b"\x16\x03\x01")
                assert ended(silent)  # by the deadline of the handshake
            gone = wrap(server)
            gone.sendall(head(b"GET", b"/slow?ms=100000", AUTH))
            server.wait_for(lambda n: n["pending"] == 2, "pending")
            gone.close()
            server.wait_for(lambda n: n["gone"] == 1, "gone")
            kept = wrap(server)
            answer = server.command("reload %s %s" % (one[0], two[1]))
            assert answer.startswith("refused") and "does not belong" in answer, answer
            answer = server.command("reload %s %s" % (one[0], "/nonexistent/key"))
            assert answer.startswith("refused") and "/nonexistent/key" in answer, answer
            with wrap(server) as c:
                expect(common_name(c), "one", "the old pair stays")
            expect(server.command("reload %s %s" % two), "reloaded", "reload")
            with wrap(server) as c:
                expect(common_name(c), "two", "the new pair")
            expect(ask(kept, b"GET", b"/hello")[0], 200, "older connections go on")
            kept.close()
        wrong = subprocess.run([SERVER, "cert=" + one[0], "key=" + two[1]], capture_output=True, text=True, timeout=PATIENCE)
        assert wrong.returncode == 1 and "one pair" in wrong.stderr, wrong
        with TlsServer("cert=" + one[0], "key=" + one[1], "heartbeat_ms=600000") as server:
            crowd_size(1000)
            before = server.memory()
            crowd = [wrap(server) for _ in range(300)]
            for c in crowd:
                expect(ask(c, b"GET", b"/hello")[0], 200, "crowd")
            print("  300 idle TLS connections: %d bytes each" % ((server.memory() - before) // 300))
            for c in crowd:
                c.close()


def main():
    names = sys.argv[2:] or [name for name in globals() if name.startswith("test_")]
    for name in names:
        if name == "test_tls" and not shutil.which("openssl"):
            print("%s: openssl is not here" % name)
            continue
        begin = time.monotonic()
        print(name, flush=True)
        globals()[name]()
        print("  ok, %.1f s" % (time.monotonic() - begin), flush=True)


if __name__ == "__main__":
    main()
