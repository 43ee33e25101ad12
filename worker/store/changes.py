"""The compacted change log of each feed: which articles changed there, in which order, and what is in the feed now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from worker.store import keys, unnoted
from worker.store.change_subscription import ChangeSubscription
from worker.store.damaged_records import answers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts

TOMBSTONES = 100
"""Articles that left a feed, remembered for its documents."""

State = Literal["in", "out", "killed", "early"]
"""early: embargoed, and sent only to those that may have it before its time."""
_Places = Mapping[str, tuple[State, int]]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a feed's change log ends. `seq`, `changed`: number and time of the last change; times in ms, 0: never.

    `kill`, `killed`: number and time of the last kill. `arranged`: the number at which its articles last got another
    order; `placed`: the number at which it was last filled with articles that no receiver gets.
    """

    seq: int
    changed: int
    kill: int = 0
    killed: int = 0
    arranged: int = 0
    placed: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One article's latest change in a feed. `asof` (ms): when it was decided; `was_in_feed`: it is or was there.

    `previous_seq`, of an article that has left: the number of its latest change before it left; None: not known.
    `version`: of which revision that was decided; 0: not known.
    """

    seq: int
    article_id: str
    state: State
    asof: int
    was_in_feed: bool = True
    previous_seq: int | None = None
    version: int = 0

    @classmethod
    def parse(cls, seq: int, article_id: str, text: str) -> Change:
        """Read what an article is in a feed, as the scripts keep it (lua/changes/state.part).

        Raises ValueError when it is damaged.
        """
        try:
            fields = json.loads(text)
            was_in_feed = not fields.get("unseen", False)
            previous_seq, version = fields.get("previous_seq"), fields.get("version", 0)
            return cls(seq, article_id, fields["state"], fields["asof"], was_in_feed, previous_seq, version)
        except (TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"is no state of an article: {error}") from None


class Ahead(NamedTuple):
    """What a feed's log has after a cursor, all of one moment: where it ends, and changes, the oldest first.

    `places`: of each article among the changes that is in the feed, its place there.
    """

    head: Head
    changes: list[Change]
    places: dict[str, float]


class OwedNotices(NamedTuple):
    """The articles that have left a feed and that an endpoint still has, the oldest change first.

    `reached`: the last change that was examined, 0 when that was all. `ledger`: their entries in the endpoint's ledger.
    """

    reached: int
    changes: list[Change]
    ledger: dict[str, str]


@dataclass(frozen=True, slots=True)
class Window:
    """What a feed document shows: member ids, the top first, and (id, time in ms) of those that left.

    `below` is the place of the first member that is not shown, None when all are. `changed_articles`: the articles that
    have changed since the window was read before; None: any may have, because that was long ago or before Redis lost
    its last writes. `stamp`: the moment of the head's last move; no other move has the same one.
    """

    head: Head
    members: tuple[str, ...]
    gone: tuple[tuple[str, int], ...]
    below: int | None = None
    changed_articles: frozenset[str] | None = frozenset()
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """The members whose places are in a range, the top first; and the places of the members next to the range.

    `older`, `newer`: the place of the member next below and next above, None at the end. `below` as in a `Window`.
    `cold`: so many members of the feed are in the record alone; they are not here.
    """

    head: Head
    members: tuple[str, ...]
    older: int | None
    newer: int | None
    below: int | None
    cold: int = 0


class ChangeLogs:
    """The change logs of all feeds."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def record(self, article_id: str, version: int, asof: int, places: _Places) -> dict[str, int]:
        """Record what an article is in feeds as of `asof` (ms): feed -> state, and place in it, in one round trip.

        Return the sequence number of the change in each feed, 0 where nothing is new: older versions, older decisions
        and repetitions change nothing.
        """
        return self.record_before(article_id, version, asof, places, [unnoted.mark(article_id)])[0]

    def record_before(
        self,
        article_id: str,
        version: int,
        asof: int,
        places: _Places,
        commands: Sequence[Sequence[Any]],
        lost_feeds: Collection[str] = (),
    ) -> tuple[dict[str, int], list[Any]]:
        """As `record`, with the answers to commands that follow in the same round trip; one marks the article.

        `lost_feeds`: the feeds by way of which receivers may have the article, although their logs have lost that.
        """
        calls = []
        for feed, (state, place) in places.items():
            k = keys.feed(feed)
            channels = feed, keys.CHANGED, keys.WITHDRAWN
            arguments = [article_id, version, asof, state, place, TOMBSTONES, *channels, int(feed in lost_feeds)]
            calls.append(([k.meta, k.log, k.members, k.article_states, k.tombstones, k.killed, k.left], arguments))
        seqs, replies = self._scripts.run_each_before("changes/record", calls, commands)
        for answer in (*seqs, *replies):
            if isinstance(answer, Exception):
                raise answer
        return dict(zip(places, map(int, seqs), strict=True)), replies

    def leaving(self, article_id: str, places: Mapping[str, State]) -> list[str]:
        """Return the feeds whose receivers may get the article now and will not when it has these states there."""
        after = {feed: state for feed, state in places.items() if state != "in"}
        pipe = self._client.pipeline(transaction=False)
        for feed in after:
            pipe.hget(keys.feed(feed).article_states, article_id)
        leaving = []
        for (feed, state), text in zip(after.items(), pipe.execute(), strict=True):
            if text is None:
                continue
            try:
                before = Change.parse(0, article_id, text).state
            except ValueError:
                # Damaged: somebody may have the article by way of this feed.
                before = "in"
            if before == "in" or (before == "early" and state != "early"):
                leaving.append(feed)
        return leaving

    def place(self, asof: int, places: Sequence[tuple[str, int, str, State, int]]) -> set[str]:
        """Place articles in feeds as of `asof` (ms), each (id, version, feed, state, place); no receiver gets them.

        Return the feeds in which readers will see a difference, once their documents are refreshed.
        """
        calls = []
        for article_id, version, feed, state, place in places:
            k = keys.feed(feed)
            calls.append(
                (
                    [k.log, k.members, k.article_states, k.tombstones, k.meta, k.killed, k.left],
                    [article_id, version, asof, state, place],
                )
            )
        marks = [unnoted.mark(*{article_id for article_id, *_ in places})]
        done = self._scripts.run_many("changes/place", calls, marks) if calls else []
        return {feed for (_, _, feed, _, _), changed in zip(places, done, strict=True) if changed}

    def refresh_documents(self, feeds: Collection[str], now: int) -> None:
        """Have the documents of feeds rendered again in which articles were placed; `now` in ms."""
        calls = [([keys.feed(feed).meta], [now, feed, keys.CHANGED]) for feed in sorted(feeds)]
        if calls:
            self._scripts.run_many("changes/refresh", calls)

    def arrange(self, feed: str, now: int, places: Sequence[tuple[str, int]]) -> bool:
        """Give the members of a curated feed their places; True when their order has changed."""
        k = keys.feed(feed)
        flat = [part for place in places for part in place]
        arrange = ([k.meta, k.members], [now, feed, keys.CHANGED, *flat])
        marks = [unnoted.mark(*(article_id for article_id, _ in places))] if places else []
        return bool(self._scripts.run_many("changes/arrange", [arrange], marks)[0])

    def head(self, feed: str) -> Head:
        """Return where the feed's log ends."""
        values = self._client.hmget(keys.feed(feed).meta, "head", "changed", "kill", "killed", "arranged", "placed")
        return _head(values)

    def heads(self, feeds: Sequence[str]) -> dict[str, Head]:
        """Return where each feed's log ends, in one round trip; as if it were empty for one whose record is damaged."""
        pipe = self._client.pipeline(transaction=False)
        for feed in feeds:
            pipe.hmget(keys.feed(feed).meta, "head", "changed")
        return {
            feed: self._damaged_records.read(f"changes of {feed}", partial(_tip, values), "it is shown as empty")
            or Head(0, 0)
            for feed, values in zip(feeds, answers(pipe), strict=True)
        }

    def window(self, feed: str, limit: int, before: Window | None = None) -> Window:
        """Return the top `limit` members and the tombstones, all of one moment.

        It is `before`, what was read before, if nothing has changed since.
        """
        k = keys.feed(feed)
        last_read = (before.head.seq, before.stamp) if before else ("", "")
        seq, *answer = self._scripts.run(
            "changes/window", [k.meta, k.members, k.tombstones, k.log], [limit, *last_read]
        )
        if before and not answer:
            return before
        changed, members, gone, below, changed_articles, stamp = answer
        times = iter(gone)
        return Window(
            Head(seq, changed),
            tuple(members),
            tuple((article_id, int(left)) for article_id, left in zip(times, times, strict=True)),
            _place(below or []),
            None if changed_articles == 0 else frozenset(changed_articles),
            stamp,
        )

    def archive_page(self, feed: str, start: int, end: int, limit: int) -> ArchivePage:
        """Return the members with places from `start` to below `end`, all of one moment; `limit` as in `window`."""
        k = keys.feed(feed)
        first = ("WITHSCORES", "LIMIT", 0, 1)
        (seq, changed, cold), members, older, newer, below = self._scripts.read(
            ("HMGET", k.meta, "head", "changed", "cold"),
            ("ZREVRANGEBYSCORE", k.members, f"({end}", start),
            ("ZREVRANGEBYSCORE", k.members, f"({start}", "-inf", *first),
            ("ZRANGEBYSCORE", k.members, end, "+inf", *first),
            ("ZREVRANGE", k.members, limit, limit, "WITHSCORES"),
        )
        head = Head(int(seq or 0), int(changed or 0))
        return ArchivePage(head, tuple(members), _place(older), _place(newer), _place(below), int(cold or 0))

    def heads_and_kills(self, feeds: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return the sequence numbers at which each feed's log ends and of its last kill, in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        for feed in feeds:
            pipe.hmget(keys.feed(feed).meta, "head", "kill")
        return {feed: (int(seq or 0), int(kill or 0)) for feed, (seq, kill) in zip(feeds, pipe.execute(), strict=True)}

    def listen(self) -> ChangeSubscription:
        """Receive changes from now on."""
        return ChangeSubscription(self._client)

    def ahead(self, feed: str, cursor: int, limit: int) -> Ahead:
        """Return where the feed's log ends and up to `limit` changes after `cursor`, with their places."""
        k = keys.feed(feed)
        head, *flat = self._scripts.run("changes/ahead", [k.meta, k.log, k.article_states, k.members], [cursor, limit])
        rows = [flat[i : i + 4] for i in range(0, len(flat), 4)]
        changes = self._parse(feed, [(article_id, float(seq), state) for article_id, seq, state, _ in rows])
        places = {article_id: float(place) for article_id, _, _, place in rows if place}
        return Ahead(_head(head), changes, places)

    def since(self, feed: str, cursor: int, limit: int) -> list[Change]:
        """Return up to `limit` changes after `cursor`, the oldest first."""
        k = keys.feed(feed)
        return self._changes(
            feed, self._client.zrangebyscore(k.log, f"({cursor}", "+inf", start=0, num=limit, withscores=True)
        )

    def latest_of(self, feed: str, article_ids: Sequence[str]) -> dict[str, Change]:
        """Return the latest change of each of the articles that the feed's log has."""
        if not article_ids:
            return {}
        seqs = self._client.zmscore(keys.feed(feed).log, list(article_ids))
        logged = [(name, seq) for name, seq in zip(article_ids, seqs, strict=True) if seq is not None]
        return {change.article_id: change for change in self._changes(feed, logged)}

    def _changes(self, feed: str, log: Sequence[tuple[str, float]]) -> list[Change]:
        if not log:
            return []
        states = self._client.hmget(keys.feed(feed).article_states, [article_id for article_id, _ in log])
        return self._parse(
            feed, [(article_id, seq, state) for (article_id, seq), state in zip(log, states, strict=True)]
        )

    def _parse(self, feed: str, rows: Iterable[tuple[str, float, str | None]]) -> list[Change]:
        """The changes, from (article id, sequence number, state as JSON); what can't be read is left out."""
        changes = []
        for article_id, seq, state in rows:
            try:
                changes.append(Change.parse(int(seq), article_id, state or ""))
            except ValueError:
                # Once it is due, the publisher decides again what the article is there, and that is a new change.
                self._client.zadd(keys.SCHEDULE, {article_id: 0})
                self._damaged_records.report(
                    f"state of {article_id} in {feed}", "is lost or damaged", "it is worked out anew"
                )
        return changes

    def killed(self, feed: str, cursor: int, limit: int) -> list[Change]:
        """Return the last kills after `cursor`, the newest first; `limit` of them at the most."""
        k = keys.feed(feed)
        return self._changes(
            feed, self._client.zrevrangebyscore(k.killed, "+inf", f"({cursor}", start=0, num=limit, withscores=True)
        )

    def owed_notices(
        self, feed: str, endpoint: str, departure: Literal["killed", "left"], after: int, limit: int, *, unsure: bool
    ) -> OwedNotices:
        """Return the articles that have left the feed after the change numbered `after` and that an endpoint still has.

        Examines `limit` of them at the most. `unsure`: it may have articles that its ledger does not list.
        """
        k = keys.feed(feed)
        log = k.killed if departure == "killed" else k.left
        reached, *flat = self._scripts.run(
            "changes/owed_notices", [log, k.article_states, k.ledger(endpoint)], [after, limit, int(unsure)]
        )
        rows = [flat[i : i + 4] for i in range(0, len(flat), 4)]
        changes = self._parse(feed, [(article_id, seq, state) for article_id, seq, state, _ in rows])
        return OwedNotices(int(reached), changes, {article_id: entry for article_id, _, _, entry in rows if entry})

    def places(self, feed: str, article_ids: Sequence[str]) -> dict[str, float]:
        """Return the place of each of the articles that is in the feed."""
        if not article_ids:
            return {}
        scores = self._client.zmscore(keys.feed(feed).members, list(article_ids))
        return {article_id: score for article_id, score in zip(article_ids, scores, strict=True) if score is not None}

    def latest(self, feed: str, count: int) -> list[Change]:
        """Return the last `count` changes, the newest first."""
        return self._changes(feed, self._client.zrevrange(keys.feed(feed).log, 0, count - 1, withscores=True))

    def count_since(self, feed: str, moment: int) -> int:
        """How many changes were decided at `moment` (ms) or later; articles that were only placed do not count."""
        count, step = 0, 500
        while changes := self._changes(
            feed,
            self._client.zrevrangebyscore(keys.feed(feed).log, "+inf", "(0", start=count, num=step, withscores=True),
        ):
            newer = [change for change in changes if change.asof >= moment]
            count += len(newer)
            if len(newer) < len(changes):
                break
        return count

    def last_before(self, feed: str, moment: int) -> int:
        """The last change that was decided before `moment` (ms), 0 if there is none."""
        newer = self.count_since(feed, moment)
        scores = self._client.zrevrange(keys.feed(feed).log, newer, newer, withscores=True)
        return int(scores[0][1]) if scores else 0

    def unannounced(self, feed: str) -> list[str]:
        """Return the articles in the feed's log that no receiver got, because they are older than the feed."""
        names: list[str] = self._client.zrangebyscore(keys.feed(feed).log, 0, 0)
        return names

    def states(self, feed: str, article_ids: Sequence[str]) -> dict[str, State]:
        """Return what those of the articles are in the feed that are hot."""
        if not article_ids:
            return {}
        texts = self._client.hmget(keys.feed(feed).article_states, list(article_ids))
        hot = [(name, 0.0, text) for name, text in zip(article_ids, texts, strict=True) if text is not None]
        return {change.article_id: change.state for change in self._parse(feed, hot)}

    def members(self, feed: str) -> list[str]:
        """Return the ids of all articles that are in the feed and hot, the top first."""
        names: list[str] = self._client.zrevrange(keys.feed(feed).members, 0, -1)
        return names

    def seqs(self, feed: str, article_ids: Sequence[str]) -> list[int]:
        """Return the number of each article's latest change in the feed, 0 if its log does not have it."""
        if not article_ids:
            return []
        return [int(seq or 0) for seq in self._client.zmscore(keys.feed(feed).log, list(article_ids))]

    def size(self, feed: str) -> int:
        """How many articles are in the feed."""
        return self.sizes([feed])[feed]

    def sizes(self, feeds: Sequence[str]) -> dict[str, int]:
        """Return how many articles are in each of the feeds, in one round trip; 0 of one whose record is damaged.

        Those that are cold count too.
        """
        pipe = self._client.pipeline(transaction=False)
        for feed in feeds:
            pipe.zcard(keys.feed(feed).members)
            pipe.hget(keys.feed(feed).meta, "cold")
        sizes = iter(answers(pipe))
        return {
            feed: self._damaged_records.read(f"articles of {feed}", partial(_sum, hot, cold), "they are not counted")
            or 0
            for feed, hot, cold in zip(feeds, sizes, sizes, strict=True)
        }


def _head(values: Sequence[str | None]) -> Head:
    return Head(*(int(value or 0) for value in values))


def _tip(values: Sequence[str | None]) -> Head:
    seq, changed = values
    return Head(int(seq or 0), int(changed or 0))


def _sum(hot: int, cold: str | None) -> int:
    return int(hot) + int(cold or 0)


def _place(member: Sequence[str]) -> int | None:
    """The place of a member, (id, place); None of none."""
    return int(member[1]) if member else None
