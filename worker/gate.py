"""The gate: what fails the rules of its format does not leave (feeds.gate).

An article is checked once for each revision and format, when it is rendered; a feed once, before its first document. A
document is an envelope and fragments that have passed, so it need not be checked again as a whole: a test proves it.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.gate import check_channel, check_entry
from feeds.patterns import pattern_of
from worker import clock
from worker.store.refusals import Refusal

if TYPE_CHECKING:
    from feeds.entry import Channel
    from feeds.formats.interface import FeedFormat
    from feeds.validation.finding import Finding
    from worker.operations import Alerts
    from worker.store import Store
    from worker.store.articles import Held

_FEEDS = 10_000
"""How many feeds are known to have passed."""
_REASONS = 5
"""How many reasons are kept of a refusal."""


class FeedRefused(RuntimeError):
    """What a feed says of itself fails the rules of a format; the message says how."""


class Gate:
    """Lets through what passes. What does not is kept and told, once for each revision. Threads may share it."""

    def __init__(self, store: Store, alerts: Alerts) -> None:
        self._store = store
        self._alerts = alerts
        self._passed: LRUCache[tuple[str, str], None] = LRUCache(_FEEDS)
        self._told: set[tuple[str, str]] = set()
        self._lock = Lock()

    def channel(self, feed: str, feed_format: FeedFormat, channel: Channel, *, made: bool) -> None:
        """Check what a feed says of itself; one that was `made` of a pattern or not. Raises FeedRefused."""
        key = (feed, feed_format.name)
        with self._lock:
            if key in self._passed:
                return
        findings = check_channel(feed_format, channel)
        with self._lock:
            if not findings:
                self._passed[key] = None
                return
            # The feeds of a pattern are alike, and strangers may ask for any number of them.
            group = (pattern_of(feed), feed_format.name) if made else key
            new = group not in self._told
            self._told.add(group)
        reason = "; ".join(reasons(findings))
        if new:
            self._alerts.tell("feed.refused", feed=feed, format=feed_format.name, reason=reason)
        raise FeedRefused(f"the feed {feed} can't be {feed_format.name}: {reason}")

    def entry(self, feed_format: FeedFormat, channel: Channel, held: Held, fragment: bytes) -> bool:
        """Whether an article may stand in feeds of the format."""
        findings = check_entry(feed_format, channel, fragment)
        if not findings:
            return True
        article = held.article
        refusal = Refusal(article.version, clock.ms(clock.now()), reasons(findings))
        if self._store.refusals.note(feed_format.name, article.id, refusal):
            self._alerts.tell(
                "article.parked",
                format=feed_format.name,
                article_id=article.id,
                version=article.version,
                reason="; ".join(refusal.reasons),
            )
        return False


def reasons(findings: list[Finding]) -> list[str]:
    """Return what is wrong, for people: each thing once, not too many."""
    said = list(dict.fromkeys(f"{finding.reason} ({finding.rule})" for finding in findings))
    return said[:_REASONS] + ([f"and {len(said) - _REASONS} more"] if len(said) > _REASONS else [])
