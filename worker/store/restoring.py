"""Puts back into Redis what the record has of it, many at a time. Whatever Redis knows better stays.

An article's hash is written last: one that is there means that all of it is there.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, NamedTuple

from worker.store import keys
from worker.store.changes import TOMBSTONES
from worker.store.unnoted import MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from worker.store.scripts import Client, Scripts

_SCRIPT_ROWS = 200
"""How many rows one script takes at the most, so that others are soon served."""


class NumberedDecision(NamedTuple):
    """What was decided about an article in a feed: the number of that change, the version, and when (ms)."""

    number: int
    version: int
    decided: int


class RestoredArticle(NamedTuple):
    """An article as the record has it; times in ms. `due`: when its visibility changes next by itself, None: never."""

    article_id: str
    document: str
    rev: str
    version: int
    saves: int
    feeds: tuple[str, ...]
    accepted: int
    fingerprints: str
    published: int
    due: int | None


class RestoredMembership(NamedTuple):
    """What an article is in a feed, as the record has it (record/articles.py)."""

    feed: str
    article_id: str
    version: int
    decided: int
    state: str
    place: int
    sequence: int
    last_sequence: int | None
    unseen: bool


class RestoredReceiver(NamedTuple):
    """A receiver as the record has it. `lease_ends`, `paused` in ms; None: it has no lease, it is not paused."""

    receiver: str
    details: str
    cursor: int
    lease_ends: int | None = None
    paused: int | None = None
    reason: str = ""


class Restoring:
    """Writes of a rebuild. Each may be done again, in any order, while others write as well."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def decided_after(
        self, feeds: Iterable[str], time: int, *, is_emptied: bool
    ) -> dict[str, dict[str, NumberedDecision]]:
        """Return what was decided after a time (ms): feed -> article -> what was decided.

        `is_emptied`: Redis had lost everything.
        """
        names = list(feeds)
        calls = [([keys.feed(feed).log, keys.feed(feed).article_states], [time, int(is_emptied)]) for feed in names]
        answers: list[list[tuple[str, str, str, str]]] = []
        for start in range(0, len(calls), _SCRIPT_ROWS):
            answers += self._scripts.run_many("restoring/decided_after", calls[start : start + _SCRIPT_ROWS])
        return {
            feed: {article: NumberedDecision(*map(int, numbers)) for article, *numbers in rows}
            for feed, rows in zip(names, answers, strict=True)
        }

    def open_feeds(
        self,
        heads: Mapping[str, int],
        noted_until: int,
        in_record: Mapping[str, Mapping[str, int]],
        *,
        is_blocking: bool,
        is_emptied: bool,
    ) -> set[str]:
        """Begin to rebuild feeds (feed -> the greatest number that the record has there).

        `noted_until` (ms): decisions after that may have been made on a Redis that had lost time. `in_record`: the
        numbers of those that the record has, or something later (feed -> article -> number). `is_blocking`: nobody
        reads the window or claims receivers before a feed is rebuilt. `is_emptied`: Redis had lost everything. Returns
        the articles that have got other numbers, and have to be noted with them.
        """
        calls = []
        for feed, head in heads.items():
            k = keys.feed(feed)
            arguments: list[object] = [head, noted_until, int(is_blocking), int(is_emptied)]
            for pair in in_record.get(feed, {}).items():
                arguments += pair
            calls.append(([k.meta, k.log, k.article_states, k.killed, k.left], arguments))
        strays: set[str] = set()
        for start in range(0, len(calls), _SCRIPT_ROWS):
            strays.update(*self._scripts.run_many("restoring/open_feed", calls[start : start + _SCRIPT_ROWS]))
        return strays

    def marks(self, feeds: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return what feeds say of themselves beside their articles: numbers and times, by name."""
        if not feeds:
            return {}
        pipe = self._client.pipeline(transaction=False)
        for feed in feeds:
            pipe.hmget(keys.feed(feed).meta, *MARKS)
        return {
            feed: {name: int(value) for name, value in zip(MARKS, values, strict=True) if value is not None}
            for feed, values in zip(feeds, pipe.execute(), strict=True)
        }

    def close_feed(self, feed: str, marks: Mapping[str, int], members: int) -> None:
        """Note that a feed is rebuilt that has so many members; of its `marks` the greater stay."""
        k = keys.feed(feed)
        flat = [part for mark in marks.items() if mark[0] != "head" for part in mark]
        # Before it has any: nobody looks for cold members in a feed that is not in the set.
        self._client.sadd(keys.FEEDS_WITH_COLD, feed)
        self._scripts.run("restoring/close_feed", [k.meta, k.members], [feed, keys.CHANGED, members, *flat])

    def memberships(self, rows: Iterable[RestoredMembership]) -> int:
        """Restore what articles are in feeds; return how many had not been there, or older."""
        by_feed: dict[str, list[RestoredMembership]] = {}
        for row in rows:
            by_feed.setdefault(row.feed, []).append(row)
        calls = []
        for feed, members in by_feed.items():
            k = keys.feed(feed)
            names = [k.meta, k.log, k.members, k.article_states, k.tombstones, k.killed, k.left]
            for start in range(0, len(members), _SCRIPT_ROWS):
                arguments: list[object] = [TOMBSTONES]
                for row in members[start : start + _SCRIPT_ROWS]:
                    last = "" if row.last_sequence is None else row.last_sequence
                    arguments += [row.article_id, row.version, row.decided, row.state, row.place, row.sequence]
                    arguments += [last, int(row.unseen)]
                calls.append((names, arguments))
        return sum(self._scripts.run_many("restoring/memberships", calls)) if calls else 0

    def ledger(self, entries: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        """Restore entries of ledgers: (feed, endpoint) -> article id -> entry as JSON."""
        calls = [
            ([keys.feed(feed).ledger(endpoint)], [part for entry in articles.items() for part in entry])
            for (feed, endpoint), articles in entries.items()
            if articles
        ]
        if calls:
            self._scripts.run_many("restoring/ledger", calls)

    def articles(self, articles: Sequence[RestoredArticle]) -> int:
        """Restore articles; return how many had not been there, or older."""
        if not articles:
            return 0
        pipe = self._client.pipeline(transaction=False)
        pipe.zadd(keys.ARTICLES, {article.article_id: article.published for article in articles})
        if due := {article.article_id: article.due for article in articles if article.due is not None}:
            # One that is there comes from a later decision.
            pipe.zadd(keys.SCHEDULE, due, nx=True)
        pipe.execute()
        calls = [
            (
                [keys.article(article.article_id)],
                [
                    article.document,
                    article.version,
                    article.saves,
                    article.rev,
                    # No other save has the same one: what was read of it before is read again.
                    f"{article.saves}-{secrets.token_hex(6)}",
                    json.dumps(sorted(article.feeds)),
                    article.accepted,
                    article.fingerprints,
                ],
            )
            for article in articles
        ]
        return sum(map(bool, self._scripts.run_many("restoring/article", calls)))

    def missing(self, articles: Mapping[str, tuple[int, int]]) -> dict[str, str]:
        """Compare articles, id -> (version, saves) in the record, with Redis; return which are "missing" or "older"."""
        names = list(articles)
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            pipe.hmget(keys.article(name), "rev", "doc")
        different = {}
        for name, (rev, document) in zip(names, pipe.execute(), strict=True):
            if rev is None:
                different[name] = "missing"
                continue
            try:
                version = int(json.loads(document or "")["version"])
            except (ValueError, TypeError, LookupError):
                version = -1
            state = (version, int(rev.partition("-")[0]))
            if state != articles[name]:
                different[name] = "older" if state < articles[name] else "newer"
        return different

    def receivers(self, feed: str, receivers: Sequence[RestoredReceiver]) -> int:
        """Restore receivers of a feed; return how many had not been there."""
        if not receivers:
            return 0
        k = keys.feed(feed)
        names = [k.meta, k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers, k.leases]
        self._client.sadd(keys.RECEIVING, feed)
        calls = []
        for start in range(0, len(receivers), _SCRIPT_ROWS):
            arguments: list[object] = []
            for row in receivers[start : start + _SCRIPT_ROWS]:
                lease = "" if row.lease_ends is None else row.lease_ends
                paused = "" if row.paused is None else row.paused
                arguments += [row.receiver, row.details, row.cursor, lease, paused, row.reason]
            calls.append(([*names, k.subscription_counts], arguments))
        return sum(self._scripts.run_many("restoring/receivers", calls))

    def announce_endpoints(self, endpoints: Sequence[tuple[str, str, int]]) -> None:
        """Note that there are endpoints, (feed, name, the change after which it came): nobody enrolls them as new.

        Nobody claims them before they are restored.
        """
        if not endpoints:
            return
        pipe = self._client.pipeline(transaction=False)
        pipe.sadd(keys.RECEIVING, *{feed for feed, *_ in endpoints})
        for feed, name, since in endpoints:
            details = {"endpoint": name, "since": since}
            pipe.hsetnx(keys.feed(feed).receivers, f"endpoint:{name}", json.dumps(details))
        pipe.execute()

    def parked(self, feed: str, endpoint: str, attempts: Mapping[str, str]) -> None:
        """Restore the articles that are set aside for an endpoint, each with the attempt that was refused as JSON."""
        if attempts:
            self._client.hset(keys.feed(feed).of_endpoint(endpoint, "parked"), mapping=dict(attempts))

    def lists(self, lists: Mapping[str, tuple[int, Sequence[str]]]) -> None:
        """Restore curated lists: name -> as of when (microseconds), ids."""
        calls = [
            ([keys.curated(name)], [f"{microseconds / 1000:.3f}", json.dumps(list(ids)), ""])
            for name, (microseconds, ids) in lists.items()
        ]
        if calls:
            self._scripts.run_many("lists/set", calls)

    def updates(self, origins: Mapping[str, str]) -> None:
        """Restore of which documents others are updates."""
        if origins:
            self._client.hset(keys.EVOLVED, mapping=dict(origins))

    def pattern_feeds(self, values: Iterable[tuple[str, str, str]]) -> None:
        """Restore feeds of patterns, (pattern, value, as it was first written)."""
        pipe = self._client.pipeline(transaction=False)
        for pattern, value, written in values:
            pipe.hset(keys.pattern(pattern), value, written)
        pipe.execute()

    def definitions(self, definitions: Mapping[str, str]) -> None:
        """Restore by which definitions articles were put into feeds, so that those are not filled anew."""
        pipe = self._client.pipeline(transaction=False)
        for feed, definition in definitions.items():
            pipe.hsetnx(keys.DEFINITIONS, feed, definition)
        pipe.execute()

    def entries_in(self, entries: Sequence[tuple[bool, str]]) -> list[bool]:
        """Return of each entry, (of a kill, id), whether its stream has it."""
        pipe = self._client.pipeline(transaction=False)
        for is_kill, entry in entries:
            pipe.xrange(keys.URGENT if is_kill else keys.EVENTS, entry, entry)
        return [bool(answer) for answer in pipe.execute()]
