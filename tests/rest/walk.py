#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sonde serve` with its store, over REST: the walk of sonde-api(7) as it stands there, the operations against their own OpenAPI document,
and connections of adapters as their users write them. walk.py [sqlite|postgresql [NAME...]]"""
import json
import os
import re
import subprocess
import sys
import time
import uuid

TOP_SRC, TOP = os.environ["top_srcdir"], os.environ["top_builddir"]
sys.path[:0] = [os.path.join(TOP_SRC, d) for d in ("tests/support", "tests/backends", "tests/serve", "tests/rest")]
import schema  # noqa: E402
from mcp_client import Scratch  # noqa: E402
from postgres_server import Postgres, programs  # noqa: E402
from server import Serve, wait_for  # noqa: E402
from slow_prometheus import SlowPrometheus  # noqa: E402

API = "/api/v1/observability"
SECRET = "bearer-secret-of-the-test-4711"
checks = []


def check(function):
    checks.append(function)
    return function


# ---- The manual ----

def walk_script():
    """The literal blocks of the section, one after the other."""
    with open(os.path.join(TOP_SRC, "man/sonde-api.7")) as file:
        page = file.read()
    section = page.split(".Sh FROM A NEW USER TO A ROW OF HISTORY\n")[1].split("\n.Sh ")[0]
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", section, re.S | re.M)
    assert len(blocks) >= 7, len(blocks)
    return "".join(blocks).replace("\\e", "\\").replace("\\&", "")


def documents(text):
    """Every JSON document that stands on lines of its own."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        if text[at] == "{":
            value, at = decoder.raw_decode(text, at)
            found.append(value)
        else:
            at += 1
    return found


class Fits:
    """Answers against the document that the server serves."""

    def __init__(self, serve):
        self.document = serve.ask("/api/v1/openapi.json", token=None).json()

    def check(self, name, value):
        found = list(schema.problems(self.document, {"$ref": "#/components/schemas/" + name}, value))
        assert not found, (name, found, json.dumps(value)[:2000])
        return value

    def answer(self, path, method, answer):
        item = self.document["paths"][path][method.lower()]
        assert str(answer.status) in item["responses"], (method, path, answer.status, answer.body)
        response = schema.resolve(self.document, item["responses"][str(answer.status)])
        for kind, content in response.get("content", {}).items():
            assert answer.headers["Content-Type"] == kind, (path, answer.headers["Content-Type"])
            found = list(schema.problems(self.document, content["schema"], answer.json()))
            assert not found, (method, path, found, answer.body[:2000])
        return answer


class Place:
    """A folder with configuration, store and the program on the PATH, and a server on it."""

    def __init__(self, store, limits):
        self.scratch = Scratch()
        self.store, self.limits = store, limits

    def __enter__(self):
        folder = self.scratch.name
        bin = os.path.join(folder, "bin")
        os.mkdir(bin)
        program = os.path.join(bin, "sonde")
        with open(program, "w") as file:
            file.write('#!/bin/sh\nexec "%s/sonde" "$@"\n' % os.path.abspath(TOP))
        os.chmod(program, 0o755)
        self.environment = {"XDG_CONFIG_HOME": folder, "XDG_STATE_HOME": os.path.join(folder, "sonde", "state"),
                            "PATH": bin + os.pathsep + os.environ["PATH"]}
        os.mkdir(os.path.join(folder, "sonde"))
        yaml = ("network: {allow: [127.0.0.0/8]}\nplugins: {path: ['%s/plugins.d']}\nlimits: {%s}\n%s"
                % (os.path.abspath(TOP), self.limits, "store: '%s'\n" % self.store if self.store else ""))
        self.serve = Serve(os.path.join(folder, "sonde"), yaml, env=self.environment)
        self.url = "http://127.0.0.1:%d" % self.serve.port
        return self

    def __exit__(self, *_):
        self.serve.__exit__()
        self.scratch.cleanup()

    def sonde(self, *words):
        done = subprocess.run(["sonde", *words], env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.strip()

    def user(self, name, rights="manage"):
        self.sonde("user", "add", name)
        return self.sonde("token", "create", name, "--rights", rights)

    def ask(self, path, method="GET", body=None, token=None, headers=None):
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        return self.serve.ask(API + path, method, json.dumps(body) if body is not None else None, token, sent)


@check
def the_walk_of_the_manual(place):
    prometheus = SlowPrometheus(0)
    environment = {**os.environ, **place.environment, "URL": place.url, "PROMETHEUS": prometheus.url}
    done = subprocess.run(["sh", "-eu", "-c", walk_script()], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout, done.stderr, place.serve.log()[-2000:])
    found = documents(done.stdout)
    assert len(found) == 5, done.stdout
    made, tested, changed, asked, rows = found
    fits = Fits(place.serve)
    fits.check("Connection", made)
    assert fits.check("TestResult", tested)["ok"] is True, tested
    assert fits.check("Connection", changed)["description"] == "the shop" and changed["revision"] == 2, changed
    assert asked["result"].get("isError", False) is False, asked
    row, = fits.check("QueryList", rows)["queries"]
    assert row["connection_id"] == made["id"] and row["connection_name"] == "prod" and row["query_text"] == "up", row
    assert row["tool"] == "query_metrics" and row["result_count"] > 0 and row["result_sample"], row
    prometheus.shutdown()
    prometheus.server_close()


class GuardedPrometheus(SlowPrometheus):
    """Lets in one bearer token."""

    def __init__(self, token):
        self.token = token
        super().__init__(0)
        handler = self.RequestHandlerClass

        class Guarded(handler):
            def answer(self):
                if self.headers.get("Authorization") == "Bearer " + self.server.token:
                    return handler.answer(self)
                self.send_response(401)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = answer

        self.RequestHandlerClass = Guarded


@check
def prometheus_as_its_users_write_it(place):
    """Keys and values as people know them, only the address changed."""
    token = place.user("bob")
    fits = Fits(place.serve)
    backend = GuardedPrometheus(SECRET)
    config = {"url": backend.url, "auth": {"type": "bearer", "token": SECRET}, "timeout_seconds": 30,
              "query_limits": {"max_samples": 10000, "max_time_range_hours": 24}}
    made = fits.answer(API + "/connections", "POST", place.ask("/connections", "POST", token=token, body={
        "name": "prom", "backend_type": "prometheus", "connection_config": config}))
    assert made.status == 201, made.body
    where = made.headers["Location"].removeprefix(API)
    tested = fits.answer(API + "/connections/{id}/test", "POST", place.ask(where + "/test", "POST", token=token))
    assert tested.json()["ok"] is True, tested.body
    shown = fits.answer(API + "/connections/{id}", "GET", place.ask(where, token=token))
    document = shown.json()
    assert document["connection_config"]["auth"]["token"]["masked"] is True, document
    assert {**document["connection_config"], "auth": 0} == {**config, "auth": 0}, document
    # Sent back masked, it stays what it is.
    document["description"] = "read and sent back"
    changed = fits.answer(API + "/connections/{id}", "PUT", place.ask(where, "PUT", document, token, {"If-Match": shown.headers["ETag"]}))
    assert changed.status == 200, changed.body
    assert place.ask(where + "/test", "POST", token=token).json()["ok"] is True
    # One that is wrong is told at the login.
    wrong = place.ask(where, "PUT", {"connection_config": {"auth": {"type": "bearer", "token": "wrong"}}}, token, {"If-Match": "*"})
    assert wrong.status == 200, wrong.body
    failed = fits.answer(API + "/connections/{id}/test", "POST", place.ask(where + "/test", "POST", token=token))
    assert failed.status == 200 and failed.json()["ok"] is False, failed.body
    everything = made.body + tested.body + shown.body + changed.body + failed.body + place.ask("/connections", token=token).body
    assert SECRET not in everything + place.serve.log()
    for folder, _, names in os.walk(place.scratch.name):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert SECRET.encode() not in file.read(), name
    backend.shutdown()
    backend.server_close()


@check
def operations(place):
    """Those that the fake answers for in routes.py, against the store."""
    token, other, reader = place.user("carol"), place.user("dave"), place.user("eve", "read")
    admin = place.user("frank", "admin")
    fits = Fits(place.serve)

    def expect(status, path, method="GET", template=None, **how):
        answer = place.ask(path, method, **{"token": token, **how})
        fits.answer(API + (template or path.split("?")[0]), method, answer)
        assert answer.status == status, (path, method, answer.status, answer.body)
        return answer

    one, test = "/connections/{id}", "/connections/{id}/test"
    body = {"name": "c-0", "backend_type": "prometheus", "connection_config": {"url": "http://prometheus.invalid:9090"}}
    made = expect(201, "/connections", "POST", body=body)
    assert made.headers["ETag"] == '"%d"' % made.json()["revision"]
    id = made.json()["id"]
    expect(409, "/connections", "POST", body=body)
    expect(403, "/connections", "POST", body=body, token=reader)
    expect(401, "/connections", token=None)
    expect(401, "/connections", token="sonde_" + "x" * 49)
    for wrong, where in (({"backend_type": "nonsense"}, "backend_type"),
                         ({"connection_config": {"url": "http://prometheus.invalid:9090", "auth": {"type": "nonsense"}}}, "connection_config.auth"),
                         ({"connection_config": {"url": "http://prometheus.invalid:9090", "nonsense": 1}}, "connection_config"),
                         ({"connection_config": {"url": "http://169.254.169.254/"}}, "connection_config"),
                         ({"connection_config": {"url": "file:///etc/passwd"}}, "connection_config"),
                         ({"connection_config": {"url": "http://prometheus.invalid:9090", "auth": {"type": "bearer", "token": {"env": "HOME"}}}},
                          "connection_config.auth.token"),
                         ({"tags": {"a": 1}}, "tags"), ({"name": "all"}, "name"), ({"nonsense": True}, "nonsense")):
        answer = expect(422, "/connections", "POST", body={**body, "name": "c-x", **wrong})
        assert any(mistake["path"].startswith(where) for mistake in answer.json().get("errors", [])), (wrong, answer.body)
    # Rows of all others are not there: by id, by name, in lists, in tests, in changes.
    for who in (other, reader, admin):
        expect(404, "/connections/" + id, template=one, token=who)
        assert expect(200, "/connections", token=who).json()["connections"] == []
    for path, method, how in (("", "PUT", {"body": {"description": "x"}, "headers": {"If-Match": "*"}}), ("", "DELETE", {"headers": {"If-Match": "*"}}),
                              ("/test", "POST", {})):
        expect(404, "/connections/" + id + path, method, template=test if path else one, token=other, **how)
    expect(404, "/connections/" + str(uuid.uuid4()), template=one)
    expect(404, "/connections/nothing", template=one)
    expect(201, "/connections", "POST", body=body, token=other)
    # Two who edit: the second is told.
    tag = expect(200, "/connections/c-0", template=one).headers["ETag"]
    expect(200, "/connections/c-0", "PUT", template=one, body={"description": "first"}, headers={"If-Match": tag})
    late = expect(412, "/connections/c-0", "PUT", template=one, body={"description": "second"}, headers={"If-Match": tag})
    assert late.headers["ETag"] != tag and late.headers["ETag"] == expect(200, "/connections/c-0", template=one).headers["ETag"]
    expect(428, "/connections/c-0", "PUT", template=one, body={"description": "third"})
    assert expect(200, "/connections/c-0", template=one).json()["description"] == "first"
    # Pages hold everything once, in one order.
    names = ["c-%d" % i for i in range(12)]
    for name in names[1:]:
        expect(201, "/connections", "POST", body={**body, "name": name, "tags": {"set": "walk"}})
    expect(409, "/connections/c-1", "PUT", template=one, body={"name": "c-2"}, headers={"If-Match": "*"})
    found, cursor = [], ""
    while cursor is not None:
        page = expect(200, "/connections?limit=5" + ("&cursor=" + cursor if cursor else "")).json()
        found += [row["name"] for row in page["connections"]]
        cursor = page.get("next_cursor")
    assert sorted(found) == sorted(names), found
    assert len(expect(200, "/connections?tag=set=walk").json()["connections"]) == 11
    expect(400, "/connections?backend_type=nonsense")
    assert expect(200, "/connections?backend_type=victoriametrics").json()["connections"] == []
    expect(400, "/connections?cursor=nonsense")
    assert "prometheus" in [backend["name"] for backend in expect(200, "/backends").json()["backends"]]
    # The default is one at most.
    for name in ("c-3", "c-4"):
        expect(200, "/connections/" + name, "PUT", template=one, body={"is_default": True}, headers={"If-Match": "*"})
    defaults = [row["name"] for row in expect(200, "/connections?limit=200").json()["connections"] if row["is_default"]]
    assert defaults == ["c-4"], defaults
    assert expect(200, "/connections/c-1/test", "POST", template=test).json()["ok"] is False
    gone = expect(204, "/connections/" + id, "DELETE", template=one, headers={"If-Match": late.headers["ETag"]})
    assert gone.body == ""
    expect(404, "/connections/" + id, template=one)
    # History.
    place.serve.session = None
    place.serve.initialize = lambda: None
    query = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "query_metrics", "arguments": {"query": "of_carol", "connection_id": "c-1"},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}}
    place.serve.ask("/mcp", "POST", json.dumps(query), token, {
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call", "Mcp-Name": "query_metrics"})
    rows = wait_for("the row of history", lambda: expect(200, "/query-history?status=error").json()["queries"])
    assert rows[0]["query_text"] == "of_carol" and rows[0]["error_message"], rows
    shown = expect(200, "/query-history/" + rows[0]["id"], template="/query-history/{id}").json()
    assert shown["id"] == rows[0]["id"]
    assert expect(200, "/query-history?status=ok").json()["queries"] == []
    for filter in ("session_id=" + rows[0]["session_id"], "connection_id=" + rows[0]["connection_id"], "tool=query_metrics", "from=now-1h"):
        assert len(expect(200, "/query-history?" + filter).json()["queries"]) == 1, filter
    for filter in ("session_id=" + str(uuid.uuid4()), "connection_id=" + str(uuid.uuid4()), "tool=other", "to=now-1h"):
        assert expect(200, "/query-history?" + filter).json()["queries"] == [], filter
    expect(400, "/query-history?from=nonsense")
    assert expect(200, "/query-history", token=other).json()["queries"] == []
    expect(404, "/query-history/" + rows[0]["id"], template="/query-history/{id}", token=other)
    expect(403, "/query-history?user=carol", token=other)
    assert len(expect(200, "/query-history?user=carol", token=admin).json()["queries"]) == 1
    expect(400, "/query-history?user=nobody", token=admin)


@check
def bound_tokens(place):
    """A token that is bound to a connection sees that one alone, and makes none."""
    token = place.user("carol")
    for name in ("seen", "hidden"):
        body = {"name": name, "backend_type": "prometheus", "connection_config": {"url": "http://prometheus.invalid:9090"}}
        assert place.ask("/connections", "POST", body, token).status == 201
    bound = place.sonde("token", "create", "carol", "--rights", "manage", "--connection", "seen")
    names = lambda: [row["name"] for row in place.ask("/connections", token=bound).json()["connections"]]
    wait_for("the token to be known", lambda: place.ask("/connections", token=bound).status == 200)
    assert names() == ["seen"], names()
    assert place.ask("/connections/seen", token=bound).status == 200
    for path, method, more in (("/connections/hidden", "GET", {}), ("/connections/hidden/test", "POST", {}),
                               ("/connections/hidden", "DELETE", {"headers": {"If-Match": "*"}}),
                               ("/connections/hidden", "PUT", {"body": {"description": "x"}, "headers": {"If-Match": "*"}})):
        answer = place.ask(path, method, token=bound, **more)
        assert answer.status == 404, (path, method, answer.status, answer.body)
    assert place.ask("/connections", "POST", {**body, "name": "new"}, bound).status == 403
    assert len(place.ask("/connections", token=token).json()["connections"]) == 2


@check
def limits(place):
    """REST and tools draw on one allowance of a user's, and nobody else's."""
    token, other = place.user("carol"), place.user("dave")
    statuses = [place.ask("/connections", token=token).status for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2, statuses
    refused = Fits(place.serve).answer(API + "/connections", "GET", place.ask("/connections", token=token))
    assert 1 <= int(refused.headers["Retry-After"]) <= 60 and "calls_per_minute" in refused.json()["detail"], refused.body
    assert place.ask("/connections", token=other).status == 200


limits.limits = "calls_per_minute: 4"


def postgres():
    if not programs():
        print("skipped: the programs of PostgreSQL 15 or newer (package postgresql) are not here")
        sys.exit(77)
    return Postgres()


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    wanted = sys.argv[2:]
    server = postgres() if kind == "postgresql" else None
    try:
        for function in checks:
            if wanted and function.__name__ not in wanted:
                continue
            started = time.monotonic()
            limits = getattr(function, "limits", "calls_per_minute: 0")
            with Place(server.url(server.database()) if server else None, limits) as place:
                function(place)
                assert place.serve.stop() == 0, place.serve.log()
            print("ok %-40s %.1f s" % (function.__name__, time.monotonic() - started))
    finally:
        if server:
            server.close()


main()
