# SPDX-License-Identifier: Apache-2.0
"""http2: true and false against a real front end that speaks both: the version each request came with, and how many sockets were used."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import Client, Scratch, free_port, wait_until_ready  # noqa: E402
from slow_prometheus import SlowPrometheus  # noqa: E402

TOP = os.environ["top_builddir"]
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
CONFIG = """
daemon off; master_process off; pid %(dir)s/pid; error_log %(dir)s/error.log;
events {}
http {
    log_format versions '$server_protocol $connection $request_uri';
    access_log %(dir)s/access.log versions;
    client_body_temp_path %(dir)s/t1; proxy_temp_path %(dir)s/t2; fastcgi_temp_path %(dir)s/t3; uwsgi_temp_path %(dir)s/t4; scgi_temp_path %(dir)s/t5;
    server {
        listen 127.0.0.1:%(port)d ssl http2;
        ssl_certificate %(dir)s/cert.pem; ssl_certificate_key %(dir)s/key.pem;
        location / { proxy_pass %(backend)s; }
    }
    server { listen 127.0.0.1:%(plain)d; location / { return 200 "ready"; } }
}
"""


def requests_of(directory):
    with open(os.path.join(directory, "access.log")) as file:
        rows = [line.split(" ", 2) for line in file]
    return [(version, connection) for version, connection, uri in rows if "/api/v1/" in uri]


def ask(directory, port, http2, calls):
    path = os.path.join(directory, "sonde.yaml")
    with open(path, "w") as file:
        file.write("connections:\n  - {name: front, backend: prometheus, url: 'https://localhost:%d', http2: %s, tls: {ca_file: %s}}\n"
                   % (port, "true" if http2 else "false", os.path.join(directory, "cert.pem")))
    os.chmod(path, 0o600)
    open(os.path.join(directory, "access.log"), "w").close()
    client = Client([os.path.join(TOP, "sonde"), "mcp", "--config", path, "--plugins", os.path.join(TOP, "plugins.d")])
    ids = [client.start("tools/call", {"name": "query_metrics", "arguments": {"query": "m", "time_range": {"start": "%dm" % (30 + i)}}})
           for i in range(calls)]
    for id in ids:
        result = client.wait(id)["result"]
        assert not result.get("isError"), result["content"][0]["text"]
    assert client.close()[0] == 0
    return requests_of(directory)


def main():
    if not NGINX or not shutil.which("openssl") or "http_v2" not in subprocess.run([NGINX, "-V"], capture_output=True, text=True).stderr:
        print("nginx with HTTP/2, or openssl, is not here")
        return 77
    with Scratch() as directory:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", directory + "/key.pem", "-out", directory + "/cert.pem"],
                       check=True, capture_output=True)
        backend = SlowPrometheus()
        port, plain = free_port(), free_port()
        with open(directory + "/nginx.conf", "w") as file:
            file.write(CONFIG % {"dir": directory, "port": port, "plain": plain, "backend": backend.url})
        nginx = subprocess.Popen([NGINX, "-c", directory + "/nginx.conf", "-p", directory, "-e", directory + "/error.log"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_ready("http://127.0.0.1:%d/" % plain, nginx)
            two = ask(directory, port, True, 40)
            assert two and {version for version, _ in two} == {"HTTP/2.0"}, two[:5]
            sockets = len({connection for _, connection in two})
            assert sockets <= 4, "%d sockets for %d requests" % (sockets, len(two))
            one = ask(directory, port, False, 10)
            assert one and {version for version, _ in one} == {"HTTP/1.1"}, one[:5]
            print("HTTP/2: %d requests over %d sockets; HTTP/1.1: %d" % (len(two), sockets, len(one)))
        finally:
            nginx.terminate()
            nginx.wait(10)
    return 0


sys.exit(main())
