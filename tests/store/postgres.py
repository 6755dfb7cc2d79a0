# SPDX-License-Identifier: Apache-2.0
"""The store on a real PostgreSQL: the contract of both databases, PostgreSQL's own tests, and what happens when the server goes away, comes back,
refuses, or is of another mind. Everything runs against private servers on loopback."""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["top_srcdir"], "tests/support"))
from postgres_server import ENCODED, PASSWORD, Postgres, programs  # noqa: E402

BUILD = os.environ["top_builddir"]
PATIENCE = 60
UNAVAILABLE, INVALID = "-108", "-101"


class Shell:
    """A process with the store open; see store_shell.c."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/store/store_shell"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.said = []
        self.reader = threading.Thread(target=lambda: self.said.extend(self.process.stderr))
        self.reader.start()
        self.opened = self.process.stdout.readline().strip()

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        text = "".join(self.said)
        assert PASSWORD not in text and ENCODED not in text, text
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        try:
            status = self.close()
        except Exception:
            self.process.kill()
            self.process.wait()
            raise
        assert kind or status == 0, (status, "".join(self.said)[-3000:])


def eventually(what, condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def contract(server):
    """The suite of both databases."""
    program = os.path.join(BUILD, "tests/store/contract")
    done = subprocess.run([program, server.url(server.database())], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]


def own_tests(server):
    """What is PostgreSQL's alone."""
    program = os.path.join(BUILD, "tests/store/test_postgres")
    if not os.path.exists(program):
        print("   left out: cmocka is not here")
        return
    done = subprocess.run([program], env=dict(os.environ, SONDE_TEST_POSTGRES=server.url(server.database())), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for line in done.stdout.splitlines():
        if line.startswith(("history:", "point reads:", "notified", "polled")):
            print("  ", line)


def restarted_under_load(server):
    """Rows go on being queued while the server is away, asks fail quickly, and afterwards nothing is missing and notices come again."""
    with Shell(server.url(server.database())) as writer:
        assert writer.opened == "open", writer.opened
        asked = 0
        for how in ("fast", "immediate"):
            for _ in range(10):
                assert writer.ask("append 100") == "ok"
                asked += 100
            server.stop(how)
            for i in range(20):
                assert writer.ask("append 50") == "ok"
                asked += 50
                for command in ("find", "disable 0"):
                    said = writer.ask(command)
                    assert said.startswith("error " + UNAVAILABLE + " "), said
                    assert int(said.split()[2]) < 5000, said
            state = writer.ask("state").split()
            assert state[0] == "0" and int(state[1]) > 0 and state[3:] == ["0", "0"], state
            server.start()
            eventually("asks are answered again", lambda: writer.ask("find") == "ok")
            eventually("the queue is empty", lambda: writer.ask("state").split()[1] == "0")
            assert writer.ask("count") == str(asked), (writer.ask("count"), asked)
            assert writer.ask("state").split()[3:] == ["0", "0"]
            with Shell(server.url(server.database())):
                pass
            eventually("well again", lambda: writer.ask("state").split()[0] == "1")
            # Notices: the listening connection comes back by itself.
            before = int(writer.ask("changed"))
            server.sql("UPDATE changes SET generation = generation + 1; NOTIFY sonde_changes", writer_database(server))
            eventually("a notice", lambda: int(writer.ask("changed")) > before)


def writer_database(server):
    """The database of the one process that has rows."""
    for (name,) in server.sql("SELECT datname FROM pg_database WHERE datname LIKE 't%' AND NOT datistemplate ORDER BY oid DESC"):
        if server.sql("SELECT to_regclass('observability_query_history') IS NOT NULL", name) == [["t"]]:
            if int(server.sql("SELECT count(*) FROM observability_query_history", name)[0][0]) > 0:
                return name
    raise AssertionError("no database with history")


def frozen(server):
    """A server that neither answers nor hangs up costs a bounded time."""
    import signal
    with Shell(server.url(server.database(), parameters="?connect_timeout=2")) as shell:
        assert shell.opened == "open", shell.opened
        pids = [int(pid) for (pid,) in server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'sonde'")]
        everyone = pids + [server.process.pid]
        for pid in everyone:
            os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            said = shell.ask("find")
            assert said.startswith("error " + UNAVAILABLE), said
            assert time.monotonic() - began < 45
        finally:
            for pid in everyone:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        eventually("it goes on", lambda: shell.ask("find") == "ok")


def two_migrators(server):
    """Of several at once each waits for the other, and one makes the schema."""
    for _ in range(3):
        migrate_at_once(server.url(server.database()))


def without_advisory_locks(server):
    """Relatives that have no advisory locks: still one schema."""
    name = server.database()
    # A function of that name that is found first and does not do what it says.
    server.sql("CREATE SCHEMA relative; CREATE FUNCTION relative.pg_advisory_lock(bigint) RETURNS void LANGUAGE plpgsql AS "
               "$$BEGIN RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'advisory locks are not yet implemented'; END$$; "
               "ALTER DATABASE %s SET search_path = public, relative, pg_catalog" % name, name)
    migrate_at_once(server.url(name))


def migrate_at_once(url):
    """Four processes; exactly one of them makes the schema, none fails."""
    shells = [Shell("--no-open", url) for _ in range(4)]
    answers = [None] * len(shells)

    def go(i):
        answers[i] = shells[i].ask("migrate")
    threads = [threading.Thread(target=go, args=(i,)) for i in range(len(shells))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for shell in shells:
        assert shell.close() == 0, shell.said
    assert sorted(answers) == ["0", "0", "0", "1"], answers


def other_schemas(server):
    """A newer database and a changed migration are refused and not touched."""
    name = server.database()
    with Shell(server.url(name)) as shell:
        assert shell.opened == "open", shell.opened
    server.sql("INSERT INTO schema_migrations VALUES (99, '0099_later', repeat('0', 64), now())", name)
    before = server.sql("SELECT * FROM schema_migrations", name)
    shell = Shell(server.url(name))
    assert shell.opened.startswith("error " + INVALID) and "newer" in shell.opened, shell.opened
    shell.close()
    assert server.sql("SELECT * FROM schema_migrations", name) == before
    server.sql("DELETE FROM schema_migrations WHERE version = 99; UPDATE schema_migrations SET sha256 = repeat('0', 64)", name)
    shell = Shell(server.url(name))
    assert shell.opened.startswith("error " + INVALID) and "another text" in shell.opened, shell.opened
    shell.close()


def refusals(server):
    """Each says where, who, and what to do; none says the password."""
    name = server.database()
    for url, words in ((server.url(name, password="wr0ngpass"), ["127.0.0.1", "sonde", name, "check user and password"]),
                       (server.url("nowhere"), ["127.0.0.1", "nowhere", "createdb"]),
                       (server.url(name, user="nobody_here"), ["127.0.0.1", "nobody_here", name]),
                       ("postgresql://sonde:%s@127.0.0.1:1/%s" % (ENCODED, name), ["127.0.0.1", "sonde", name, "see that the server runs"]),
                       ("postgresql://sonde:%s@127.0.0.1:%d/%s" % (PASSWORD, server.port, name), ["%XX"])):
        shell = Shell(url)
        assert shell.opened.startswith("error "), shell.opened
        for word in words:
            assert word in shell.opened, (word, shell.opened)
        for secret in ("wr0ngpass", PASSWORD, ENCODED, "s3cret"):
            assert secret not in shell.opened, shell.opened
        shell.close()
    with Shell(server.url(name)) as shell:
        where = shell.ask("where")
        assert name in where and "127.0.0.1" in where and "s3cret" not in where, where


def reads_only(server):
    """A server that became a standby: said, and found again when it writes."""
    name = server.database()
    with Shell(server.url(name)) as shell:
        assert shell.ask("disable 0") == "ok"
        server.sql("ALTER DATABASE %s SET default_transaction_read_only = on" % name)
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sonde'")
        said = eventually("refused", lambda: (lambda s: s if s.startswith("error " + UNAVAILABLE) and "read-only" in s else None)(shell.ask("disable 0")))
        assert "s3cret" not in said
        server.sql("ALTER DATABASE %s RESET default_transaction_read_only" % name)
        eventually("written again", lambda: shell.ask("disable 0") == "ok")


def notices(server):
    """A change is seen by another process within a second, and without NOTIFY within ten."""
    name = server.database()
    with Shell(server.url(name)) as one, Shell(server.url(name)) as two, Shell(server.url(name, parameters="?sonde_notify=off")) as quiet:
        for shell in (one, two, quiet):
            assert shell.opened == "open", shell.opened
        eventually("both listen", lambda: int(server.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%generation%%' AND datname = '%s'"
                                                         % name)[0][0]) >= 3)
        waits = []
        for i in range(10):
            before = int(two.ask("generation"))
            began = time.monotonic()
            assert one.ask("disable %d" % (i % 2)) == "ok"
            eventually("seen", lambda: int(two.ask("generation")) != before, 30)
            waits.append(time.monotonic() - began)
        print("   seen by another process after %.0f ms in the middle" % (1000 * sorted(waits)[5]))
        # Not one of ten by polling, whose middle is 2.5 s.
        assert sorted(waits)[5] < 1, waits
        time.sleep(0.1)
        before = int(quiet.ask("generation"))
        assert one.ask("disable 0") == "ok"
        eventually("polled", lambda: int(quiet.ask("generation")) != before, 30)
        # The process that changed knows at once, and is told.
        before, told = int(one.ask("generation")), int(one.ask("changed"))
        assert one.ask("disable 0") == "ok"
        assert int(one.ask("generation")) != before
        eventually("told", lambda: int(one.ask("changed")) > told)


def full_disk(server):
    """A tablespace without room: said as the system's fault, and history waits."""
    if os.getuid() != 0:
        print("   left out: needs a small file system, which only root can mount")
        return
    folder = os.path.join(server.folder, "small")
    os.mkdir(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode != 0:
        print("   left out: no file system can be mounted here")
        return
    try:
        import shutil
        shutil.chown(folder, "nobody")
        server.sql("CREATE TABLESPACE small LOCATION '%s'" % folder)
        name = server.database()
        with Shell(server.url(name)) as shell:
            server.sql("ALTER TABLE observability_query_history SET TABLESPACE small", name)
            for _ in range(40):
                assert shell.ask("append 500") == "ok"
            state = eventually("the writer stops", lambda: (lambda s: s if s[0] == "0" else None)(shell.ask("state").split()))
            assert int(state[1]) > 0 and state[3:] == ["0", "0"], state
            server.sql("ALTER TABLE observability_query_history SET TABLESPACE pg_default", name)
            eventually("all is written", lambda: shell.ask("state").split()[1] == "0")
            assert shell.ask("count") == "20000"
        server.sql("DROP DATABASE " + name)
        server.sql("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", folder])


CHECKS = [contract, own_tests, restarted_under_load, frozen, two_migrators, without_advisory_locks, other_schemas, refusals, reads_only, notices, full_disk]


def main():
    if not programs():
        print("skipped: the programs of PostgreSQL 15 or newer (package postgresql) are not here")
        return 77
    failures = 0
    chosen = set(sys.argv[1:])
    server = Postgres()
    try:
        for check in CHECKS:
            if chosen and check.__name__ not in chosen:
                continue
            began = time.monotonic()
            try:
                if not server.process:
                    server.start()
                check(server)
                print("ok %s (%.1f s)" % (check.__name__, time.monotonic() - began), flush=True)
            except Exception as error:  # the next ones still run
                failures += 1
                print("FAILED", check.__name__, type(error).__name__, str(error)[:4000], flush=True)
    finally:
        server.close()
    return 1 if failures else 0


sys.exit(main())
