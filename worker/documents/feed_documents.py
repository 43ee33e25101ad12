"""Feed documents and pushes, put together from what is kept.

A fragment is rendered once per article revision and format. A document or a push is an envelope around fragments, made
from the articles as they are at that moment: what is not visible now does not go out, whatever the change log says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.archive import period_of
from feeds.entry import Tombstone, entry, notice, tag_uri
from feeds.formats import READERS
from feeds.formats.changes import notice_note
from feeds.patterns import MadeFeed
from feeds.rights import EVERYTHING, Rights, granted
from worker import clock
from worker.documents.fragments import Fragments
from worker.store.byte_cache import ByteCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from feeds.archive import Period
    from feeds.definition import FeedDefinition
    from feeds.entry import Channel, Entry
    from feeds.formats.interface import FeedFormat
    from worker.documents.quality_gate import Gate
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.articles import StoredArticle
    from worker.store.changes import Change, Head, Window

NOTICE_KEPT = timedelta(days=7)
"""How long a feed document has a notice in place of an article that left, up to the feed's last change."""
PUSH_ENTRIES = 100
"""Changes in one push at the most; a receiver further behind gets the next ones in the next push."""

_FRAGMENT_BYTES = 64 * 1024 * 1024
_OBJECTIONS = 10_000
"""Articles that the gate keeps out, whose reasons are remembered."""
_PUSH_BYTES = 64 * 1024 * 1024
_WINDOW_BYTES = 64 * 1024 * 1024
"""What articles of windows take that are kept for other formats' documents and for the next ones."""
_Asked = tuple[str, str, int, int, bool, Rights, "Waiting | None", tuple[str, ...], int, "tuple[Change, ...]", bool]
"""What a push was made for."""


@dataclass(frozen=True, slots=True)
class Document:
    """A feed document at one head.

    `changed` is the feed's last change (ms; 0: never). `kept_out`: the articles that the gate keeps out of it, and why.
    """

    body: bytes
    head: int
    changed: int
    kept_out: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a receiver is not to be told yet: these articles, and nothing after the change numbered `until`."""

    articles: frozenset[str]
    until: int

    def lets(self, change: Change) -> bool:
        """Whether the receiver may be told of a change."""
        return change.seq <= self.until and change.article_id not in self.articles


@dataclass(frozen=True, slots=True)
class Push:
    """What brings a receiver from one cursor to another.

    `accepted` (ms): when the oldest event in it was accepted. `said`: article id -> its version, and what
    the push says of it: published, withdrawn or killed. `texts`: the articles whose text is in it.
    """

    body: bytes
    cursor: int
    accepted: int
    said: dict[str, tuple[int, str]]
    texts: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + 200 * len(self.said)


class Documents:
    """Makes documents and pushes. Threads may share it."""

    def __init__(self, store: Store, site: Publication, gate: Gate) -> None:
        self._store = store
        self._site = site
        self._gate = gate
        self._fragments = Fragments(_FRAGMENT_BYTES)
        self._objections: LRUCache[tuple[str, str, str, Rights], list[str]] = LRUCache(_OBJECTIONS)
        self._lock = Lock()
        self._pushes: ByteCache[_Asked, tuple[Push | None]] = ByteCache(_PUSH_BYTES)
        self._windows: ByteCache[str, tuple[Window, dict[str, StoredArticle]]] = ByteCache(_WINDOW_BYTES)

    def forget(self) -> None:
        """Read all anew: another Redis may say another thing under the same numbers."""
        self._windows.forget()
        self._pushes.forget()
        self._gate.forget()

    def forget_pushes(self, feed: str) -> None:
        """Make the pushes of a feed anew, whose change log has another history or has gone far on."""
        self._pushes.forget(lambda asked: asked[0] == feed)

    def current(self, definition: FeedDefinition, feed_format: FeedFormat, *, quiet: bool = False) -> Document:
        """Return the feed's document as it is now. Raises FeedRefused.

        Its formats show the same articles as long as its head stays: whatever changes an article in it moves that.
        `quiet`: somebody looks at it, and no operator is to be told of what the gate keeps back.
        """
        quiet = quiet or not self._site.fetched(feed_format)
        window, held = self._window(definition)
        articles = _visible(held, window.head.changed)
        channel = self._channel(
            definition,
            feed_format,
            window.head.changed,
            quiet=quiet,
            older_url=self._archive_url(definition, feed_format, window.below),
        )
        shown = [articles[name] for name in window.members if name in articles]
        return self._document(feed_format, channel, window.head, shown, window.gone, quiet=quiet)

    def titled(self, definition: FeedDefinition) -> FeedDefinition:
        """Return the feed with its title as readers see it: that of one of a pattern has the words of an article."""
        if not isinstance(definition, MadeFeed):
            return definition
        return self._site.feed(definition.name, self._store.patterns.written(definition)) or definition

    def archive(self, definition: FeedDefinition, feed_format: FeedFormat, period: Period) -> Document | None:
        """Return what of the feed lies in a period (RFC 5005, section 4), of the articles as they are now.

        None when nothing does, and of feeds and formats that have no archives. It says nothing of what has left: an
        archive that had a killed article is made again without it. `changed` is the last change of what is in it.
        Raises FeedRefused.
        """
        if not _has_archives(definition, feed_format):
            return None
        stretch = self._store.changes.archive_page(definition.name, period.start, period.end, definition.limit)
        articles = _visible(self._store.articles.get_many(stretch.members), stretch.head.changed)
        if not articles:
            return None
        changed = max(clock.ms(held.article.updated) for held in articles.values())
        # What is newer than the newest archive is all in the feed document.
        newer = stretch.newer if stretch.below is not None and period.end <= stretch.below else None
        channel = self._channel(
            definition,
            feed_format,
            changed,
            quiet=False,
            self_url=self._site.archive(definition.name, feed_format.name, period),
            current_url=self._site.topic(definition.name, feed_format.name),
            older_url=self._archive_url(definition, feed_format, stretch.older),
            newer_url=self._archive_url(definition, feed_format, newer),
            hub_url="",
        )
        shown = [articles[name] for name in stretch.members if name in articles]
        return self._document(feed_format, channel, stretch.head, shown, (), quiet=False)

    def latest(self, definition: FeedDefinition, count: int) -> tuple[list[Entry], Head]:
        """Return the top entries of the feed, and where its log ends."""
        window = self._store.changes.window(definition.name, min(count, definition.limit))
        articles = _visible(self._store.articles.get_many(window.members), window.head.changed)
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
        waiting: Waiting | None = None,
        again: tuple[str, ...] = (),
        after: int = 0,
        first: tuple[Change, ...] = (),
        alone: bool = False,
    ) -> Push | None:
        """Return what a receiver at `cursor` is to be told when the feed's head is `head`; None: nothing.

        With `whole` the push is the feed document, else the feed with only what has changed, and the articles that are
        to be sent `again`. Of each article as much as the `rights` of the receiver allow, and nothing of what is
        `waiting`. `after`: the last withdrawal from the feed that was heard of; what was made before it is made anew.
        `first`: changes by which articles left, of which it is told now, however far behind it is; `alone`: of them
        alone. Raises FeedRefused.
        """
        key = (definition.name, feed_format.name, cursor, head, whole, rights, waiting, again, after, first, alone)
        kept = self._pushes.get(key)
        if kept is not None:
            return kept[0]
        push = self._push(
            definition,
            feed_format,
            cursor,
            again,
            whole=whole,
            rights=rights,
            waiting=waiting,
            first=first,
            alone=alone,
        )
        self._pushes.keep(key, (push,), push.size if push else 0)
        return push

    def _push(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        cursor: int,
        again: tuple[str, ...],
        *,
        whole: bool,
        rights: Rights,
        waiting: Waiting | None,
        first: tuple[Change, ...],
        alone: bool,
    ) -> Push | None:
        # Where nothing of a stretch of the log may be told, the next one is looked at.
        while True:
            push, reached, end = self._stretch(
                definition,
                feed_format,
                cursor,
                again,
                whole=whole,
                rights=rights,
                waiting=waiting,
                first=first,
                alone=alone,
            )
            if push or reached >= end:
                return push
            cursor, again = reached, ()

    def _stretch(
        self,
        definition: FeedDefinition,
        feed_format: FeedFormat,
        cursor: int,
        again: tuple[str, ...],
        *,
        whole: bool,
        rights: Rights,
        waiting: Waiting | None,
        first: tuple[Change, ...],
        alone: bool,
    ) -> tuple[Push | None, int, int]:
        """Return the push of the next changes after `cursor`, how far these reach, and how far there are any."""
        head = self._store.changes.head(definition.name)
        most = 0 if alone else 1 if whole else PUSH_ENTRIES
        changes = self._store.changes.since(definition.name, cursor, most)
        if not (changes or again or alone) and head.placed > max(cursor, head.arranged) and (cursor or not whole):
            # The feed was filled with what had been there before: nobody is told of that.
            return None, head.seq, head.seq
        if whole or not (changes or again or alone):
            # Behind and yet no change: the editors arranged the feed anew.
            window = self._store.changes.window(definition.name, definition.limit)
            head = window.head
            names: Iterable[str] = window.members
            gone: Sequence[tuple[str, int]] = window.gone
            reached = end = head.seq
            older_url, kept = self._archive_url(definition, feed_format, window.below), NOTICE_KEPT
        else:
            # Whoever is told of changes only is told of those that are a week old too.
            older_url, kept = "", timedelta.max
            told = [change for change in changes if waiting is None or waiting.lets(change)]
            places = self._store.changes.places(
                definition.name,
                list(dict.fromkeys([*(change.article_id for change in told if change.state == "in"), *again])),
            )
            names = sorted(places, key=lambda name: (places[name], name), reverse=True)
            there = {change.article_id for change in told}
            left = (*told, *(change for change in first if change.article_id not in there))
            # What never was in the feed, endpoints alone are told of: those that may have it early.
            gone = [(change.article_id, change.asof) for change in left if change.state != "in" and change.was_in_feed]
            end = head.seq if waiting is None else min(head.seq, waiting.until)
            reached = min(changes[-1].seq, end) if len(changes) == PUSH_ENTRIES else end
            if alone:
                reached = end = cursor
        articles = _visible(self._store.articles.get_many(list(names)), head.changed)
        shown = [articles[name] for name in names if name in articles]
        if rights != EVERYTHING:
            shown = [replace(held, article=granted(held.article, rights)) for held in shown]
        channel = self._channel(definition, feed_format, head.changed, quiet=False, older_url=older_url)
        passed, _ = self._passed(feed_format, channel, shown, rights, quiet=False)
        if not passed and not gone:
            return None, reached, end
        stones = self._stones(feed_format, channel, gone, kept)
        push = Push(
            feed_format.envelope(channel, stones).around([fragment for _, fragment in passed]),
            reached,
            min((held.accepted for held, _ in passed), default=head.changed),
            {held.article.id: (held.article.version, "published") for held, _ in passed} | self._left(gone),
            frozenset(held.article.id for held, _ in passed),
        )
        return push, reached, end

    def _left(self, gone: Sequence[tuple[str, int]]) -> dict[str, tuple[int, str]]:
        """What is said of articles that left: by article id their version, and withdrawn or killed."""
        held = self._store.articles.get_many([name for name, _ in gone]) if gone else {}
        return {
            name: (left.article.version, "killed" if left.article.pubstatus == "canceled" else "withdrawn")
            for name, left in held.items()
        }

    def _window(self, definition: FeedDefinition) -> tuple[Window, dict[str, StoredArticle]]:
        """The feed's window and its articles, read once for all formats; of a later one only what has changed."""
        before, held = self._windows.get(definition.name) or (None, {})
        window = self._store.changes.window(definition.name, definition.limit, before)
        if window is before:
            return window, held
        if window.changed_articles is None:
            held = {}
        unread = [name for name in window.members if name not in held or name in (window.changed_articles or ())]
        read = self._store.articles.get_many(unread) if unread else {}
        held = {name: article for name in window.members if (article := read.get(name) or held.get(name))}
        self._windows.keep(definition.name, (window, held), sum(article.size for article in held.values()))
        return window, held

    def _channel(
        self, definition: FeedDefinition, feed_format: FeedFormat, changed: int, *, quiet: bool, **links: str
    ) -> Channel:
        """What the document says of the feed. Raises FeedRefused."""
        channel = self._site.channel(self.titled(definition), feed_format.name, changed, **links)
        self._gate.channel(definition.name, feed_format, channel, made=isinstance(definition, MadeFeed), quiet=quiet)
        return channel

    def _document(
        self,
        feed_format: FeedFormat,
        channel: Channel,
        head: Head,
        articles: Iterable[StoredArticle],
        gone: Sequence[tuple[str, int]],
        *,
        quiet: bool,
    ) -> Document:
        passed, kept_out = self._passed(feed_format, channel, articles, quiet=quiet)
        fragments = [fragment for _, fragment in passed]
        envelope = feed_format.envelope(channel, self._stones(feed_format, channel, gone, NOTICE_KEPT))
        if feed_format.bytes_most is not None:
            fragments = fragments[: envelope.room(fragments, feed_format.bytes_most)]
        return Document(envelope.around(fragments), head.seq, clock.ms(channel.updated), kept_out)

    def _passed(
        self,
        feed_format: FeedFormat,
        channel: Channel,
        articles: Iterable[StoredArticle],
        rights: Rights = EVERYTHING,
        *,
        quiet: bool,
    ) -> tuple[list[tuple[StoredArticle, bytes]], dict[str, list[str]]]:
        """The articles that belong in a document of the format.

        Those that have passed the gate, with their fragments; those that it keeps out, by id, with the reasons.
        """
        if feed_format.select:
            entries = {self._entry(held): held for held in articles}
            articles = [entries[entry] for entry in feed_format.select(channel, list(entries))]
        passed, kept_out = [], {}
        for held in articles:
            if fragment := self._fragment(feed_format, channel, held, rights):
                passed.append((held, fragment))
                continue
            kept_out[held.article.id] = objections = self._why(feed_format, channel, held, rights)
            if not quiet:
                self._gate.park(feed_format, held, objections)
        return passed, kept_out

    def _archive_url(self, definition: FeedDefinition, feed_format: FeedFormat, place: int | None) -> str:
        """The archive in which the article at a place stands; empty where there is none."""
        if place is None or not _has_archives(definition, feed_format):
            return ""
        return self._site.archive(definition.name, feed_format.name, period_of(definition.archive, place))

    def _stones(
        self, feed_format: FeedFormat, channel: Channel, gone: Sequence[tuple[str, int]], kept: timedelta
    ) -> list[Tombstone]:
        """The tombstones, with notices for readers of what left no longer than `kept` before the last change."""
        recent = [name for name, when in gone if channel.updated - clock.moment(when) <= kept]
        read = feed_format in READERS
        held = self._store.articles.get_many(recent) if recent and (read or feed_format.links_gone) else {}
        now = _now(clock.ms(channel.updated))
        stones = []
        for name, moment in gone:
            when = clock.moment(moment)
            stone = Tombstone(tag_uri(self._site.authority, "article", name), when)
            if name in held:
                article = held[name].article
                stone = replace(stone, url=article.url, killed=article.pubstatus == "canceled")
                if read and (said := notice_note(article, now)):
                    there = notice(article, said, self._site.authority, channel, when)
                    stone = replace(stone, notice=there)
            stones.append(stone)
        return stones

    def _entry(self, held: StoredArticle) -> Entry:
        return entry(held.article, self._site.authority, self._site.title)

    def _fragment(self, feed_format: FeedFormat, channel: Channel, held: StoredArticle, rights: Rights) -> bytes:
        """The article's fragment, rendered and checked once for each revision; nothing if the gate keeps it out."""
        fragment = self._fragments.get(feed_format.name, held, rights)
        if fragment is None:
            fragment = feed_format.fragment(self._entry(held))
            if objections := self._gate.objections(feed_format, channel, fragment):
                fragment = b""
                with self._lock:
                    self._objections[feed_format.name, held.article.id, held.rev, rights] = objections
            self._fragments.keep(feed_format.name, held, rights, fragment)
        return fragment

    def _why(self, feed_format: FeedFormat, channel: Channel, held: StoredArticle, rights: Rights) -> list[str]:
        """Why the gate keeps an article out."""
        with self._lock:
            known = self._objections.get((feed_format.name, held.article.id, held.rev, rights))
        return known or self._gate.objections(feed_format, channel, feed_format.fragment(self._entry(held)))


def _has_archives(definition: FeedDefinition, feed_format: FeedFormat) -> bool:
    """Whether there are archives: of what readers read, in an order of time, which a curated list is not in."""
    return definition.list is None and feed_format in READERS


def _visible(held: Mapping[str, StoredArticle], changed: int) -> dict[str, StoredArticle]:
    now = _now(changed)
    return {name: article for name, article in held.items() if article.article.visible(now)}


def _now(changed: int) -> datetime:
    # Another machine's clock may be ahead: what it has released is released.
    return max(clock.agreed(), clock.moment(changed))
