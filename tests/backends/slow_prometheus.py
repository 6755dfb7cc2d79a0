# SPDX-License-Identifier: Apache-2.0
"""A Prometheus-shaped server that answers late: for what a real one is too fast for, such as cancelling in flight."""
import http.server
import json
import threading
import time
import urllib.parse


class SlowPrometheus(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, delay=0.05):
        self.delay = delay
        self.broken = 0  # answers that could not be written: the client had left
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        self.broken += 1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode()) if length else {}
        path = self.path.split("?")[0]
        data = {}
        if path.endswith("/query_range"):
            time.sleep(self.server.delay)
            start, end, step = (float(form[k][0]) for k in ("start", "end", "step"))
            count = int((end - start) / step) + 1
            data = {"resultType": "matrix", "result": [
                {"metric": {"__name__": "m", "series": str(i)}, "values": [[start + k * step, str(k % 7)] for k in range(count)]}
                for i in range(20)]}
        elif path.endswith("/query"):
            time.sleep(self.server.delay)
            data = {"resultType": "vector", "result": [{"metric": {"__name__": "m"}, "value": [time.time(), "1"]}]}
        elif path.endswith("/buildinfo"):
            data = {"version": "3.16.0"}
        elif "/label" in path or path.endswith("exemplars") or path.endswith("/series"):
            data = ["m"] if "__name__" in path else []
        body = json.dumps({"status": "success", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer
