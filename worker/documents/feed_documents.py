"""Feed documents: what is served at a feed's address, and its archives.

A document is made of the articles as they are at that moment: what is not visible now is not in it, whatever the change
log says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from feeds.granting import granted
from feeds.rights import EVERYTHING, Rights
from worker import clock
from worker.documents.feed_renderer import has_archives
from worker.documents.feed_windows import FeedWindows, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feeds.archive import Period
    from feeds.definition import FeedDefinition
    from feeds.entry import Channel, Entry
    from feeds.formats.interface import FeedFormat
    from worker.documents.archive_pages import ArchivePages
    from worker.documents.feed_renderer import FeedRenderer
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.articles import StoredArticle
    from worker.store.changes import Head


@dataclass(frozen=True, slots=True)
class Document:
    """A feed document at one head.

    `changed` is the feed's last change (ms; 0: never). `kept_out`: the articles that the gate keeps out of it, and why.
    """

    body: bytes
    head: int
    changed: int
    kept_out: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Terms(NamedTuple):
    """What a reader may have: how much of each article, and how long after its last change (ms)."""

    rights: Rights = EVERYTHING
    delay: int = 0


EVERYBODY = Terms()
"""Those of whoever reads what is public."""


class FeedDocuments:
    """Makes the documents of feeds. Threads may share it."""

    def __init__(self, store: Store, publication: Publication, renderer: FeedRenderer, archives: ArchivePages) -> None:
        self._store = store
        self._archives = archives
        self._publication = publication
        self._renderer = renderer
        self._windows = FeedWindows(store)

    def forget(self) -> None:
        """Read everything anew: another Redis may have other changes under the same numbers."""
        self._windows.forget()
        self._renderer.forget()

    def current(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        terms: Terms = EVERYBODY,
        *,
        quiet: bool = False,
        at_least: int = 0,
    ) -> Document:
        """Return the feed's document as it is now, for a reader with these terms. Raises FeedRefused.

        All formats show the same articles until the feed's head moves: every change of an article in the feed moves it.
        `quiet`: a person only looks, and no operator is alerted of what the gate keeps out. `at_least`: the feed's
        head as its caller knows it, who hears of each change; 0: Redis is asked where it is.
        """
        quiet = quiet or not self._publication.fetched(feed_format)
        window, articles = self._windows.read(definition, at_least)
        channel = self._renderer.channel(
            definition,
            feed_format,
            window.head.changed,
            terms.rights,
            quiet=quiet,
            older_url=self._renderer.archive_url(definition, feed_format, window.below),
        )
        shown = self._granted(definition, visible(window.members, articles, window.head.changed), terms)
        return self._document(feed_format, channel, window.head, shown, window.gone, terms.rights, quiet=quiet)

    def titled(self, definition: FeedDefinition) -> FeedDefinition:
        """Return the feed with the title that readers see."""
        return self._renderer.titled(definition)

    def archive(
        self, definition: FeedDefinition, feed_format: FeedFormat, period: Period, terms: Terms = EVERYBODY
    ) -> Document | None:
        """Return the part of the feed that lies in a period (RFC 5005, section 4), with the articles as they are now.

        None if nothing lies in it, and for feeds and formats without archives. An archive has no tombstones: if an
        article in it is killed, it is made again without that article. `changed` is the last change of the articles in
        it. Raises FeedRefused, and RecordAway when some of it is cold.
        """
        if not has_archives(definition, feed_format):
            return None
        page, articles = self._archives.read(definition, period)
        shown = self._granted(definition, visible(page.members, articles, page.head.changed), terms)
        if not shown:
            return None
        changed = max(clock.ms(stored.article.updated) for stored in shown)
        # All articles that are newer than the newest archive are in the feed document.
        newer = page.newer if page.below is not None and period.end <= page.below else None
        channel = self._renderer.channel(
            definition,
            feed_format,
            changed,
            terms.rights,
            quiet=False,
            self_url=self._publication.archive(definition.name, feed_format.name, period),
            current_url=self._publication.topic(definition.name, feed_format.name),
            older_url=self._renderer.archive_url(definition, feed_format, page.older),
            newer_url=self._renderer.archive_url(definition, feed_format, newer),
            hub_url="",
        )
        return self._document(feed_format, channel, page.head, shown, (), terms.rights, quiet=False)

    def latest(self, definition: FeedDefinition, count: int, terms: Terms = EVERYBODY) -> tuple[list[Entry], Head]:
        """Return the top entries of the feed, and where its change log ends."""
        window = self._store.changes.window(definition.name, min(count, definition.limit))
        articles = self._store.articles.get_many(window.members)
        shown = self._granted(definition, visible(window.members, articles, window.head.changed), terms)
        return [self._renderer.fragments.entry(stored) for stored in shown], window.head

    def _granted(self, definition: FeedDefinition, articles: list[StoredArticle], terms: Terms) -> list[StoredArticle]:
        """Return those of the articles that a reader with these terms may have by now, with what is granted of them."""
        if terms.delay:
            latest = clock.ms(clock.agreed()) - terms.delay
            changes = self._store.changes.latest_of(definition.name, [stored.article.id for stored in articles])
            recent = {change.article_id for change in changes.values() if change.asof > latest}
            articles = [stored for stored in articles if stored.article.id not in recent]
        if terms.rights == EVERYTHING:
            return articles
        return [replace(stored, article=granted(stored.article, terms.rights)) for stored in articles]

    def _document(
        self,
        feed_format: FeedFormat,
        channel: Channel,
        head: Head,
        articles: Iterable[StoredArticle],
        departures: Sequence[tuple[str, int]],
        rights: Rights,
        *,
        quiet: bool,
    ) -> Document:
        selected = self._renderer.fragments.select(feed_format, channel, articles, rights, quiet=quiet)
        fragments = selected.fragments
        envelope = self._renderer.envelope(feed_format, channel, departures)
        if feed_format.bytes_most is not None:
            fragments = fragments[: envelope.count_that_fit(fragments, feed_format.bytes_most)]
        return Document(envelope.around(fragments), head.seq, clock.ms(channel.updated), selected.kept_out)
