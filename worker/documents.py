"""Feed documents and pushes, put together from what is kept.

A fragment is rendered once per article revision and format. A document or a push is an envelope around fragments, made
from the articles as they are at that moment: what is not visible now does not go out, whatever the change log says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.archive import period_of
from feeds.entry import Tombstone, entry, tag_uri
from feeds.formats import READERS
from feeds.rights import EVERYTHING, Rights, granted
from worker import clock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from feeds.archive import Period
    from feeds.definition import FeedDefinition
    from feeds.entry import Entry
    from feeds.formats.interface import FeedFormat
    from worker.site import Site
    from worker.store import Store
    from worker.store.articles import Held
    from worker.store.changes import Head

PUSH_ENTRIES = 100
"""Changes in one push at the most; a receiver further behind gets the next ones in the next push."""

_FRAGMENT_BYTES = 64 * 1024 * 1024
_PUSHES = 256


@dataclass(frozen=True, slots=True)
class Document:
    """A feed document at one head. `changed` is the feed's last change (ms; 0: never)."""

    body: bytes
    head: int
    changed: int


@dataclass(frozen=True, slots=True)
class Push:
    """What brings a receiver from one cursor to another.

    `accepted` (ms): when the oldest event in it was accepted. `versions`: article id -> version, or None where it left.
    """

    body: bytes
    cursor: int
    accepted: int
    versions: dict[str, int | None]


class Documents:
    """Makes documents and pushes. Threads may share it."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site
        self._fragments: LRUCache[tuple[str, int, str, Rights], bytes] = LRUCache(_FRAGMENT_BYTES, getsizeof=len)
        self._pushes: LRUCache[tuple[str, str, int, int, bool, Rights], Push | None] = LRUCache(_PUSHES)
        self._lock = Lock()

    def current(self, definition: FeedDefinition, feed_format: FeedFormat) -> Document:
        """Return the feed's document as it is now."""
        window = self._store.changes.window(definition.name, definition.limit)
        articles = self._visible(window.members, window.head.changed)
        body = self._render(
            definition,
            feed_format,
            [articles[name] for name in window.members if name in articles],
            window.gone,
            window.head.changed,
            older_url=self._archive_url(definition, feed_format, window.below),
        )
        return Document(body, window.head.seq, window.head.changed)

    def archive(self, definition: FeedDefinition, feed_format: FeedFormat, period: Period) -> Document | None:
        """Return what of the feed lies in a period (RFC 5005, section 4), of the articles as they are now.

        None when nothing does, and of feeds and formats that have no archives. It says nothing of what has left: an
        archive that had a killed article is made again without it. `changed` is the last change of what is in it.
        """
        if not _has_archives(definition, feed_format):
            return None
        stretch = self._store.changes.stretch(definition.name, period.start, period.end, definition.limit)
        articles = self._visible(stretch.members, stretch.head.changed)
        if not articles:
            return None
        changed = max(clock.ms(held.article.updated) for held in articles.values())
        # What is newer than the newest archive is all in the feed document.
        newer = stretch.newer if stretch.below is not None and period.end <= stretch.below else None
        body = self._render(
            definition,
            feed_format,
            [articles[name] for name in stretch.members if name in articles],
            (),
            changed,
            self_url=self._site.archive(definition.name, feed_format.name, period),
            current_url=self._site.topic(definition.name, feed_format.name),
            older_url=self._archive_url(definition, feed_format, stretch.older),
            newer_url=self._archive_url(definition, feed_format, newer),
            hub_url="",
        )
        return Document(body, stretch.head.seq, changed)

    def latest(self, definition: FeedDefinition, count: int) -> tuple[list[Entry], Head]:
        """Return the top entries of the feed, and where its log ends."""
        window = self._store.changes.window(definition.name, min(count, definition.limit))
        articles = self._visible(window.members, window.head.changed)
        return [self._entry(articles[name]) for name in window.members if name in articles], window.head

    def push(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        cursor: int,
        head: int,
        *,
        whole: bool,
        rights: Rights = EVERYTHING,
    ) -> Push | None:
        """Return what a receiver at `cursor` is to be told when the feed's head is `head`; None: nothing.

        With `whole` the push is the feed document, else the feed with only what has changed. Of each article as much as
        the `rights` of the receiver allow.
        """
        key = (definition.name, feed_format.name, cursor, head, whole, rights)
        with self._lock:
            if key in self._pushes:
                return self._pushes[key]
        push = self._push(definition, feed_format, cursor, whole=whole, rights=rights)
        with self._lock:
            self._pushes[key] = push
        return push

    def _push(
        self, definition: FeedDefinition, feed_format: FeedFormat, cursor: int, *, whole: bool, rights: Rights
    ) -> Push | None:
        window = self._store.changes.window(definition.name, definition.limit)
        changes = self._store.changes.since(definition.name, cursor, PUSH_ENTRIES)
        if whole or not changes:
            # No change and yet behind: the editors arranged the feed anew.
            names: Iterable[str] = window.members
            gone: Iterable[tuple[str, int]] = window.gone
            reached = window.head.seq
        else:
            places = self._store.changes.places(
                definition.name, [change.article_id for change in changes if change.state == "in"]
            )
            names = sorted(places, key=lambda name: (places[name], name), reverse=True)
            gone = [(change.article_id, change.asof) for change in changes if change.state != "in"]
            reached = changes[-1].seq if len(changes) == PUSH_ENTRIES else window.head.seq
        articles = self._visible(names, window.head.changed)
        shown = [articles[name] for name in names if name in articles]
        if rights != EVERYTHING:
            shown = [replace(held, article=granted(held.article, rights)) for held in shown]
        gone = list(gone)
        if not shown and not gone:
            return None
        return Push(
            self._render(definition, feed_format, shown, gone, window.head.changed, rights),
            reached,
            min((held.accepted for held in shown), default=window.head.changed),
            {held.article.id: held.article.version for held in shown} | {name: None for name, _ in gone},
        )

    def _visible(self, names: Iterable[str], changed: int) -> dict[str, Held]:
        # Another machine's clock may be ahead: what it has released is released.
        now = max(clock.now(), clock.moment(changed))
        held = self._store.articles.get_many(list(names))
        return {name: article for name, article in held.items() if article.article.visible(now)}

    def _render(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        articles: Collection[Held],
        gone: Iterable[tuple[str, int]],
        changed: int,
        rights: Rights = EVERYTHING,
        **links: str,
    ) -> bytes:
        channel = self._site.channel(definition, feed_format.name, changed, **links)
        stones = self._stones(feed_format, list(gone))
        if feed_format.select:
            entries = {self._entry(held): held for held in articles}
            articles = [entries[entry] for entry in feed_format.select(channel, list(entries))]
        return feed_format.envelope(channel, stones).around(
            [self._fragment(feed_format, held, rights) for held in articles]
        )

    def _archive_url(self, definition: FeedDefinition, feed_format: FeedFormat, place: int | None) -> str:
        """The archive in which the article at a place stands; empty where there is none."""
        if place is None or not _has_archives(definition, feed_format):
            return ""
        return self._site.archive(definition.name, feed_format.name, period_of(definition.archive, place))

    def _stones(self, feed_format: FeedFormat, gone: list[tuple[str, int]]) -> list[Tombstone]:
        held = self._store.articles.get_many([name for name, _ in gone]) if feed_format.links_gone and gone else {}
        return [
            Tombstone(
                tag_uri(self._site.authority, "article", name),
                clock.moment(when),
                held[name].article.url if name in held else "",
            )
            for name, when in gone
        ]

    def _entry(self, held: Held) -> Entry:
        return entry(held.article, self._site.authority, self._site.title)

    def _fragment(self, feed_format: FeedFormat, held: Held, rights: Rights) -> bytes:
        key = (held.article.id, held.rev, feed_format.name, rights)
        with self._lock:
            fragment = self._fragments.get(key)
        if fragment is None:
            fragment = feed_format.fragment(self._entry(held))
            with self._lock:
                self._fragments[key] = fragment
        return fragment


def _has_archives(definition: FeedDefinition, feed_format: FeedFormat) -> bool:
    """Whether there are archives: of what readers read, in an order of time, which a curated list is not in."""
    return definition.list is None and feed_format in READERS
