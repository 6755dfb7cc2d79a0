# SPDX-License-Identifier: Apache-2.0
"""Real Prometheus servers on loopback, loaded with the incident."""
import os
import shutil
import subprocess
import urllib.request

from mcp_client import Scratch, free_port, make_incident, wait_until_ready


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("SONDE_TEST_CACHE") or os.path.join(home, "sonde-backends")


def programs(kind):
    """(server, promtool) or None. kind: "debian" is the packaged 2.x, "3" the one built into the cache folder."""
    if kind == "debian":
        pair = shutil.which("prometheus"), shutil.which("promtool")
    else:
        pair = os.path.join(cache(), "prometheus3"), os.path.join(cache(), "promtool3")
    return pair if all(p and os.access(p, os.X_OK) for p in pair) else None


class Prometheus:
    def __init__(self, kind, load=True, web_config=None, incident=None):
        """incident: a folder with one made before, and its truth; None makes it."""
        self.kind = kind
        server, promtool = programs(kind)
        self.scratch = Scratch()
        self.dir = self.scratch.name
        self.truth = None
        data = os.path.join(self.dir, "data")
        os.mkdir(data)
        if load:
            folder, self.truth = incident or (self.dir, make_incident(self.dir, format="all"))
            subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", os.path.join(folder, "metrics.om"), data],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        config = os.path.join(self.dir, "prometheus.yml")
        with open(config, "w") as file:
            file.write("global: {scrape_interval: 1s}\nstorage: {tsdb: {out_of_order_time_window: 3h}}\n")
            if kind == "3":  # names with dots, as OpenTelemetry spells them
                file.write("otlp: {translation_strategy: NoTranslation}\n")
        features = "exemplar-storage" if kind == "3" else "exemplar-storage,native-histograms"
        command = [server, "--config.file=" + config, "--storage.tsdb.path=" + data, "--web.listen-address=127.0.0.1:%d" % self.port,
                   "--storage.tsdb.retention.time=10y", "--enable-feature=" + features, "--log.level=error"]
        if kind == "3":
            command.append("--web.enable-otlp-receiver")
        if web_config:
            path = os.path.join(self.dir, "web.yml")
            with open(path, "w") as file:
                file.write(web_config)
            command.append("--web.config.file=" + path)
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not web_config:
            wait_until_ready(self.url + "/-/ready", self.process)

    def push_otlp(self):
        """The incident's own OTLP/JSON lines, as the Collector would send them (Prometheus 3 only)."""
        with open(os.path.join(self.dir, "metrics.jsonl"), "rb") as lines:
            for line in lines:
                request = urllib.request.Request(self.url + "/api/v1/otlp/v1/metrics", data=line,
                                                 headers={"Content-Type": "application/json"})
                urllib.request.urlopen(request, timeout=30).close()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.scratch.cleanup()
