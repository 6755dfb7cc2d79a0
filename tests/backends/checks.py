# SPDX-License-Identifier: Apache-2.0
"""The checks of one real backend: each is told apart, and all of them run."""
from mcp_client import NO_LIMITS, Client, sonde_command

checks = []


def check(function):
    """Marks a function of (server, client)."""
    checks.append(function)
    return function


def run_checks(backend, server):
    """Runs the checks in their order against one sonde, and closes the server. Returns the exit status."""
    failures = 0
    try:
        client = Client(sonde_command("mcp", "--connection", backend + "=" + server.url, config=NO_LIMITS))
        for function in checks:
            try:
                function(server, client)
                print("ok", function.__name__)
            except Exception as error:  # the next ones still run
                failures += 1
                print("FAILED", function.__name__, type(error).__name__, str(error)[:3000])
        status, _ = client.close()
        print("ended with", status)
        failures += status != 0
    finally:
        server.close()
    return 1 if failures else 0
