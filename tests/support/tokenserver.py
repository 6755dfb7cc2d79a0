#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An authorization server and a backend that believes it, for tests. Loopback only; prints its port on a line of its own.

It ends when its standard input does. The client is "sonde client", its secret "s3cret+/ %".

  POST /token?...   a token for client credentials: expires=SECONDS (left out: not said), mode=
                      form     only the form's login is looked at       error   400 invalid_scope
                      html     a page with 200                          mac     another token_type
                      bare     JSON without a token                     hang    no answer for a minute
                      slow     after half a second                      big     more than anybody reads
  GET /data         200 with the newest token, else 401
  GET /denied       401 whatever comes
  GET /header       the X-One and X-Two headers that came
  GET /revoke       from now on the newest token is refused
  GET /_count       how many token requests there were, and the last one's form, as text
  GET /_reset       forgets all that
"""

import base64
import http.server
import json
import sys
import threading
import time
import urllib.parse

lock = threading.Lock()
state = {"count": 0, "valid": None, "form": {}}
CLIENT = "sonde client"
SECRET = "s3cret+/ %"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="text/plain"):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def login_is_right(self, form, mode):
        if mode == "form":
            return form.get("client_id") == CLIENT and form.get("client_secret") == SECRET
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic" or "client_secret" in form:
            return False
        parts = base64.b64decode(value).decode().split(":")
        return [urllib.parse.unquote_plus(part) for part in parts] == [CLIENT, SECRET]

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        size = int(self.headers.get("Content-Length", 0))
        form = dict(urllib.parse.parse_qsl(self.rfile.read(size).decode(), strict_parsing=True))
        mode = query.get("mode", "")
        with lock:
            state["count"] += 1
            state["form"] = form
            number = state["count"]
        if self.headers.get("Content-Type") != "application/x-www-form-urlencoded" or form.get("grant_type") != "client_credentials":
            return self.answer(400, '{"error":"unsupported_grant_type"}')
        if mode == "hang":
            time.sleep(60)
        if mode == "slow":
            time.sleep(0.5)
        if mode == "error":
            return self.answer(400, '{"error":"invalid_scope","error_description":"no such\\nscope"}')
        if mode == "html":
            return self.answer(200, "<html>log in</html>")
        if mode == "big":
            return self.answer(200, json.dumps({"access_token": "x" * 200000}))
        if mode == "bare":
            return self.answer(200, '{"expires_in":3600}')
        if not self.login_is_right(form, mode):
            return self.answer(401, '{"error":"invalid_client"}')
        token = {"access_token": "token-%d" % number, "token_type": "mac" if mode == "mac" else "Bearer"}
        if "expires" in query:
            token["expires_in"] = int(query["expires"])
        with lock:
            state["valid"] = token["access_token"]
        return self.answer(200, json.dumps(token), "application/json")

    def do_GET(self):
        with lock:
            valid, count, form = state["valid"], state["count"], dict(state["form"])
        if self.path == "/data":
            right = valid and self.headers.get("Authorization") == "Bearer " + valid
            return self.answer(200 if right else 401, "data" if right else "who are you?")
        if self.path == "/denied":
            return self.answer(401, "never")
        if self.path == "/header":
            return self.answer(200, "%s|%s" % (self.headers.get("X-One"), self.headers.get("X-Two")))
        if self.path == "/revoke":
            with lock:
                state["valid"] = None
            return self.answer(200, "revoked")
        if self.path == "/_reset":
            with lock:
                state.update(count=0, valid=None, form={})
            return self.answer(200, "forgotten")
        if self.path == "/_count":
            form.pop("client_secret", None)
            return self.answer(200, "%d %s" % (count, json.dumps(form, sort_keys=True)))
        return self.answer(404, "no such path")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
