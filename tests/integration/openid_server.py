"""An OpenID provider for tests: a real HTTP server with RSA keys of its own, that lets in whoever it is told to."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey
from local_server import LocalServer, http_server

CLIENT, SECRET = "dateline", "an-oidc-client-secret-nobody-may-see"


class OpenIdServer(LocalServer):
    """`claims`: of whoever signs in next. `spoil`: changes an ID token's claims; `signer`: another key that signs."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.spoil: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.published = [self.key]
        self.signer: RSAKey | None = None
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "first"}
        self.asked: dict[str, dict[str, str]] = {}
        self.token_requests: list[dict[str, str]] = []
        server = self
        self.handler = type("Handler", (_Handler,), {"provider": server})
        super().__init__(http_server(self.handler))
        self.issuer = f"{self.url}/realm"

    def rotate(self) -> None:
        """Sign with another key, and publish it alone."""
        self.key = RSAKey.generate_key(2048, {"kid": "second"})
        self.published, self.header = [self.key], {"alg": "RS256", "kid": "second"}

    def let_in(self, address: str) -> str:
        """What a browser is sent to once somebody has signed in at `address`."""
        parts = urlsplit(address)
        assert parts.path == "/realm/authorize"
        asked = dict(parse_qsl(parts.query))
        code = secrets.token_urlsafe(8)
        self.asked[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"], "iss": self.issuer})

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code, once, for whoever proves to be the client that has begun (RFC 6749, 7636)."""
        self.token_requests.append(form)
        name, _, password = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        asked = self.asked.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if (unquote(name), unquote(password)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        id_token = jwt.encode(self.header, {**claims, **self.claims, **self.spoil}, self.signer or self.key)
        return 200, {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": id_token}


class _Handler(BaseHTTPRequestHandler):
    provider: OpenIdServer

    def do_GET(self) -> None:
        issuer = self.provider.issuer
        if self.path == "/realm/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            self._answer(200, {"issuer": issuer, **{name: f"{issuer}/{path}" for name, path in names.items()}})
        elif self.path == "/realm/keys":
            self._answer(200, {"keys": [key.as_dict(private=False) for key in self.provider.published]})
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(*self.provider.token(form, self.headers.get("authorization", "")))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name that the library gives it)
        pass

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
