# SPDX-License-Identifier: Apache-2.0
"""A server that answers Prometheus queries wrongly, one fault a path prefix: http://host:port/FAULT/api/v1/..."""
import gzip
import socket
import socketserver
import threading
import time

GOOD = ('{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a"},'
        '"values":[[%d,"1"],[%d,"2"]]}]}}')


BOMB = gzip.compress(b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[' + b" " * (100 << 20))


def good(path):
    now = int(time.time())
    if "/query_range" in path or path.split("?")[0].endswith("/query"):
        return (GOOD % (now - 60, now - 30)).encode()
    if "buildinfo" in path:
        return b'{"status":"success","data":{"version":"3.16.0"}}'
    if "__name__" in path:
        return b'{"status":"success","data":["up"]}'
    if "/label" in path or "exemplars" in path:
        return b'{"status":"success","data":[]}'
    return b'{"status":"success","data":{}}'


def head(status, body_size, kind="application/json", extra=""):
    return ("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n"
            % (status, kind, body_size, extra)).encode()


def whole(status, body, kind="application/json", extra=""):
    return head(status, len(body), kind, extra) + body


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        self.stop = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # clients that leave are what this server is for


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline(65536).decode("latin-1")
        length = 0
        while True:
            header = self.rfile.readline(65536).decode("latin-1")
            if header in ("\r\n", "\n", ""):
                break
            if header.lower().startswith("content-length:"):
                length = int(header.split(":")[1])
        self.rfile.read(length)
        target = line.split(" ")[1] if " " in line else "/"
        fault, _, path = target[1:].partition("/")
        answer = getattr(self, "fault_" + fault.replace("-", "_"), None)
        if answer is None or ("query" not in path and fault not in ("html", "slow", "auth")):
            self.wfile.write(whole("200 OK", good("/" + path)))
        else:
            answer(path)

    def fault_html(self, path):
        self.wfile.write(whole("200 OK", b"<html><head><title>Sign in to continue</title></head></html>", "text/html"))

    def fault_html502(self, path):
        self.wfile.write(whole("502 Bad Gateway", b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "text/html"))

    def fault_slow(self, path):
        self.server.stop.wait(30)

    def fault_huge(self, path):
        self.wfile.write(head("200 OK", 100 << 20))
        self.wfile.write(b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[')
        chunk = b'[1700000000,"1"],' * 4096
        for _ in range((100 << 20) // len(chunk)):
            self.wfile.write(chunk)

    def fault_midway(self, path):
        body = good("/" + path)
        self.wfile.write(head("200 OK", len(body) + 1000) + body[: len(body) // 2])

    def fault_wrong_length(self, path):
        body = good("/" + path)
        self.wfile.write(head("200 OK", len(body) - 20) + body)

    def fault_bomb(self, path):
        self.wfile.write(whole("200 OK", BOMB, extra="Content-Encoding: gzip\r\n"))

    def fault_redirect(self, path):
        self.wfile.write(whole("302 Found", b"", extra="Location: http://169.254.169.254/latest/meta-data/\r\n"))

    def fault_utf8(self, path):
        body = good("/" + path).replace(b'"a"', b'"\xff\xfe\xc3("')
        self.wfile.write(whole("200 OK", body))

    def fault_garbage(self, path):
        self.wfile.write(b"\x00\x01\x02 not http at all\r\n\r\n")

    def fault_not_json(self, path):
        self.wfile.write(whole("200 OK", b"upstream connect error", "text/plain"))

    def fault_wrong_shape(self, path):
        self.wfile.write(whole("200 OK", b'{"status":"success","data":{"resultType":"matrix","result":{"a":1}}}'))

    def fault_empty(self, path):
        self.wfile.write(whole("200 OK", b""))

    def fault_auth(self, path):
        self.wfile.write(whole("401 Unauthorized", b"Unauthorized", "text/plain", "WWW-Authenticate: Bearer\r\n"))

    def fault_throttled(self, path):
        self.wfile.write(whole("429 Too Many Requests", b"slow down", "text/plain", "Retry-After: 1\r\n"))

    def fault_reset(self, path):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
