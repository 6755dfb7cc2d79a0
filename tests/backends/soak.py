# SPDX-License-Identifier: Apache-2.0
"""Mixed calls, 64 in flight, a third of them cancelled: memory and file descriptors must not grow. SOAK_SECONDS (default 8) says how long;
the first third warms up. Bounded in time and number; asserts on growth, never on speed."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from mcp_client import NO_LIMITS, Client, sonde_command  # noqa: E402
from slow_prometheus import SlowPrometheus  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "8"))
IN_FLIGHT = 64
MAX_CALLS = 200000


def usage(pid):
    """Private KiB and open descriptors. A server forbids all but root to look: then both are 0, and that is said."""
    if os.geteuid() != 0:
        print("not root: memory and descriptors of the server cannot be looked at")
        return 0, 0
    private = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.startswith("Private_"):
                private += int(line.split()[1])
    return private, len(os.listdir("/proc/%d/fd" % pid))


def main():
    random.seed(7)
    server = SlowPrometheus()
    client = Client(sonde_command("mcp", "--connection", "a:prometheus=" + server.url, "--connection", "b:prometheus=" + server.url,
                                  config=NO_LIMITS))
    kinds = [
        ("query_metrics", lambda n: {"query": "m", "connection_id": "a", "time_range": {"start": "%dm" % (30 + n % 30)}}),
        ("query_metrics", lambda n: {"query": "m", "connection_id": "all", "step": "0"}),
        ("list_metrics", lambda n: {"match": "m"}),
        ("query_metrics", lambda n: {"query": "m", "connection_id": "nowhere"}),
        ("query_metrics", lambda n: {"qurey": "m"}),
        ("list_connections", lambda n: {}),
    ]
    running, calls, cancelled, errors = {}, 0, 0, 0
    begin, warm = time.monotonic(), None
    while time.monotonic() - begin < SECONDS and calls < MAX_CALLS:
        while len(running) < IN_FLIGHT:
            tool, arguments = kinds[calls % len(kinds)]
            id = client.start("tools/call", {"name": tool, "arguments": arguments(calls)})
            calls += 1
            if calls % 3 == 0:
                client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
                cancelled += 1
            else:
                running[id] = tool
        with client.lock:
            if not any(id in client.answers for id in running):
                client.arrived.wait(0.5)
            if client.ended:
                raise SystemExit("the server ended")
            for id in [id for id in running if id in client.answers]:
                errors += "error" in client.answers.pop(id)
                del running[id]
            client.answers = {id: a for id, a in client.answers.items() if id in running}  # those which raced their cancel
        if not warm and time.monotonic() - begin > SECONDS / 3:
            warm = usage(client.process.pid)
    for id in list(running):
        client.wait(id)
    time.sleep(0.5)
    end = usage(client.process.pid)
    status, _ = client.close()
    print("%d calls, %d cancelled, %d protocol errors; private %d -> %d KiB, descriptors %d -> %d, exit %d"
          % (calls, cancelled, errors, warm[0], end[0], warm[1], end[1], status))
    # Sanitizers keep freed memory in quarantine, so only the plain build can be held to a number.
    plain = os.environ.get("SANITIZED", "no") == "no"
    grown = plain and end[0] > warm[0] + 4096
    return 1 if errors or status or grown or end[1] > warm[1] + 8 else 0


if __name__ == "__main__":
    sys.exit(main())
