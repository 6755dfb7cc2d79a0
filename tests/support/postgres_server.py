#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL on loopback: a free port, a temporary folder, gone when whoever started it is gone, however that ended.

As a program: postgres_server.py COMMAND... runs COMMAND with SONDE_TEST_POSTGRES set to the address of a new, empty database, and ends as it
does; 77 where the server's programs are missing."""
import glob
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PASSWORD = "s3cret%2Fp@ss"  # as it is written; what must never be seen is this
ENCODED = "s3cret%252Fp%40ss"

# Whatever ends its standard input (the test's end, its death by any signal) stops the server and takes the folder away.
KEEPER = r"""
cat > /dev/null
pid=$(head -1 "$1/pg/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ]; then
    kill -CONT "$pid" 2> /dev/null
    kill -QUIT "$pid" 2> /dev/null
    n=0
    while kill -0 "$pid" 2> /dev/null && [ $n -lt 100 ]; do
        sleep 0.1
        n=$((n + 1))
    done
    kill -KILL "$pid" 2> /dev/null
fi
while [ -e "$1" ]; do # what was starting up may still write
    rm -rf "$1"
    sleep 0.2
done
"""


def programs():
    """The folder of initdb and postgres, 15 or newer; None where there is none."""
    folders = [os.path.dirname(path) for path in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    folders += [folder for folder in os.environ.get("PATH", "").split(":") if os.access(os.path.join(folder, "postgres"), os.X_OK)]
    found = []
    for folder in folders:
        if not os.access(os.path.join(folder, "initdb"), os.X_OK):
            continue
        said = subprocess.run([os.path.join(folder, "postgres"), "--version"], capture_output=True, text=True).stdout
        version = re.search(r" (\d+)", said)
        if version and int(version.group(1)) >= 15:
            found.append((int(version.group(1)), folder))
    return min(found)[1] if found else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    def __init__(self, settings=()):
        self.bin = programs()
        self.settings = list(settings)
        self.process = None
        self.folder = tempfile.mkdtemp(prefix="sonde-pg-")
        self.keeper = subprocess.Popen(["sh", "-c", KEEPER, "keeper", self.folder], stdin=subprocess.PIPE, start_new_session=True)
        self.as_user = []
        if os.getuid() == 0:  # the server refuses root
            os.chmod(self.folder, 0o755)
            shutil.chown(self.folder, "nobody")
            self.as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        password = os.path.join(self.folder, "password")
        with open(password, "w") as f:
            f.write(PASSWORD + "\n")
        os.chmod(password, 0o644)
        self.data = os.path.join(self.folder, "pg")
        self.run([os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "sonde", "--pwfile=" + password, "--auth=scram-sha-256", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync"])
        self.port = free_port()
        self.start()

    def run(self, command, **options):
        done = subprocess.run(self.as_user + command, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
        if done.returncode != 0:
            raise RuntimeError("%s: %s%s" % (command[0], done.stdout, done.stderr))
        return done.stdout

    def start(self):
        command = [os.path.join(self.bin, "postgres"), "-D", self.data, "-h", "127.0.0.1", "-p", str(self.port), "-k", self.folder]
        for setting in ["fsync=off", "full_page_writes=off", "shared_buffers=32MB"] + self.settings:
            command += ["-c", setting]
        log = open(os.path.join(self.folder, "log"), "a")
        self.process = subprocess.Popen(self.as_user + command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                self.sql("SELECT 1")
                return
            except RuntimeError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(os.path.join(self.folder, "log")) as f:
                        raise RuntimeError("PostgreSQL does not start: " + f.read()[-2000:])
                time.sleep(0.05)

    def stop(self, how="fast"):
        """fast: transactions are rolled back; immediate: as if the machine had failed."""
        if self.process:
            self.process.send_signal({"fast": 2, "immediate": 3}[how])
            self.process.wait(60)
            self.process = None

    def sql(self, text, database="postgres"):
        """Rows as lists of texts."""
        environment = dict(os.environ, PGPASSWORD=PASSWORD)
        said = self.run([os.path.join(self.bin, "psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                         "-U", "sonde", "-d", database, "-c", text], env=environment)
        return [line.split("\t") for line in said.splitlines()]

    def database(self, name=None):
        """A new, empty one; its name."""
        name = name or "t" + secrets.token_hex(6)
        self.sql("CREATE DATABASE " + name)
        return name

    def url(self, database, password=ENCODED, user="sonde", parameters=""):
        return "postgresql://%s:%s@127.0.0.1:%d/%s%s" % (user, password, self.port, database, parameters)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(60)
        if self.process:
            self.process.wait(60)


def main():
    if not programs():
        print("skipped: the programs of PostgreSQL 15 or newer (package postgresql) are not here")
        return 77
    server = Postgres()
    try:
        environment = dict(os.environ, SONDE_TEST_POSTGRES=server.url(server.database()))
        return subprocess.call(sys.argv[1:], env=environment)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
