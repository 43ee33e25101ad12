"""Articles as they stand now, and the schedule of those whose visibility changes by itself."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from feeds.article import Article
from feeds.moments import ms
from worker.store import keys, known_ids, unnoted
from worker.store.byte_cache import ByteCache
from worker.store.damaged_records import answers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts

_BYTES = 64 * 1024 * 1024
"""Memory for parsed articles. Before each use their `rev` is compared with Redis."""
_OBJECTS = 4_000
"""Bytes that the objects of an article take beside its text, about."""
_FIELDS = ("doc", "rev", "feeds", "accepted", "fingerprints", "event", "result")
NEW = "0"
"""The rev of an article that is not there."""
COOLING = "~"
"""At the end of a rev: the article is about to become cold, unless somebody works on it first."""
_EARLIER_BYTES = 8_000_000
"""How much of an article's earlier revisions is kept until they are in the record. The oldest go first."""
_SCANNED = 1000
"""Articles that are searched in one round trip."""


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article as Redis has it. `feeds`: those it ever was in; `accepted` in ms; `size` in bytes, about.

    `rev`: no other save has the same one, even when Redis has lost its last writes and saves are counted again.
    `fingerprints` are of its earlier texts, back to the last time that it was killed and reinstated. `event`, `result`:
    the id of the event that was saved last, and what became of it. `is_update`: as it was saved just now, its
    document was known as an update of another.
    """

    article: Article
    rev: str
    feeds: frozenset[str]
    accepted: int
    fingerprints: tuple[str, ...] = ()
    event: str = ""
    result: str = ""
    is_update: bool = field(default=False, compare=False)
    size: int = field(default=_OBJECTS, compare=False)


@dataclass(frozen=True, slots=True)
class Remains:
    """What stands in the place of an article that can't be read: nothing (`rev` is NEW), or a damaged record.

    `feeds`: those in which it was; None when that part of the record is damaged too. `may_be_known`: whether its id may
    be one that there was before, by a filter that has all ids of the record of this `epoch`, if it is not "".
    `trimmed`: articles were taken out of this Redis because they were cold.
    """

    rev: str = NEW
    feeds: frozenset[str] | None = frozenset()
    may_be_known: bool = field(default=True, compare=False)
    epoch: str = field(default="", compare=False)
    trimmed: bool = field(default=True, compare=False)


class Articles:
    """The articles."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records
        self._parsed: ByteCache[str, StoredArticle] = ByteCache(_BYTES)

    def get(self, article_id: str) -> StoredArticle | None:
        """Return the article, or None."""
        return self.get_many([article_id]).get(article_id)

    def get_many(self, article_ids: Collection[str], *, keep: bool = True) -> dict[str, StoredArticle]:
        """Return those of the articles that exist, as they are at this moment.

        `keep`: they will be read again, so they are kept in memory.
        """
        pipe = self._client.pipeline(transaction=False)
        for command in self.questions(article_ids):
            pipe.execute_command(*command)
        articles = {}
        changed = []
        for article_id, answer in zip(article_ids, answers(pipe), strict=True):
            article, rev = self._understand(article_id, answer, keep=keep)
            if article is not None:
                articles[article_id] = article
            elif rev is not None:
                changed.append(article_id)
        return articles | self._read(changed, keep=keep)

    def questions(self, article_ids: Iterable[str]) -> list[tuple[str, ...]]:
        """Return a command for each article that asks how it stands, for whoever talks to Redis anyway; see `take`."""
        return [
            ("HGET", keys.article(article_id), "rev")
            if self._parsed.get(article_id) is not None
            else ("HMGET", keys.article(article_id), *_FIELDS)
            for article_id in article_ids
        ]

    def take(self, article_id: str, answer: Any) -> str | None:
        """Take in what `questions` was answered of an article; return its rev, None if it is not there or damaged.

        `remembered` has it from then on, unless it has changed since it was read first.
        """
        return self._understand(article_id, answer, keep=True)[1]

    def _understand(self, article_id: str, answer: Any, *, keep: bool) -> tuple[StoredArticle | None, str | None]:
        """The article, if it is in memory or in the answer, and its rev, if there is one."""
        if isinstance(answer, list):
            article = self._parse(article_id, answer, keep=keep)
            return article, article.rev if article is not None else None
        return self.remembered(article_id, answer), answer

    def remembered(self, article_id: str, rev: str | None) -> StoredArticle | None:
        """Return an article at this rev, if it is in memory."""
        parsed = self._parsed.get(article_id)
        return parsed if parsed is not None and parsed.rev == rev else None

    def look_up(self, article_id: str) -> StoredArticle | Remains:
        """Return the article, or what stands in its place when it is not there or can't be read."""
        return self._look_up(article_id)[1]

    def look_up_original(self, document_id: str) -> StoredArticle | Remains | None:
        """As `look_up`, in the same round trip; None when the document is an update of another."""
        origin, before = self._look_up(document_id)
        return None if origin else before

    def _look_up(self, article_id: str) -> tuple[str | None, StoredArticle | Remains]:
        """Return of which other document it is an update, and what `look_up` does."""
        while True:
            pipe = self._client.pipeline(transaction=False)
            pipe.hget(keys.EVOLVED, article_id)
            pipe.hget(keys.article(article_id), "rev")
            origin, rev, (epoch, trimmed, is_in_filter) = self._scripts.run_after(
                pipe, "known_ids/ask", known_ids.KEYS, known_ids.arguments([article_id])
            )
            if rev is None:
                return origin, Remains(may_be_known=bool(is_in_filter), epoch=epoch, trimmed=bool(trimmed))
            parsed = self._parsed.get(article_id)
            if parsed is not None and parsed.rev == rev:
                return origin, parsed
            if article := self._read([article_id], keep=True).get(article_id):
                return origin, article
            remains = self._remains(article_id)
            if remains.rev in (rev, NEW):
                return origin, remains
            # It is not damaged: it was taken out and brought back while it was read.

    def _read(self, article_ids: Collection[str], *, keep: bool) -> dict[str, StoredArticle]:
        articles = {}
        pipe = self._client.pipeline(transaction=False)
        for article_id in article_ids:
            pipe.hmget(keys.article(article_id), *_FIELDS)
        for article_id, fields in zip(article_ids, answers(pipe), strict=True):
            if article := self._parse(article_id, fields, keep=keep):
                articles[article_id] = article
        return articles

    def _parse(self, article_id: str, fields: Sequence[str | None], *, keep: bool) -> StoredArticle | None:
        """The article with these `_FIELDS`; None if it is not there, or damaged, which is reported."""
        doc, rev, feeds, accepted, marks, event, result = fields
        if rev is None:
            return None
        try:
            article = StoredArticle(
                Article.stored(doc),  # type: ignore[arg-type]  # None is damage, and so understood
                rev,
                frozenset(json.loads(feeds)),  # type: ignore[arg-type]
                int(accepted),  # type: ignore[arg-type]
                tuple((marks or "").split()),
                event or "",
                result or "",
                size=_OBJECTS + 2 * len(doc or ""),
            )
        except (ValueError, TypeError) as error:
            self._damaged_records.report(f"article {article_id}", str(error), "it is not there until it is sent again")
            return None
        if keep:
            self._parsed.keep(article_id, article, article.size)
        return article

    def _remains(self, article_id: str) -> Remains:
        rev, feeds = self._client.hmget(keys.article(article_id), "rev", "feeds")
        if rev is None:
            return Remains()
        try:
            return Remains(rev, frozenset(json.loads(feeds)))
        except (ValueError, TypeError):
            return Remains(rev, None)

    def save(
        self,
        article: Article,
        expected_rev: str,
        feeds: Iterable[str],
        accepted: int,
        fingerprints: tuple[str, ...] = (),
        *,
        due: datetime | None = None,
        event: str = "",
        result: str = "",
    ) -> StoredArticle | None:
        """Save the article if its rev is still `expected_rev` (NEW: not there); return it as stored, else None.

        `due`: when its visibility changes next by itself; None: never. `event`, `result`: the id of the event that
        brought it, and what became of that.
        """
        names = frozenset(feeds)
        # Listed before it is saved: an id without an article is skipped, an article without an id would be lost.
        # Scheduled before it is saved: a time too many is harmless, a missing one breaks an embargo.
        pipe = self._client.pipeline(transaction=False)
        pipe.zadd(keys.ARTICLES, {article.id: ms(article.published)})
        _schedule(pipe, article.id, due)
        pipe.execute_command(*unnoted.mark(article.id))
        if expected_rev == NEW:
            # Known before it is there: an id that is known for nothing costs a question to the record, an article whose
            # id is not known would be lost to those who need it once it is cold.
            self._scripts.run_after(pipe, "known_ids/add", known_ids.KEYS, known_ids.arguments([article.id]))
        else:
            pipe.execute()
        doc, rev = article.model_dump_json(), _after(expected_rev)
        arguments = [
            expected_rev,
            doc,
            json.dumps(sorted(names)),
            accepted,
            " ".join(fingerprints),
            rev,
            event,
            result,
            _EARLIER_BYTES,
        ]
        [saved], [is_update] = self._scripts.run_each_before(
            "articles/save", [([keys.article(article.id)], arguments)], [("HEXISTS", keys.EVOLVED, article.id)]
        )
        for answer in (saved, is_update):
            if isinstance(answer, Exception):
                raise answer
        if not saved:
            return None
        stored = StoredArticle(
            article, rev, names, accepted, fingerprints, event, result, bool(is_update), _OBJECTS + 2 * len(doc)
        )
        self._parsed.keep(article.id, stored, stored.size)
        return stored

    def note_feeds(self, placed: Sequence[tuple[StoredArticle, frozenset[str]]]) -> list[StoredArticle | None]:
        """Note in which feeds articles are or were, in one round trip; return each as it is stored then.

        None for those that somebody else has saved since they were read. Each gets a new rev, even when its feeds stay
        the same: a worker that is just deciding where the article belongs sees the new rev, and decides again.
        """
        after = [replace(article, feeds=feeds, rev=_after(article.rev)) for article, feeds in placed]
        calls = [
            ([keys.article(new.article.id)], [old.rev, json.dumps(sorted(new.feeds)), new.rev])
            for (old, _), new in zip(placed, after, strict=True)
        ]
        answers = self._scripts.run_many("articles/note_feeds", calls) if calls else []
        return [new if is_saved else None for new, is_saved in zip(after, answers, strict=True)]

    def authority(self, authority: str) -> str:
        """Return the authority under which ids of entries were first given; `authority` if none were."""
        pipe = self._client.pipeline(transaction=False)
        pipe.set(keys.AUTHORITY, authority, nx=True)
        pipe.get(keys.AUTHORITY)
        pipe.execute_command(*unnoted.mark(unnoted.AUTHORITY))
        first: str = pipe.execute()[1]
        return first

    def schedule(self, article_id: str, due: datetime | None) -> None:
        """Note when the article's visibility changes next; None: never."""
        _schedule(self._client, article_id, due)

    @staticmethod
    def last_step(article_id: str, due: datetime | None) -> list[Sequence[Any]]:
        """Return the commands that end a change of an article or its places, for whoever talks to Redis anyway.

        They note when its visibility changes next, mark it for the record, which may have read it between two steps,
        and ask for the rev that it has then: a later save schedules the article itself.
        """
        when = ("ZREM", keys.SCHEDULE, article_id) if due is None else ("ZADD", keys.SCHEDULE, ms(due), article_id)
        return [when, unnoted.mark(article_id), ("HGET", keys.article(article_id), "rev")]

    def postpone(self, article_id: str, due: datetime) -> None:
        """Change the time of an article that is scheduled."""
        self._client.zadd(keys.SCHEDULE, {article_id: ms(due)}, xx=True)

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return up to `limit` ids of articles whose visibility has to change by now."""
        ids: list[str] = self._client.zrangebyscore(keys.SCHEDULE, "-inf", ms(now), start=0, num=limit)
        return ids

    def next_due(self) -> int | None:
        """Return when the next article's visibility changes by itself (ms), or None."""
        first = self._client.zrange(keys.SCHEDULE, 0, 0, withscores=True)
        return int(first[0][1]) if first else None

    def count(self) -> int:
        """How many articles there are."""
        return int(self._client.zcard(keys.ARTICLES))

    def all_ids(self, about: int) -> Iterator[list[str]]:
        """Yield the ids of all articles, about so many at once; one may come twice."""
        cursor = 0
        while True:
            cursor, batch = self._client.zscan(keys.ARTICLES, cursor, count=about)
            if batch:
                yield [name for name, _ in batch]
            if not cursor:
                return

    def hot(self, article_ids: Sequence[str]) -> set[str]:
        """Return those of the articles that are here."""
        pipe = self._client.pipeline(transaction=False)
        for article_id in article_ids:
            pipe.exists(keys.article(article_id))
        return {article_id for article_id, is_here in zip(article_ids, pipe.execute(), strict=True) if is_here}

    def newest_after(self, last: tuple[str, float] | None, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` ids with their places, the newest published first, from the one after `last` on."""
        start = 0
        if last is not None:
            name, place = last
            rank, score = self._client.zrevrank(keys.ARTICLES, name), self._client.zscore(keys.ARTICLES, name)
            # It may have another date of publication by now: then begin with the first one at its old place.
            start = rank + 1 if score == place else int(self._client.zcount(keys.ARTICLES, f"({place}", "+inf"))
        ids: list[tuple[str, float]] = self._client.zrevrange(keys.ARTICLES, start, start + limit - 1, withscores=True)
        return ids

    def at_address(self, url: str) -> list[str]:
        """Return the ids of the articles that have this address, the newest first.

        Goes through all of them, which takes about a second for each 20,000: for people, not for events.
        """
        ids: list[str] = []
        last: tuple[str, float] | None = None
        while batch := self.newest_after(last, _SCANNED):
            last = batch[-1]
            pipe = self._client.pipeline(transaction=False)
            for name, _ in batch:
                pipe.hget(keys.article(name), "doc")
            docs = zip(batch, pipe.execute(), strict=True)
            ids += [name for (name, _), doc in docs if doc and json.loads(doc).get("url") == url]
        return ids

    def published(self, article_ids: Sequence[str]) -> list[int]:
        """When each of the articles was first published (ms); 0 where that is not known."""
        if not article_ids:
            return []
        return [int(moment or 0) for moment in self._client.zmscore(keys.ARTICLES, list(article_ids))]


def _schedule(client: Client, article_id: str, due: datetime | None) -> None:
    if due is None:
        client.zrem(keys.SCHEDULE, article_id)
    else:
        client.zadd(keys.SCHEDULE, {article_id: ms(due)})


def _after(rev: str) -> str:
    """A new rev: how often the article was saved, for people, and random digits, which no other save has."""
    return f"{int(rev.partition('-')[0]) + 1}-{secrets.token_hex(6)}"
