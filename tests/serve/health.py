# SPDX-License-Identifier: Apache-2.0
"""A backend that is killed and comes back is seen to be gone and back, by who asks and by who only watches the counters."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/backends"))
from mcp_client import Scratch, free_port  # noqa: E402
from server import Serve, wait_for  # noqa: E402

BACKEND = """
import sys
sys.path.insert(0, sys.argv[1])
import faulty_prometheus as f
f.socketserver.ThreadingTCPServer.allow_reuse_address = True
f.Server.__init__ = lambda self: (setattr(self, "stop", f.threading.Event()),
                                  f.socketserver.ThreadingTCPServer.__init__(self, ("127.0.0.1", int(sys.argv[2])), f.Handler))[1]
server = f.Server()
print("up", flush=True)
server.serve_forever()
"""


def backend(port):
    process = subprocess.Popen([sys.executable, "-c", BACKEND, os.path.join(os.environ["top_srcdir"], "tests/backends"), str(port)],
                               stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def row(serve):
    time.sleep(0.6)  # calls per minute are limited
    return serve.call("list_connections")["connections"][0]


def timed(what, condition):
    """How long it took to show is what a person wants to know; the machine may be busy, so it only has to be well below a minute."""
    begun = time.monotonic()
    wait_for(what, condition)
    took = time.monotonic() - begun
    print("%s after %.1f s" % (what, took))
    assert took < 45, "%s took %.1f s" % (what, took)


def counters(serve, state):
    return 'sonde_connections{backend="prometheus",state="%s"} 1\n' % state in serve.ask("/metrics").body


def main():
    port = free_port()
    process = backend(port)
    with Scratch() as directory:
        serve = Serve(directory, "store: %s/sonde.db\nconnections:\n  - {name: prom, backend: prometheus, url: 'http://127.0.0.1:%d/good'}\n"
                      % (directory, port))
        try:
            first = row(serve)
            assert first["health"] == "healthy", first
            assert first.get("uptime_24h", 1) == 1, first
            timed("healthy on the counters", lambda: counters(serve, "healthy"))
            time.sleep(3)

            kill(process)
            timed("unhealthy to who asks", lambda: row(serve)["health"] == "unhealthy")
            gone = row(serve)
            assert "refused" in gone["reason"], gone
            assert counters(serve, "unhealthy") and not counters(serve, "healthy")
            assert serve.ask("/readyz").status == 200  # a backend that is down is its own trouble
            time.sleep(2)

            process = backend(port)
            timed("healthy again", lambda: row(serve)["health"] == "healthy")
            back = row(serve)
            assert 0 < back["uptime_24h"] < 1, back
            assert "reason" not in back, back

            # Nobody looks but at the counters, as after a question of some minutes ago.
            kill(process)
            timed("unhealthy on the counters", lambda: counters(serve, "unhealthy"))
            process = backend(port)
            timed("healthy again on the counters", lambda: counters(serve, "healthy"))
            page = serve.ask("/metrics").body
            assert 'sonde_connection_state{connection="prom"} 1\n' in page, page
            assert "\nsonde_store_up 1\n" in page, page
            assert 'sonde_keeper_jobs_total{job="check",outcome="ok"}' in page, page
            # An answer tells how fresh the data is.
            assert not serve.call("query_metrics", {"query": "up"})["_error"]
            assert 'sonde_connection_newest_sample_age_seconds{connection="prom"} ' in serve.ask("/metrics").body
        finally:
            serve.stop()
            kill(process)


if __name__ == "__main__":
    main()
