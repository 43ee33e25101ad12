"""The quality gate: what breaks the rules of its format does not go out (feeds.validation.checks).

An article is checked once for each revision and format, when it is rendered; a feed once, before its first document. A
document is an envelope and fragments that have passed, so it need not be checked again as a whole: a test proves it.

Where somebody uses the format, the gate notes what it keeps out and alerts operators. It does neither when a stranger
asks for a partner's format, or when a person looks with `dateline validate` or `render`.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.formats.interface import FormatFault
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

_FEEDS_REMEMBERED = 10_000
"""Feeds that have passed in a format and are not checked again."""
_ARTICLES_REMEMBERED = 10_000
"""Articles that are noted already as kept out."""
_REASONS_SHOWN = 5
"""Reasons that are shown and noted of one refusal."""


class FeedRefused(RuntimeError):
    """What a feed says of itself breaks the rules of a format; the message says which."""


class QualityGate:
    """Lets through what passes. What does not pass is noted, with one alert a revision. Threads may share it."""

    def __init__(self, store: Store, alerts: Alerts) -> None:
        self._store = store
        self._alerts = alerts
        self._passed: LRUCache[tuple[str, str], None] = LRUCache(_FEEDS_REMEMBERED)
        self._reported_feeds: set[tuple[str, str]] = set()
        self._parked: LRUCache[tuple[str, str, int], None] = LRUCache(_ARTICLES_REMEMBERED)
        self._lock = Lock()

    def check_channel(
        self, feed: str, feed_format: FeedFormat, channel: Channel, *, from_pattern: bool, quiet: bool
    ) -> None:
        """Check what a feed says of itself. Raises FeedRefused.

        `from_pattern`: the feed was made of a pattern. `quiet`: nobody uses the format, or somebody only looks, and no
        operator is alerted.
        """
        key = (feed, feed_format.key)
        with self._lock:
            if key in self._passed:
                return
        try:
            objections = reasons(check_channel(feed_format, channel))
        except FormatFault as fault:
            objections = [f"the envelope fails: {fault}"]
        if not objections:
            with self._lock:
                self._passed[key] = None
            return
        reason = "; ".join(objections)
        if not quiet and self._is_new((pattern_of(feed), feed_format.key) if from_pattern else key):
            self._alerts.raise_alert("feed.refused", feed=feed, format=feed_format.name, reason=reason)
        raise FeedRefused(f"the feed {feed} can't be {feed_format.name}: {reason}")

    def _is_new(self, feed: tuple[str, str]) -> bool:
        """Whether operators have no alert of a feed yet, or of a pattern.

        The feeds of a pattern are alike, and strangers may ask for any number of them: one alert is for all.
        """
        with self._lock:
            new = feed not in self._reported_feeds
            self._reported_feeds.add(feed)
            return new

    def forget(self) -> None:
        """Note anew what is kept out: another Redis has no note of it."""
        with self._lock:
            self._parked.clear()

    def objections(self, feed_format: FeedFormat, channel: Channel, fragment: bytes) -> list[str]:
        """Return why an article may not be in feeds of the format; nothing if it may."""
        return reasons(check_entry(feed_format, channel, fragment))

    def park(self, feed_format: FeedFormat, stored: StoredArticle, objections: list[str]) -> None:
        """Note that an article is kept out of a format that somebody uses, and alert operators once a version."""
        article = stored.article
        key = (feed_format.key, article.id, article.version)
        with self._lock:
            if key in self._parked:
                return
            self._parked[key] = None
        if not self._store.refusals.note(
            feed_format.name, article.id, Refusal(article.version, clock.ms(clock.agreed()), objections)
        ):
            return
        self._alerts.raise_alert(
            "article.parked",
            format=feed_format.name,
            article_id=article.id,
            version=article.version,
            reason="; ".join(objections),
        )


def reasons(findings: list[Finding]) -> list[str]:
    """Return what is wrong, for people: each reason once, and not too many."""
    distinct = list(dict.fromkeys(f"{finding.reason} ({finding.rule})" for finding in findings))
    more = len(distinct) - _REASONS_SHOWN
    return distinct[:_REASONS_SHOWN] + ([f"and {more} more"] if more > 0 else [])


def kept_out(store: Store, format_name: str) -> dict[str, Refusal]:
    """Return the articles that the gate keeps out of a feed format as they are now, by id.

    Notes of older versions are dropped. What is cold is in no document, so nothing keeps it out of one.
    """
    refusals = store.refusals.all(format_name)
    articles = store.articles.get_many(refusals)
    outdated = [name for name, stored in articles.items() if stored.article.version != refusals[name].version]
    store.refusals.drop(format_name, outdated)
    return {name: refusals[name] for name in articles if name not in outdated}
