"""Notes in the record what has changed in Redis, as it is when it is noted.

The marks are read first, then what is marked, in two round trips for all; that is written in one transaction; then the
marks are taken off that are still the same. Whatever of this is repeated, or is done by two at a time, changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog

from feeds.article import Article
from feeds.fingerprint import fingerprints
from worker import clock
from worker.record import articles as recorded
from worker.record import feed_standings
from worker.record.articles import CuratedList, Membership, PatternValue, RecordedArticle, Revision
from worker.record.events import note_results
from worker.record.feed_standings import FeedStanding
from worker.record.forgetting import forget_text, last_kills
from worker.record.positions import NOTED, note_position
from worker.record.search import index_text
from worker.store.articles import COOLING
from worker.store.changes import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.record.events import EventResult
    from worker.store import Store
    from worker.store.unnoted import FeedState, UnnotedArticle, UnnotedBatch

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Document:
    """The JSON of an article, and what the record has columns for; times in ms.

    `changes`: when its visibility changes by itself.
    """

    text: str
    sha256: str
    version: int
    pubstatus: str
    edition: str
    headline: str
    url: str
    published: int
    changes: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> _Document:
        """Read it, and no more of it than that. Raises ValueError, TypeError or LookupError when it is damaged."""
        fields = json.loads(text)
        moments = (fields.get("embargoed"), fields.get("expires")) if fields["pubstatus"] == "usable" else ()
        return cls(
            text=text,
            sha256=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            version=int(fields["version"]),
            pubstatus=fields["pubstatus"],
            edition=fields["edition"],
            headline=fields["headline"],
            url=fields["url"],
            published=clock.ms(datetime.fromisoformat(fields["published"])),
            changes=tuple(clock.ms(datetime.fromisoformat(moment)) for moment in moments if moment),
        )


class ChargePassed(Exception):
    """Others carry out events by now, or Redis was emptied: what was carried out before is carried out again."""


class Noter:
    """Notes. Threads and processes may do so at the same time.

    `keep_killed`: the record keeps killed texts. `receipts`: whoever sent events wants to hear what becomes of them.
    """

    def __init__(self, store: Store, record: Record, *, keep_killed: bool = False, receipts: bool = False) -> None:
        self._store = store
        self._receipts = receipts
        self._record = record
        self._keep_killed = keep_killed

    def note(self, names: Iterable[str], results: Sequence[EventResult] = (), charge: str | None = None) -> None:
        """Note what has these names (store/unnoted.py), and what became of events, with their articles.

        `charge`: under which the events were carried out; None: nothing depends on it. Raises ChargePassed when it does
        not hold any longer after all was read: what they have changed may be gone. Raises RecordAway, and errors that
        are bugs; RedisError when Redis can't.
        """
        # Before anything is read: Redis may be emptied the moment after, and what is decided then is not noted by this.
        now = clock.ms(clock.agreed())
        named = dict.fromkeys((*names, *(result.article_id for result in results if result.article_id)))
        batch = self._store.unnoted.read(list(named))
        for name, reason in batch.damaged.items():
            self._store.damaged_records.report(f"article {name}", reason, "it is noted when it is sent again")
        documents = dict(self._documents(batch))
        charge_then = batch.charge
        states: dict[tuple[str, str], FeedState] = {}
        marks: dict[str, dict[str, int]] = {}
        if in_feeds := _by_feed((article_id, batch.articles[article_id]) for article_id in documents):
            states, marks, charge_then = self._store.unnoted.feed_states(in_feeds)
        if charge is not None and charge_then != charge:
            raise ChargePassed(charge)
        with self._record.availability.write("after") as connection:
            self._write(connection, batch, documents, list(_memberships(states)), results, now)
            feed_standings.note(connection, [FeedStanding(feed, of_feed, now) for feed, of_feed in marks.items()])
        self._store.unnoted.take_off(batch)
        if self._receipts:
            # Before the events are acknowledged: after a crash they are noted again, and watched.
            event_ids = list(dict.fromkeys(result.event_id for result in results if result.event_id))
            self._store.receipt_callbacks.watch(event_ids, now)
        # Whoever waits for the receipt of an event reads it in the record.
        self._store.live.append([_news(result, batch) for result in results])

    def _documents(self, batch: UnnotedBatch) -> Iterator[tuple[str, _Document]]:
        for article_id, article in batch.articles.items():
            try:
                yield article_id, _Document.read(article.doc)
            except (ValueError, TypeError, LookupError) as error:
                self._store.damaged_records.report(
                    f"article {article_id}", str(error), "it is noted when it is sent again"
                )

    def _write(
        self,
        connection: Connection,
        batch: UnnotedBatch,
        documents: dict[str, _Document],
        memberships: list[Membership],
        results: Sequence[EventResult],
        now: int,
    ) -> None:
        note_results(connection, results)
        # The articles first: their rows hold up whoever else notes one of them, until this is committed.
        rows = [_recorded(article_id, batch.articles[article_id], of, now) for article_id, of in documents.items()]
        recorded.note_articles(connection, rows)
        index_text(connection, documents)
        revisions = [
            revision
            for article_id, document in documents.items()
            for revision in _revisions(article_id, batch.articles[article_id], document)
        ]
        lists = [
            CuratedList(name, round(float(time) * 1000), tuple(json.loads(ids)), event)
            for name, (time, ids, event) in batch.lists.items()
        ]
        by = recorded.senders(connection, {row.event_id for row in revisions} | {row.sender for row in lists})
        recorded.note_revisions(connection, [row._replace(sender=by.get(row.event_id, "")) for row in revisions])
        recorded.note_memberships(connection, memberships, now)
        recorded.note_updates(connection, batch.updates)
        recorded.note_lists(connection, [row._replace(sender=by.get(row.sender, "")) for row in lists])
        recorded.note_pattern_feeds(connection, [PatternValue(*row) for row in batch.patterns])
        for authority in batch.authority:
            recorded.note_authority(connection, authority)
        if not self._keep_killed:
            # What is new was never killed.
            changed = {row.article_id for row in revisions if row.version > 1 or row.pubstatus == "canceled"}
            for article_id, version in last_kills(connection, changed).items():
                forget_text(connection, article_id, before=version, fingerprints=_fingerprints)
        note_position(connection, NOTED, batch.noted, now)


def _news(result: EventResult, batch: UnnotedBatch) -> tuple[str, dict[str, Any]]:
    """What there is to say of an event that was carried out."""
    article = batch.articles.get(result.article_id or "")
    fields = {
        "event": result.event_id,
        "article": result.article_id,
        "version": result.version,
        "result": result.result,
        "reason": result.reason,
        "feeds": sorted(article.feeds) if article else [],
    }
    return "carried_out", fields


def _by_feed(articles: Iterable[tuple[str, UnnotedArticle]]) -> dict[str, list[str]]:
    by_feed: dict[str, list[str]] = {}
    for article_id, article in articles:
        for feed in article.feeds:
            by_feed.setdefault(feed, []).append(article_id)
    return by_feed


def _recorded(article_id: str, stored: UnnotedArticle, document: _Document, now: int) -> RecordedArticle:
    return RecordedArticle(
        article_id=article_id,
        version=document.version,
        rev=stored.rev.removesuffix(COOLING),
        sha256=document.sha256,
        pubstatus=document.pubstatus,
        edition=document.edition,
        headline=document.headline,
        url=document.url,
        document=document.text,
        fingerprints=stored.fingerprints,
        published=document.published,
        accepted=stored.accepted,
        due=min((moment for moment in document.changes if moment > now), default=None),
    )


def _revisions(article_id: str, stored: UnnotedArticle, document: _Document) -> Iterator[Revision]:
    """The revision that an article is, and those before it that may not be in the record yet."""
    for accepted, event, text in stored.earlier:
        try:
            yield _revision(article_id, _Document.read(text), accepted, event)
        except (ValueError, TypeError, LookupError):
            log.warning("revision_damaged", article_id=article_id, next_step="the record goes without it")
    yield _revision(article_id, document, stored.accepted, stored.event)


def _revision(article_id: str, document: _Document, accepted: int, event: str) -> Revision:
    return Revision(
        article_id, document.version, document.sha256, document.pubstatus, document.text, "", accepted, event
    )


def _memberships(states: dict[tuple[str, str], FeedState]) -> Iterator[Membership]:
    for (feed, article_id), row in states.items():
        try:
            version = json.loads(row.state)["version"]
            change = Change.parse(row.sequence, article_id, row.state)
        except (ValueError, TypeError, LookupError):
            # It is worked out anew when somebody reads it, which is a new change.
            continue
        yield Membership(
            feed,
            article_id,
            change.state,
            version,
            change.asof,
            row.place or 0,
            row.sequence,
            change.previous_seq,
            unseen=not change.was_in_feed,
        )


def _fingerprints(text: str) -> str:
    """The fingerprints that stay of a document that goes."""
    return " ".join(fingerprints(Article.stored(text)))
