#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MCP over HTTP: what each era promises, and every refusal. http_test.py PROGRAM [CASE...]"""
import json
import os
import sys
import time
import traceback

from http_client import (CAPABILITIES, HANG_S, MODERN, VERSION, Client, Mismatch, Program, call, initialize, modern,
                         modern_headers, notification, request, session)

SANITIZED = os.environ.get("SANITIZED", "no") not in ("no", "")
CASES = []


def case(*arguments):
    def add(function):
        CASES.append((function, arguments))
        return function
    return add


def expect(condition, what):
    if not condition:
        raise Mismatch(what)


def refused(answer, status, code, id="any"):
    """A JSON-RPC error with that HTTP status and code."""
    shown = f"{answer.status} {answer.body[:300]!r}, wanted {status} {code}"
    expect(answer.status == status and answer.json is not None, shown)
    expect(answer.json.get("error", {}).get("code") == code and answer.json["jsonrpc"] == "2.0", shown)
    if id != "any":
        expect(answer.json["id"] == id, f"id {answer.json['id']!r}, wanted {id!r}")


def until(condition, what):
    deadline = time.monotonic() + HANG_S
    while not condition():
        expect(time.monotonic() < deadline, what)
        time.sleep(0.01)


@case()
def legacy_life(program):
    client = Client(program.port)
    answer = client.ask("POST", initialize())
    id = answer.headers["Mcp-Session-Id"]
    expect(answer.type == "application/json" and len(id) >= 22 and id.isascii() and id.isalnum(), f"session {id!r}")
    headers = {"Mcp-Session-Id": id}
    answer = client.ask("POST", notification("notifications/initialized"), headers)
    expect(answer.status == 202 and answer.body == b"", f"initialized: {answer.status} {answer.body!r}")
    expect(client.ask("POST", request("ping", id="a"), headers).json == {"jsonrpc": "2.0", "id": "a", "result": {}}, "ping")
    expect(len(client.ask("POST", request("tools/list"), headers).json["result"]["tools"]) > 1, "tools")
    answer = client.ask("POST", call("up", 7), headers)
    expect(answer.json["result"]["structuredContent"] == {"query": "up"} and answer.json["id"] == 7, "call")
    answer = client.ask("POST", call("blocks"), headers)
    expect([block["text"] for block in answer.json["result"]["content"]] == ["blocks", "one", "two"], "blocks")
    refused(client.ask("POST", request("no/such"), headers), 200, -32601)
    refused(client.ask("POST", request("tools/call", {"name": "no"}), headers), 200, -32602)
    answer = client.ask("POST", {"jsonrpc": "2.0", "id": 5, "result": {}}, headers)
    expect(answer.status == 202 and answer.body == b"", "a response is accepted")
    expect(client.ask("POST", initialize("2026-07-28")).json["result"]["protocolVersion"] == "2025-11-25", "the newest legacy version")
    expect(client.ask("DELETE", None, headers).status == 204, "DELETE")
    refused(client.ask("POST", request("ping"), headers), 404, -32001)
    refused(client.ask("DELETE", None, headers), 404, -32001)
    refused(client.ask("GET", None, headers), 404, -32001)


@case()
def legacy_refusals(program):
    client = Client(program.port)
    headers = session(client)
    ping = request("ping")
    refused(client.ask("POST", ping), 400, -32000)
    refused(client.ask("POST", notification("notifications/initialized")), 400, -32000)
    refused(client.ask("POST", ping, {"Mcp-Session-Id": "x" * 32}), 404, -32001)
    refused(client.ask("POST", ping, {"Mcp-Session-Id": ""}), 404, -32001)
    refused(Client(program.port, "beta").ask("POST", ping, headers), 404, -32001)
    refused(Client(program.port, "beta").ask("DELETE", None, headers), 404, -32001)
    refused(Client(program.port, "beta").ask("GET", None, headers), 404, -32001)
    refused(client.ask("POST", ping, {**headers, "MCP-Protocol-Version": "1999-01-01"}), 400, -32000)
    refused(client.ask("POST", initialize(), headers), 400, -32600, 0)
    refused(client.ask("POST", initialize(), {"Mcp-Session-Id": "x" * 32}), 404, -32001)
    answer = client.ask("POST", request("initialize", {}))
    refused(answer, 200, -32602)
    expect("Mcp-Session-Id" not in answer.headers, "a failed initialize begins no session")
    for accept in ("application/json", "text/event-stream", "text/html", "", None, "application/json, text/event-stream;q=0",
                   "application/jsonx, text/event-stream"):
        refused(client.ask("POST", ping, {**headers, "Accept": accept}), 406, -32600)
    for accept in ("*/*", "text/event-stream;q=0.5 , Application/JSON; charset=utf-8", "application/*, text/*"):
        expect(client.ask("POST", ping, {**headers, "Accept": accept}).status == 200, f"Accept: {accept}")
    for type in ("text/plain", "application/jsonx", "", "application/json x"):
        refused(client.ask("POST", ping, {**headers, "Content-Type": type}), 415, -32600)
    expect(client.ask("POST", ping, {**headers, "Content-Type": "application/JSON ; charset=utf-8"}).status == 200, "charset")
    refused(client.ask("POST", "{", headers), 400, -32700, None)
    refused(client.ask("POST", "", headers), 400, -32700, None)
    refused(client.ask("POST", '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', headers), 400, -32700, None)
    refused(client.ask("POST", {"hello": 1}, headers), 400, -32600, None)
    refused(client.ask("POST", {"hello": 1}), 400, -32600, None)
    refused(client.ask("POST", "7", headers), 400, -32600, None)
    refused(client.ask("POST", {"jsonrpc": "1.0", "id": 1, "method": "ping"}, headers), 400, -32600, 1)
    refused(client.ask("POST", {"jsonrpc": "2.0", "id": None, "method": "ping"}, headers), 400, -32600, None)
    refused(client.ask("POST", {"jsonrpc": "2.0", "id": 1.5, "method": "ping"}, headers), 400, -32600, None)
    refused(client.ask("POST", [ping], headers), 400, -32600, None)
    refused(client.ask("POST", [ping]), 400, -32000, None)
    expect(client.ask("PUT", "{}", headers).status == 405, "PUT")
    expect(client.ask("POST", ping, headers).status == 200, "the session lives on")
    expect(Client(program.port, "gamma").ask("POST", ping, headers).status == 401, "an unknown token")


@case()
def batches(program):
    client = Client(program.port)
    headers = session(client, "2025-03-26")
    answer = client.ask("POST", [request("ping", id=1), call("up", 2), {"jsonrpc": "2.0", "id": 3}], headers)
    found = {message["id"]: message for message in answer.json}
    expect(set(found) == {1, 2, 3} and "error" in found[3] and found[2]["result"]["structuredContent"], f"{found}")
    answer = client.ask("POST", [notification("notifications/initialized")], headers)
    expect(answer.status == 202 and answer.body == b"", "nothing to answer")
    refused(client.ask("POST", [], headers), 400, -32600, None)
    refused(client.ask("POST", [request("ping", id=i) for i in range(101)], headers), 400, -32600, None)
    refused(client.ask("POST", [modern(request("tools/list"))], headers), 400, -32600, None)
    answer = client.ask("POST", [call("steps", 1, "a"), call("steps", 2, "b")], headers)
    expect(answer.type == "text/event-stream", f"progress of a batch: {answer.type}")
    *progress, last = [json.loads(line[5:]) for line in answer.body.decode().split("\n") if line.startswith("data:")]
    expect(sorted(message["id"] for message in last) == [1, 2], f"{last}")
    expect({message["params"]["progressToken"] for message in progress} == {"a", "b"}, f"{progress}")
    # Cancelled as a whole, after its stream has begun: it just ends.
    other = Client(program.port)
    batch = client.begin("POST", [call("steps", 1, "a"), call("sleep", 2)], headers).answer()
    refused(other.ask("POST", call("up", 2), headers), 400, -32600, 2)
    other.ask("POST", notification("notifications/cancelled", {"requestId": 2}), headers)
    messages = batch.messages()
    expect([message["id"] for message in messages[-1]] == [1], f"{messages[-1]}")


@case()
def legacy_cancel(program):
    client, other = Client(program.port), Client(program.port)
    headers = session(client)
    client.begin("POST", call("sleep", 1), headers)
    until(lambda: program.counts()["running"] == 1, "the call does not run")
    refused(other.ask("POST", call("up", 1), headers), 400, -32600, 1)
    expect(other.ask("POST", call("up", "1"), headers).status == 200, "its string twin is another id")
    stranger = Client(program.port, "beta")
    strange = session(stranger)
    cancel = notification("notifications/cancelled", {"requestId": 1})
    expect(stranger.ask("POST", cancel, strange).status == 202, "an unknown id")
    expect(program.counts()["cancelled"] == 0, "another session's call was cancelled")
    expect(other.ask("POST", cancel, headers).status == 202, "cancelled")
    answer = client.answer()
    expect(answer.messages() == [], "a cancelled call is not answered")
    until(lambda: program.counts()["cancelled"] == 1, "the call was not cancelled")
    expect(client.ask("POST", call("up", 1), headers).status == 200, "its connection and id serve again")


@case()
def disconnects(program):
    client = Client(program.port)
    headers = session(client)
    client.begin("POST", call("sleep 500ms"), headers)
    until(lambda: program.counts()["running"] == 1, "the call does not run")
    client.close()
    until(lambda: program.counts()["running"] == 0, "the call does not end")
    expect(program.counts()["cancelled"] == 0, "the legacy era: a disconnect cancels nothing")
    for token in (None, "t"):
        before = program.counts()["cancelled"]
        message = modern(call("sleep", token=token))
        client = Client(program.port).begin("POST", message, modern_headers(message))
        until(lambda: program.counts()["running"] == 1, "the call does not run")
        client.close()
        until(lambda: program.counts()["cancelled"] == before + 1, "the modern era: a disconnect cancels")
    # Many at once, some of them just about to answer.
    clients = []
    for i in range(40):
        message = modern(call(f"sleep {i % 5}ms", token=i if i % 2 else None))
        clients.append(Client(program.port).begin("POST", message, modern_headers(message)))
    for client in clients:
        client.close()
    until(lambda: program.counts()["running"] == 0, "calls do not end")


@case()
def modern_life(program):
    client = Client(program.port)

    def ask(message, **changes):
        return client.ask("POST", modern(message), modern_headers(message, **changes))

    result = ask(request("server/discover")).json["result"]
    expect(result["supportedVersions"] == [MODERN] and result["resultType"] == "complete", f"{result}")
    result = ask(request("tools/list", id="l")).json["result"]
    expect(result["ttlMs"] > 0 and result["tools"] and result["resultType"] == "complete", "tools")
    answer = ask(call("up"))
    expect(answer.type == "application/json" and answer.json["result"]["structuredContent"] == {"query": "up"}, "call")
    expect(ask(call("up"), Mcp_Session_Id="stray", Last_Event_ID="7").status == 200, "stray headers of the other era")
    expect(ask(call("up"), Mcp_Name="=?base64?cXVlcnlfbWV0cmljcw==?=").status == 200, "base64")
    answer = ask(notification("notifications/cancelled", {"requestId": 1}))
    expect(answer.status == 202 and answer.body == b"", "a notification")
    answer = client.ask("POST", notification("notifications/initialized"), {"MCP-Protocol-Version": MODERN})
    expect(answer.status == 202, "a notification without envelope")
    refused(ask(request("tools/call", {"name": "no_such_tool"})), 200, -32602, 1)
    # The same id on several connections is nobody's business.
    message = modern(call("sleep 200ms", 1))
    others = [Client(program.port).begin("POST", message, modern_headers(message)) for _ in range(3)]
    expect(all(other.answer().read().json["id"] == 1 for other in others), "the same id at once")


@case()
def modern_refusals(program):
    client = Client(program.port)

    def ask(message, version=MODERN, **changes):
        return client.ask("POST", modern(message, version), modern_headers(message, **changes))

    for id in (1, "s"):
        refused(ask(call("up", id), MCP_Protocol_Version=None), 400, -32020, id)
        refused(ask(call("up", id), MCP_Protocol_Version="2025-11-25"), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Method=None), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Method="tools/list"), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Method="Tools/Call"), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Name=None), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Name="list_metrics"), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Name="=?base64?cXVlcnlfbWV0cmljcw?="), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Name="=?base64?cXVlcn*fbWV0cmljcw==?="), 400, -32020, id)
        refused(ask(call("up", id), Mcp_Name="cXVlcnlfbWV0cmljcw=="), 400, -32020, id)
        for method in ("no/such", "initialize", "ping", "logging/setLevel", "resources/subscribe"):
            refused(ask(request(method, {}, id)), 404, -32601, id)
    answer = ask(call("up"), "2099-01-01", MCP_Protocol_Version="2099-01-01")
    refused(answer, 400, -32022, 1)
    expect(answer.json["error"]["data"] == {"supported": [MODERN], "requested": "2099-01-01"}, f"{answer.json}")
    headers = modern_headers(call("up"))
    answer = client.ask("POST", call("up"), headers)
    refused(answer, 400, -32602, 1)
    expect(answer.json["error"]["data"] == {"key": VERSION}, f"{answer.json}")
    message = modern(call("up"))
    del message["params"]["_meta"][CAPABILITIES]
    answer = client.ask("POST", message, headers)
    refused(answer, 400, -32602, 1)
    expect(answer.json["error"]["data"] == {"key": CAPABILITIES}, f"{answer.json}")
    message = modern(call("up"))
    message["params"]["_meta"][VERSION] = 7
    refused(client.ask("POST", message, headers), 400, -32602, 1)
    del message["params"]["_meta"][VERSION]
    refused(client.ask("POST", message, {}), 400, -32602, 1)
    refused(client.ask("POST", [modern(call("up"))], headers), 400, -32600, None)
    refused(client.ask("POST", [request("ping")], headers), 400, -32600, None)
    refused(client.ask("POST", {**modern(call("up")), "id": None}, headers), 400, -32600, None)
    refused(client.ask("POST", {"jsonrpc": "2.0", "id": 1, "result": {}}, headers), 400, -32600, None)
    for method in ("GET", "DELETE"):
        answer = client.ask(method, None, {"MCP-Protocol-Version": MODERN})
        expect(answer.status == 405 and answer.headers["Allow"] == "POST", f"{method}: {answer.status}")
        refused(client.ask(method), 400, -32000)
    # A header that comes twice could be read either way.
    client.connection.putrequest("POST", "/mcp")
    body = json.dumps(modern(call("up"))).encode()
    for name, value in {**headers, "Authorization": "Bearer alpha", "Content-Type": "application/json",
                        "Accept": "*/*", "Content-Length": len(body)}.items():
        client.connection.putheader(name, value)
    client.connection.putheader("Mcp-Name", "query_metrics")
    client.connection.endheaders(body)
    refused(client.answer().read(), 400, -32020, 1)


@case()
def progress(program):
    client = Client(program.port)
    headers = session(client)
    plain = modern(call("steps", 2, 7))
    for message, sent in ((call("steps", 2, "t"), headers), (plain, modern_headers(plain))):
        answer = client.begin("POST", message, sent).answer()
        expect(answer.type == "text/event-stream" and answer.headers["X-Accel-Buffering"] == "no", f"{answer.type}")
        *steps, last = answer.messages()
        values = [step["params"]["progress"] for step in steps]
        expect(values == [0, 1, 2, 3], f"progress {values}")
        token = message["params"]["_meta"]["progressToken"]
        expect(all(step["method"] == "notifications/progress" and step["params"]["progressToken"] == token and
                   step["params"]["total"] == 3 for step in steps), f"{steps}")
        expect(last["id"] == 2 and "result" in last, f"{last}")
    expect(client.ask("POST", call("steps"), headers).type == "application/json", "without a token no progress")
    answer = client.begin("POST", call("up", 1, "t"), headers).answer()
    expect(answer.type == "text/event-stream" and [m["id"] for m in answer.messages()] == [1], "with a token: a stream")
    refused(client.ask("POST", call("up", 1, {}), headers), 200, -32602)


@case()
def silent_calls(program):
    """A call that takes long: a stream that can be kept alive; with a token, progress though the call says nothing."""
    message = modern(call("sleep 6s"))
    silent = Client(program.port).begin("POST", message, modern_headers(message))
    asked = Client(program.port)
    headers = session(asked)
    asked.begin("POST", call("sleep 6s", 2, "t"), headers)
    answer = silent.answer()
    expect(answer.type == "text/event-stream" and program.counts()["running"] == 2, "no stream while it runs")
    expect([m["id"] for m in answer.messages()] == [1], "one answer")
    *steps, last = asked.answer().messages()
    expect(len(steps) >= 1 and steps[0]["params"]["progress"] >= 5 and last["id"] == 2, f"{steps}")


@case()
def get_streams(program):
    client = Client(program.port)
    headers = session(client)
    streams, ids = [], set()
    for _ in range(4):
        stream = Client(program.port)
        answer = stream.begin("GET", None, headers).answer()
        expect(answer.status == 200 and answer.type == "text/event-stream", f"GET: {answer.status}")
        events = answer.events()
        first = next(events)
        expect(first["data"] == "" and int(first["retry"]) > 0, f"priming event {first}")
        ids.add(first["id"])
        streams.append((stream, events))
    expect(len(ids) == 4, f"ids {ids}")
    refused(client.ask("GET", None, headers), 409, -32600)
    streams[0][0].close()
    until(lambda: Client(program.port).begin("GET", None, headers).answer().status == 200, "a stream that left counts")
    refused(client.ask("GET", None, {**headers, "Accept": "application/json"}), 406, -32600)
    expect(client.ask("POST", call("up"), headers).status == 200, "calls beside streams")
    running = Client(program.port).begin("POST", call("sleep"), headers)
    until(lambda: program.counts()["running"] == 1, "the call does not run")
    expect(client.ask("DELETE", None, headers).status == 204, "DELETE")
    for _, events in streams[1:]:
        expect(list(events) == [], "DELETE ends streams")
    expect(running.answer().messages() == [], "DELETE cancels calls")
    until(lambda: program.counts()["cancelled"] == 1, "the call was not cancelled")
    older = session(client, "2025-06-18")
    stream = Client(program.port).begin("GET", None, older).answer()
    client.ask("DELETE", None, older)
    expect(list(stream.events()) == [], "2025-06-18 knows no priming event")


@case(2000 if SANITIZED else 0)
def many_sessions(program):
    count, keep = (4000, 2000) if SANITIZED else (20000, 10000)
    client = Client(program.port)
    ids = [session(client) for _ in range(count)]
    expect(len({headers["Mcp-Session-Id"] for headers in ids}) == count, "ids repeat")
    ping = request("ping")
    for i in (0, count - keep - 1):
        refused(client.ask("POST", ping, ids[i]), 404, -32001)
    for i in (count - keep, count - 1):
        expect(client.ask("POST", ping, ids[i]).status == 200, f"session {i} is gone")


@case(2)
def busy_sessions(program):
    client = Client(program.port)
    first = session(client)
    stream = Client(program.port)
    expect(stream.begin("GET", None, first).answer().status == 200, "GET")
    second, third = session(client), session(client)
    refused(client.ask("POST", request("ping"), second), 404, -32001)
    for headers in (first, third):
        expect(client.ask("POST", request("ping"), headers).status == 200, "in use, or the last one used")
    other = Client(program.port)
    expect(other.begin("GET", None, third).answer().status == 200, "GET")
    refused(client.ask("POST", initialize()), 503, -32603)
    other.close()
    until(lambda: client.ask("POST", initialize()).status == 200, "no room for a new session")


@case(0, 300)
def idle_sessions(program):
    client = Client(program.port)
    used, unused = session(client), session(client)
    stream = Client(program.port)
    expect(stream.begin("GET", None, used).answer().status == 200, "GET")
    wait = 1
    while client.ask("POST", request("ping"), unused).status != 404:
        wait *= 2
        expect(wait < HANG_S, "an idle session stays")
        time.sleep(wait)
    expect(client.ask("POST", request("ping"), used).status == 200, "a session with a stream is not idle")


def listen(program, id=1):
    message = modern(request("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id))
    client = Client(program.port)
    return client, client.begin("POST", message, modern_headers(message)).answer()


@case()
def subscriptions(program):
    client, answer = listen(program, "s")
    events = answer.events()
    first = json.loads(next(events)["data"])
    tag = {"io.modelcontextprotocol/subscriptionId": "s"}
    expect(first["method"] == "notifications/subscriptions/acknowledged" and
           first["params"] == {"_meta": tag, "notifications": {}}, f"{first}")
    client.close()
    message = modern(request("subscriptions/listen", {}))
    refused(Client(program.port).ask("POST", message, modern_headers(message)), 200, -32602)
    opened = []
    while True:
        client, answer = listen(program)
        if answer.status != 200:
            break
        next(answer.events())
        opened.append((client, answer))
        expect(len(opened) <= 64, "more than 64 subscriptions of one principal")
    refused(answer.read(), 429, -32603, 1)
    opened.pop()[0].close()
    until(lambda: listen(program)[1].status == 200, "a subscription that left counts")
    program.ask("drain")
    *_, last = opened[0][1].messages()
    expect(last["id"] == 1 and last["result"]["resultType"] == "complete" and
           last["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == 1, f"{last}")


@case()
def drain(program):
    client = Client(program.port)
    headers = session(client)
    stream = Client(program.port).begin("GET", None, headers).answer()
    running = Client(program.port).begin("POST", call("sleep 500ms"), headers)
    until(lambda: program.counts()["running"] == 1, "the call does not run")
    expect(program.ask("drain") == ["draining"], "drain")
    expect(len(list(stream.events())) == 1, "the stream ends")
    refused(client.ask("POST", call("up"), headers), 503, -32603)
    refused(client.ask("POST", initialize()), 503, -32603)
    refused(client.ask("GET", None, headers), 503, -32603)
    message = modern(call("up"))
    refused(client.ask("POST", message, modern_headers(message)), 503, -32603)
    expect(client.ask("POST", notification("notifications/cancelled", {"requestId": 9}), headers).status == 202, "a notification")
    expect(running.answer().read().json["result"]["structuredContent"], "the running call goes on")


@case()
def ends_while_busy(program):
    """The end of the program cancels what runs; nothing leaks (under a sanitizer)."""
    client = Client(program.port)
    headers = session(client)
    message = modern(call("sleep", 1, 1))
    # Kept, or Python would close them.
    kept = [Client(program.port).begin("POST", body, sent)
            for sent, body in ((headers, call("sleep")), (modern_headers(message), message))]
    kept.append(Client(program.port).begin("GET", None, headers).answer())
    kept.append(listen(program))
    next(kept[-1][1].events())
    until(lambda: program.counts()["running"] == 2, "the calls do not run")


def main():
    wanted = set(sys.argv[2:])
    bad = 0
    for function, arguments in CASES:
        if wanted and function.__name__ not in wanted:
            continue
        program = Program(sys.argv[1], *arguments)
        failure = None
        begun = time.monotonic()
        try:
            function(program)
        except Exception as error:  # a connection that breaks is a failure like any other
            failure = error
        try:
            program.finish()
        except Mismatch as mismatch:
            failure = failure or mismatch
        if failure:
            bad = 1
            print(f"FAILED {function.__name__}: {type(failure).__name__}: {failure}")
            print("".join(traceback.format_tb(failure.__traceback__)[-2:]))
        else:
            print(f"ok {function.__name__} {time.monotonic() - begun:.1f} s")
    return bad


sys.exit(main())
