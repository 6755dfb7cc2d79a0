# SPDX-License-Identifier: Apache-2.0
"""Real VictoriaMetrics servers on loopback, loaded with the incident."""
import os
import shutil
import subprocess
import urllib.request

from mcp_client import Scratch, free_port, make_incident, wait_until_ready
from prometheus_server import cache

BLOCK = 4 << 20


def program(kind):
    """The server or None. kind: "1.79" is the packaged one, "1.151" the one built into the cache folder."""
    path = shutil.which("victoria-metrics") if kind == "1.79" else os.path.join(cache(), "victoria-metrics-1.151")
    return path if path and os.access(path, os.X_OK) else None


def exposition(path):
    """The lines of an OpenMetrics file as /api/v1/import/prometheus takes them (milliseconds, no exemplars), in blocks."""
    block, size = [], 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("# HELP") or line.startswith("# EOF") or line.startswith("# UNIT"):
                continue
            if not line.startswith("#"):
                head, _, seconds = line.split(" # {")[0].rstrip().rpartition(" ")
                line = "%s %d\n" % (head, round(float(seconds) * 1000))
            block.append(line)
            size += len(line)
            if size > BLOCK:
                yield "".join(block).encode()
                block, size = [], 0
    yield "".join(block).encode()


class VictoriaMetrics:
    def __init__(self, kind, incident=None, load=True, options=()):
        """incident: a folder with one made before, and its truth; None makes it."""
        self.kind = kind
        self.scratch = Scratch()
        self.dir = self.scratch.name
        self.truth = None
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        # Without retentionPeriod samples of more than a month ago vanish without a word.
        self.process = subprocess.Popen([program(kind), "-httpListenAddr=127.0.0.1:%d" % self.port, "-retentionPeriod=10y",
                                         "-storageDataPath=" + os.path.join(self.dir, "data"), "-loggerLevel=ERROR", *options],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_ready(self.url + "/health", self.process)
        if load:
            folder, self.truth = incident or (self.dir, make_incident(self.dir, format="all"))
            for block in exposition(os.path.join(folder, "metrics.om")):
                self.post("/api/v1/import/prometheus", block)
            self.flush()

    def post(self, path, data):
        urllib.request.urlopen(urllib.request.Request(self.url + path, data=data), timeout=60).close()

    def flush(self):
        urllib.request.urlopen(self.url + "/internal/force_flush", timeout=60).close()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.scratch.cleanup()
