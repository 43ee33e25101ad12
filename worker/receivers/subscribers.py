"""WebSub subscribers (W3C WebSub, section 7): the topic's content, its exact media type, Link headers, a signature.

Readers that have registered by rssCloud are subscribers as well: they get the topic's address in place of its content.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_payloads import CHANGES_PER_PAYLOAD, FeedPayload, PayloadRequest
from worker.outbound.cloud_notification import NOTIFICATION_TYPE, notification
from worker.outbound.signing import hub_signature
from worker.outbound.transfer import Answer, Transfer
from worker.receivers import policy
from worker.receivers.push_session import early_settlement, outcome_of
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from feeds.definition import FeedDefinition
    from worker.documents.feed_payloads import FeedPayloads
    from worker.newsroom.publication import Publication
    from worker.receivers.push_session import Articles
    from worker.store.attempts import AttemptRecord
    from worker.store.changes import Change, ChangeLogs
    from worker.store.receivers import Claim

CLOUD_PAUSE_MS = 2_000
"""After how long a reader is notified again at the soonest: it fetches the whole document each time."""
_KILLS_CACHED = 64
_DELTA_FORMATS = frozenset({"rss", "atom", "flipboard"})
"""Formats of topics of which a push may leave out what was delivered before: those in RSS and Atom."""


class Subscribers:
    """Begins the sessions of subscribers. `whole`: push the whole feed document each time. `timeout` in seconds."""

    def __init__(
        self, changes: ChangeLogs, payloads: FeedPayloads, site: Publication, *, whole: bool, timeout: float
    ) -> None:
        self._changes = changes
        self._kills_after: LRUCache[tuple[str, int, int], tuple[Change, ...]] = LRUCache(_KILLS_CACHED)
        self._payloads = payloads
        self._site = site
        self._whole = whole
        self._timeout = timeout
        self._headers: dict[tuple[str, str], list[str]] = {}

    def begin(
        self, definition: FeedDefinition, claim: Claim, head: int, deadline: float, withdrawals_seen: int
    ) -> SubscriberPush | Settlement:
        """Begin to serve a claim made at `head`, which ends at `deadline` (monotonic seconds).

        `withdrawals_seen`: the last withdrawal from the feed that was heard of before the claim. A subscription of a
        feed that has become private ends.
        """
        if definition.private:
            return Settlement(claim, "end", claim.cursor, reason="the feed is private now")
        format_name = claim.details["format"]
        if claim.details.get("protocol") == "rsscloud":
            topic = self._site.topic(definition.name, format_name)
            notice = FeedPayload(notification(topic), head, 0, {})
            pause = CLOUD_PAUSE_MS
            return SubscriberPush(
                claim, notice, head, [NOTIFICATION_TYPE], self._timeout, deadline, withdrawals_seen, pause
            )
        # The first push to a new subscription is the feed as it stands.
        # A push of a JSON topic may leave out no entries (section 7).
        whole = self._whole or claim.cursor == 0 or format_name not in _DELTA_FORMATS
        # A subscriber that is far behind gets kills now, not when it has come that far.
        far_behind = not whole and head - claim.cursor > CHANGES_PER_PAYLOAD
        kills = self._kills(definition.name, claim.cursor, head) if far_behind else ()
        request = PayloadRequest(
            claim.cursor, head, "document" if whole else "changes", urgent=kills, withdrawal=withdrawals_seen
        )
        payload = self._payloads.build(definition, FEED_FORMATS[format_name], request)
        headers = self._header_lines(definition.name, format_name)
        return SubscriberPush(claim, payload, head, headers, self._timeout, deadline, withdrawals_seen)

    def forget(self, feed: str) -> None:
        """Make the pushes of a feed anew: Redis may have lost time, and now number other changes alike."""
        self._payloads.forget(feed)
        for key in [key for key in self._kills_after if key[0] == feed]:
            del self._kills_after[key]

    def _kills(self, feed: str, cursor: int, head: int) -> tuple[Change, ...]:
        """Return the last kills after a cursor: the same for all subscribers that stand there while the head stays."""
        key = (feed, cursor, head)
        if key not in self._kills_after:
            self._kills_after[key] = tuple(self._changes.killed(feed, cursor, CHANGES_PER_PAYLOAD))
        return self._kills_after[key]

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
    """A session with one subscriber: one push; None: there is nothing to push, and the cursor moves to `head`.

    `pause`: how long after it the next one may follow at the soonest, in ms.
    """

    attempts: list[AttemptRecord] = []  # noqa: RUF012 (a subscription has none, so they may share it)

    __slots__ = (
        "_deadline",
        "_headers",
        "_pause",
        "_payload",
        "_settlement",
        "_timeout",
        "_unsent",
        "claim",
        "in_flight",
        "on_answer",
        "withdrawals_seen",
    )

    def __init__(
        self,
        claim: Claim,
        payload: FeedPayload | None,
        head: int,
        headers: list[str],
        timeout: float,
        deadline: float,
        withdrawals_seen: int,
        pause: int = 0,
    ) -> None:
        self.withdrawals_seen = withdrawals_seen
        self._pause = pause
        self.claim = claim
        self.on_answer: Callable[[object, Answer], None]
        self.in_flight = 0
        self._settlement = Settlement(claim, "done", payload.cursor if payload else head)
        self._payload = payload
        self._headers = headers
        self._timeout = timeout
        self._deadline = deadline
        self._unsent = payload is not None

    @property
    def accepted_ms(self) -> int:
        """When the oldest event in the push was accepted (ms)."""
        return self._payload.accepted if self._payload else 0

    def needed_articles(self) -> tuple[str, ...]:
        """Return nothing: the push has been made."""
        return ()

    def next_request(self, articles: Articles) -> Transfer | None:
        """Return the push, once."""
        del articles
        if not self._unsent or self._payload is None:
            return None
        self._unsent = False
        self.in_flight = 1
        body, secret = self._payload.body, self.claim.details["secret"]
        headers = self._headers
        on_answer = partial(self.on_answer, None)
        if secret:
            headers = [*headers, f"X-Hub-Signature: {hub_signature(secret, body)}"]
        callback, text_ids = self.claim.details["callback"], self._payload.text_ids
        # Nobody is shown the times of one subscriber.
        return Transfer(
            callback, body, headers, self._timeout, self._deadline, on_answer, timed=False, article_ids=text_ids
        )

    def break_off(self, settlement: Settlement) -> None:
        """Send nothing."""
        self._unsent = False
        self._settlement = settlement

    def take_answer(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Judge the answer."""
        del key
        self.in_flight = 0
        outcome = outcome_of(self.claim, answer, now, chance, endpoint=False)
        if isinstance(outcome, policy.Delivered):
            if self._pause:
                # That is no failure, and a kill does not wait for it.
                done = self._settlement
                self._settlement = Settlement(self.claim, "retry", done.cursor, clock.ms(now) + self._pause)
            return "delivered"
        self._settlement, name = early_settlement(self.claim, outcome, self.claim.cursor, now)
        return name

    def settle(self) -> Settlement:
        """Return what the claim came to."""
        return self._settlement
