"""What stands around the fragments of a feed document: what the feed says of itself, and what has left it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from feeds.archive import period_of
from feeds.entry import Tombstone, notice, tag_uri
from feeds.formats import READERS
from feeds.formats.change_statuses import notice_note
from feeds.formats.interface import FormatFault
from feeds.patterns import PatternFeed
from worker import clock
from worker.documents.article_fragments import ArticleFragments
from worker.documents.feed_windows import moment_shown
from worker.documents.kept_envelopes import KeptEnvelopes
from worker.documents.quality_gate import FeedRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.definition import FeedDefinition
    from feeds.entry import Channel
    from feeds.formats.interface import Envelope, FeedFormat
    from feeds.rights import Rights
    from worker.documents.quality_gate import QualityGate
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.articles import StoredArticle

NOTICE_AGE = timedelta(days=7)
"""How long a feed document has a notice in place of an article that left, counted up to the feed's last change."""


class FeedRenderer:
    """Makes channels, envelopes and links; `fragments` makes what goes into the envelopes. Threads may share it."""

    def __init__(self, store: Store, publication: Publication, gate: QualityGate) -> None:
        self._store = store
        self._publication = publication
        self._gate = gate
        self.fragments = ArticleFragments(publication, gate)
        self._envelopes = KeptEnvelopes()

    def forget(self) -> None:
        """Report anew what the gate keeps out: another Redis has no note of it."""
        self._gate.forget()

    def titled(self, definition: FeedDefinition) -> FeedDefinition:
        """Return the feed with the title that readers see.

        The title of a feed that was made of a pattern has the value as an article spells it.
        """
        if not isinstance(definition, PatternFeed):
            return definition
        return self._publication.feed(definition.name, self._store.patterns.written(definition)) or definition

    def channel(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        changed: int,
        rights: Rights,
        *,
        quiet: bool,
        **links: str,
    ) -> Channel:
        """Return what the document says of the feed, after the gate has checked it. Raises FeedRefused.

        `changed`: the feed's last change (ms; 0: never). `quiet`: no operator is alerted if the gate refuses the feed.
        `rights`: of whom it is for. `links`: addresses as in `Publication.channel`.
        """
        titled = self.titled(definition)
        channel = self._publication.channel(titled, feed_format.name, changed, rights.machines, **links)
        from_pattern = isinstance(definition, PatternFeed)
        self._gate.check_channel(definition.name, feed_format, channel, from_pattern=from_pattern, quiet=quiet)
        return channel

    def envelope(
        self,
        feed_format: FeedFormat,
        channel: Channel,
        departures: Sequence[tuple[str, int]],
        notice_age: timedelta = NOTICE_AGE,
        departed: Mapping[str, StoredArticle] | None = None,
    ) -> Envelope:
        """Return the envelope of a document, with a tombstone for each article that left.

        `departures`: ids and times (ms) of the articles that left. Those that left no longer than `notice_age` before
        the feed's last change have a notice for readers too. `departed`: these articles, if they have been read.
        """
        for_readers = feed_format in READERS
        recent = [name for name, left_ms in departures if channel.updated - clock.moment(left_ms) <= notice_age]
        if not (for_readers or feed_format.tombstones_need_url):
            recent = []
        if departed is None:
            departed = self._store.articles.get_many(recent) if recent else {}
        articles = {name: departed[name] for name in recent if name in departed}
        now = moment_shown(clock.ms(channel.updated))
        authority = self._publication.authority
        tombstones = []
        for name, left_ms in departures:
            left = clock.moment(left_ms)
            tombstone = Tombstone(tag_uri(authority, "article", name), left)
            if name in articles:
                article = articles[name].article
                tombstone = replace(tombstone, url=article.url, killed=article.pubstatus == "canceled")
                if for_readers and (note := notice_note(article, now)):
                    tombstone = replace(tombstone, notice=notice(article, note, authority, channel, left))
            tombstones.append(tombstone)
        try:
            return self._envelopes.make(feed_format, channel, tombstones)
        except FormatFault as fault:
            reason = f"the envelope fails: {fault}"
            raise FeedRefused(f"{channel.self_url} can't be {feed_format.name}: {reason}") from None

    def archive_url(self, definition: FeedDefinition, feed_format: FeedFormat, place: int | None) -> str:
        """Return the address of the archive that has the article at a place; empty if there is no such archive."""
        if place is None or not has_archives(definition, feed_format):
            return ""
        return self._publication.archive(definition.name, feed_format.name, period_of(definition.archive, place))


def has_archives(definition: FeedDefinition, feed_format: FeedFormat) -> bool:
    """Return whether a feed has archives in a format.

    Only formats for feed readers have them, and only feeds in the order of time: a curated list is in another order.
    """
    return definition.list is None and feed_format in READERS
