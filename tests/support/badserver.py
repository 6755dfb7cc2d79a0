#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A backend that misbehaves on request, for tests. Loopback only; prints its port on a line of its own.

usage: badserver.py [--tls CERT KEY [CLIENT_CA]] [--ipv6]

It ends when its standard input does, so that no test leaves one behind. Paths (all take any method;
sizes and times come from the query, as n=BYTES, ms=MILLISECONDS, and so on):

  /ok                 200, "ok"                    /status/CODE        that status, with a text body
  /echo[/...]         the request as it came: line, headers, body
  /body?n=            n bytes, Content-Length      /chunked?n=         the same bytes, chunked
  /close?n=           the same until the connection closes (no length, HTTP/1.0 style)
  /gzip?n=            the same bytes, gzip         /deflate, /rawdeflate  zlib stream, raw deflate
  /gzipcut?n=         gzip, complete as HTTP but cut as gzip
  /gzipbroken?n=      gzip damaged in the middle   /bomb?n=            n zero bytes, gzip, chunked
  /members?n=         two gzip members             /brotli             an encoding nobody asked for
  /slowhead?ms=       head after that time         /slowbody?ms=       half, a pause, the other half
  /dribble?n=&ms=     a byte at a time             /never              reads, never answers
  /cut?n=&sent=       Content-Length n, closes after `sent` bytes
  /reset?n=&sent=     the same with a TCP reset    /chunkcut?n=        chunked without the last chunk
  /shorthead          closes within the head       /empty              closes without a byte
  /long?n=            more bytes than Content-Length says
  /declared?n=        Content-Length n, sends nothing more
  /redirect?to=       302                          /garbage            not HTTP
  /http09             a body without a status line /hugeheaders?n=     n bytes of headers
  /hugeline?n=        one header line of n bytes   /continue           three 100s, then 200
  /teunasked          Transfer-Encoding: gzip, chunked
  /badutf8            JSON with invalid UTF-8      /html               a login page with 200
  /auth?token=        401 unless "Authorization: Bearer TOKEN" came
  /throttle?ms=       429 with Retry-After         /busy               503
  /flaky?key=&fails=  503 for the first `fails` requests with that key, then 200
  /trailers           chunked, with trailers
  /_seen              what was seen so far, as JSON: one object a request with id, method, path,
                      headers, body_size, connection, sent, closed_early, done
  /_reset             forgets it
"""

import gzip
import json
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import zlib

lock = threading.Lock()
seen = []
flaky = {}
connections = 0


def pattern(n, start=0):
    """Bytes that tell where they stand: line i holds i, 16 bytes a line."""
    first = start // 16
    lines = (n + start % 16) // 16 + 2
    data = b"".join(b"%015d\n" % i for i in range(first, first + lines))
    return data[start % 16 : start % 16 + n]


_block = None


def stream(n):
    """The pattern in pieces of 64 KiB, without making it anew for every request."""
    global _block
    if _block is None:
        _block = pattern(1 << 20)
    at = 0
    while at < n:
        piece = min(65536, n - at)
        offset = at % (1 << 20)
        yield _block[offset : offset + piece]
        at += piece


class Gone(Exception):
    pass


class Handler(socketserver.BaseRequestHandler):
    def setup(self):
        global connections
        with lock:
            connections += 1
            self.connection = connections
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.tls:
            self.request.settimeout(20)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.request.settimeout(None)
        self.buffer = b""

    def handle(self):
        try:
            while self.one():
                pass
        except (Gone, OSError, ssl.SSLError):
            pass

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            data = self.request.recv(65536)
            if not data:
                raise Gone
            self.buffer += data
            if not self.buffer[:1].isalpha():  # a TLS handshake
                self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                raise Gone
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def read_body(self, size):
        while len(self.buffer) < size:
            data = self.request.recv(65536)
            if not data:
                raise Gone
            self.buffer += data
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return body

    def one(self):
        head = self.read_head()
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = [line.split(":", 1) for line in lines[1:]]
        headers = [(name.strip().lower(), value.strip()) for name, value in headers]
        size = int(dict(headers).get("content-length", "0"))
        body = self.read_body(size)
        if "://" in target:
            target = target.split("://", 1)[1]
            target = "/" + target.partition("/")[2]
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.entry = {"method": method, "path": target, "headers": headers, "body_size": size,
                      "connection": self.connection, "sent": 0, "closed_early": False,
                      "done": False}
        with lock:
            self.entry["id"] = len(seen)
            if not url.path.startswith("/_"):
                seen.append(self.entry)
        self.method = method
        self.raw = head + b"\r\n\r\n" + body
        self.headers = dict(headers)
        self.keep = self.headers.get("connection", "").lower() != "close"
        parts = url.path.strip("/").split("/")
        answer = getattr(self, "do_" + parts[0].replace("_", "own_"), None)
        try:
            if answer and parts[0] == "status":
                answer(query, parts[1])
            elif answer:
                answer(query)
            else:
                self.plain(404, b"no such path\n")
            self.entry["done"] = True
        except (OSError, ssl.SSLError):
            self.entry["closed_early"] = True
            raise Gone
        return self.keep

    # Sending

    def send(self, data):
        self.request.sendall(data)
        self.entry["sent"] += len(data)

    def head(self, status, *headers, length=None):
        text = "HTTP/1.1 %d Status\r\n" % status
        for line in headers:
            text += line + "\r\n"
        if length is not None:
            text += "Content-Length: %d\r\n" % length
        self.send((text + "\r\n").encode("latin-1"))

    def plain(self, status, body, *headers):
        self.head(status, "Content-Type: text/plain", *headers, length=len(body))
        if self.method != "HEAD":
            self.send(body)

    def chunk(self, data):
        self.send(b"%x\r\n" % len(data) + data + b"\r\n")

    def wait(self, milliseconds):
        """Sleeps, but notices when the client leaves."""
        end = time.monotonic() + milliseconds / 1000
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return
            self.request.settimeout(left)
            try:
                data = self.request.recv(4096)
                if not data:
                    self.entry["closed_early"] = True
                    raise Gone
                self.buffer += data  # the next request
            except (socket.timeout, ssl.SSLWantReadError):
                return
            except OSError:
                self.entry["closed_early"] = True
                raise Gone
            finally:
                try:
                    self.request.settimeout(None)
                except OSError:
                    pass

    # Good answers

    def do_ok(self, query):
        self.plain(200, b"ok\n")

    def do_status(self, query, code):
        self.plain(int(code), b"status %s\n" % code.encode())

    def do_echo(self, query):
        self.plain(200, self.raw)

    def do_body(self, query):
        n = int(query.get("n", "1000"))
        self.head(200, length=n)
        for piece in stream(n):
            self.send(piece)

    def do_chunked(self, query):
        self.head(200, "Transfer-Encoding: chunked")
        for piece in stream(int(query.get("n", "1000"))):
            self.chunk(piece)
        self.send(b"0\r\n\r\n")

    def do_trailers(self, query):
        self.head(200, "Transfer-Encoding: chunked", "Trailer: X-Late")
        self.chunk(b"body")
        self.send(b"0\r\nX-Late: yes\r\nContent-Length: 9\r\n\r\n")

    def do_close(self, query):
        self.head(200, "Connection: close")
        for piece in stream(int(query.get("n", "1000"))):
            self.send(piece)
        self.keep = False

    def packed(self, coding, data):
        self.head(200, "Content-Encoding: " + coding, length=len(data))
        for at in range(0, len(data), 65536):
            self.send(data[at : at + 65536])

    def pattern_of(self, query):
        return b"".join(stream(int(query.get("n", "1000"))))

    def do_gzip(self, query):
        self.packed("gzip", gzip.compress(self.pattern_of(query), 1))

    def do_deflate(self, query):
        self.packed("deflate", zlib.compress(self.pattern_of(query)))

    def do_rawdeflate(self, query):
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.packed("deflate", packer.compress(self.pattern_of(query)) + packer.flush())

    def do_members(self, query):
        data = self.pattern_of(query)
        half = len(data) // 2
        self.packed("gzip", gzip.compress(data[:half]) + gzip.compress(data[half:]))

    def do_continue(self, query):
        for _ in range(3):
            self.send(b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n")
        self.plain(200, b"ok\n")

    def do_badutf8(self, query):
        body = b'{"status":"success","data":"\xff\xfe\xc3("}'
        self.head(200, "Content-Type: application/json", length=len(body))
        self.send(body)

    def do_html(self, query):
        body = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>"
        self.head(200, "Content-Type: text/html; charset=utf-8", length=len(body))
        self.send(body)

    # Answers that are errors

    def do_redirect(self, query):
        self.plain(302, b"elsewhere\n", "Location: " + query.get("to", "/ok"))

    def do_auth(self, query):
        if self.headers.get("authorization", "") == "Bearer " + query.get("token", ""):
            self.plain(200, b"welcome\n")
        else:
            self.plain(401, b"who are you\n", 'WWW-Authenticate: Bearer realm="test"')

    def do_throttle(self, query):
        seconds = int(query.get("ms", "1000")) / 1000
        self.plain(429, b"slow down\n", "Retry-After: %g" % seconds)

    def do_busy(self, query):
        self.plain(503, b"busy\n")

    def do_flaky(self, query):
        with lock:
            count = flaky[query.get("key", "")] = flaky.get(query.get("key", ""), 0) + 1
        if count <= int(query.get("fails", "1")):
            self.plain(503, b"not yet\n")
        else:
            self.plain(200, b"ok\n")

    # Slow ones

    def do_slowhead(self, query):
        self.wait(int(query.get("ms", "1000")))
        self.plain(200, b"ok\n")

    def do_slowbody(self, query):
        body = self.pattern_of(query)
        self.head(200, length=len(body))
        self.send(body[: len(body) // 2])
        self.wait(int(query.get("ms", "1000")))
        self.send(body[len(body) // 2 :])

    def do_dribble(self, query):
        body = self.pattern_of(query)
        self.head(200, length=len(body))
        for i in range(len(body)):
            self.send(body[i : i + 1])
            self.wait(int(query.get("ms", "1")))

    def do_never(self, query):
        self.wait(3600 * 1000)

    def do_declared(self, query):
        self.head(200, length=int(query.get("n", "1000")))
        self.wait(3600 * 1000)

    # Broken ones

    def do_cut(self, query, reset=False):
        n = int(query.get("n", "1000"))
        sent = int(query.get("sent", n // 2))
        self.head(200, length=n)
        for piece in stream(sent):
            self.send(piece)
        if reset:
            time.sleep(0.05)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keep = False

    def do_reset(self, query):
        self.do_cut(query, reset=True)

    def do_chunkcut(self, query):
        self.head(200, "Transfer-Encoding: chunked")
        for piece in stream(int(query.get("n", "1000"))):
            self.chunk(piece)
        self.keep = False

    def do_shorthead(self, query):
        self.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
        self.keep = False

    def do_empty(self, query):
        self.keep = False

    def do_long(self, query):
        body = self.pattern_of(query)
        self.head(200, length=len(body) // 2)
        self.send(body)
        self.keep = False

    def do_garbage(self, query):
        self.send(b"\x00\x01\x02 this is not HTTP \xff\r\n\r\n")
        self.keep = False

    def do_http09(self, query):
        self.send(b"hello, this is version 0.9\n")
        self.keep = False

    def do_hugeheaders(self, query):
        n = int(query.get("n", "300000"))
        lines = ["X-Pad-%d: %s" % (i, "x" * 980) for i in range(n // 1000 + 1)]
        self.head(200, *lines, length=0)

    def do_hugeline(self, query):
        self.head(200, "X-Pad: " + "x" * int(query.get("n", "300000")), length=0)

    def do_gzipcut(self, query):
        data = gzip.compress(self.pattern_of(query))
        self.packed("gzip", data[: len(data) // 2])

    def do_gzipbroken(self, query):
        data = bytearray(gzip.compress(self.pattern_of(query)))
        for i in range(len(data) // 2, len(data) // 2 + 8):
            data[i] ^= 0xFF
        self.packed("gzip", bytes(data))

    def do_bomb(self, query):
        n = int(query.get("n", str(1 << 30)))
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        zeros = bytes(1 << 20)
        self.head(200, "Content-Encoding: gzip", "Transfer-Encoding: chunked")
        for _ in range(n >> 20):
            data = packer.compress(zeros)
            if data:
                self.chunk(data)
        self.chunk(packer.flush())
        self.send(b"0\r\n\r\n")

    def do_brotli(self, query):
        self.packed("br", b"\x0b\x02\x80hello\x03")

    def do_teunasked(self, query):
        self.head(200, "Transfer-Encoding: gzip, chunked")
        self.chunk(gzip.compress(b"surprise"))
        self.send(b"0\r\n\r\n")
        self.keep = False

    # About itself

    def do_own_seen(self, query):
        with lock:
            body = json.dumps(seen).encode()
        self.plain(200, body)

    def do_own_reset(self, query):
        with lock:
            seen.clear()
            flaky.clear()
        self.plain(200, b"ok\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256
    tls = None

    def handle_error(self, request, client_address):
        pass  # a client that leaves is what the tests are about


class Server6(Server):
    address_family = socket.AF_INET6


def main(arguments):
    ipv6 = "--ipv6" in arguments
    server = (Server6 if ipv6 else Server)(("::1" if ipv6 else "127.0.0.1", 0), Handler)
    if "--tls" in arguments:
        files = arguments[arguments.index("--tls") + 1 :]
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(files[0], files[1])
        if len(files) > 2:
            server.tls.verify_mode = ssl.CERT_REQUIRED
            server.tls.load_verify_locations(files[2])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main(sys.argv[1:])
