# SPDX-License-Identifier: Apache-2.0
"""The store's PostgreSQL goes away under load and comes back: calls keep answering from memory, /readyz says what is wrong, history waits and is
complete afterwards, and whoever wants to change something is told to come back."""
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/people"))
from mcp_client import free_port, wait_until_ready  # noqa: E402
from postgres_server import PASSWORD, Postgres, programs  # noqa: E402
import two_users  # noqa: E402

PATIENCE = 60  # seconds; beyond it something hangs
GONE_S = 3


def readyz(port):
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d/readyz" % port, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def until(what, condition):
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise SystemExit("waited too long for " + what)
        await asyncio.sleep(0.1)


async def work(user, stop):
    number = 0
    while not stop.is_set():
        await user.query(number)
        number += 1
        await asyncio.sleep(0.02)


async def run(postgres, port, config):
    backend = two_users.Backend()
    await backend.start()
    user = two_users.User("anna", port, backend, config)
    await user.connect()
    await user.query(0)
    stop = asyncio.Event()
    workers = [asyncio.ensure_future(work(user, stop)) for _ in range(8)]
    await asyncio.sleep(1)
    postgres.stop("immediate")
    status, text = await until("/readyz to notice", lambda: (r := readyz(port))[0] == 503 and r)
    two_users.check("store" in text and "history waits" in text and PASSWORD not in text, "/readyz: %s" % text)
    before = user.calls
    await asyncio.sleep(GONE_S)
    two_users.check(user.calls > before + 20, "%d calls while the store was gone" % (user.calls - before))
    status, answer = await user.rest("POST", "/connections", {"name": "second", "backend_type": "prometheus", "connection_config": {
        "url": backend.url}})
    two_users.check(status == 503, "POST while the store is gone: %d %s" % (status, answer))
    postgres.start()
    await until("/readyz to be well", lambda: readyz(port)[0] == 200)
    stop.set()
    await asyncio.gather(*workers)
    rows = 0
    end = time.monotonic() + PATIENCE
    while rows != user.calls and time.monotonic() < end:
        rows = await user.history()
    two_users.check(rows == user.calls, "%d calls, %d rows of history" % (user.calls, rows))
    print("%d calls, %d of them while the store was gone or coming back; %d rows" % (user.calls, user.calls - before, rows))


def main():
    if not programs():
        print("skipped: the programs of PostgreSQL 15 or newer (package postgresql) are not here")
        return 77
    postgres = Postgres()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STORE"] = postgres.url(postgres.database())
        config, port = two_users.write_config(folder), free_port()
        with open(os.path.join(folder, "log"), "w") as log:
            server = subprocess.Popen([two_users.SONDE, "serve", "--config", config, "--listen", "127.0.0.1:%d" % port], stderr=log)
            try:
                wait_until_ready("http://127.0.0.1:%d/readyz" % port, server)
                asyncio.run(run(postgres, port, config))
            finally:
                server.terminate()
                code = server.wait(60)
                postgres.close()
        text = open(os.path.join(folder, "log")).read()
        two_users.check(code == 0, "sonde serve ended with %d: %s" % (code, text[-2000:]))
        two_users.check(PASSWORD not in text, "the password is in the log")
    for failure in two_users.failures:
        print("FAILED: " + failure)
    return 1 if two_users.failures else 0


sys.exit(main())
