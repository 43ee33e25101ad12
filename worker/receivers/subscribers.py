"""WebSub subscribers (W3C WebSub, section 7): the topic's content, its exact media type, Link headers, a signature."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.formats import FEED_FORMATS
from worker.documents.feed_payloads import CHANGES_PER_PAYLOAD, PayloadRequest
from worker.outbound.signing import hub_signature
from worker.outbound.transfer import Answer, Transfer
from worker.receivers import policy
from worker.receivers.delivery import judged, unfinished
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from feeds.definition import FeedDefinition
    from worker.documents.feed_payloads import FeedPayload, FeedPayloads
    from worker.newsroom.publication import Publication
    from worker.receivers.delivery import Articles
    from worker.store.attempts import AttemptRecord
    from worker.store.changes import Change, ChangeLogs
    from worker.store.receivers import Claim

_KILLS_CACHED = 64
_DELTAS = frozenset({"rss", "atom", "flipboard"})
"""Topics of which a push may leave out what was delivered before: those in RSS and Atom."""


class WebSub:
    """Pushes feeds to subscribers. `whole`: push the whole feed document each time. `timeout` in seconds."""

    def __init__(
        self, changes: ChangeLogs, payloads: FeedPayloads, site: Publication, *, whole: bool, timeout: float
    ) -> None:
        self._changes = changes
        self._killed: LRUCache[tuple[str, int, int], tuple[Change, ...]] = LRUCache(_KILLS_CACHED)
        self._payloads = payloads
        self._site = site
        self._whole = whole
        self._timeout = timeout
        self._headers: dict[tuple[str, str], list[str]] = {}

    def begin(self, definition: FeedDefinition, claim: Claim, head: int, deadline: float, after: int) -> SubscriberPush:
        """Begin to serve a claim made at `head`, which ends at `deadline` (monotonic seconds).

        `after`: the last withdrawal that was heard of before the claim.
        """
        name = claim.details["format"]
        # The first push to a new subscription is the feed as it stands.
        # Of a JSON topic no entries may be left out (section 7).
        whole = self._whole or claim.cursor == 0 or name not in _DELTAS
        # One that is far behind is told of kills now, not when it has come so far.
        far = not whole and head - claim.cursor > CHANGES_PER_PAYLOAD
        kills = self._kills(definition.name, claim.cursor, head) if far else ()
        request = PayloadRequest(claim.cursor, head, "document" if whole else "changes", urgent=kills, withdrawal=after)
        payload = self._payloads.build(definition, FEED_FORMATS[name], request)
        lines = self._header_lines(definition.name, name)
        return SubscriberPush(claim, payload, head, lines, self._timeout, deadline, after)

    def forget(self, feed: str) -> None:
        """Make the pushes of a feed anew: Redis may have lost time, and say another thing under the same numbers."""
        self._payloads.forget(feed)
        for key in [key for key in self._killed if key[0] == feed]:
            del self._killed[key]

    def _kills(self, feed: str, cursor: int, head: int) -> tuple[Change, ...]:
        """The last kills after a cursor: the same for all subscribers that stand there while nothing new has come."""
        key = (feed, cursor, head)
        if key not in self._killed:
            self._killed[key] = tuple(self._changes.killed(feed, cursor, CHANGES_PER_PAYLOAD))
        return self._killed[key]

    def _header_lines(self, feed: str, format_name: str) -> list[str]:
        lines = self._headers.get((feed, format_name))
        if lines is None:
            lines = [
                f"Content-Type: {FEED_FORMATS[format_name].media_type}",
                f"Link: {self._site.links(feed, format_name)}",
            ]
            self._headers[feed, format_name] = lines
        return lines


class SubscriberPush:
    """One push to one subscriber."""

    attempts: list[AttemptRecord] = []  # noqa: RUF012 (a subscription has none, so they may share it)

    __slots__ = (
        "_deadline",
        "_headers",
        "_payload",
        "_timeout",
        "_waiting",
        "after",
        "claim",
        "hand_in",
        "in_flight",
        "settlement",
    )

    def __init__(
        self,
        claim: Claim,
        payload: FeedPayload | None,
        head: int,
        headers: list[str],
        timeout: float,
        deadline: float,
        after: int,
    ) -> None:
        self.after = after
        self.claim = claim
        self.hand_in: Callable[[object, Answer], None]
        self.in_flight = 0
        self.settlement = Settlement(claim, "done", payload.cursor if payload else head)
        self._payload = payload
        self._headers = headers
        self._timeout = timeout
        self._deadline = deadline
        self._waiting = payload is not None

    @property
    def accepted(self) -> int:
        """When the oldest event in the push was accepted (ms)."""
        return self._payload.accepted if self._payload else 0

    def wants(self) -> tuple[str, ...]:
        """Return nothing: the push has been made."""
        return ()

    def next(self, articles: Articles) -> Transfer | None:
        """Return the push, once."""
        del articles
        if not self._waiting or self._payload is None:
            return None
        self._waiting = False
        self.in_flight = 1
        body, secret = self._payload.body, self.claim.details["secret"]
        headers = self._headers
        on_answer = partial(self.hand_in, None)
        if secret:
            headers = [*headers, f"X-Hub-Signature: {hub_signature(secret, body)}"]
        url, texts = self.claim.details["callback"], self._payload.text_ids
        return Transfer(url, body, headers, self._timeout, self._deadline, on_answer, article_ids=texts)

    def break_off(self, settlement: Settlement) -> None:
        """Send nothing."""
        self._waiting = False
        self.settlement = settlement

    def answered(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Take the answer in."""
        del key
        self.in_flight = 0
        outcome = judged(self.claim, answer, now, chance, endpoint=False)
        if isinstance(outcome, policy.Delivered):
            return "delivered"
        self.settlement, word = unfinished(self.claim, outcome, self.claim.cursor, now)
        return word
