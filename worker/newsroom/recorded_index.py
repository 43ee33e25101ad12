"""Goes through the record for feeds that are new or defined anew: the articles that Redis no longer has.

Of a feed's window every article is to be in Redis: those that it needs are brought back and placed there. What lies
below the window is written into the record alone, where the archives of the feed find it.

An article may come back to Redis just while it is written into the record as a member. So what was written is looked at
once more with the next step, and placed in Redis if it is there by then.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from feeds.article import Article
from feeds.selection import matches
from worker import clock
from worker.record import feed_candidates
from worker.record.articles import Membership, note_memberships
from worker.record.availability import RecordAway
from worker.record.database_errors import kind, sentence
from worker.record.schema import UnfitRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

    from feeds.definition import FeedDefinition
    from feeds.selection import Placement
    from worker.newsroom.index_placer import IndexPlacer
    from worker.newsroom.placement import ArticlePlacer
    from worker.newsroom.publication import Publication
    from worker.record import Record
    from worker.store import Store
    from worker.store.definitions import Position

_BATCH = 500
"""Articles of the record that are gone through at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step through the record: how many were gone through, where to go on (None: it is done), what has changed."""

    count: int
    position: Position | None
    changed_feeds: set[str]


class RecordedIndex:
    """The steps through the record. `warm` brings cold articles back to Redis, and returns those that are there then.

    All raise RecordAway when the record does not answer. Where nobody has made a record yet there is nothing to do.
    """

    def __init__(
        self,
        store: Store,
        record: Record,
        publication: Publication,
        placer: ArticlePlacer,
        index_placer: IndexPlacer,
        warm: Callable[[Sequence[str]], Collection[str]],
    ) -> None:
        self._store = store
        self._record = record
        self._publication = publication
        self._placer = placer
        self._index_placer = index_placer
        self._warm = warm
        self._written: set[str] = set()

    def count(self, feeds: Collection[str]) -> int:
        """Return how many articles the first steps go through."""
        definitions = self._selecting(feeds)
        if not definitions:
            return 0
        with self._asking(self._record.read) as connection:
            return feed_candidates.count_candidates(connection, _editions(definitions)) if connection else 0

    def articles(self, feeds: Collection[str], position: Position | None) -> Step:
        """Go through articles, the newest published first, for those that belong in the feeds."""
        changed_feeds = self._look_again(feeds)
        if position is None:
            changed_feeds |= self._place_picks(feeds)
        definitions = self._selecting(feeds)
        if not definitions:
            return Step(0, None, changed_feeds)
        after = None if position is None else (int(position[0]), position[1])
        with self._asking(self._record.read) as connection:
            batch = feed_candidates.newest(connection, _editions(definitions), after, _BATCH) if connection else []
        now = clock.agreed()
        belonging = {}
        for candidate in batch:
            article = _parsed(candidate.document)
            if article and article.visible(now) and any(matches(each, article, {}) for each in definitions):
                belonging[candidate.article_id] = article
        hot = self._store.articles.hot(list(belonging))
        if hot:
            changed_feeds |= self._index_placer.place(sorted(hot), feeds)
        cold = [article for name, article in belonging.items() if name not in hot]
        changed_feeds |= self._place_cold(cold, feeds, now)
        if len(batch) < _BATCH:
            changed_feeds |= self._look_again(feeds)
            return Step(len(batch), None, changed_feeds)
        return Step(len(batch), (str(batch[-1].published), batch[-1].article_id), changed_feeds)

    def members(self, feeds: Collection[str], position: Position | None) -> Step:
        """Go through the articles that are in the feeds by the record and cold: some may belong there no longer."""
        changed_feeds = self._look_again(feeds)
        # Of a pattern the beginning of the names of its feeds.
        names = sorted(name.removesuffix("*") for name in feeds)
        first, *last = position or (names[0],)
        after = (last[0], last[1]) if last else None
        rows: list[feed_candidates.Member] = []
        following: Position | None = None
        with self._asking(self._record.read) as connection:
            if connection is None:
                return Step(0, None, changed_feeds)
            for name in (name for name in names if name >= first):
                rows += feed_candidates.members(connection, name, after, _BATCH - len(rows))
                if len(rows) == _BATCH:
                    following = (name, rows[-1].membership.feed, rows[-1].membership.article_id)
                    break
                after = None
        hot = self._store.articles.hot([row.membership.article_id for row in rows])
        changed_feeds |= self._decide_again([row for row in rows if row.membership.article_id not in hot], feeds)
        if following is None:
            changed_feeds |= self._look_again(feeds)
        return Step(len(rows), following, changed_feeds)

    def _selecting(self, feeds: Collection[str]) -> list[FeedDefinition]:
        """Those of the feeds that select articles. Others are curated lists, whose articles are known."""
        return [each for each in self._publication.configured if each.name in feeds and each.list is None]

    def _place_picks(self, feeds: Collection[str]) -> set[str]:
        """Place the articles of the curated lists of which feeds are made."""
        lists = {each.list for each in self._publication.configured if each.name in feeds and each.list}
        picks = {pick for name, ids in self._placer.lists().items() if name in lists for pick in ids}
        if cold := picks - self._store.articles.hot(sorted(picks)):
            self._warm(sorted(cold))
        return self._index_placer.place(sorted(picks), feeds) if picks else set()

    def _place_cold(self, articles: Sequence[Article], feeds: Collection[str], now: datetime) -> set[str]:
        """Place articles, the newest first, that are cold: in Redis where a window needs them, else in the record."""
        if not articles:
            return set()
        lists = self._placer.lists()
        placements = {
            article.id: self._placer.placements(article, frozenset(), now, lists, feeds) for article in articles
        }
        needed = self._needed(placements)
        changed_feeds = self._index_placer.place(sorted(self._warm(sorted(needed))), feeds) if needed else set()
        below = {article.id: article for article in articles if article.id not in needed}
        with self._asking(self._record.read) as connection:
            before = feed_candidates.memberships_of(connection, below) if connection and below else {}
        rows = []
        for name, article in below.items():
            for placement in placements[name]:
                row = before.get((placement.feed, name))
                if row is None or (row.state, row.place) != ("in", placement.order):
                    sequence = row.sequence if row else 0
                    rows.append(_entered(placement, article, clock.ms(now), sequence))
        self._write(rows, now)
        self._store.filling.count_cold(Counter(row.feed for row in rows if (row.feed, row.article_id) not in before))
        return changed_feeds

    def _needed(self, placements: Mapping[str, Sequence[Placement]]) -> set[str]:
        """Return the articles that windows of feeds need, by where they are placed."""
        by_feed: dict[str, list[tuple[int, str]]] = {}
        for name, article_placements in placements.items():
            for placement in article_placements:
                by_feed.setdefault(placement.feed, []).append((placement.order, name))
        limits = {feed: each.limit for feed in by_feed if (each := self._publication.feed(feed))}
        needed: set[str] = set()
        for feed, floor in self._store.filling.window_floors(limits).items():
            top = sorted(by_feed[feed], reverse=True)[: limits[feed]]
            needed |= {name for order, name in top if floor is None or order > floor}
        return needed

    def _decide_again(self, rows: Sequence[feed_candidates.Member], feeds: Collection[str]) -> set[str]:
        """Decide by the new definitions what cold articles are in feeds, and where."""
        now, lists = clock.agreed(), self._placer.lists()
        after, entering = [], {}
        for membership, document in rows:
            definition = self._publication.feed(membership.feed)
            article = _parsed(document)
            if definition and article and article.visible(now) and matches(definition, article, lists):
                entering[article.id] = article
            else:
                last = membership.sequence if membership.last_sequence is None else membership.last_sequence
                left = membership._replace(state="out", decided=clock.ms(now), sequence=0, last_sequence=last)
                after.append(left)
        self._write(after, now)
        return self._place_cold(list(entering.values()), feeds, now)

    def _write(self, rows: Sequence[Membership], now: datetime) -> None:
        """Write memberships of cold articles into the record."""
        if rows:
            with self._asking(self._record.write) as connection:
                if connection:
                    note_memberships(connection, rows, clock.ms(now))
            self._written |= {row.article_id for row in rows}

    def _look_again(self, feeds: Collection[str]) -> set[str]:
        """Place those articles that were cold when they were written into the record, and are in Redis now."""
        written, self._written = self._written, set()
        hot = self._store.articles.hot(sorted(written)) if written else set()
        return self._index_placer.place(sorted(hot), feeds) if hot else set()

    @contextmanager
    def _asking(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection | None]:
        """Return a connection; None where there is no record yet. Raises RecordAway."""
        try:
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(transaction())
                except UnfitRecord as error:
                    if self._record.schema() is not None:
                        raise RecordAway(str(error)) from error
                    connection = None
                yield connection
        except SQLAlchemyError as error:
            if kind(error) == "bug":
                raise
            raise RecordAway(sentence(error)) from error


def _entered(placement: Placement, article: Article, decided: int, sequence: int) -> Membership:
    return Membership(placement.feed, article.id, "in", article.version, decided, placement.order, sequence)


def _editions(definitions: Sequence[FeedDefinition]) -> set[str] | None:
    """The editions of which articles can belong in any of the feeds, in lower case; None: of all."""
    editions = [each.edition for each in definitions]
    return {edition.lower() for edition in editions if edition} if all(editions) else None


def _parsed(document: str | None) -> Article | None:
    """The article; None when its text was forgotten, or is damaged."""
    try:
        return Article.stored(document) if document else None
    except (ValueError, TypeError):
        return None
