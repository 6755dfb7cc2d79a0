# SPDX-License-Identifier: Apache-2.0
"""sonde connection test: the first stage that fails is the right one, and names the setting that mends it."""
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from faulty_prometheus import Server  # noqa: E402
from mcp_client import Scratch, free_port, sonde_command  # noqa: E402
from prometheus_server import Prometheus, programs  # noqa: E402

# connection: (stage that fails, setting, words of the reason); None: all pass, and these words are among the stages
EXPECT = {
    "good": (None, None, ["Prometheus 3.16.0", "newest sample", "retention"]),
    "good-tls": (None, None, ["CN = Sonde Test", "expires", "tls.ca_file"]),
    "unchecked": (None, None, ["tls.insecure_skip_verify"]),
    "proxied": (None, None, ["127.0.0.1:"]),
    "token": (None, None, ["accepted: auth.token, headers.X-Key, tenant"]),
    "unknown-name": ("name", "url", ["nowhere.invalid"]),
    "metadata": ("address policy", "url", ["metadata"]),
    "dead-port": ("TCP", "url", ["refused"]),
    "dead-proxy": ("proxy", "proxy", ["refused"]),
    "closed-proxy": ("proxy", "proxy", ["403"]),
    "login-proxy": ("proxy", "proxy", ["login"]),
    "self-signed": ("TLS", "tls.ca_file", ["self"]),
    "wrong-ca": ("TLS", "tls.ca_file", ["certificate"]),
    "other-name": ("TLS", "tls.server_name", ["server_name"]),
    "empty-ca": ("TLS", "tls.ca_file", ["tls.ca_file"]),
    "not-tls": ("TLS", "url", ["TLS"]),
    "password": ("login", "auth.password", ["401"]),
    "bad-token": ("login", "auth.token", ["401"]),
    "no-login": ("login", "auth", ["401"]),
    "broken-token": ("login", "auth.token", ["line break"]),
    "html": ("product and version", "url", ["Sign in"]),
    "no-api": ("product and version", "url", ["404"]),
    "silent": ("HTTP", "timeout_seconds", ["answer"]),
}


class Front(socketserver.ThreadingTCPServer):
    """Answers every request with the same bytes, over TLS or not; silent without."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer):
        self.answer = answer
        self.stop = threading.Event()
        super().__init__(("127.0.0.1", 0), FrontHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass


class FrontHandler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline(65536) not in (b"\r\n", b"\n", b""):
            pass
        if self.server.answer:
            self.wfile.write(self.server.answer)
        else:
            self.server.stop.wait(30)


class TlsServer(Server):
    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__()

    def get_request(self):
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


class Forward(socketserver.ThreadingTCPServer):
    """A proxy that sends whatever it is asked on to one server."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, to):
        self.to = to
        super().__init__(("127.0.0.1", 0), ForwardHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ForwardHandler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline(65536).decode()
        method, target, version = line.split(" ")
        rest = b""
        while not rest.endswith(b"\r\n\r\n"):
            rest += self.rfile.readline(65536)
        for header in rest.decode().lower().splitlines():
            if header.startswith("content-length:"):
                rest += self.rfile.read(int(header.split(":")[1]))
        path = "/" + target.split("://", 1)[1].partition("/")[2]
        with socket.create_connection(self.server.to) as backend:
            backend.sendall(("%s %s %s" % (method, path, version)).encode() + rest)
            while data := backend.recv(65536):
                self.wfile.write(data)


def certificate(directory, name, *names):
    """A self-signed one: its own authority."""
    cert, key = (os.path.join(directory, "%s.%s" % (name, kind)) for kind in ("pem", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=Sonde Test", "-addext", "subjectAltName=" + ",".join(names), "-keyout", key, "-out", cert],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def configure(directory):
    cert, key = certificate(directory, "right", "IP:127.0.0.1")
    other, _ = certificate(directory, "wrong", "IP:127.0.0.1")
    named, named_key = certificate(directory, "named", "DNS:backend.example")
    broken = os.path.join(directory, "broken")
    with open(broken, "w") as file:
        file.write("neither a certificate\nnor a token\n")
    os.chmod(broken, 0o600)
    server = Server()
    port = server.server_address[1]
    tls = TlsServer(cert, key).server_address[1]
    elsewhere = TlsServer(named, named_key).server_address[1]
    forbids = Front(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    asks = Front(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    missing = Front(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot here\n")
    forward = Forward(("127.0.0.1", port))
    silent = Front(None)
    lines = {
        "good": "url: '%s/good'" % server.url,
        "good-tls": "url: 'https://127.0.0.1:%d/good', tls: {ca_file: %s}" % (tls, cert),
        "unchecked": "url: 'https://127.0.0.1:%d/good', tls: {insecure_skip_verify: true}" % tls,
        "proxied": "url: 'http://prometheus.invalid/good', proxy: 'http://127.0.0.1:%d'" % forward.port,
        "token": "url: '%s/good', auth: {type: bearer, token: x}, headers: {X-Key: y}, tenant: z" % server.url,
        "unknown-name": "url: 'http://nowhere.invalid:9090'",
        "metadata": "url: 'http://169.254.169.254/'",
        "dead-port": "url: 'http://127.0.0.1:%d'" % free_port(),
        "dead-proxy": "url: 'http://127.0.0.1:9', proxy: 'http://127.0.0.1:%d'" % free_port(),
        "closed-proxy": "url: 'https://127.0.0.1:9', proxy: 'http://127.0.0.1:%d'" % forbids.port,
        "login-proxy": "url: 'http://127.0.0.1:9', proxy: 'http://127.0.0.1:%d'" % asks.port,
        "self-signed": "url: 'https://127.0.0.1:%d/good'" % tls,
        "wrong-ca": "url: 'https://127.0.0.1:%d/good', tls: {ca_file: %s}" % (tls, other),
        "other-name": "url: 'https://127.0.0.1:%d/good', tls: {ca_file: %s}" % (elsewhere, named),
        "empty-ca": "url: 'https://127.0.0.1:%d/good', tls: {ca_file: %s}" % (tls, broken),
        "not-tls": "url: 'https://127.0.0.1:%d/good'" % port,
        "password": "url: '%s/auth', auth: {type: basic, username: ann, password: wrong}" % server.url,
        "bad-token": "url: '%s/auth', auth: {type: bearer, token: wrong}" % server.url,
        "no-login": "url: '%s/auth'" % server.url,
        "broken-token": "url: '%s/good', auth: {type: bearer, token: {file: %s}}" % (server.url, broken),
        "html": "url: '%s/html'" % server.url,
        "no-api": "url: 'http://127.0.0.1:%d'" % missing.port,
        "silent": "url: 'http://127.0.0.1:%d', timeout_seconds: 1" % silent.port,
    }
    assert lines.keys() == EXPECT.keys()
    path = os.path.join(directory, "stages.yaml")
    with open(path, "w") as file:
        file.write("connections:\n" + "".join("  - {name: %s, backend: prometheus, %s}\n" % row for row in lines.items()))
    os.chmod(path, 0o600)
    return path, (server, forbids, asks, missing, forward, silent)


def stages(name, path, **more):
    done = subprocess.run(sonde_command("connection", "test", name, config=path),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, **more)
    rows = []
    for line in done.stdout.splitlines():
        if line[:7].strip():
            rows.append([line[:7].strip(), line[8:28].strip(), line[29:].strip(), ""])
        elif "setting: " in line:
            rows[-1][3] = line.split("setting: ", 1)[1]
    return done, rows


def judge(name, path):
    stage, setting, words = EXPECT[name]
    done, rows = stages(name, path)
    failed = [row for row in rows if row[0] == "FAILED"]
    shown = "%s\n%s" % (done.stdout, done.stderr)
    if stage is None:
        assert done.returncode == 0 and not failed, shown
        assert all(row[0] == "ok" for row in rows), shown
        text = done.stdout
    else:
        assert done.returncode != 0 and len(failed) == 1, shown
        assert failed[0][1] == stage and failed[0][3] == setting, "expected %s, %s:\n%s" % (stage, setting, shown)
        order = [row[0] for row in rows]
        assert "ok" not in order[order.index("FAILED"):], shown
        text = failed[0][2]
    for word in words:
        assert word.lower() in text.lower(), "%r is not in:\n%s" % (word, shown)
    assert "wrong" not in done.stdout.replace("wrong.pem", ""), shown  # no password is shown


def environment(path):
    """A proxy in the environment is not used, and the test says so."""
    done, rows = stages("good", path, env=dict(os.environ, http_proxy="http://127.0.0.1:1"))
    assert done.returncode == 0, done.stdout
    proxy = [row for row in rows if row[1] == "proxy"]
    assert proxy and "http_proxy" in proxy[0][2] and "not used" in proxy[0][2], done.stdout


def real(directory):
    """A real server with a password over TLS: everything passes, then each thing that is wrong."""
    kind = "debian" if programs("debian") else "3"
    if not programs(kind) or not shutil.which("htpasswd") and not shutil.which("openssl"):
        print("no Prometheus here: the real one is left out")
        return
    cert, key = certificate(directory, "real", "IP:127.0.0.1", "DNS:localhost")
    # bcrypt of "right", cost 4
    server = Prometheus(kind, load=False, web_config="tls_server_config: {cert_file: %s, key_file: %s}\n" % (cert, key))
    path = os.path.join(directory, "real.yaml")
    with open(path, "w") as file:
        file.write("connections:\n"
                   "  - {name: real, backend: prometheus, url: 'https://127.0.0.1:%d', tls: {ca_file: %s}}\n"
                   "  - {name: untrusted, backend: prometheus, url: 'https://127.0.0.1:%d'}\n" % (server.port, cert, server.port))
    os.chmod(path, 0o600)
    try:
        for _ in range(100):
            done, rows = stages("real", path)
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stdout + done.stderr
        assert any(row[1] == "product and version" and row[2].startswith("Prometheus") for row in rows), done.stdout
        assert any(row[1] == "TLS" and "CN = Sonde Test" in row[2] for row in rows), done.stdout
        EXPECT["untrusted"] = ("TLS", "tls.ca_file", [])
        judge("untrusted", path)
    finally:
        server.process.kill()
        server.process.wait()


def main():
    if not shutil.which("openssl"):
        print("skipped: openssl is not here")
        sys.exit(77)
    bad = 0
    with Scratch() as directory:
        path, servers = configure(directory)
        for name in EXPECT:
            try:
                judge(name, path)
                print("ok %s" % name)
            except AssertionError as error:
                bad += 1
                print("FAILED %s: %s" % (name, error))
        environment(path)
        real(directory)
        for server in servers:
            server.stop.set() if hasattr(server, "stop") else None
            server.shutdown()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
