# SPDX-License-Identifier: Apache-2.0
"""Who may ask `sonde serve`: users and tokens made beside it, the token file, tokens of an authorization server."""
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time

TOP_SRC = os.environ["top_srcdir"]
TOP = os.environ["top_builddir"]
sys.path[:0] = [os.path.join(TOP_SRC, d) for d in ("tests/support", "tests/serve", "tests/auth")]
from issuer import Issuer, Key  # noqa: E402
from mcp_client import Scratch  # noqa: E402
from server import PATIENCE, Serve, wait_for, write  # noqa: E402

AUDIENCE = "https://sonde.example/mcp"
checks = []


class Skip(Exception):
    pass


def check(function):
    checks.append(function)
    return function


def run(scratch, *arguments, fails=None):
    """sonde ARGUMENTS beside the server of scratch; standard output, or with fails the error that holds it."""
    environment = dict(os.environ, XDG_STATE_HOME=os.path.join(scratch, "state"))
    environment.pop("STATE_DIRECTORY", None)
    command = [os.path.join(TOP, "sonde"), *arguments, "--config", os.path.join(scratch, "sonde.yaml")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if fails is None:
        assert done.returncode == 0, (arguments, done.returncode, done.stderr)
        return done.stdout
    assert done.returncode != 0 and fails in done.stderr + done.stdout, (arguments, done.returncode, done.stderr)
    return done.stderr


def discover(serve, token, size=0):
    """One request at /mcp that asks nothing of a backend."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t" + "x" * size, "version": "1"}}}
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    return serve.ask("/mcp", "POST", json.dumps(body), token, headers)


def well_formed(body=None):
    """A token as sonde makes them that nobody was given."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    body = "sonde_" + (body or "".join(secrets.choice(digits) for _ in range(43)))
    number = int.from_bytes(hashlib.sha256(body.encode()).digest()[:4], "big")
    check = ""
    for _ in range(6):
        check = digits[number % 62] + check
        number //= 62
    return body + check


def refused(serve, token, status, words):
    answer = discover(serve, token)
    assert answer.status == status and words in answer.body, (answer.status, answer.body)
    if token:
        assert token not in answer.body
    return answer


@check
def tokens_beside_a_server(scratch):
    with Serve(scratch) as serve:
        run(scratch, "token", "create", "alice", fails="sonde user add alice")
        run(scratch, "user", "add", "alice")
        run(scratch, "user", "add", "alice", fails="already")
        run(scratch, "user", "add", "a b", fails="letters, digits")
        made = run(scratch, "token", "create", "alice", "--name", "laptop", "--rights", "manage", "--expires", "90d")
        assert re.fullmatch(r"sonde_[0-9A-Za-z]{49}\n", made), made
        token = made.strip()
        assert token == well_formed(token[6:49])
        # At once, and on another connection than the one that asks later.
        answer = discover(serve, token)
        assert answer.status == 200, (answer.status, answer.body)
        # One more, with a body that does not come in one piece: it is read before anybody is asked.
        other = run(scratch, "token", "create", "alice").strip()
        answer = discover(serve, other, size=300000)
        assert answer.status == 200, (answer.status, answer.body)
        listed = json.loads(run(scratch, "token", "list", "alice", "--json"))["tokens"]
        assert [row["rights"] for row in listed] == ["manage", "read"], listed
        assert listed[0]["prefix"] == token[:14] and listed[0]["name"] == "laptop" and listed[0]["expires_at"], listed
        wait_for("the last use", lambda: json.loads(run(scratch, "token", "list", "--json"))["tokens"][0]["last_used_at"])
        begun = time.monotonic()
        run(scratch, "token", "revoke", token[:14])
        wait_for("the revocation", lambda: discover(serve, token).status == 401)
        print("refused %.2f s after it was revoked" % (time.monotonic() - begun))
        refused(serve, token, 401, "revoked on")
        assert discover(serve, other).status == 200
        run(scratch, "token", "revoke", "sonde_", fails="sonde token list")
        assert "disabled" in run(scratch, "user", "disable", "alice")
        wait_for("the disabling", lambda: discover(serve, other).status == 401)
        refused(serve, other, 401, "disabled")
        run(scratch, "user", "enable", "alice")
        wait_for("the enabling", lambda: discover(serve, other).status == 200)
        short = run(scratch, "token", "create", "alice", "--expires", "1s").strip()
        wait_for("the expiry", lambda: discover(serve, short).status == 401)
        refused(serve, short, 401, "expired on")
        assert serve.stop() == 0
        for secret in (token, other, short):
            assert secret not in serve.log() and secret[6:40] not in serve.log()
    # No secret lies in the store.
    folder = os.path.join(scratch, "state", "sonde")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            assert token[14:40].encode() not in file.read(), name


@check
def bound_tokens(scratch):
    yaml = "connections:\n" + "".join("  - {name: %s, backend: prometheus, url: 'http://127.0.0.1:9'}\n" % name for name in ("one", "two"))
    with Serve(scratch, yaml) as serve:
        assert serve.connections() == ["one", "two"]
        run(scratch, "user", "add", "alice")
        run(scratch, "token", "create", "alice", "--connection", "three", fails="neither alice nor the configuration")
        serve.token = run(scratch, "token", "create", "alice", "--connection", "two").strip()
        serve.session = None
        assert serve.connections() == ["two"], serve.connections()
        assert "(bound)" in run(scratch, "token", "list")
        # What a token may not do is no answer of a tool: the request is refused before.
        answer = serve.ask("/api/v1/observability/connections", "POST", "{}", headers={"Content-Type": "application/json"})
        assert answer.status == 403 and 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"], (answer.status, answer.headers)
        assert serve.stop() == 0


@check
def unknown_tokens(scratch):
    with Serve(scratch) as serve:
        answer = refused(serve, None, 401, "a token is needed")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="sonde"', answer.headers
        answer = refused(serve, well_formed(), 401, "not known here")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="sonde", error="invalid_token"', answer.headers
        assert answer.json()["status"] == 401
        refused(serve, well_formed()[:-1] + "-", 401, "not known here")
        refused(serve, "eyJhbGciOiJub25lIn0.e30.", 401, "not known here")
        # Many who guess at once get their answers, and do not keep others from theirs.
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(discover(serve, well_formed()).status)) for _ in range(100)]
        for thread in threads:
            thread.start()
        assert discover(serve, serve.token).status == 200
        for thread in threads:
            thread.join()
        assert len(statuses) == 100 and set(statuses) <= {401, 503}, statuses
        assert serve.ask("/healthz", token=None).status == 200
        assert serve.ask("/.well-known/oauth-protected-resource", token=None).status == 404
        assert serve.stop() == 0


@check
def token_file(scratch):
    os.makedirs(os.path.join(scratch, "state", "sonde"))
    path = os.path.join(scratch, "state", "sonde", "tokens")
    write(path, "machine-0123456789abcdef ci read # the pipeline\nlonely-0123456789abcdef\n")
    with Serve(scratch) as serve:
        for token in ("machine-0123456789abcdef", "lonely-0123456789abcdef"):
            assert discover(serve, token).status == 200, token
        names = [user["name"] for user in json.loads(run(scratch, "user", "list", "--json"))["users"]]
        assert "ci" in names and any(re.fullmatch("token-[0-9a-f]{8}", name) for name in names), names
        write(path, "machine-0123456789abcdef ci read\nnew-0123456789abcdef deploy manage\n")
        serve.reload("2 tokens")
        assert discover(serve, "new-0123456789abcdef").status == 200
        assert "deploy" in run(scratch, "user", "list")
        refused(serve, "lonely-0123456789abcdef", 401, "not known here")
        run(scratch, "user", "disable", "ci")
        wait_for("the disabling", lambda: discover(serve, "machine-0123456789abcdef").status == 401)
        write(path, "machine-0123456789abcdef alice of payments\n")
        serve.reload("tokens in use stay")
        assert "TOKEN USER RIGHTS" in serve.log()
        assert discover(serve, "new-0123456789abcdef").status == 200
        assert serve.stop() == 0


@check
def empty_token_file(scratch):
    """Who wants no token in a file empties it; then those of the store are all there are."""
    os.makedirs(os.path.join(scratch, "state", "sonde"))
    write(os.path.join(scratch, "state", "sonde", "tokens"), "# none\n")
    with Serve(scratch) as serve:
        assert "nobody may ask" in serve.log(), serve.log()
        run(scratch, "user", "add", "alice")
        token = run(scratch, "token", "create", "alice").strip()
        assert discover(serve, token).status == 200
        assert "\nsonde_tokens 1\n" in serve.ask("/metrics", token=token).body
        assert serve.stop() == 0


def half_a_request(serve, token, size):
    """A body that is announced and does not come to its end."""
    sock = socket.create_connection(("127.0.0.1", serve.port), timeout=PATIENCE)
    sock.sendall(("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                  "Content-Length: %d\r\n\r\n{" % (token, size)).encode())
    return sock


@check
def bodies_of_strangers(scratch):
    """What may be sent before it is known by whom is bounded for all together; who is known is not kept waiting by it."""
    mib = 1 << 20
    with Serve(scratch) as serve:
        held = [half_a_request(serve, well_formed(), 4 * mib) for _ in range(16)]
        try:
            answer = wait_for("the bound", lambda: (lambda a: a if a.status == 503 else None)(discover(serve, well_formed())))
            assert answer.headers["Retry-After"] and "as many tokens as it can" in answer.body, answer.body
            assert discover(serve, serve.token, size=mib).status == 200
        finally:
            for sock in held:
                sock.close()
        wait_for("room again", lambda: discover(serve, well_formed()).status == 401)
        assert serve.stop() == 0


@check
def without_store(scratch):
    with Serve(scratch, "store: none\n") as serve:
        assert discover(serve, serve.token).status == 200
        refused(serve, well_formed(), 401, "not known here")
        run(scratch, "user", "list", fails="token file")
        assert serve.stop() == 0


def oauth(issuer, more=""):
    return "oauth: {issuer: '%s', audience: '%s'}\n%s" % (issuer.url, AUDIENCE, more)


def with_issuer(path="", oidc=False):
    def decorate(function):
        def run_it(scratch):
            if not shutil.which("openssl"):
                raise Skip("openssl is missing")
            issuer = Issuer(path, oidc=oidc)
            try:
                function(scratch, issuer)
            finally:
                issuer.stop()
        run_it.__name__ = function.__name__
        return run_it
    return decorate


@check
@with_issuer()
def authorization_server(scratch, issuer):
    keys = [Key(scratch, "k-" + algorithm, algorithm) for algorithm in ("RS256", "PS256", "ES256", "EdDSA")]
    issuer.keys = keys
    with Serve(scratch, oauth(issuer)) as serve:
        metadata = "https://sonde.example/.well-known/oauth-protected-resource/mcp"
        answer = refused(serve, None, 401, "a token is needed")
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge == 'Bearer realm="sonde", resource_metadata="%s", scope="sonde:read"' % metadata, challenge
        for where in ("", "/mcp"):
            answer = serve.ask("/.well-known/oauth-protected-resource" + where, token=None)
            document = answer.json()
            assert answer.status == 200 and document["resource"] == AUDIENCE, document
            assert document["authorization_servers"] == [issuer.url] and "sonde:read" in document["scopes_supported"]
        assert not issuer.asked_for_keys()
        for key in keys:
            answer = discover(serve, key.sign(issuer.claims(AUDIENCE, preferred_username="alice")))
            assert answer.status == 200, (key.algorithm, answer.status, answer.body)
        assert issuer.asked_for_keys() == 1, issuer.asked
        key = keys[2]
        refused(serve, key.sign(issuer.claims("https://other.example/mcp")), 401, "another server")
        refused(serve, key.sign(issuer.claims(AUDIENCE, exp=int(time.time()) - 90)), 401, "expired")
        refused(serve, key.sign(issuer.claims(AUDIENCE, nbf=int(time.time()) + 300)), 401, "not valid yet")
        refused(serve, key.sign(issuer.claims(AUDIENCE, iss=issuer.url + "/")), 401, "another issuer")
        answer = refused(serve, key.sign(issuer.claims(AUDIENCE, scope="openid")), 403, "none of the scopes")
        challenge = answer.headers["WWW-Authenticate"]
        assert 'error="insufficient_scope"' in challenge and 'scope="sonde:read"' in challenge and metadata in challenge, challenge
        good = key.sign(issuer.claims(AUDIENCE, "u-2", preferred_username="alice"))
        answer = refused(serve, good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:], 401, "signature")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        # Another person of that name is another user; a name that is one here already is not taken over.
        assert discover(serve, good).status == 200
        run(scratch, "user", "add", "bob")
        assert discover(serve, key.sign(issuer.claims(AUDIENCE, "u-3", preferred_username="bob"))).status == 200
        users = json.loads(run(scratch, "user", "list", "--json"))["users"]
        names = {user["external"]: user["name"] for user in users}
        assert names[issuer.url + " u-1"] == "alice", names
        assert re.fullmatch("alice-[0-9a-f]{6}", names[issuer.url + " u-2"]), names
        assert re.fullmatch("bob-[0-9a-f]{6}", names[issuer.url + " u-3"]), names
        run(scratch, "user", "disable", names[issuer.url + " u-2"])
        wait_for("the disabling", lambda: discover(serve, good).status == 401)
        refused(serve, good, 401, "disabled")
        assert serve.stop() == 0


@check
@with_issuer(path="/realms/main", oidc=True)
def rotated_keys(scratch, issuer):
    old, new = Key(scratch, "old", "ES256"), Key(scratch, "new", "ES256")
    issuer.keys = [old]
    with Serve(scratch, oauth(issuer)) as serve:
        known = old.sign(issuer.claims(AUDIENCE))
        assert discover(serve, known).status == 200
        issuer.keys = [new]
        assert discover(serve, known).status == 200
        # A name that is not among the keys makes it look again, which also takes the old key away.
        assert discover(serve, new.sign(issuer.claims(AUDIENCE))).status == 200
        refused(serve, known, 401, "does not publish")
        asked = issuer.asked_for_keys()
        assert asked == 2, issuer.asked
        # But not for each made-up name.
        for i in range(5):
            header = {"alg": "ES256", "typ": "at+jwt", "kid": "made-up-%d" % i}
            refused(serve, new.sign(issuer.claims(AUDIENCE), header), 401, "does not publish")
        assert issuer.asked_for_keys() == asked
        # Gone: what is known goes on.
        issuer.stop()
        assert discover(serve, new.sign(issuer.claims(AUDIENCE, "u-9"))).status == 200
        assert serve.stop() == 0


@check
@with_issuer()
def issuer_down(scratch, issuer):
    key = Key(scratch, "k", "EdDSA")
    port = issuer.port
    issuer.stop()
    with Serve(scratch, oauth(issuer)) as serve:
        token = key.sign(issuer.claims(AUDIENCE))
        answer = refused(serve, token, 503, "try again")
        assert answer.headers["Retry-After"], answer.headers
        assert discover(serve, serve.token).status == 200
        again = Issuer(port=port)
        again.keys = [key]
        try:
            wait_for("the issuer's keys", lambda: discover(serve, token).status == 200)
            # Whoever leaves while the issuer is waited for takes nothing along; a stop does not wait for it either.
            again.hang.clear()
            other = Key(scratch, "other", "EdDSA")
            again.keys = [key, other]
            connection = serve.connect()
            connection.request("POST", "/mcp", body="{}", headers={"Authorization": "Bearer " + other.sign(issuer.claims(AUDIENCE))})
            wait_for("the issuer to be asked", lambda: len(again.asked) > 2)
            connection.close()
            assert discover(serve, token).status == 200
            begun = time.monotonic()
            assert serve.stop() == 0
            assert time.monotonic() - begun < 60
        finally:
            again.stop()


def main():
    chosen = sys.argv[1:]
    failed = 0
    for function in checks:
        if chosen and function.__name__ not in chosen:
            continue
        with Scratch() as scratch:
            try:
                function(scratch)
                print("ok      " + function.__name__, flush=True)
            except Skip as skip:
                print("skipped %s: %s" % (function.__name__, skip), flush=True)
            except Exception as error:  # noqa: BLE001
                failed += 1
                log = os.path.join(scratch, "log")
                print("FAILED  %s: %r" % (function.__name__, error), flush=True)
                if os.path.exists(log):
                    with open(log) as file:
                        print(file.read()[-3000:])
                if chosen:
                    raise
    return 1 if failed else 0


sys.exit(main())
