"""One article in one format: rendered and checked once for each revision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, cast

from cachetools import LRUCache

from feeds.entry import Entry, entry
from feeds.formats.interface import FormatFault
from feeds.rights import EVERYTHING, Rights
from worker.documents.fragment_cache import FragmentCache

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.entry import Channel
    from feeds.formats.interface import FeedFormat
    from feeds.machine_rights import MachineRights
    from worker.documents.quality_gate import QualityGate
    from worker.newsroom.publication import Publication
    from worker.store.articles import StoredArticle

_FRAGMENT_BYTES = 64 * 1024 * 1024
_REFUSED_ARTICLES = 10_000
"""Articles that the gate keeps out, whose reasons stay in memory."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The articles that belong in a document of one format: those that passed the gate, each with its fragment.

    `kept_out`: the ids of those that did not pass, with the gate's objections.
    """

    articles: list[StoredArticle]
    fragments: list[bytes]
    kept_out: dict[str, list[str]]


class ArticleFragments:
    """Renders articles, and lets the gate check them. Threads may share it."""

    def __init__(self, publication: Publication, gate: QualityGate) -> None:
        self._publication = publication
        self._gate = gate
        self._fragments = FragmentCache(_FRAGMENT_BYTES)
        self._objections: LRUCache[tuple[str, str, str, Rights], list[str]] = LRUCache(_REFUSED_ARTICLES)
        self._lock = Lock()

    def entry(self, stored: StoredArticle, machines: MachineRights | None = None) -> Entry:
        """Return the article as feeds show it, in no format yet. `machines`: what programs may do with it there."""
        shown = entry(stored.article, self._publication.authority, self._publication.title)
        return replace(shown, machines=machines) if machines else shown

    def select(
        self,
        feed_format: FeedFormat,
        channel: Channel,
        articles: Iterable[StoredArticle],
        rights: Rights = EVERYTHING,
        *,
        quiet: bool,
    ) -> Selected:
        """Return the articles that belong in a document of the format, in the same order.

        The format leaves out what is beyond the bounds of its partner, the gate what breaks the format's rules. Unless
        `quiet`, operators learn of what the gate keeps out.
        """
        if channel.machines != rights.machines:
            # The feed says it, not the contract; a fragment is of its feed then.
            rights = replace(rights, machines=channel.machines)
        if feed_format.select:
            entries = {self.entry(stored): stored for stored in articles}
            articles = [entries[entry] for entry in feed_format.select(channel, list(entries))]
        articles = list(articles)
        fragments = self._fragments.get(feed_format.key, articles, rights)
        if all(fragments):
            return Selected(articles, cast("list[bytes]", fragments), {})
        selected = Selected([], [], {})
        for stored, cached in zip(articles, fragments, strict=True):
            fragment = self._make(feed_format, channel, stored, rights) if cached is None else cached
            if fragment:
                selected.articles.append(stored)
                selected.fragments.append(fragment)
                continue
            objections = self._objections_to(feed_format, channel, stored, rights)
            selected.kept_out[stored.article.id] = objections
            if not quiet:
                self._gate.park(feed_format, stored, objections)
        return selected

    def _make(self, feed_format: FeedFormat, channel: Channel, stored: StoredArticle, rights: Rights) -> bytes:
        """Make and keep the article's fragment; empty if the gate keeps the article out."""
        fragment, objections = self._judged(feed_format, channel, stored)
        if objections:
            fragment = b""
            with self._lock:
                self._objections[feed_format.key, stored.article.id, stored.rev, rights] = objections
        self._fragments.keep(feed_format.key, stored, rights, fragment)
        return fragment

    def _objections_to(
        self, feed_format: FeedFormat, channel: Channel, stored: StoredArticle, rights: Rights
    ) -> list[str]:
        """Why the gate keeps an article out. The check is repeated if its result is no longer in memory."""
        with self._lock:
            objections = self._objections.get((feed_format.key, stored.article.id, stored.rev, rights))
        return objections or self._judged(feed_format, channel, stored)[1]

    def _judged(self, feed_format: FeedFormat, channel: Channel, stored: StoredArticle) -> tuple[bytes, list[str]]:
        """Return the article's fragment, and why the gate keeps it out."""
        try:
            fragment = feed_format.fragment(self.entry(stored, channel.machines))
        except FormatFault as fault:
            return b"", [f"the template fails: {fault}"]
        return fragment, self._gate.objections(feed_format, channel, fragment)
