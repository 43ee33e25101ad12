"""The gate: what fails the rules of its format does not leave (feeds.validation.checks).

An article is checked once for each revision and format, when it is rendered; a feed once, before its first document. A
document is an envelope and fragments that have passed, so it need not be checked again as a whole: a test proves it.
What is kept out is noted and told where somebody uses the format. A stranger who asks for a partner's format, and a
person who looks with `dateline validate` or `render`, raise no alarm.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.patterns import pattern_of
from feeds.validation.checks import check_channel, check_entry
from worker import clock
from worker.store.refusals import Refusal

if TYPE_CHECKING:
    from feeds.entry import Channel
    from feeds.formats.interface import FeedFormat
    from feeds.validation.finding import Finding
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.articles import StoredArticle

_FEEDS = 10_000
"""How many feeds are known to have passed."""
_ARTICLES = 10_000
"""How many articles are known to have been noted as kept out."""
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
        self._parked: LRUCache[tuple[str, str, int], None] = LRUCache(_ARTICLES)
        self._lock = Lock()

    def channel(self, feed: str, feed_format: FeedFormat, channel: Channel, *, made: bool, quiet: bool) -> None:
        """Check what a feed says of itself; one that was `made` of a pattern or not. Raises FeedRefused.

        `quiet`: nobody uses the format, or somebody only looks; then no operator is told.
        """
        key = (feed, feed_format.name)
        with self._lock:
            if key in self._passed:
                return
        findings = check_channel(feed_format, channel)
        if not findings:
            with self._lock:
                self._passed[key] = None
            return
        reason = "; ".join(reasons(findings))
        if not quiet and self._first((pattern_of(feed), feed_format.name) if made else key):
            self._alerts.tell("feed.refused", feed=feed, format=feed_format.name, reason=reason)
        raise FeedRefused(f"the feed {feed} can't be {feed_format.name}: {reason}")

    def _first(self, feed: tuple[str, str]) -> bool:
        """Whether nobody was told of it. The feeds of a pattern are alike: strangers may ask for any number of them."""
        with self._lock:
            new = feed not in self._told
            self._told.add(feed)
            return new

    def forget(self) -> None:
        """Note anew what is kept out: another Redis does not know it."""
        with self._lock:
            self._parked.clear()

    def objections(self, feed_format: FeedFormat, channel: Channel, fragment: bytes) -> list[str]:
        """Why an article may not stand in feeds of the format; nothing if it may."""
        return reasons(check_entry(feed_format, channel, fragment))

    def park(self, feed_format: FeedFormat, held: StoredArticle, objections: list[str]) -> None:
        """Note that an article is kept out of a format that somebody uses, and tell it once for each version."""
        article = held.article
        key = (feed_format.name, article.id, article.version)
        with self._lock:
            if key in self._parked:
                return
            self._parked[key] = None
        if not self._store.refusals.note(
            feed_format.name, article.id, Refusal(article.version, clock.ms(clock.agreed()), objections)
        ):
            return
        self._alerts.tell(
            "article.parked",
            format=feed_format.name,
            article_id=article.id,
            version=article.version,
            reason="; ".join(objections),
        )


def reasons(findings: list[Finding]) -> list[str]:
    """Return what is wrong, for people: each thing once, not too many."""
    said = list(dict.fromkeys(f"{finding.reason} ({finding.rule})" for finding in findings))
    return said[:_REASONS] + ([f"and {len(said) - _REASONS} more"] if len(said) > _REASONS else [])
