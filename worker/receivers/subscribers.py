"""WebSub subscribers (W3C WebSub, section 7): the topic's content, its exact media type, Link headers, a signature.

Readers that have registered by rssCloud are subscribers as well: they get the topic's address in place of its content.
"""

from __future__ import annotations

import random
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
    from collections.abc import Callable, Collection

    from feeds.definition import FeedDefinition
    from worker.documents.feed_payloads import FeedPayloads
    from worker.newsroom.publication import Publication
    from worker.store.changes import Change, ChangeLogs
    from worker.store.receivers import Claim

CLOUD_PAUSE_MS = 2_000
"""After how long a reader is notified again at the soonest: it fetches the whole document each time."""
_KILLS_CACHED = 64
_DELTA_FORMATS = frozenset({"rss", "atom", "flipboard"})
"""Formats of topics of which a push may leave out what was delivered before: those in RSS and Atom."""


class Subscribers:
    """Begins the pushes to subscribers. `whole`: push the whole feed document each time. `timeout` in seconds."""

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
        self._round: tuple[str, int, float, int] | None = None
        self._contents: dict[tuple[str, int, bool], PushContent] = {}

    def begin(
        self, definition: FeedDefinition, claim: Claim, head: int, deadline: float, withdrawals_seen: int
    ) -> SubscriberPush | Settlement:
        """Begin to serve a claim made at `head`, which ends at `deadline` (monotonic seconds).

        `withdrawals_seen`: the last withdrawal from the feed that was heard of before the claim. A subscription of a
        feed that has become private ends.
        """
        if definition.private:
            return Settlement(claim, "end", claim.cursor, reason="the feed is private now")
        claimed_together = definition.name, head, deadline, withdrawals_seen
        if claimed_together != self._round:
            self._round = claimed_together
            self._contents.clear()
        details = claim.details
        place = details["format"], claim.cursor, details.get("protocol") == "rsscloud"
        content = self._contents.get(place)
        if content is None:
            content = self._contents[place] = self._content(definition, *place, head, deadline, withdrawals_seen)
        return SubscriberPush(claim, content)

    def forget(self, feed: str) -> None:
        """Make the pushes of a feed anew: Redis may have lost time, and now number other changes alike."""
        self._round = None
        self._payloads.forget(feed)
        for key in [key for key in self._kills_after if key[0] == feed]:
            del self._kills_after[key]

    def _content(
        self,
        definition: FeedDefinition,
        format_name: str,
        cursor: int,
        by_cloud: bool,
        head: int,
        deadline: float,
        withdrawals_seen: int,
    ) -> PushContent:
        """Return what all subscribers get that stand at the same place."""
        feed = definition.name
        if by_cloud:
            notice = FeedPayload(notification(self._site.topic(feed, format_name)), head, 0, {})
            return PushContent(
                feed, notice, head, [NOTIFICATION_TYPE], self._timeout, deadline, withdrawals_seen, CLOUD_PAUSE_MS
            )
        # The first push to a new subscription is the feed as it stands.
        # A push of a JSON topic may leave out no entries (section 7).
        whole = self._whole or cursor == 0 or format_name not in _DELTA_FORMATS
        # A subscriber that is far behind gets kills now, not when it has come that far.
        far_behind = not whole and head - cursor > CHANGES_PER_PAYLOAD
        kills = self._kills(feed, cursor, head) if far_behind else ()
        request = PayloadRequest(
            cursor, head, "document" if whole else "changes", urgent=kills, withdrawal=withdrawals_seen
        )
        payload = self._payloads.build(definition, FEED_FORMATS[format_name], request)
        headers = self._header_lines(feed, format_name)
        return PushContent(feed, payload, head, headers, self._timeout, deadline, withdrawals_seen)

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


class PushContent:
    """What many subscribers of a feed that were claimed together are sent; all but the address and the signature.

    `payload`: None: there is nothing to push, and the cursor moves to `head`. `timeout` in seconds, `deadline` on
    time.monotonic(). `pause`: how long after it the next one may follow at the soonest, in ms.
    """

    def __init__(
        self,
        feed: str,
        payload: FeedPayload | None,
        head: int,
        headers: list[str],
        timeout: float,
        deadline: float,
        withdrawals_seen: int,
        pause: int = 0,
    ) -> None:
        self.feed = feed
        self.payload = payload
        self.cursor = payload.cursor if payload else head
        self.accepted_ms = payload.accepted if payload else 0
        self.headers = headers
        self.timeout = timeout
        self.deadline = deadline
        self.withdrawals_seen = withdrawals_seen
        self.pause = pause
        self.is_current: Callable[[], bool] | None = None
        """Whether its text may still leave; None: it has none, or nobody has asked yet."""


class SubscriberPush:
    """A claim of one subscriber, which is served by one push: it is made, is answered, and ends in a settlement."""

    __slots__ = ("_content", "_settlement", "claim")

    def __init__(self, claim: Claim, content: PushContent) -> None:
        self.claim = claim
        self._content = content
        self._settlement: Settlement | None = None

    @property
    def accepted_ms(self) -> int:
        """When the oldest event in the push was accepted (ms)."""
        return self._content.accepted_ms

    def request(
        self,
        on_answer: Callable[[SubscriberPush, Answer], None],
        may_begin: Callable[[str, Collection[str], int], bool],
    ) -> Transfer | None:
        """Return the push; None: there is nothing to push.

        `on_answer` gets this and the answer, in the engine's thread. `may_begin`: as `Clearance.may_begin`.
        """
        content = self._content
        payload = content.payload
        if payload is None:
            return None
        body, text_ids, headers = payload.body, payload.text_ids, content.headers
        if text_ids and content.is_current is None:
            content.is_current = partial(may_begin, content.feed, text_ids, content.withdrawals_seen)
        details = self.claim.details
        secret = details["secret"]
        if secret:
            headers = [*headers, f"X-Hub-Signature: {hub_signature(secret, body)}"]
        return Transfer(
            details["callback"],
            body,
            headers,
            content.timeout,
            content.deadline,
            partial(on_answer, self),
            # Nobody is shown the times of one subscriber.
            timed=False,
            article_ids=text_ids,
            is_current=content.is_current,
        )

    def take_answer(self, answer: Answer) -> str:
        """Judge the answer; return its outcome: delivered, retry, gone or given_back."""
        content, claim = self._content, self.claim
        if policy.succeeded(answer):
            if content.pause:
                # That is no failure, and a kill does not wait for it.
                due = clock.ms(clock.agreed()) + content.pause
                self._settlement = Settlement(claim, "retry", content.cursor, due)
            return "delivered"
        now = clock.agreed()
        outcome = outcome_of(claim, answer, now, random.random(), endpoint=False)  # noqa: S311 (jitter is no secret)
        self._settlement, name = early_settlement(claim, outcome, claim.cursor, now)
        return name

    def settle(self) -> Settlement:
        """Return what the claim came to."""
        return self._settlement or Settlement(self.claim, "done", self._content.cursor)
