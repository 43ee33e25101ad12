"""An OpenID provider as a relying party sees it (OpenID Connect Core 1.0, section 3.1: the authorization code flow).

Everything is asked through the engine, and so past its guard. With PKCE (RFC 7636), state and nonce; the three are made
of one secret that only the browser has which began, so nothing is kept here in between.
"""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from worker import clock
from worker.outbound.requests_adapter import sent_through

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.outbound.engine import Engine

_DISCOVERY = "/.well-known/openid-configuration"
_KEEP_BYTES = 500_000
_KNOWN_SECONDS = 3600.0
"""How long we go by what a provider says of itself."""
_LEEWAY_SECONDS = 60
"""How much the provider's clock may differ from ours."""
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures that nobody can make who can only verify them: never `none`, and no secret that is shared."""


class SignInRefused(Exception):
    """The provider did not say who this is, or can't be believed. The text is the reason, without secrets."""


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """Who we are to a provider. `redirect_uri`: where it sends browsers back to. `timeout` of a request in seconds."""

    issuer: str
    id: str
    secret: str = field(repr=False)
    scope: str
    redirect_uri: str
    timeout: float


class OpenIdProvider:
    """One provider. The engine is made and started when it is asked first. Threads may share it."""

    def __init__(self, client: OpenIdClient, engine: Callable[[], Engine]) -> None:
        self._client = client
        self._make_engine = engine
        self._lock = Lock()
        self._engine: Engine | None = None
        self._published: tuple[float, dict[str, Any], KeySet] | None = None

    def stop(self) -> None:
        """Ask nothing more."""
        with self._lock:
            if self._engine is not None:
                self._engine.stop(0)

    def address(self, flow: str) -> str:
        """Return where a browser signs in. `flow`: a random secret of this one sign-in. Raises SignInRefused."""
        metadata, _ = self._provider()
        with self._session() as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=_derived("state", flow),
                nonce=_derived("nonce", flow),
                code_verifier=_derived("verifier", flow),
            )
        return str(address)

    def claims(self, flow: str, answer: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the claims about whoever comes back with `answer` in the address. Raises SignInRefused."""
        if not flow or not hmac.compare_digest(answer.get("state", "").encode(), _derived("state", flow).encode()):
            raise SignInRefused("this sign-in was not begun in this browser, or too long ago")
        # RFC 9207: an answer of another provider is not taken.
        if answer.get("iss", self._client.issuer) != self._client.issuer:
            raise SignInRefused("the answer is of another provider")
        if "code" not in answer:
            raise SignInRefused("the provider did not let you in")
        metadata, keys = self._provider()
        try:
            with self._session() as session:
                token = session.fetch_token(
                    metadata["token_endpoint"],
                    code=answer["code"],
                    code_verifier=_derived("verifier", flow),
                    timeout=self._client.timeout,
                    allow_redirects=False,
                )
        except (requests.RequestException, AuthlibBaseError, ValueError) as error:
            raise SignInRefused(f"the provider gave no token ({type(error).__name__})") from None
        return self._checked(str(token.get("id_token", "")), keys, _derived("nonce", flow))

    def _checked(self, id_token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        try:
            try:
                token = jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                # The provider may have new keys.
                token = jwt.decode(id_token, self._provider(anew=True)[1], algorithms=_ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self._client.issuer},
                "aud": {"essential": True, "value": self._client.id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            }
            claims = CodeIDToken(token.claims, token.header, options, {"nonce": nonce, "client_id": self._client.id})
            claims.validate(now=int(clock.agreed().timestamp()), leeway=_LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise SignInRefused(f"what the provider says can't be believed ({type(error).__name__})") from None
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise SignInRefused("the provider does not say who you are")
        return dict(claims)

    def _provider(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 4), and its keys."""
        published = self._published
        if published is not None and not anew and time.monotonic() < published[0]:
            return published[1], published[2]
        try:
            metadata = self._fetched(self._client.issuer.rstrip("/") + _DISCOVERY)
            if metadata["issuer"] != self._client.issuer:
                raise SignInRefused(
                    f"the provider calls itself {str(metadata['issuer'])[:200]}, not as in the settings"
                )
            keys = KeySet.import_key_set(self._fetched(metadata["jwks_uri"]))  # type: ignore[arg-type]
        except (requests.RequestException, JoseError, ValueError, KeyError, TypeError) as error:
            raise SignInRefused(f"the provider can't be asked ({type(error).__name__})") from None
        if not all(isinstance(metadata.get(name), str) for name in ("authorization_endpoint", "token_endpoint")):
            raise SignInRefused("the provider does not say where people sign in")
        self._published = time.monotonic() + _KNOWN_SECONDS, metadata, keys
        return metadata, keys

    def _fetched(self, url: str) -> dict[str, Any]:
        with self._session() as session:
            response = session.get(url, withhold_token=True, timeout=self._client.timeout, allow_redirects=False)
        if response.status_code != 200 or not isinstance(document := response.json(), dict):
            raise ValueError
        return document

    def _session(self) -> Any:
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()
                self._engine.start()
        session = OAuth2Session(
            self._client.id,
            self._client.secret or None,
            scope=self._client.scope,
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._client.secret else "none",
        )
        return sent_through(self._engine, session, keep_bytes=_KEEP_BYTES)


def _derived(use: str, flow: str) -> str:
    """What a sign-in shows of its secret for one use: no other use, and no secret, follows from it."""
    digest = hmac.digest(flow.encode(), use.encode(), sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
