#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every operation of the OpenAPI document that the server serves, called in every way the document says is wrong, and in those it says are
right; each answer is checked against the document. routes.py SERVER [NAME...]"""
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import schema  # noqa: E402

PATIENCE = 60 if os.environ.get("SANITIZED", "no") != "no" else 30
SERVER = sys.argv[1]
PREFIX = "/api/v1/observability"
METHODS = {"get", "put", "post", "delete"}
TOKENS = {"read": "reader", "manage": "manager", "admin": "admin"}
checks = []


def check(function):
    checks.append(function)
    return function


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Operation:
    def __init__(self, document, path, method, item):
        self.document, self.path, self.method, self.item = document, path, method.upper(), item
        self.id = item["operationId"]
        self.right = item.get("x-sonde-right")
        parameters = [schema.resolve(document, p) for p in item["parameters"]]
        self.query = [p for p in parameters if p["in"] == "query"]
        self.parts = [p for p in parameters if p["in"] == "path"]
        self.headers = [p for p in parameters if p["in"] == "header"]
        body = item.get("requestBody")
        self.body = body and body["content"]["application/json"]["schema"]

    def good_body(self):
        return json.dumps(schema.sample(self.document, self.body)) if self.body else None


class Rest:
    """The server, and a client that checks whatever comes back."""

    def __init__(self):
        self.process = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening "), line
        self.port = int(line.rsplit(":", 1)[1])
        self.seen = set()
        answer = self.raw("GET", "/api/v1/openapi.json", token=None)
        assert answer.status == 200, answer.status
        self.document = answer.json()
        self.operations = [Operation(self.document, path, method, item[method]) for path, item in self.document["paths"].items()
                           for method in item if method in METHODS]
        self.by_id = {operation.id: operation for operation in self.operations}

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        return int(words[0]), int(words[2])

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        assert status == 0, status

    def raw(self, method, path, token="admin", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = "Bearer " + token
        try:
            connection.request(method, path, body=body, headers=sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def url(self, operation, parts=None, query=None):
        path = operation.path
        for part in operation.parts:
            value = (parts or {}).get(part["name"], str(uuid.uuid4()))
            path = path.replace("{%s}" % part["name"], urllib.parse.quote(value, safe=""))
        text = query if isinstance(query, str) else urllib.parse.urlencode(query or {})
        return path + ("?" + text if text else "")

    def call(self, name, parts=None, query=None, body=None, token=None, headers=None, if_match="*", no_token=False, method=None):
        """One call of an operation, right but for what is given; the answer is checked against the document."""
        operation = self.by_id[name]
        sent = dict(headers or {})
        if operation.body and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        if operation.headers and if_match is not None:
            sent["If-Match"] = if_match
        if operation.body and body is None:
            body = operation.good_body()
        elif isinstance(body, (dict, list)):
            body = json.dumps(body)
        wanted = None if no_token else token or TOKENS.get(operation.right)
        answer = self.raw(method or operation.method, self.url(operation, parts, query), wanted, body, sent)
        self.verify(operation, answer, hidden=method == "HEAD")
        return answer

    def verify(self, operation, answer, hidden):
        where = "%s %d" % (operation.id, answer.status)
        responses = operation.item["responses"]
        assert str(answer.status) in responses, "%s is not documented: %s" % (where, answer.body[:300])
        self.seen.add((operation.id, answer.status))
        response = schema.resolve(self.document, responses[str(answer.status)])
        assert answer.headers["X-Request-Id"], where
        for header, item in response.get("headers", {}).items():
            item = schema.resolve(self.document, item)
            value = answer.headers.get(header)
            if value is None:
                assert not item.get("required"), "%s has no %s" % (where, header)
                continue
            found = list(schema.problems(self.document, item["schema"], value, header))
            assert not found, (where, found)
        if answer.status in (429, 503):
            assert int(answer.headers["Retry-After"]) >= 1, where
        content = response.get("content")
        if hidden or content is None:
            assert answer.body == b"", (where, answer.body)
            return
        (kind, item), = content.items()
        assert answer.headers["Content-Type"] == kind, (where, answer.headers["Content-Type"])
        found = list(schema.problems(self.document, item["schema"], answer.json()))
        assert not found, (where, found, answer.body[:500])
        if answer.status >= 400:
            problem = answer.json()
            assert problem["status"] == answer.status and problem["instance"] == answer.headers["X-Request-Id"], (where, problem)

    def expect(self, status, name, path=None, **how):
        answer = self.call(name, **how)
        statuses = status if isinstance(status, tuple) else (status,)
        assert answer.status in statuses, "%s %s: %d instead of %s: %s" % (name, str(how)[:200], answer.status, status, answer.body[:500])
        if path is not None:
            paths = [mistake["path"] for mistake in answer.json()["errors"]]
            assert any(found == path or found.startswith(path + ".") for found in paths), (name, path, answer.body)
        return answer

    def add(self, name, token="manager", **more):
        body = {"name": name, "backend_type": "prometheus", "connection_config": {"url": "http://127.0.0.1:1"}, **more}
        return self.expect(201, "addConnection", body=body, token=token)


@check
def document(rest):
    ids = [operation.id for operation in rest.operations]
    assert len(ids) == len(set(ids)) == 10, ids
    assert rest.document["openapi"].startswith("3.1.")
    for operation in rest.operations:
        names = {part["name"] for part in operation.parts}
        assert names == set(part[1:-1] for part in operation.path.split("/") if part.startswith("{")), operation.path
        assert bool(operation.right) == bool(operation.item["security"]), operation.id
    # Every reference leads somewhere, and every schema has only rules that are checked here.
    text = json.dumps(rest.document)
    for reference in set(part.split('"')[0] for part in text.split('"$ref": "')[1:]):
        schema.resolve(rest.document, {"$ref": reference})
    for item in rest.document["components"]["schemas"].values():
        list(schema.problems(rest.document, item, {}))
    used = set(part.split('"')[0] for part in text.split("#/components/schemas/")[1:])
    assert used == set(rest.document["components"]["schemas"]), used ^ set(rest.document["components"]["schemas"])


@check
def manual(rest):
    """sonde-api(7) names every operation, parameter and status there is."""
    with open(os.path.join(os.environ["top_srcdir"], "man/sonde-api.7")) as file:
        page = file.read()
    for operation in rest.operations:
        path = operation.path.removeprefix(PREFIX).replace("{id}", "ID")
        entry = ".It Cm %s Pa %s\n" % (operation.method, path)
        if operation.right:
            text = page.split(entry)[1].split("\n.It ")[0] if entry in page else ""
            assert text, entry
        else:
            text = page
            assert path in page, path
        for parameter in operation.query:
            assert ".Cm %s" % parameter["name"] in text, (operation.id, parameter["name"])
        if operation.body:
            for name, member in schema.resolve(rest.document, operation.body)["properties"].items():
                assert member.get("readOnly") or re.search(r"\.Cm %s[ \n]" % name, page), name
        for status in operation.item["responses"]:
            assert int(status) < 300 or ".It %s\n" % status in page, status


@check
def tokens(rest):
    for operation in rest.operations:
        if not operation.right:
            rest.expect(200, operation.id, no_token=True)
            continue
        answer = rest.expect(401, operation.id, no_token=True)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        rest.expect(401, operation.id, token="stranger")
        rest.expect(403, operation.id, token="nobody")
        if operation.right == "manage":
            answer = rest.expect(403, operation.id, token="reader")
            assert '"manage"' in answer.json()["detail"], answer.body


@check
def parameters(rest):
    for operation in rest.operations:
        rest.expect(400, operation.id, query={"nonsense": "1"}, path="nonsense")
        for wrong in ("a=%2", "a=%zz", "a=%ff", "a=%00", "a=%0d%0aX: y", "&", "=1", "limit", "a=1&a=2", "a&b=1", "%61=1&a=2",
                      "&".join("p%d=1" % i for i in range(40))):
            rest.expect(400, operation.id, query=wrong.replace(" ", "%20"))
        for parameter in operation.query:
            name, item = parameter["name"], parameter["schema"]
            token = TOKENS[parameter.get("x-sonde-right", operation.right)]
            if parameter.get("x-sonde-right"):
                rest.expect(403, operation.id, query={name: schema.sample(rest.document, item)}, token="manager")
            for rule, value in schema.breakers(rest.document, item):
                if rule == "type" and (item["type"] != "integer" or isinstance(value, (int, list, dict))):
                    continue  # all is text in a URL
                rest.expect(400, operation.id, query={name: value}, path=name, token=token)
            good = urllib.parse.urlencode({name: schema.sample(rest.document, item)})
            rest.expect((200, 400) if name == "cursor" else 200, operation.id, query=good, token=token)
            rest.expect(400, operation.id, query=good + "&" + good, token=token)
            near = "%ss" % name
            answer = rest.expect(400, operation.id, query={near: "1"}, path=near, token=token)
            assert name in answer.json()["errors"][0]["detail"], answer.body
    rest.expect(400, "listQueries", query={"from": "never"})
    rest.expect(400, "listQueries", query={"cursor": "'; DROP TABLE users; --"})
    # Both spellings of a blank, and what may stand in a URL as it is.
    for query in ("tag=a=b+c", "tag=a%3Db%20c", "tag=a%3db%2Bc/?:@!$'()*,;"):
        rest.expect(200, "listConnections", query=query)


@check
def parts(rest):
    for operation in rest.operations:
        for part in operation.parts:
            name = part["name"]
            for value in ("nothing", "' OR 1=1 --", "..", "a/b", "\u00e4\u00f6", "%", str(uuid.uuid4()), "x" * 63):
                status = 404 if not list(schema.problems(rest.document, part["schema"], value)) else 400
                rest.expect(status, operation.id, parts={name: value})
            rest.expect(400, operation.id, parts={name: "x" * 64}, path=name)
            path = operation.path.replace("{id}", "%s")
            for raw in ("%", "%4", "%zz", "%00", "a%0ab", "%ff", "%c0%af"):
                answer = rest.raw(operation.method, path % raw)
                assert answer.status == 400, (operation.id, raw, answer.status)
                rest.verify(operation, answer, False)
            # An empty part is no part.
            answer = rest.raw(operation.method, path % "")
            assert answer.status == 404, (operation.id, answer.status)
    for path in (PREFIX, PREFIX + "/", PREFIX + "/connections/", PREFIX + "/connections/a/b", PREFIX + "/connections/a/test/",
                 PREFIX + "//connections", PREFIX + "/connections/a/test/b", "/api/v1/observability/../openapi.json"):
        assert rest.raw("GET", path).status == 404, path


@check
def bodies(rest):
    for operation in rest.operations:
        if not operation.body:
            continue
        how = {"parts": {"id": rest.add("body-" + operation.id).json()["id"]}}
        n = 0
        for rule, path, body in schema.body_breakers(rest.document, operation.body):
            rest.expect(422, operation.id, body=body, path=path, **how)
            n += 1
        assert n > 40, n
        for wrong in ("", "{", "{} {}", "nonsense", '{"name":"a","name":"b"}', '{"a":1,}', "\xff", '{"name":"\\ud800"}', "[" * 200 + "]" * 200):
            rest.expect(400, operation.id, body=wrong, **how)
        for wrong in ([], [{}], "1", "null", '"text"'):
            rest.expect(422, operation.id, body=wrong, **how)
        for kind in ("text/plain", "application/xml", "application/jsonp", "", "application/x-www-form-urlencoded"):
            rest.expect(415, operation.id, headers={"Content-Type": kind}, **how)
        rest.expect((200, 201), operation.id, headers={"Content-Type": "Application/JSON; charset=utf-8"}, **how)
        rest.expect(413, operation.id, body=json.dumps({"description": "x" * (1 << 20)}), **how)
        rest.expect(422, operation.id, body={**json.loads(operation.good_body()), "description": "x" * 200000}, path="description", **how)
        rest.expect(422, operation.id, body='{"name":"a\\u0000b","backend_type":"p","connection_config":{}}', path="name", **how)
        rest.expect(422, operation.id, path="connection_config.auth.type", **how,
                    body={"name": "x-" + operation.id, "backend_type": "p", "connection_config": {"auth": {}}})
        # Names as SQL would like them are names that are not taken; texts are texts.
        rest.expect(422, operation.id, body={"name": "a'; DROP TABLE users; --", "backend_type": "p", "connection_config": {}}, path="name", **how)
        text = "'; DROP TABLE observability_connections; -- \u2028 \U0001f600"
        answer = rest.expect((200, 201), operation.id, **how, body={"name": "sql-" + operation.id, "backend_type": "p",
                                                                  "connection_config": {}, "description": text})
        assert answer.json()["description"] == text, answer.body
        near = rest.expect(422, operation.id, body={"nmae": "x"}, path="nmae", **how).json()
        assert any("did you mean name?" in mistake["detail"] for mistake in near["errors"]), near


@check
def preconditions(rest):
    for operation in rest.operations:
        if not operation.headers:
            continue
        made = rest.add("if-" + operation.id)
        how = {"parts": {"id": made.json()["id"]}}
        if operation.body:
            how["body"] = {"description": "changed"}
        rest.expect(428, operation.id, if_match=None, **how)
        rest.expect(428, operation.id, if_match="", **how)
        for wrong in ('"2"', '"0"', '""', '"', "1", "abc", 'W/"1"', '"1', '"99999999999999999999"', '"-1"', '"01x"'):
            answer = rest.expect(412, operation.id, if_match=wrong, **how)
            assert answer.headers["ETag"] == '"1"', (wrong, answer.headers["ETag"])
        for wrong in ('"1", "2"', '*, "1"'):
            rest.expect(400, operation.id, if_match=wrong, **how)
        good = rest.expect((200, 204), operation.id, if_match=made.headers["ETag"], **how)
        if operation.body:
            assert good.headers["ETag"] == '"2"' and good.json()["revision"] == 2
            assert rest.expect(412, operation.id, if_match='"1"', **how).headers["ETag"] == '"2"'
            rest.expect(200, operation.id, if_match="*", **how)
        else:
            rest.expect(404, operation.id, if_match="*", **how)


@check
def faults(rest):
    """What goes wrong beyond the request, for every operation that goes so far."""
    found = {"id": rest.add("fault").json()["id"]}
    for operation in rest.operations:
        if not operation.right:
            continue
        for command, status in (("store gone", 503), ("store broken", 500), ("limit minute", 429), ("limit busy", 429), ("threads busy", 503)):
            rest.command(command)
            parts = found if operation.path.startswith(PREFIX + "/connections") else None
            answer = rest.expect(status, operation.id, parts=parts)
            if command == "limit minute":
                assert answer.headers["Retry-After"] == "2" and "limits.calls_per_minute" in answer.json()["detail"], answer.body
            rest.command(command.split()[0] + " ok")


@check
def life(rest):
    secret = "s3cret-of-the-test"
    config = {"url": "http://127.0.0.1:9090", "auth": {"type": "bearer", "token": secret}, "timeout_seconds": 30,
              "query_limits": {"max_samples": 10000, "max_time_range_hours": 24}}
    made = rest.add("life", connection_config=config, tags={"env": "prod"}, is_default=True)
    where = made.headers["Location"]
    assert where == PREFIX + "/connections/" + made.json()["id"] and made.headers["ETag"] == '"1"'
    assert made.headers["Cache-Control"] == "no-store"
    shown = rest.raw("GET", where)
    assert shown.status == 404, "another's connection"
    shown = rest.raw("GET", where, token="manager")
    assert shown.status == 200 and shown.body == made.body and shown.headers["ETag"] == '"1"'
    by_name = rest.expect(200, "getConnection", parts={"id": "life"}, token="manager")
    assert by_name.body == made.body
    document = shown.json()
    assert document["connection_config"]["auth"]["token"]["masked"] is True
    assert document["connection_config"]["timeout_seconds"] == 30 and document["connection_config"]["query_limits"] == config["query_limits"]
    # What was read goes back as it came.
    document["description"] = "changed"
    changed = rest.expect(200, "changeConnection", parts={"id": document["id"]}, body=document, if_match=shown.headers["ETag"])
    assert changed.json()["description"] == "changed" and changed.json()["revision"] == 2 and changed.headers["ETag"] == '"2"'
    # Names are unique; a name that is one's own stays.
    rest.add("life-2")
    rest.expect(409, "addConnection", body={"name": "life", "backend_type": "p", "connection_config": {}})
    rest.expect(409, "addConnection", body={"name": "full", "backend_type": "p", "connection_config": {}})
    rest.expect(422, "addConnection", body={"name": "large", "backend_type": "p", "connection_config": {}})
    rest.expect(409, "changeConnection", parts={"id": "life"}, body={"name": "life-2"}, if_match='"2"')
    rest.expect(409, "changeConnection", parts={"id": "life"}, body={"name": "life-2"}, if_match="*")
    rest.expect(412, "changeConnection", parts={"id": "life"}, body={"name": "life-2"}, if_match='"1"')
    rest.add("life", token="other")
    # The operator's is seen by all and changed by none.
    rest.add("operator-shared", token="admin")
    assert rest.expect(200, "getConnection", parts={"id": "operator-shared"}).json()["owner"] == "operator"
    rest.expect(403, "changeConnection", parts={"id": "operator-shared"}, body={"description": "mine"})
    rest.expect(403, "removeConnection", parts={"id": "operator-shared"})
    # Another's is not there, by id or name.
    for name in ("getConnection", "testConnection", "removeConnection", "changeConnection"):
        rest.expect(404, name, parts={"id": document["id"]}, token="other")
    assert rest.expect(204, "removeConnection", parts={"id": document["id"]}, if_match='"2"').body == b""
    rest.expect(404, "getConnection", parts={"id": document["id"]})
    everything = rest.raw("GET", PREFIX + "/connections", token="manager").body
    assert secret.encode() not in made.body + shown.body + changed.body + everything


@check
def pages(rest):
    names = ["page-%02d" % i for i in range(23)]
    for name in names:
        rest.add(name, token="other", tags={"set": "pages"}, backend_type="loki")
    for limit in (1, 7, 200):
        found, cursor, n = [], None, 0
        while True:
            query = {"tag": "set=pages", "limit": limit, **({"cursor": cursor} if cursor else {})}
            page = rest.expect(200, "listConnections", query=query, token="other").json()
            assert len(page["connections"]) <= limit
            found += [row["name"] for row in page["connections"]]
            cursor, n = page.get("next_cursor"), n + 1
            if not cursor:
                break
        assert found == names and n == -(-len(names) // limit), (limit, n, found)
    assert len(rest.expect(200, "listConnections", query={"backend_type": "loki"}, token="other").json()["connections"]) == 23
    assert rest.expect(200, "listConnections", query={"tag": "set=other"}, token="other").json()["connections"] == []


@check
def history(rest):
    rows = rest.expect(200, "listQueries").json()["queries"]
    assert len(rows) == 7, len(rows)
    failed = rest.expect(200, "listQueries", query={"status": "error"}).json()["queries"]
    assert len(failed) == 2 and all(row["error_message"] for row in failed)
    assert len(rest.expect(200, "listQueries", query={"status": "ok", "tool": "query_metrics"}).json()["queries"]) == 5
    assert rest.expect(200, "listQueries", query={"tool": "other"}).json()["queries"] == []
    one = rest.expect(200, "getQuery", parts={"id": rows[0]["id"]}).json()
    assert one == rows[0]
    assert rest.expect(200, "getQuery", parts={"id": rows[0]["id"]}, token="reader").json() == one
    rest.expect(404, "getQuery", parts={"id": rows[0]["id"]}, token="other")
    others = rest.expect(200, "listQueries", query={"user": "other"}, token="admin").json()["queries"]
    assert len(others) == 7 and others[0]["id"] not in [row["id"] for row in rows]
    assert rest.expect(200, "listBackends").json()["backends"][0]["name"] == "prometheus"


@check
def tests(rest):
    for name in ("works", "broken", "slow"):
        rest.add(name)
    assert rest.expect(200, "testConnection", parts={"id": "works"}).json()["ok"] is True
    failed = rest.expect(200, "testConnection", parts={"id": "broken"}, headers={"Content-Type": "text/plain"}).json()
    assert failed["ok"] is False and failed["stages"][1]["setting"] == "url"
    began = time.monotonic()
    rest.expect(504, "testConnection", parts={"id": "slow"})
    assert time.monotonic() - began > 2.5
    # Who leaves does not want it any more.
    _, before = rest.command("cancelled")
    with socket.create_connection(("127.0.0.1", rest.port), PATIENCE) as leaver:
        leaver.sendall(("POST %s/connections/slow/test HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer manager\r\n"
                        "Content-Length: 0\r\n\r\n" % PREFIX).encode())
        until = time.monotonic() + PATIENCE
        while rest.command("cancelled")[0] == 0 and time.monotonic() < until:
            time.sleep(0.01)
    while rest.command("cancelled")[1] == before:
        assert time.monotonic() < until, "a test goes on without its client"
        time.sleep(0.01)


@check
def methods(rest):
    paths = {}
    for operation in rest.operations:
        paths.setdefault(operation.path, set()).add(operation.method)
        if operation.method == "GET":
            rows = rest.expect(200, "listQueries", token="manager").json()["queries"]
            parts = {"id": "fault" if "connections/" in operation.path else rows[0]["id"]}
            got = rest.expect(200, operation.id, parts=parts, token="manager")
            hidden = rest.expect(200, operation.id, parts=parts, token="manager", method="HEAD")
            assert hidden.headers["Content-Length"] == str(len(got.body)), operation.id
    for path, taken in paths.items():
        allowed = taken | ({"HEAD"} if "GET" in taken else set())
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            if method in allowed:
                continue
            answer = rest.raw(method, path.replace("{id}", "x"))
            assert answer.status == 405, (path, method, answer.status)
            assert set(answer.headers["Allow"].split(", ")) == allowed, (path, answer.headers["Allow"])


def main():
    rest = Rest()
    wanted = sys.argv[2:]
    try:
        for function in checks:
            if not wanted or function.__name__ in wanted:
                function(rest)
                print("ok", function.__name__)
        if not wanted:
            documented = {(operation.id, int(status)) for operation in rest.operations for status in operation.item["responses"]}
            assert rest.seen == documented, "documented and never seen: %s" % sorted(documented - rest.seen)
            print("ok: %d answers of %d operations, each seen" % (len(documented), len(rest.operations)))
        rest.end()
    finally:
        if rest.process.poll() is None:
            rest.process.kill()
            rest.process.wait()


main()
