"""Asks receivers whether they want our events before we push to them: the handshake of CloudEvents webhooks.

Source: CloudEvents 1.0, "HTTP 1.1 Web Hooks for Event Delivery", section 4 (abuse protection). A receiver that consents
names our origin and how many requests a minute it takes; the status of its answer says nothing. Every push then carries
our origin. As with tokens, whoever sends a push never waits: it is asked in threads of its own, past the guard.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import requests
import structlog
from requests.auth import AuthBase

from feeds.counted import counted
from worker.outbound.errors import RequestImpossible, RequestPending
from worker.outbound.requests_adapter import session_through
from worker.outbound.scheduler import host_of
from worker.outbound.transfer import DEFAULT_TLS, Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.outbound.engine import Engine

log = structlog.get_logger()

_THREADS = 4
"""How many receivers are asked at once, so that one that hangs keeps few others waiting."""
_CONSENT_SECONDS = 24 * 3600.0
"""For how long a consent is taken to hold."""
_PAUSE_SECONDS = 30.0
"""How long a receiver is not asked again that gave none."""
_KEEP_BYTES = 10_000


class Question(NamedTuple):
    """Whether `url` takes events from `origin`, `per_minute` at the most; None: we know no limit of our own."""

    url: str
    origin: str
    per_minute: int | None
    tls: Tls = DEFAULT_TLS


class Consent(AuthBase):
    """Adds our origin to requests once their receiver has consented.

    `ask` asks it, in a thread that `submit` finds, and raises RequestImpossible when it does not consent.
    """

    def __init__(
        self,
        question: Question,
        ask: Callable[[Question], None],
        submit: Callable[[Callable[[], None]], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._question = question
        self._ask = ask
        self._submit = submit
        self._monotonic = monotonic
        self._lock = Lock()
        self._asking = False
        self._refusal = ""
        self._valid_until = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it. Raises RequestPending while the receiver is asked, RequestImpossible if it did not consent."""
        with self._lock:
            if self._monotonic() >= self._valid_until:
                if not self._asking:
                    self._asking = True
                    self._submit(self._find_out)
                raise RequestPending("waiting for the receiver's consent")
            if self._refusal:
                raise RequestImpossible(self._refusal)
        request.headers["Origin"] = self._question.origin
        return request

    def _find_out(self) -> None:
        refusal = ""
        try:
            self._ask(self._question)
        except RequestImpossible as error:
            refusal = str(error)
            log.warning("consent_refused", server=host_of(self._question.url), reason=refusal)
        except Exception:
            # Whatever it was, it must be possible to ask again.
            refusal = "no consent: internal error"
            log.exception("consent_unknown", server=host_of(self._question.url), next_step="it is asked again")
        with self._lock:
            self._asking = False
            self._refusal = refusal
            self._valid_until = self._monotonic() + (_PAUSE_SECONDS if refusal else _CONSENT_SECONDS)


class Consents:
    """What receivers have consented to. `timeout`: how long an answer may take, in seconds. Threads may share it."""

    def __init__(self, engine: Engine, timeout: float) -> None:
        self._session = session_through(engine, keep_bytes=_KEEP_BYTES)
        self._timeout = timeout
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="consents")
        self._consents: dict[Question, Consent] = {}

    def stop(self) -> None:
        """Stop. Stop the engine before, or this waits for those that are being asked."""
        self._executor.shutdown()

    def consent_to(self, question: Question) -> Consent:
        """Return the consent to one question. Equal questions share it, also after settings are read again."""
        return self._consents.setdefault(question, Consent(question, self._ask, self._executor.submit))

    def _ask(self, question: Question) -> None:
        headers = {"WebHook-Request-Origin": question.origin}
        if question.per_minute is not None:
            headers["WebHook-Request-Rate"] = str(question.per_minute)
        tls = question.tls
        try:
            response = self._session.options(
                question.url,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                verify=tls.ca or True,
                cert=(tls.cert, tls.key or tls.cert) if tls.cert else None,
            )
        except requests.RequestException as error:
            raise RequestImpossible(f"no consent: {error}") from None
        judge(question, response.headers)


def judge(question: Question, headers: Mapping[str, str]) -> None:
    """Raise RequestImpossible unless an answer with these headers consents to what was asked."""
    origin = headers.get("WebHook-Allowed-Origin", "").strip()
    if origin.lower() not in (question.origin.lower(), "*"):
        named = f"it names the origin {origin[:100]!r}" if origin else "its answer has no WebHook-Allowed-Origin"
        raise RequestImpossible(f"no consent: {named}, and we are {question.origin}")
    rate = headers.get("WebHook-Allowed-Rate", "*").strip()
    if rate == "*":
        return
    if not (rate.isascii() and rate.isdecimal() and 0 < len(rate) <= 9 and int(rate) > 0):
        raise RequestImpossible("no consent: its WebHook-Allowed-Rate is no number of requests a minute")
    if question.per_minute is None or question.per_minute > int(rate):
        requests = counted(int(rate), "request", "requests")
        raise RequestImpossible(f"it takes {requests} a minute: set rate = {int(rate) / 60:.3g}, or less")
