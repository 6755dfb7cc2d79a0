# SPDX-License-Identifier: Apache-2.0
"""A small authorization server: metadata, keys, and tokens signed through the openssl command."""
import base64
import http.server
import json
import os
import re
import subprocess
import threading
import time


def base64url(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


class Key:
    """algorithm: RS256, PS256, ES256, EdDSA."""

    def __init__(self, directory, kid, algorithm):
        self.kid = kid
        self.algorithm = algorithm
        self.path = os.path.join(directory, kid + ".pem")
        self.directory = directory
        options = {"ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "EdDSA": ["ED25519"]}
        openssl("genpkey", "-out", self.path, "-algorithm", *options.get(algorithm, ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]))

    def jwk(self):
        der = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if self.algorithm == "ES256":
            return {"kty": "EC", "crv": "P-256", "kid": self.kid, "x": base64url(der[-64:-32]), "y": base64url(der[-32:])}
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": base64url(der[-32:]), "use": "sig"}
        modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().split("=")[1]
        return {"kty": "RSA", "kid": self.kid, "n": base64url(bytes.fromhex(modulus)), "e": "AQAB", "alg": self.algorithm}

    def signature(self, text):
        if self.algorithm == "EdDSA":
            path = os.path.join(self.directory, "signed")
            with open(path, "wb") as file:
                file.write(text)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", path)
        more = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if self.algorithm == "PS256" else []
        made = openssl("dgst", "-sha256", "-sign", self.path, *more, data=text)
        if self.algorithm != "ES256":
            return made
        # DER: SEQUENCE of two INTEGERs, all shorter than 128 bytes.
        at = 2
        numbers = b""
        for _ in range(2):
            size = made[at + 1]
            numbers += int.from_bytes(made[at + 2:at + 2 + size], "big").to_bytes(32, "big")
            at += 2 + size
        return numbers

    def sign(self, claims, header=None):
        header = header or {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid}
        text = base64url(json.dumps(header)) + "." + base64url(json.dumps(claims))
        return text + "." + base64url(self.signature(text.encode()))


class Issuer:
    """keys are those it publishes; down: it answers nothing but errors; path is of the issuer's URL."""

    def __init__(self, path="", port=0, oidc=False):
        self.keys = []
        self.asked = []
        self.hang = threading.Event()
        self.hang.set()
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                issuer.hang.wait(60)
                name = "openid-configuration" if oidc else "oauth-authorization-server"
                places = {
                    ("%s/.well-known/%s" if oidc else "/.well-known/%s%s") % ((path, name) if oidc else (name, path)):
                        {"issuer": issuer.url, "jwks_uri": issuer.origin + "/keys?v=1"},
                    "/keys?v=1": {"keys": [key.jwk() for key in issuer.keys]},
                }
                body = json.dumps(places.get(self.path, {})).encode()
                self.send_response(200 if self.path in places else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked has left, as some tests want it

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.origin = "http://127.0.0.1:%d" % self.port
        self.url = self.origin + path
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stop(self):
        self.hang.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
        self.server = None

    def claims(self, audience, subject="u-1", scope="openid sonde:read", **more):
        now = int(time.time())
        claims = {"iss": self.url, "sub": subject, "aud": audience, "exp": now + 600, "iat": now, "scope": scope}
        claims.update(more)
        return {name: value for name, value in claims.items() if value is not None}

    def asked_for_keys(self):
        return sum(bool(re.match("/keys", path)) for path in self.asked)
