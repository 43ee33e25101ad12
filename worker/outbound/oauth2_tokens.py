"""OAuth2 tokens of partners (RFC 6749, section 4.4: client credentials), there before a push needs them.

Who sends pushes never waits for a token: it has one, or is told by `TokenPending` to come again in a moment, or by
`TokenFailed` that none can be had. They are fetched in threads of their own, through the engine and so past its guard,
and kept in memory only. One that is in use is replaced in the background before it ends; one that nobody used since it
was fetched is left to end.
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
from worker.outbound.requests_adapter import CurlAdapter
from worker.outbound.scheduler import host_of
from worker.outbound.transfer import DEFAULT_TLS, Tls
from worker.watchdog import watched

log = structlog.get_logger()

_AT_ONCE = 4
"""Tokens fetched at once, so that an authorization server that does not answer keeps few others waiting."""
_RENEWED_AT = 0.8
"""The share of its time after which a token is replaced."""
_LOOK_SECONDS = 0.25
"""How often tokens are looked through for such as are to be replaced: often, beside the last fifth of the shortest."""
_STILL_SECONDS = 60.0
"""How long one look may take before the thread is taken to stand still."""
_SHORTEST_SECONDS = 5.0
"""A token is tried for so long, even if it is said to end sooner: before that it might never reach a request."""
_UNSAID_SECONDS = 3600.0
"""How long a token is used whose server does not say how long it is good (RFC 6749, section 5.1: it should)."""
_PAUSE_SECONDS = 5.0
"""How long a server that gave no token is left alone."""
_KEEP_BYTES = 100_000
_TOKEN = re.compile(r"[!-~]+")
# RFC 6749, section 5.2. What else a server says of an error may repeat what we sent.
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


class TokenPending(Exception):
    """There is no token as yet; one is being fetched."""


class TokenFailed(Exception):
    """No token can be had; the message says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class OAuth2Client:
    """Who we are at an authorization server."""

    token_url: str
    id: str = field(repr=False)
    secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""
    in_body: bool = False
    """Id and secret go in the body, not as Basic authentication (section 2.3.1)."""
    tls: Tls = DEFAULT_TLS


@dataclass(slots=True)
class _Token:
    authorization: str = field(repr=False)
    renew: float
    """When it is to be replaced and when it ends, on the clock of its owner."""
    ends: float
    used: bool = False


class TokenAuth(AuthBase):
    """Adds a client's token to requests. `ask` fetches one, with its seconds, in a thread of `executor`."""

    def __init__(
        self,
        client: OAuth2Client,
        ask: Callable[[OAuth2Client], tuple[str, float]],
        executor: Executor,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._ask = ask
        self._executor = executor
        self._monotonic = monotonic
        self._lock = Lock()
        self._token: _Token | None = None
        self._fetching = False
        self._doubted = False
        self._reason = ""
        self._again = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token. Raises TokenPending or TokenFailed; never waits."""
        now = self._monotonic()
        with self._lock:
            token = self._token
            if token is None or now >= token.ends:
                if not self._fetching and now < self._again:
                    raise TokenFailed(self._reason)
                self._fetch()
                raise TokenPending
            token.used = True
            request.headers["Authorization"] = token.authorization
        return request

    def replaces(self, authorization: str, status: int) -> bool:
        """Take in with what status a request was answered; return whether it is to be sent anew with another token.

        It is, when the token was refused (401) and is an old one by now. If the next token is refused too, the tokens
        are not at fault.
        """
        with self._lock:
            if status != 401:
                if status:
                    self._doubted = False
                return False
            if self._token is None or self._token.authorization != authorization:
                return True
            if self._doubted:
                return False
            self._doubted = True
            self._token = None
            self._fetch()
            return True

    def renew(self) -> None:
        """Fetch another token if this one is in use and comes to its end."""
        now = self._monotonic()
        with self._lock:
            token = self._token
            if token is not None and token.used and token.renew <= now < token.ends and now >= self._again:
                self._fetch()

    def _fetch(self) -> None:
        """Have a token fetched, unless that is going on. With the lock."""
        if not self._fetching:
            self._fetching = True
            self._executor.submit(self._fetched)

    def _fetched(self) -> None:
        """In a thread of the executor."""
        begun = self._monotonic()
        try:
            value, seconds = self._ask(self._client)
        except Exception as error:
            # The next try must be possible whatever it was.
            expected = isinstance(error, TokenFailed)
            reason = str(error) if expected else "no token: internal error"
            log.warning("token_failed", server=host_of(self._client.token_url), reason=reason, exc_info=not expected)
            with self._lock:
                self._fetching = False
                self._reason = reason
                self._again = self._monotonic() + _PAUSE_SECONDS
            return
        seconds = max(seconds, _SHORTEST_SECONDS)
        with self._lock:
            self._fetching = False
            self._again = 0.0
            self._token = _Token(f"Bearer {value}", begun + _RENEWED_AT * seconds, begun + seconds)


class Tokens:
    """The tokens of all endpoints. `timeout`: how long fetching one may take, in seconds."""

    def __init__(self, engine: Engine, timeout: float) -> None:
        self._session = requests.Session()
        # Neither .netrc nor proxies: what we send is in the settings.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, CurlAdapter(engine, keep=_KEEP_BYTES))
        self._timeout = timeout
        self._executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tokens")
        self._auths: dict[OAuth2Client, TokenAuth] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="token-renewal", daemon=True)

    def start(self) -> None:
        """Start to renew tokens."""
        self._thread.start()

    def stop(self) -> None:
        """Stop. The engine must have stopped, or those that are being fetched are waited for."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._executor.shutdown()

    def auth_for(self, client: OAuth2Client) -> TokenAuth:
        """Return the authentication of a client. The same client has the same tokens, also when settings are reread."""
        return self._auths.setdefault(client, TokenAuth(client, self._ask, self._executor))

    def _run(self) -> None:
        with watched("token-renewal", _STILL_SECONDS) as beat:
            while not self._stopping.wait(_LOOK_SECONDS):
                beat()
                for auth in list(self._auths.values()):
                    try:
                        auth.renew()
                    except Exception:
                        # One client's trouble is not the others'.
                        log.exception("token_renewal_failed", next_step="it is tried again")

    def _ask(self, client: OAuth2Client) -> tuple[str, float]:
        """Fetch a token (sections 4.4.2 and 5); return it and its seconds. Raises TokenFailed."""
        form = {"grant_type": "client_credentials", "scope": client.scope, "audience": client.audience}
        auth: AuthBase | None = None
        if client.in_body:
            form |= {"client_id": client.id, "client_secret": client.secret}
        else:
            auth = HTTPBasicAuth(quote_plus(client.id), quote_plus(client.secret))
        tls = client.tls
        try:
            answer = self._session.post(
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
            raise TokenFailed(f"no token: {error}") from None
        return _token_in(answer)


def _token_in(answer: requests.Response) -> tuple[str, float]:
    try:
        said: Any = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    if not 200 <= answer.status_code < 300:
        error = said.get("error")
        word = f" {error}" if isinstance(error, str) and error in _ERRORS else ""
        raise TokenFailed(f"no token: its server answered {answer.status_code}{word}")
    token, kind = said.get("access_token"), said.get("token_type", "Bearer")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise TokenFailed("no token: there is none in its server's answer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenFailed("no token: its server gave one that is not of the type Bearer")
    try:
        seconds = float(said["expires_in"])
    except (KeyError, TypeError, ValueError, OverflowError):
        seconds = _UNSAID_SECONDS
    return token, seconds
