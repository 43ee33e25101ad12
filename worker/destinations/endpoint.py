"""Partner endpoints: one request per changed article in order, or one request with all changes, signed.

The ledger says what an endpoint holds. It is also how a retry knows whether it is repeating itself: a try that may have
reached the partner is noted before its outcome is known for good, and the message id is made of what is said, so a
repetition carries the same one.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import requests
import structlog

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker import clock
from worker.delivery import policy
from worker.delivery.adapter import transfer
from worker.delivery.signing import WebhookAuth
from worker.destinations import judged, unfinished
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from feeds.article import Article
    from feeds.definition import FeedDefinition
    from worker.delivery.transfer import Answer, Transfer
    from worker.documents import Documents, Push
    from worker.store import Store
    from worker.store.changes import Change
    from worker.store.receivers import Claim

log = structlog.get_logger()

ARTICLES_PER_CLAIM = 50
"""How many articles are sent in one claim: few enough to end well within it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One partner endpoint as the settings have it. Secrets sign (Standard Webhooks); without one nothing is signed."""

    name: str
    feed: str
    format: str
    url: str
    mode: Literal["article", "feed"]
    secrets: tuple[str, ...] = ()

    def request(self, media_type: str) -> requests.PreparedRequest:
        """The request that each push of this endpoint is a copy of."""
        return requests.Request("POST", self.url, headers={"Content-Type": media_type}).prepare()


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


def message_id(*parts: object) -> str:
    """An id for what is said in a push: saying the same again gives the same id."""
    return "msg_" + sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


class Endpoints:
    """Pushes to partner endpoints. `timeout` in seconds."""

    def __init__(self, store: Store, documents: Documents, endpoints: dict[str, Endpoint], *, timeout: float) -> None:
        self._store = store
        self._documents = documents
        self._timeout = timeout
        self.endpoints = endpoints

    def begin(
        self, definition: FeedDefinition, claim: Claim, head: int, deadline: float
    ) -> ArticlePushes | FeedPush | None:
        """Begin to serve a claim made at `head` until `deadline` (monotonic seconds); None: not ours any more."""
        endpoint = self.endpoints.get(claim.details["endpoint"])
        if endpoint is None or endpoint.feed != definition.name:
            return None
        if endpoint.mode == "article":
            changes = self._store.changes.since(definition.name, claim.cursor, ARTICLES_PER_CLAIM)
            reached = head if len(changes) < ARTICLES_PER_CLAIM else 0
            return ArticlePushes(self._store, endpoint, claim, changes, reached, self._timeout, deadline)
        feed_format = FEED_FORMATS[endpoint.format]
        push = self._documents.push(definition, feed_format, claim.cursor, head, whole=False)
        return FeedPush(endpoint, claim, push, head, feed_format.media_type, self._timeout, deadline)


class _Pushes:
    """What both modes share: making a signed request."""

    done: Callable[[Answer], None]
    accepted = 0

    def __init__(self, endpoint: Endpoint, claim: Claim, media_type: str, timeout: float, deadline: float) -> None:
        self.claim = claim
        self._endpoint = endpoint
        self._request = endpoint.request(media_type)
        self._timeout = timeout
        self._deadline = deadline

    def _post(self, body: bytes, message: str) -> Transfer:
        request = self._request.copy()
        request.prepare_body(body, None)
        if self._endpoint.secrets:
            WebhookAuth(self._endpoint.secrets, message, int(time.time()))(request)
        else:
            request.headers["webhook-id"] = message
        return transfer(request, timeout=self._timeout, deadline=self._deadline, done=self.done)


class FeedPush(_Pushes):
    """One push with all changes."""

    def __init__(
        self,
        endpoint: Endpoint,
        claim: Claim,
        push: Push | None,
        head: int,
        media_type: str,
        timeout: float,
        deadline: float,
    ) -> None:
        super().__init__(endpoint, claim, media_type, timeout, deadline)
        self.settlement = Settlement(claim, "done", push.cursor if push else head)
        self._push = push
        self._sent = push is None
        if push:
            self.accepted = push.accepted

    def next(self) -> Transfer | None:
        """Return the push, once."""
        if self._sent or self._push is None:
            return None
        self._sent = True
        message = message_id(self._endpoint.name, self.claim.cursor, self._push.cursor)
        return self._post(self._push.body, message)

    def answered(self, answer: Answer, now: datetime, chance: float) -> str:
        """Take the answer in. What a feed endpoint refuses for good is passed by, like an article."""
        assert self._push is not None
        outcome = judged(self.claim, answer, now, chance, endpoint=True)
        digest = sha256(self._push.body).hexdigest()
        match outcome:
            case policy.Delivered():
                prefix, word = "", "delivered"
            case policy.Refused(status, reason):
                prefix, word = "refused-", "refused"
                log.error("push_refused", endpoint=self._endpoint.name, status=status, reason=reason)
            case _:
                self.settlement, word = unfinished(self.claim, outcome, self.claim.cursor, now)
                return word
        for article_id, version in self._push.versions.items():
            told = prefix + ("withdrawn" if version is None else "published")
            entry = LedgerEntry(version or 0, told, clock.ms(now), digest)
            self.settlement.ledger[article_id] = str(entry)
        return word


class ArticlePushes(_Pushes):
    """The changed articles of a claim, one request after another, the oldest change first.

    `reached` is the cursor when all are sent, or 0: that of the last change. Each article is read anew before it is
    sent, so a correction or a kill that came in meanwhile is what leaves.
    """

    def __init__(
        self,
        store: Store,
        endpoint: Endpoint,
        claim: Claim,
        changes: list[Change],
        reached: int,
        timeout: float,
        deadline: float,
    ) -> None:
        self._format = ARTICLE_FORMATS[endpoint.format]
        super().__init__(endpoint, claim, self._format.media_type, timeout, deadline)
        self._store = store
        self._changes = deque(changes)
        self._reached = reached
        self._ledger = {
            article_id: LedgerEntry.parse(text)
            for article_id, text in store.receivers.ledger(
                claim.feed, endpoint.name, [change.article_id for change in changes]
            ).items()
        }
        self._article: Article | None = None
        self._entry: LedgerEntry | None = None
        self.settlement = Settlement(claim, "done", claim.cursor)

    def next(self) -> Transfer | None:
        """Return the request for the next article that the endpoint has not had."""
        while self._changes:
            if time.monotonic() + self._timeout > self._deadline:
                # The rest is for the next claim.
                return None
            change = self._changes[0]
            request = self._say(change)
            if request is not None:
                return request
            self._passed(change)
        if self._reached:
            self.settlement.cursor = max(self.settlement.cursor, self._reached)
        return None

    def answered(self, answer: Answer, now: datetime, chance: float) -> str:
        """Take in the answer to the article sent last."""
        assert self._entry is not None
        assert self._article is not None
        change = self._changes[0]
        outcome = judged(self.claim, answer, now, chance, endpoint=True)
        match outcome:
            case policy.Delivered():
                self._note(change, self._entry.status)
                self._passed(change)
                # One success ends a row of failures.
                self.claim = self.settlement.claim = replace(self.claim, failures=0, since=0)
                return "delivered"
            case policy.Refused(status, reason):
                self._note(change, f"refused-{self._entry.status}")
                self._passed(change)
                log.error(
                    "article_parked",
                    endpoint=self._endpoint.name,
                    article_id=change.article_id,
                    version=self._article.version,
                    status=status,
                    reason=reason,
                )
                return "refused"
        ledger, cursor = self.settlement.ledger, self.settlement.cursor
        self.settlement, word = unfinished(self.claim, outcome, cursor, now)
        self.settlement.ledger = ledger
        if answer.started:
            self._note(change, f"trying-{self._entry.status}")
        self._changes.clear()
        self._reached = 0
        return word

    def _say(self, change: Change) -> Transfer | None:
        """The request that says what the article is now, or None when the endpoint has been told."""
        held = self._store.articles.get(change.article_id)
        if held is None:
            return None
        article = held.article
        known = self._ledger.get(change.article_id)
        status = self._status(article, change, known)
        if known is not None and known.version >= article.version and known.status == status:
            return None
        message = message_id(self._endpoint.name, article.id, article.version, _kind(status))
        body = self._format.render(f"article.{status}", article, message)
        self.accepted = held.accepted
        self._article = article
        self._entry = LedgerEntry(article.version, status, 0, sha256(body).hexdigest())
        return self._post(body, message)

    def _status(self, article: Article, change: Change, known: LedgerEntry | None) -> str:
        if article.pubstatus == "canceled":
            return "killed"
        if change.state != "in" or not article.visible(clock.now()):
            return "withdrawn"
        if known is None:
            return "published"
        doing, _, status = known.status.rpartition("-")
        if known.version == article.version and _kind(status) == "usable":
            # The very same again: said in the same words as when it was tried, refused or delivered.
            return status
        never_had = status in {"killed", "withdrawn"} or (doing and status == "published")
        return "published" if never_had else "corrected"

    def _note(self, change: Change, status: str) -> None:
        assert self._entry is not None
        entry = LedgerEntry(self._entry.version, status, clock.ms(clock.now()), self._entry.digest)
        self._ledger[change.article_id] = entry
        self.settlement.ledger[change.article_id] = str(entry)

    def _passed(self, change: Change) -> None:
        self._changes.popleft()
        self.settlement.cursor = change.seq


def _kind(status: str) -> str:
    """What a status says of the text: that it may be used, or that it may not."""
    return status if status in {"killed", "withdrawn"} else "usable"
