"""A partner endpoint: where it is, how it is spoken to, and what the ledger says that it holds.

The ledger says what an endpoint holds. It is also how a retry knows whether it is repeating itself: a try that may have
reached the partner is noted before its outcome is known for good, and the message id is made of the body that is sent:
the same body sent again carries the same id, and no other body ever does.
"""

from __future__ import annotations

import gzip
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import requests
import structlog

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.rights import EVERYTHING, Rights
from worker import clock
from worker.outbound.errors import Fault
from worker.outbound.oauth2_tokens import TokenFailed, TokenNeeded
from worker.outbound.requests_adapter import header_lines
from worker.outbound.signing import webhook_headers
from worker.outbound.transfer import CHECKED, Answer, Tls, Transfer
from worker.receivers import policy
from worker.store.attempts import Attempt, Tried
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.outbound.auth import Identity
    from worker.store.receivers import Claim

log = structlog.get_logger()

_TOKEN_MS = 250
"""How long a push waits before it looks again whether its token has come."""


@dataclass(frozen=True)
class Endpoint:
    """One partner endpoint as the settings have it. Secrets sign (Standard Webhooks); without one nothing is signed."""

    name: str
    feed: str
    format: str
    url: str
    mode: Literal["article", "feed"]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    concurrency: int = 1
    """How many articles may be in flight at once."""
    rate: float | None = None
    """Attempts a second at the most; None: no limit."""
    identity: Identity | None = None
    """What is said of us beside the signature."""
    tls: Tls = CHECKED
    gzip: bool = False
    """Whether bodies are compressed."""
    rights: Rights = EVERYTHING
    """How much of an article it may have."""
    delay: int = 0
    """How long after a change it is told of it, in ms."""
    early: bool = False
    """Whether it may have articles before their embargo ends, in mode "article"."""
    check_url: str = ""
    """The page on which it shows an article, with `{id}` or `{slug}` in it: read back after a kill. Empty: no such."""

    @cached_property
    def request(self) -> requests.PreparedRequest:
        """The request that each push of this endpoint begins as, without a body."""
        formats = ARTICLE_FORMATS if self.mode == "article" else FEED_FORMATS
        headers = {"Content-Type": formats[self.format].media_type}
        if self.gzip:
            headers["Content-Encoding"] = "gzip"
        return requests.Request("POST", self.url, headers=headers).prepare()

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Its header lines."""
        return tuple(header_lines(self.request))


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What an endpoint holds of an article: its version, and what was said of it.

    The status is published, corrected, killed or withdrawn; `trying-` before it: sent, outcome unknown; `refused-`
    before it: the endpoint will not have it. `sent` in ms, `digest` the SHA-256 of the body.
    """

    version: int
    status: str
    sent: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> LedgerEntry:
        """Read an entry as it is kept."""
        version, status, sent, digest = text.split(":")
        return cls(int(version), status, int(sent), digest)

    def __str__(self) -> str:
        return f"{self.version}:{self.status}:{self.sent}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a push under its message id: what it says, and the same as it is sent, compressed if it is to be.

    `digest` is the SHA-256 (hex) of what it says; `refused`: why the gate keeps it back, if so.
    """

    message: str
    said: bytes
    sent: bytes
    digest: str
    refused: str = ""

    @classmethod
    def of(cls, message: str, said: bytes, *, compressed: bool, refused: str = "") -> Body:
        """Return the body that says this."""
        # Without the time of day: the same body is the same bytes, whenever it is sent.
        sent = gzip.compress(said, 6, mtime=0) if compressed else said
        return cls(message, said, sent, sha256(said).hexdigest(), refused)

    @property
    def size(self) -> int:
        """How many bytes are sent."""
        return len(self.sent)


def message_id(said: bytes, *parts: object) -> str:
    """The id of a push that says `said`; `parts` tell it from a push that says the same after something else.

    Receivers drop what comes twice under one id (Standard Webhooks 1.0), so an id must stand for one body.
    """
    parts = (*parts, sha256(said).hexdigest())
    return "msg_" + sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


class Pushes(ABC):
    """What both modes share: making a signed request.

    `hand_in(key, answer)` is set before the first request: it takes each answer, with the key of what was sent.
    """

    hand_in: Callable[[object, Answer], None]
    attempts: list[Tried]
    """What was tried since somebody emptied the list."""
    accepted = 0
    in_flight = 0
    after = 0

    def __init__(self, endpoint: Endpoint, claim: Claim, timeout: float, deadline: float) -> None:
        self.claim = claim
        self.attempts = []
        self._endpoint = endpoint
        self._timeout = timeout
        self._deadline = deadline

    def _tried(
        self,
        body: Body,
        said: LedgerEntry,
        article: str,
        answer: Answer,
        word: str,
        ledger: dict[str, str],
        *,
        dispute: str = "",
        told: str = "",
    ) -> None:
        """Note an attempt, what the ledger is to hold because of it, and the rest as `Tried` has it."""
        attempt = Attempt(
            time=clock.ms(clock.agreed()),
            article=article,
            version=said.version,
            said=said.status,
            outcome=word,
            status=answer.status,
            milliseconds=round(answer.seconds * 1000),
            bytes=body.size,
            sha256=body.digest,
            message_id=body.message,
            error=answer.message or ("" if word == "delivered" else f"answered {policy.said(answer.status)}"),
            answer=answer.body[:2048].decode("utf-8", "replace"),
        )
        self.attempts.append(Tried(attempt, ledger, dispute, told))

    def _postpone(self, settlement: Settlement, due: int, reason: str) -> None:
        """Have the endpoint come again at `due` (ms), which is no failure."""
        settlement.verb, settlement.due, settlement.reason = "retry", due, reason
        settlement.failing = self.claim.failing

    @abstractmethod
    def break_off(self, settlement: Settlement) -> None:
        """Send nothing more; `settlement` is what is said of the claim."""

    def _send(self, key: object, body: Body, texts: Collection[str], replay: str = "") -> Transfer | None:
        """Return the request that says `body`, in flight from now on; None when there is no token for it.

        `texts`: the articles whose text is in it.

        If one is on its way, the conversation has been broken off, to go on in a moment without a failure. If none can
        be had, that is handed in like an answer: so it is judged, noted and logged like one.
        """
        try:
            request = self._post(key, body, replay)
            request.carries = texts
        except TokenNeeded:
            due = clock.ms(clock.agreed()) + _TOKEN_MS
            self.break_off(
                Settlement(self.claim, "retry", self.claim.cursor, due, self.claim.failing, "waiting for a token")
            )
            return None
        except TokenFailed as error:
            request = None
            self.hand_in(key, Answer(0, {}, b"", Fault.INVALID, str(error), 0.0, started=False))
        self.in_flight += 1
        return request

    def _post(self, key: object, body: Body, replay: str) -> Transfer:
        """The request, complete. Raises TokenNeeded, TokenFailed."""
        endpoint = self._endpoint
        identity = endpoint.identity
        authorization = ""
        if identity:
            said = identity(endpoint.request.copy())
            authorization = said.headers.get("Authorization", "")
            lines = header_lines(said)
        else:
            lines = [*endpoint.lines]
        if replay:
            lines.append(f"Dateline-Replay: {replay}")
        if endpoint.secrets:
            # Signed is what the partner's verifier is given: servers take the content coding off before it.
            signed = webhook_headers(endpoint.secrets, body.message, int(time.time()), body.said)
            lines += [f"{name}: {value}" for name, value in signed.items()]
        else:
            lines.append(f"webhook-id: {body.message}")
        done = partial(self._answered, key, authorization) if identity else partial(self.hand_in, key)
        return Transfer(endpoint.url, body.sent, lines, self._timeout, self._deadline, done, tls=endpoint.tls)

    def _answered(self, key: object, authorization: str, answer: Answer) -> None:
        """In the engine's thread: hand an answer in, without what of ours it may repeat."""
        assert self._endpoint.identity is not None
        self._endpoint.identity.take(authorization, answer)
        self.hand_in(key, answer)
