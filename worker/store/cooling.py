"""Takes articles out of Redis that are cold, and puts them back when somebody needs them: the moves, one by one.

An article whose hash is there is hot, and whole: so its hash is the first that goes and the last that comes back.
What the record has of it must be known to be the same before; worker/retention does that.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys
from worker.store.articles import COOLING
from worker.store.receiver_states import ReceiverState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from worker.store.keys import FeedKeys
    from worker.store.scripts import Client, Scripts

_PAGE = 1000
"""Receivers that one round trip reads."""
REMOVED = "removed"
"""Why endpoints are paused that are no longer in the settings."""


@dataclass(frozen=True, slots=True)
class HotArticle:
    """An article as Redis has it, without its text. Times in ms, 0: never.

    `rev` is without the mark, `cooling` since when it has it. `recorded`: if it came back from the record and was not
    saved since, the rev that the record has.
    """

    article_id: str
    rev: str
    feeds: tuple[str, ...]
    accepted: int
    warmed: int
    cooling: int
    recorded: str

    @property
    def marked_rev(self) -> str:
        """Its rev as Redis has it when it is marked."""
        return self.rev + COOLING


class PlaceInFeed(NamedTuple):
    """All that one feed has of an article. `need`: why it is needed there, or "".

    `state` as JSON, "" when there is none; `seq`, `place`, `killed` and `left`: its scores, None where it is not in.
    `ledger`: its entry in the ledger of each endpoint, as JSON.
    """

    need: str
    state: str
    seq: int | None
    place: int | None
    killed: int | None
    left: int | None
    ledger: dict[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether the feed has nothing of it."""
        return not self.state and self.seq is None and self.place is None and not any(self.ledger.values())


class PutBack(NamedTuple):
    """What the record has of an article in a feed (lua/changes/state.part), and its entries in ledgers as JSON."""

    version: int
    asof: int
    state: str
    unseen: bool
    previous_seq: int | None
    seq: int
    place: int
    ledger: Mapping[str, str]


class RecordedDocument(NamedTuple):
    """An article as the record has it. Times in ms."""

    article_id: str
    rev: str
    doc: str
    feeds: Collection[str]
    accepted: int
    fingerprints: str
    published: int


class Cooling:
    """The moves."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def oldest(self, start: int, limit: int, published_before: int) -> list[str]:
        """Return ids of articles published before a time (ms), in that order: up to `limit` from number `start` on."""
        ids: list[str] = self._client.zrangebyscore(
            keys.ARTICLES, "-inf", f"({published_before}", start=start, num=limit
        )
        return ids

    def listed(self, article_ids: Sequence[str]) -> set[str]:
        """Return those of the articles that are in the list of articles."""
        scores = self._client.zmscore(keys.ARTICLES, list(article_ids)) if article_ids else []
        return {name for name, score in zip(article_ids, scores, strict=True) if score is not None}

    def read(self, article_ids: Sequence[str]) -> dict[str, HotArticle | None]:
        """Return the articles without their texts; None where there is none; a damaged one is left out."""
        pipe = self._client.pipeline(transaction=False)
        for article_id in article_ids:
            pipe.hmget(keys.article(article_id), "rev", "feeds", "accepted", "warmed", "cooling", "recorded")
        articles: dict[str, HotArticle | None] = {}
        for article_id, (rev, feeds, accepted, warmed, cooling, recorded) in zip(
            article_ids, pipe.execute(), strict=True
        ):
            if rev is None:
                articles[article_id] = None
                continue
            plain = rev.removesuffix(COOLING)
            in_record, _, with_rev = (recorded or "").partition(" ")
            try:
                names = tuple(map(str, json.loads(feeds)))
                articles[article_id] = HotArticle(
                    article_id,
                    plain,
                    names,
                    int(accepted),
                    int(warmed or 0),
                    int(cooling or 0) if rev != plain else 0,
                    in_record if with_rev == plain else "",
                )
            except (ValueError, TypeError):
                continue
        return articles

    def documents(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return the articles as JSON."""
        pipe = self._client.pipeline(transaction=False)
        for article_id in article_ids:
            pipe.hget(keys.article(article_id), "doc")
        return {name: doc for name, doc in zip(article_ids, pipe.execute(), strict=True) if doc is not None}

    def in_motion(self, article_ids: Sequence[str], formats: Iterable[str]) -> set[str]:
        """Return those of the articles that are scheduled, not noted in the record, or refused by a format's gate."""
        if not article_ids:
            return set()
        pipe = self._client.pipeline(transaction=False)
        pipe.zmscore(keys.SCHEDULE, list(article_ids))
        pipe.hmget(keys.UNNOTED, list(article_ids))
        for name in formats:
            pipe.hmget(keys.refused(name), list(article_ids))
        answers = pipe.execute()
        return {name for name, *values in zip(article_ids, *answers, strict=True) if any(v is not None for v in values)}

    def slowest(self, feed: str, removed_before: int) -> int | None:
        """Return the change up to which every receiver of the feed is up to date; None when it has no receivers.

        Endpoints that were removed from the settings before a time (ms) do not count.
        """
        k = keys.feed(feed)
        cursors = [int(score) for _, score in self._client.zrange(k.settled, 0, 0, withscores=True)]
        for key in (k.claimed, k.backoff, k.paused):
            start = 0
            while scores := self._client.zrange(key, start, start + _PAGE - 1, withscores=True):
                states = self._client.hmget(k.receiver_states, [name for name, _ in scores])
                for (_, score), text in zip(scores, states, strict=True):
                    state = ReceiverState.parse(text)
                    if key != k.paused or state.reason != REMOVED or score >= removed_before:
                        cursors.append(state.cursor)
                start += _PAGE
        return min(cursors, default=None)

    def endpoints(self, feed: str) -> list[str]:
        """Return the names of the endpoints that the feed has or had."""
        receivers = self._client.hscan_iter(keys.feed(feed).receivers, match="endpoint:*", count=_PAGE)
        return sorted(name.partition(":")[2] for name, _ in receivers)

    def examine(self, places: Sequence[tuple[str, str, int, Sequence[str]]]) -> list[PlaceInFeed]:
        """Return what feeds have of articles, each (article, feed, members at the top that stay, endpoints)."""
        calls = [
            (_keys_of(keys.feed(feed), endpoints), [article_id, keep, *endpoints])
            for article_id, feed, keep, endpoints in places
        ]
        in_feeds = []
        answers = self._scripts.run_many("cooling/examine", calls) if calls else []
        for (*_, endpoints), (need, state, seq, place, killed, left, *entries) in zip(places, answers, strict=True):
            ledger = dict(zip(endpoints, entries, strict=True))
            in_feeds.append(PlaceInFeed(need, state, _score(seq), _score(place), _score(killed), _score(left), ledger))
        return in_feeds

    def mark(self, articles: Sequence[HotArticle], now: int) -> None:
        """Mark articles as about to become cold (`now` in ms), unless they were saved since they were read."""
        self._mark([([keys.article(hot.article_id)], [hot.rev, hot.marked_rev, now]) for hot in articles])

    def unmark(self, articles: Sequence[HotArticle]) -> None:
        """Take the mark away again, unless they were saved since they were read."""
        self._mark([([keys.article(hot.article_id)], [hot.marked_rev, hot.rev, ""]) for hot in articles])

    def claim(self, marked_revs: Mapping[str, str]) -> set[str]:
        """Take the mark away from articles (id -> rev with the mark), because somebody works on them.

        Return those that had it still; the others were saved, claimed or removed since they were read.
        """
        done = self._mark(
            [([keys.article(name)], [rev, rev.removesuffix(COOLING), ""]) for name, rev in marked_revs.items()]
        )
        return {name for name, was_marked in zip(marked_revs, done, strict=True) if was_marked}

    def _mark(self, calls: list[tuple[list[str], list[str | int]]]) -> list[Any]:
        return self._scripts.run_many("cooling/mark", calls) if calls else []

    def remove(self, articles: Sequence[HotArticle]) -> list[bool]:
        """Remove marked articles; of each whether it was done: not of one that was saved, or claimed."""
        calls = [([keys.article(hot.article_id)], [hot.marked_rev]) for hot in articles]
        return [bool(done) for done in self._scripts.run_many("cooling/remove", calls)] if calls else []

    def take_out(self, places: Sequence[tuple[str, str, int, PlaceInFeed]]) -> list[str]:
        """Take articles out of feeds, each (article, feed, members that stay, what was read there).

        Return of each "" when it is out, else why it was left.
        """
        cold = {feed for _, feed, _, place in places if place.place is not None}
        if cold:
            # Before they count as cold: a name too many costs a look.
            self._client.sadd(keys.FEEDS_WITH_COLD, *cold)
        calls = []
        for article_id, feed, keep, place in places:
            entries = [part for item in place.ledger.items() for part in item]
            calls.append((_keys_of(keys.feed(feed), list(place.ledger)), [article_id, keep, place.state, *entries]))
        return self._scripts.run_many("cooling/take_out", calls) if calls else []

    def unlist(self, article_ids: Sequence[str]) -> None:
        """Take articles that are cold off the list of articles; those that are hot again are listed again."""
        if not article_ids:
            return
        scores = self._client.zmscore(keys.ARTICLES, list(article_ids))
        self._client.zrem(keys.ARTICLES, *article_ids)
        pipe = self._client.pipeline(transaction=False)
        for name in article_ids:
            pipe.exists(keys.article(name))
        hot = zip(article_ids, scores, pipe.execute(), strict=True)
        if relisted := {name: score for name, score, exists in hot if exists and score is not None}:
            self._client.zadd(keys.ARTICLES, relisted, nx=True)

    def put_back(self, articles: Sequence[tuple[RecordedDocument, Mapping[str, PutBack]]], now: int) -> None:
        """Put articles back, each with what it is in feeds; `now` in ms. What is newer in Redis stays.

        They are listed before, so that one is not lost when we die, and after, as somebody may just have unlisted them.
        So are their places: what somebody takes out meanwhile who took us for dead is there again.
        """
        listed = {document.article_id: document.published for document, _ in articles}
        if not listed:
            return
        for is_last in (False, True):
            self._put_places_back(articles)
            self._client.zadd(keys.ARTICLES, listed, nx=True)
            if is_last:
                break
            calls = []
            for document, _ in articles:
                rev = f"{int(document.rev.partition('-')[0]) + 1}-{secrets.token_hex(6)}"
                feeds = json.dumps(sorted(document.feeds))
                fields = [document.doc, feeds, document.accepted, document.fingerprints, now]
                calls.append(([keys.article(document.article_id)], [rev, document.rev, *fields]))
            self._scripts.run_many("cooling/restore", calls)

    def _put_places_back(self, articles: Sequence[tuple[RecordedDocument, Mapping[str, PutBack]]]) -> None:
        calls = []
        for document, places in articles:
            for feed, place in places.items():
                k = keys.feed(feed)
                calls.append(
                    (
                        [k.meta, k.log, k.members, k.article_states, k.killed, k.left, *map(k.ledger, place.ledger)],
                        [
                            *(document.article_id, secrets.token_hex(4)),
                            *(place.version, place.asof, place.state, int(place.unseen)),
                            "" if place.previous_seq is None else place.previous_seq,
                            *(place.seq, place.place),
                            *place.ledger.values(),
                        ],
                    )
                )
        if calls:
            self._scripts.run_many("cooling/put_back", calls)

    def lowest_place(self, feed: str) -> int | None:
        """Return the place of the last member that is hot; None when there is none."""
        last = self._client.zrange(keys.feed(feed).members, 0, 0, withscores=True)
        return int(last[0][1]) if last else None

    def feeds_with_cold(self) -> dict[str, tuple[int, int]]:
        """Return how many members are hot, and how many are cold, of each feed that has cold ones."""
        feeds = sorted(self._client.smembers(keys.FEEDS_WITH_COLD))
        counts: dict[str, tuple[int, int]] = {}
        for start in range(0, len(feeds), _PAGE):
            lot = feeds[start : start + _PAGE]
            pipe = self._client.pipeline(transaction=False)
            for feed in lot:
                pipe.zcard(keys.feed(feed).members)
                pipe.hget(keys.feed(feed).meta, "cold")
            answers = iter(pipe.execute())
            counts |= {feed: (hot, int(cold or 0)) for feed, hot, cold in zip(lot, answers, answers, strict=True)}
        return {feed: (hot, cold) for feed, (hot, cold) in counts.items() if cold > 0}


def _keys_of(k: FeedKeys, endpoints: Sequence[str]) -> list[str]:
    names = [k.meta, k.log, k.members, k.article_states, k.tombstones, k.killed, k.left, k.page_checks]
    for endpoint in endpoints:
        names += [k.ledger(endpoint)]
        names += [k.of_endpoint(endpoint, noun) for noun in ("parked", "disputed", "replay")]
    return names


def _score(text: str) -> int | None:
    return int(float(text)) if text else None
