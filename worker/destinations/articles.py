"""A partner endpoint that gets one request per changed article, the oldest change first.

Up to `concurrency` articles are in flight at once, never two requests of one article. Each article is read anew before
it is sent, so a correction or a kill that came in meanwhile is what leaves. The cursor moves over what is done from the
oldest change on; what is done beyond a gap is in the ledger, and is not said twice.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from feeds.formats import ARTICLE_FORMATS
from worker import clock
from worker.delivery import policy
from worker.destinations import judged, unfinished
from worker.destinations.endpoint import Endpoint, LedgerEntry, Pushes, message_id
from worker.store.changes import Change
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from datetime import datetime

    from feeds.article import Article
    from feeds.formats.interface import Provider
    from worker.delivery.transfer import Answer, Transfer
    from worker.store import Store
    from worker.store.receivers import Claim
    from worker.store.replays import Replay


@dataclass(slots=True)
class _Said:
    """What was sent for one change, and whether that is done with."""

    change: Change
    replayed: bool = False
    message: str = ""
    size: int = 0
    entry: LedgerEntry | None = None
    accepted: int = 0
    done: bool = False


class ArticlePushes(Pushes):
    """The changed articles of a claim. `reached` is the cursor when all are done, or 0: that of the last change.

    `replay`: articles to be sent again, whatever the ledger says; they come after the changes.
    """

    def __init__(
        self,
        store: Store,
        endpoint: Endpoint,
        provider: Provider,
        claim: Claim,
        changes: list[Change],
        reached: int,
        replay: Replay | None,
        timeout: float,
        deadline: float,
    ) -> None:
        self._format = ARTICLE_FORMATS[endpoint.format]
        super().__init__(endpoint, claim, self._format.media_type, timeout, deadline)
        self._store = store
        self._provider = provider
        # What is sent again is not sent as a change beside it: one request of an article at a time.
        again = set(replay.articles) if replay is not None else set()
        self._waiting = deque(_Said(change) for change in changes if change.article_id not in again)
        self._replay = replay
        self._behind = reached - 1
        self._replayed: list[str] = []
        if replay is not None:
            states = store.changes.states(claim.feed, replay.articles)
            last = changes[-1].seq if changes else claim.cursor
            self._waiting.extend(
                _Said(Change(last, name, states.get(name, "out"), 0), replayed=True) for name in replay.articles
            )
        self._begun: deque[_Said] = deque()
        self._reached = reached
        self._ledger = {
            article_id: LedgerEntry.parse(text)
            for article_id, text in store.receivers.ledger(
                claim.feed, endpoint.name, [said.change.article_id for said in self._waiting]
            ).items()
        }
        self._since = int(claim.details.get("since", 0))
        self._ended: Settlement | None = None
        self._cursor = claim.cursor
        self._noted: dict[str, str] = {}

    @property
    def settlement(self) -> Settlement:
        """What came of the claim, once nothing is in flight any more."""
        settlement = self._ended or Settlement(self.claim, "done", self._cursor)
        settlement.cursor = self._cursor
        if self._replay is not None and (self._replay.more or len(self._replayed) < len(self._replay.articles)):
            # Some wait to be sent again: it stays a change behind the head, so that it is found.
            settlement.cursor = min(self._cursor, self._behind)
            if self._ended is None:
                # They go when the rate allows it; that is no failure.
                settlement.verb, settlement.reason = "retry", "replaying"
                settlement.due = clock.ms(clock.now()) + 1000
                settlement.failures, settlement.since, settlement.last = (
                    self.claim.failures,
                    self.claim.since,
                    self.claim.last,
                )
        settlement.ledger = self._noted
        settlement.replayed = self._replayed
        return settlement

    def next(self) -> Transfer | None:
        """Return the request for the next article that the endpoint has not had, if it may be sent now."""
        while self._waiting and self._ended is None and self.in_flight < self._endpoint.concurrency:
            if time.monotonic() + self._timeout > self._deadline:
                # The rest is for the next claim.
                self._waiting.clear()
                self._reached = 0
                break
            said = self._waiting.popleft()
            self._begun.append(said)
            body = self._say(said)
            if body is None:
                self._finish(said)
                continue
            replayed = self._replay.id if said.replayed and self._replay else ""
            if request := self._send(said, body, said.message, replayed):
                return request
            break
        self._advance()
        return None

    def break_off(self, settlement: Settlement) -> None:
        """Send no more articles."""
        self._ended = self._ended or settlement

    def answered(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Take in the answer to one article."""
        assert isinstance(key, _Said)
        assert key.entry is not None
        self.in_flight -= 1
        self.accepted = key.accepted
        article_id = key.change.article_id
        outcome = judged(self.claim, answer, now, chance, endpoint=True)
        match outcome:
            case policy.Delivered():
                self._note(article_id, key.entry, key.entry.status, now)
                self._finish(key)
                # One success ends a row of failures.
                self.claim = replace(self.claim, failures=0, since=0)
                word = "delivered"
            case policy.Refused():
                self._note(article_id, key.entry, f"refused-{key.entry.status}", now)
                self._finish(key)
                word = "refused"
            case _:
                ended, word = unfinished(self.claim, outcome, self._cursor, now)
                # Of several that fail together the first one counts.
                self._ended = self._ended or ended
                if answer.started:
                    self._note(article_id, key.entry, f"trying-{key.entry.status}", now)
        self._tried(key.message, key.size, key.entry, article_id, answer, word)
        self._advance()
        return word

    def _finish(self, said: _Said) -> None:
        said.done = True
        if said.replayed:
            self._replayed.append(said.change.article_id)

    def _advance(self) -> None:
        """Move the cursor over all that is done from the oldest change on."""
        while self._begun and self._begun[0].done:
            self._cursor = self._begun.popleft().change.seq
        if not self._begun and not self._waiting and self._ended is None:
            self._cursor = max(self._cursor, self._reached)

    def _say(self, said: _Said) -> bytes | None:
        """The body that says what the article is now, or None when the endpoint has been told."""
        change = said.change
        held = self._store.articles.get(change.article_id)
        if held is None:
            return None
        article = held.article
        known = self._ledger.get(change.article_id)
        status = self._status(article, change, known)
        told = known is not None and known.version >= article.version and known.status == status
        # What is said a second time after something else was said is another message.
        fresh = str(self._store.changes.seq(self.claim.feed, article.id) if said.replayed else change.seq)
        if said.replayed:
            assert self._replay is not None
            fresh = fresh if self._replay.same_ids else self._replay.id
        elif told or (known is None and status in _NOTICES and change.seq <= self._since):
            # It has been told; or the endpoint is newer than the notice and never had the article.
            return None
        message = message_id(self._endpoint.name, article.id, article.version, _kind(status), fresh)
        body = self._format.render(f"article.{status}", article, message, self._provider)
        said.accepted = held.accepted
        said.entry = LedgerEntry(article.version, status, 0, sha256(body).hexdigest())
        said.message, said.size = message, len(body)
        return body

    @staticmethod
    def _status(article: Article, change: Change, known: LedgerEntry | None) -> str:
        if article.pubstatus == "canceled":
            return "killed"
        if change.state != "in" or not article.visible(max(clock.now(), clock.moment(change.asof))):
            return "withdrawn"
        if known is None:
            return "published"
        doing, _, status = known.status.rpartition("-")
        if known.version == article.version and _kind(status) == "usable":
            # The very same again: said in the same words as when it was tried, refused or delivered.
            return status
        never_had = status in _NOTICES or (doing and status == "published")
        return "published" if never_had else "corrected"

    def _note(self, article_id: str, entry: LedgerEntry, status: str, now: datetime) -> None:
        noted = LedgerEntry(entry.version, status, clock.ms(now), entry.digest)
        self._ledger[article_id] = noted
        self._noted[article_id] = str(noted)


_NOTICES = frozenset({"killed", "withdrawn"})


def _kind(status: str) -> str:
    """What a status says of the text: that it may be used, or that it may not."""
    return status if status in _NOTICES else "usable"
