"""OAuth2 tokens of partners (RFC 6749, section 4.4: client credentials), fetched before a push needs them.

Whoever sends a push never waits for a token. Either there is one; or `RequestPending` means: come again in a moment;
or `RequestImpossible` means: there is none to be had. Tokens are fetched in threads of their own, through the engine
and so past its guard, and are kept in memory only. A token in use is replaced in the background before it ends; one
that nobody has used is left to end.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import quote_plus

import requests
import structlog
from requests.auth import AuthBase, HTTPBasicAuth

from worker.outbound.engine import Engine
from worker.outbound.errors import RequestImpossible, RequestPending
from worker.outbound.requests_adapter import session_through
from worker.outbound.scheduler import host_of
from worker.outbound.transfer import DEFAULT_TLS, Tls
from worker.watchdog import watched

log = structlog.get_logger()

_FETCH_THREADS = 4
"""How many tokens are fetched at once, so that an authorization server that hangs keeps few others waiting."""
_RENEWAL_SHARE = 0.8
"""A token is replaced after this share of its life."""
_LOOK_SECONDS = 0.25
"""How often we look for tokens to replace: often, measured against the last fifth of the shortest life."""
_STILL_SECONDS = 60.0
"""How long one look may take before the watchdog takes the thread for dead."""
_SHORTEST_LIFE_SECONDS = 5.0
"""A token is used for so long even if its server says less. Otherwise it might never reach a request."""
_DEFAULT_LIFE_SECONDS = 3600.0
"""How long a token is used whose server does not say how long it is valid (RFC 6749, section 5.1: it should)."""
_PAUSE_SECONDS = 5.0
"""How long we leave a server alone that gave no token."""
_KEEP_BYTES = 100_000
_TOKEN = re.compile(r"[!-~]+")
# RFC 6749, section 5.2. Other texts of a server about an error may repeat what we sent.
_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


@dataclass(frozen=True, slots=True)
class OAuth2Client:
    """Who we are to an authorization server."""

    token_url: str
    id: str = field(repr=False)
    secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""
    in_body: bool = False
    """Whether id and secret go in the body, not in Basic authentication (section 2.3.1)."""
    tls: Tls = DEFAULT_TLS


@dataclass(slots=True)
class _Token:
    """A token as the header that carries it. Times are on the clock of its `TokenAuth`."""

    authorization: str = field(repr=False)
    renew_at: float
    ends_at: float
    used: bool = False


class TokenAuth(AuthBase):
    """Adds a client's token to requests.

    `request_token` asks the server for one and returns it with its life in seconds; it runs in a thread of `executor`.
    """

    def __init__(
        self,
        client: OAuth2Client,
        request_token: Callable[[OAuth2Client], tuple[str, float]],
        executor: Executor,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._request_token = request_token
        self._executor = executor
        self._monotonic = monotonic
        self._lock = Lock()
        self._token: _Token | None = None
        self._fetching = False
        self._replaced_after_401 = False
        self._failure = ""
        self._next_fetch_at = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token. Raises RequestPending or RequestImpossible; never waits."""
        now = self._monotonic()
        with self._lock:
            token = self._token
            if token is None or now >= token.ends_at:
                if not self._fetching and now < self._next_fetch_at:
                    raise RequestImpossible(self._failure)
                self._start_fetch()
                raise RequestPending("waiting for a token")
            token.used = True
            request.headers["Authorization"] = token.authorization
        return request

    def replaces(self, authorization: str, status: int) -> bool:
        """Take in the status that answered a request with this header; return whether to send it again.

        It must be sent again when its token was refused (401) and is being replaced, or has been meanwhile. When the
        next token is refused as well, the tokens are not at fault, and the refusal stands.
        """
        with self._lock:
            if status != 401:
                if status:
                    self._replaced_after_401 = False
                return False
            if self._token is None or self._token.authorization != authorization:
                return True
            if self._replaced_after_401:
                return False
            self._replaced_after_401 = True
            self._token = None
            self._start_fetch()
            return True

    def renew(self) -> None:
        """Fetch another token if this one is in use and will end soon."""
        now = self._monotonic()
        with self._lock:
            token = self._token
            if token and token.used and token.renew_at <= now < token.ends_at and now >= self._next_fetch_at:
                self._start_fetch()

    def _start_fetch(self) -> None:
        """Have a token fetched, unless one is being fetched. Call it with the lock held."""
        if not self._fetching:
            self._fetching = True
            self._executor.submit(self._fetch)

    def _fetch(self) -> None:
        """Fetch a token, in a thread of the executor."""
        begun = self._monotonic()
        try:
            token, life = self._request_token(self._client)
        except Exception as error:
            # Whatever it was, the next fetch must be possible.
            expected = isinstance(error, RequestImpossible)
            reason = str(error) if expected else "no token: internal error"
            log.warning("token_failed", server=host_of(self._client.token_url), reason=reason, exc_info=not expected)
            with self._lock:
                self._fetching = False
                self._failure = reason
                self._next_fetch_at = self._monotonic() + _PAUSE_SECONDS
            return
        life = max(life, _SHORTEST_LIFE_SECONDS)
        with self._lock:
            self._fetching = False
            self._next_fetch_at = 0.0
            self._token = _Token(f"Bearer {token}", begun + _RENEWAL_SHARE * life, begun + life)


class Tokens:
    """The tokens of all endpoints. `timeout`: how long fetching one may take, in seconds."""

    def __init__(self, engine: Engine, timeout: float) -> None:
        self._session = session_through(engine, keep_bytes=_KEEP_BYTES)
        self._timeout = timeout
        self._executor = ThreadPoolExecutor(_FETCH_THREADS, thread_name_prefix="tokens")
        self._auths: dict[OAuth2Client, TokenAuth] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="token-renewal", daemon=True)

    def start(self) -> None:
        """Start to renew tokens."""
        self._thread.start()

    def stop(self) -> None:
        """Stop. Stop the engine before, or this waits for the tokens that are being fetched."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._executor.shutdown()

    def auth_for(self, client: OAuth2Client) -> TokenAuth:
        """Return the authentication of a client. Equal clients share one token, also after settings are read again."""
        return self._auths.setdefault(client, TokenAuth(client, self._request_token, self._executor))

    def _run(self) -> None:
        with watched("token-renewal", _STILL_SECONDS) as beat:
            while not self._stopping.wait(_LOOK_SECONDS):
                beat()
                for auth in list(self._auths.values()):
                    try:
                        auth.renew()
                    except Exception:
                        # The trouble of one client must not stop the others.
                        log.exception("token_renewal_failed", next_step="it is tried again")

    def _request_token(self, client: OAuth2Client) -> tuple[str, float]:
        """Ask a server for a token (sections 4.4.2 and 5); return it and its life in seconds.

        Raises RequestImpossible.
        """
        form = {"grant_type": "client_credentials", "scope": client.scope, "audience": client.audience}
        auth: AuthBase | None = None
        if client.in_body:
            form |= {"client_id": client.id, "client_secret": client.secret}
        else:
            auth = HTTPBasicAuth(quote_plus(client.id), quote_plus(client.secret))
        tls = client.tls
        try:
            response = self._session.post(
                client.token_url,
                data={name: value for name, value in form.items() if value},
                auth=auth,
                headers={"Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
                verify=tls.ca or True,
                cert=(tls.cert, tls.key or tls.cert) if tls.cert else None,
            )
        except requests.RequestException as error:
            raise RequestImpossible(f"no token: {error}") from None
        return _token_in(response)


def _token_in(response: requests.Response) -> tuple[str, float]:
    """The token in a server's response, and its life in seconds. Raises RequestImpossible."""
    try:
        document: Any = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
    if not 200 <= response.status_code < 300:
        error = document.get("error")
        error_code = f" {error}" if isinstance(error, str) and error in _ERRORS else ""
        raise RequestImpossible(f"no token: its server answered {response.status_code}{error_code}")
    token, token_type = document.get("access_token"), document.get("token_type", "Bearer")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise RequestImpossible("no token: there is none in its server's answer")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise RequestImpossible("no token: its server gave one that is not of the type Bearer")
    try:
        life = float(document["expires_in"])
    except (KeyError, TypeError, ValueError, OverflowError):
        life = _DEFAULT_LIFE_SECONDS
    return token, life
