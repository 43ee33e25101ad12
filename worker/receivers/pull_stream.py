"""What a partner reads for itself: changes and kills in their order, each with the article as it is now.

An endpoint that is pulled is a receiver like any other, with a cursor and a ledger, but no worker claims it. What is
handed out stands in its ledger before it leaves, as a push that has not been answered would. When the partner
acknowledges a cursor, what it was handed up to there counts as taken. The cursor never passes what was not handed out,
whatever somebody acknowledges, so a kill is confirmed by nobody who has not had its notice.

Changes of several endpoints of one partner are merged by their times; those of one endpoint stay in their order.
Notices do not wait for what is delayed: they come beside, and the cursor names them one by one.
"""

from __future__ import annotations

import copy
import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from worker import clock
from worker.receivers.due_messages import DueMessages
from worker.receivers.ledger import LedgerEntry
from worker.receivers.message_cache import MessageCache
from worker.receivers.pending_articles import PendingArticle
from worker.receivers.pull_position import BEYOND_MOST, PullPosition
from worker.receivers.push_status import NOTICES
from worker.store.attempts import HANDED_OUT, Attempt, AttemptRecord
from worker.store.changes import Change
from worker.store.receiver_states import NOT_FAILING
from worker.store.receivers import Claim

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from feeds.formats.interface import Provider
    from worker.destinations.endpoint import Endpoint
    from worker.newsroom.article_reader import ArticleReader
    from worker.receivers.clearance import Clearance
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.articles import StoredArticle
    from worker.store.receivers import ReceiverOverview
    from worker.store.replays import Replay

_PATIENCE_SECONDS = 2.0
"""How long the first reading of a process waits until it hears of withdrawals."""
_ROUNDS = 20
"""So many times one reading looks further when nothing of what it has found is due."""
_CHANGES_AT_ONCE = 200
_DELAYED_CHANGES = 1000
"""How many changes are looked through for notices beyond what is delayed."""


class PulledArticle(NamedTuple):
    """One article as it is handed out: what is due of it, and the cursor when all up to it is acknowledged."""

    endpoint: Endpoint
    pending: PendingArticle
    stored: StoredArticle
    cursor: str


@dataclass(slots=True)
class PulledPage:
    """A part of the stream. `cursor`: its end. `more`: there is more now. `paused`: endpoints that get nothing now."""

    articles: list[PulledArticle] = field(default_factory=list)
    cursor: str = ""
    more: bool = False
    paused: list[str] = field(default_factory=list)
    withdrawals_seen: dict[str, int] = field(default_factory=dict)
    """By feed, the last withdrawal that was heard of before the articles were read."""


class Acknowledgement(NamedTuple):
    """How far the partner is now, how many articles it has confirmed by that, and whether that is all it named."""

    cursor: str
    articles: int
    complete: bool


class _Source:
    """One endpoint while it is read."""

    def __init__(self, endpoint: Endpoint, overview: ReceiverOverview, start: int) -> None:
        self.endpoint = endpoint
        self.acknowledged = overview.cursor
        self.start = start
        self.claim = Claim(endpoint.feed, receiver_of(endpoint), 0, overview.cursor, NOT_FAILING, overview.details)
        self.changes: list[Change] = []
        self.delayed: list[Change] = []
        self.more = False


class PullStreams:
    """The streams of all partners. Threads may share it."""

    def __init__(
        self, store: Store, articles: ArticleReader, provider: Provider, clearance: Clearance, alerts: Alerts
    ) -> None:
        self._store = store
        self._articles = articles
        self._clearance = clearance
        self._alerts = alerts
        self._messages = MessageCache(provider)

    def heads(self, endpoints: Sequence[Endpoint]) -> dict[str, int]:
        """Return where the changes of the endpoints' feeds end."""
        return {feed: head.seq for feed, head in self._store.changes.heads([e.feed for e in endpoints]).items()}

    def may_leave(self, page: PulledPage) -> bool:
        """Return whether nothing of it was withdrawn since it was read. Costs nothing: asked before its first byte."""
        if not self._clearance.holds():
            return False
        return not any(
            self._clearance.withdrawn(
                item.endpoint.feed, [item.pending.article_id], page.withdrawals_seen[item.endpoint.feed]
            )
            for item in page.articles
            if not item.pending.is_notice
        )

    def read(self, endpoints: Sequence[Endpoint], after: PullPosition | None, limit: int) -> PulledPage:
        """Return what comes after a position, at most `limit` articles; None: after what was acknowledged.

        What is in it stands in the ledgers as handed out. Raises redis.RedisError.
        """
        self._clearance.start_late(_PATIENCE_SECONDS)
        page = PulledPage(
            withdrawals_seen={endpoint.feed: self._clearance.last(endpoint.feed) for endpoint in endpoints}
        )
        position = PullPosition() if after is None else copy.deepcopy(after)
        for _ in range(_ROUNDS):
            page.paused.clear()
            sources = [
                source
                for endpoint in endpoints
                if (source := self._source(endpoint, position, limit, page)) is not None
            ]
            page.more = self._add(page, sources, position, limit)
            page.cursor = str(position)
            if page.articles or not page.more:
                break
        return page

    def _source(self, endpoint: Endpoint, position: PullPosition, limit: int, page: PulledPage) -> _Source | None:
        """What is to be read of one endpoint; None: nothing now."""
        overview = next(iter(self._store.receivers.get_many(endpoint.feed, [receiver_of(endpoint)])), None)
        if overview is None:
            return None
        if overview.state == "paused":
            page.paused.append(endpoint.name)
            return None
        start = position.changes.setdefault(endpoint.name, overview.cursor)
        source = _Source(endpoint, overview, start)
        source.changes = self._store.changes.since(endpoint.feed, start, limit + 1)
        source.more = len(source.changes) > limit
        source.changes = source.changes[:limit]
        if endpoint.delay:
            self._hold_delayed(source, position)
        return source

    def _hold_delayed(self, source: _Source, position: PullPosition) -> None:
        """Leave what must wait, and all after it but notices."""
        endpoint = source.endpoint
        latest = clock.ms(clock.agreed()) - endpoint.delay
        for number, change in enumerate(source.changes):
            if change.state == "in" and change.asof > latest:
                first = change.seq
                source.changes, source.more = source.changes[:number], False
                break
        else:
            return
        had = position.beyond.get(endpoint.name, [])
        after = self._store.changes.since(endpoint.feed, first, _DELAYED_CHANGES)
        notices = [change for change in after if change.state != "in" and change.seq not in had]
        source.delayed = notices[: max(0, BEYOND_MOST - len(had))]

    def _add(self, page: PulledPage, sources: list[_Source], position: PullPosition, limit: int) -> bool:
        """Add what is due to a page, and move the position; return whether there is more."""
        turns = list(heapq.merge(*(_turns(source) for source in sources), key=lambda turn: turn[0]))
        more = len(turns) > limit or any(source.more for source in sources)
        turns = turns[:limit]
        replays = [] if more else list(self._replays(sources, position, limit - len(turns)))
        chosen = [*((source, change, "") for _, source, change in turns), *replays]
        stored = self._articles.get_many({change.article_id for _, change, _ in chosen})
        due = {
            source.endpoint.name: self._due(source, [change for reading, change, _ in chosen if reading is source])
            for source in sources
        }
        noted: dict[tuple[str, str], list[AttemptRecord]] = {}
        for source, change, replay in chosen:
            name = source.endpoint.name
            _move(position, source, change, replay)
            article = stored.get(change.article_id)
            if article is None:
                continue
            messages, entries = due[name]
            again = bool(replay) or change.seq <= source.acknowledged
            pending = PendingArticle(change, replay or str(change.seq), replayed=again)
            if not messages.prepare(pending, article):
                continue
            entry = entries.get(change.article_id)
            kept_back = self._note(noted, source, pending, messages, entry)
            if not kept_back:
                page.articles.append(PulledArticle(source.endpoint, pending, article, str(position)))
        if noted:
            self._store.attempts.record(noted)
        return more

    def _due(self, source: _Source, changes: list[Change]) -> tuple[DueMessages, dict[str, LedgerEntry]]:
        endpoint = source.endpoint
        named = {endpoint.name: [change.article_id for change in changes]}
        ledger = self._store.ledgers.read(endpoint.feed, named)[endpoint.name]
        entries = {article: LedgerEntry.parse(text) for article, text in ledger.items()}
        return DueMessages(endpoint, source.claim, ledger, self._messages), entries

    def _replays(
        self, sources: list[_Source], position: PullPosition, room: int
    ) -> Iterator[tuple[_Source, Change, str]]:
        """Yield what a person has ordered to be sent again, and what new endpoints get of what was there before."""
        for source in sources:
            endpoint = source.endpoint
            if room <= 0 or source.delayed:
                continue
            waiting = self._waiting(endpoint)
            if waiting is None:
                continue
            replay, last = position.replayed.get(endpoint.name, ("", ""))
            begun = waiting.articles.index(last) + 1 if waiting.id == replay and last in waiting.articles else 0
            articles = waiting.articles[begun : begun + room]
            room -= len(articles)
            # What is cold comes back for it.
            self._articles.get_many(articles)
            latest = self._store.changes.latest_of(endpoint.feed, articles)
            for article in articles:
                yield source, latest.get(article) or Change(0, article, "out", 0, was_in_feed=False), waiting.id

    def _waiting(self, endpoint: Endpoint) -> Replay | None:
        """What waits to be sent again, as much as one position can name."""
        return self._store.replays.next_articles(endpoint.feed, {endpoint.name: BEYOND_MOST}).get(endpoint.name)

    def _note(
        self,
        noted: dict[tuple[str, str], list[AttemptRecord]],
        source: _Source,
        pending: PendingArticle,
        messages: DueMessages,
        former: LedgerEntry | None,
    ) -> bool:
        """Note that an article is handed out, unless that is noted; return whether the gate keeps it back."""
        message, entry = pending.message, pending.entry
        assert message is not None
        assert entry is not None
        same = former is not None and (former.version, former.status, former.digest) == (
            entry.version,
            entry.status,
            entry.digest,
        )
        if same and former is not None and bool(message.refused) == (former.outcome == "refused"):
            return bool(message.refused)
        now = clock.agreed()
        outcome = "parked" if message.refused else HANDED_OUT
        reason = f"kept back by the gate: {message.refused}" if message.refused else ""
        ledger = messages.note(pending.article_id, entry, "refused" if message.refused else "unknown", now)
        noted.setdefault((source.endpoint.feed, source.endpoint.name), []).append(
            AttemptRecord(_attempt(pending, outcome, clock.ms(now), reason), ledger)
        )
        if message.refused:
            self._alerts.raise_alert(
                "article.parked",
                endpoint=source.endpoint.name,
                feed=source.endpoint.feed,
                status=0,
                reason=reason,
                article_id=pending.article_id,
                version=entry.version,
                answer="",
            )
        return bool(message.refused)

    def acknowledge(self, endpoints: Sequence[Endpoint], position: PullPosition) -> Acknowledgement:
        """Note that the partner has what it was handed up to a position.

        Raises EndpointBusy when that can't be noted just now, and redis.RedisError.
        """
        reached, articles, complete = PullPosition(), 0, True
        for endpoint in endpoints:
            overview = next(iter(self._store.receivers.get_many(endpoint.feed, [receiver_of(endpoint)])), None)
            if overview is None:
                continue
            source = _Source(endpoint, overview, overview.cursor)
            target = min(position.changes.get(endpoint.name, 0), self._store.changes.head(endpoint.feed).seq)
            cursor, records, whole = self._passed(source, target)
            records += self._beyond(source, cursor, position.beyond.get(endpoint.name, ()))
            records += self._replayed(source, *position.replayed.get(endpoint.name, ("", "")))
            # What was sent again may be a change as well.
            records = list({record.attempt.article: record for record in records}.values())
            if records:
                self._store.attempts.record({(endpoint.feed, endpoint.name): records})
            if cursor > overview.cursor and not self._store.receivers.acknowledge(
                endpoint.feed, receiver_of(endpoint), cursor
            ):
                raise EndpointBusy(endpoint.name)
            reached.changes[endpoint.name] = max(cursor, overview.cursor)
            articles += len(records)
            complete = complete and whole
        return Acknowledgement(str(reached), articles, complete)

    def _passed(self, source: _Source, target: int) -> tuple[int, list[AttemptRecord], bool]:
        """Pass all changes up to one that were handed out, or of which nothing is due.

        Returns the last that was passed, what it has confirmed, and whether it is the one that was named.
        """
        cursor, records = source.start, list[AttemptRecord]()
        while cursor < target:
            changes = self._store.changes.since(source.endpoint.feed, cursor, _CHANGES_AT_ONCE)
            chosen = [change for change in changes if change.seq <= target]
            for change, record in self._confirmed(source, chosen):
                if record is None:
                    return cursor, records, False
                records += record
                cursor = change.seq
            if len(chosen) < _CHANGES_AT_ONCE:
                cursor = target
        return cursor, records, True

    def _confirmed(self, source: _Source, changes: list[Change]) -> Iterator[tuple[Change, list[AttemptRecord] | None]]:
        """Yield for each change what the partner confirms with it; None: it was not handed out."""
        stored = self._articles.get_many({change.article_id for change in changes})
        messages, entries = self._due(source, changes)
        now = clock.agreed()
        for change in changes:
            article, entry = stored.get(change.article_id), entries.get(change.article_id)
            pending = PendingArticle(change, str(change.seq))
            if article is None or not messages.prepare(pending, article):
                yield change, []
            elif entry is None or not _covers(entry, change):
                yield change, None
            elif entry.outcome == "unknown":
                pending.entry = entry
                ledger = messages.note(change.article_id, entry, "taken", now)
                yield change, [AttemptRecord(_attempt(pending, "delivered", clock.ms(now), ""), ledger)]
            else:
                yield change, []

    def _beyond(self, source: _Source, cursor: int, named: Sequence[int]) -> list[AttemptRecord]:
        """What the partner confirms of notices beyond its cursor."""
        if not named:
            return []
        after = self._store.changes.since(source.endpoint.feed, cursor, _DELAYED_CHANGES)
        chosen = [change for change in after if change.seq in named]
        return [record for _, records in self._confirmed(source, chosen) for record in records or ()]

    def _replayed(self, source: _Source, replay: str, last: str) -> list[AttemptRecord]:
        """What it confirms of what was sent again, up to its last article."""
        endpoint = source.endpoint
        waiting = self._waiting(endpoint)
        if waiting is None or waiting.id != replay or last not in waiting.articles:
            return []
        done = waiting.articles[: waiting.articles.index(last) + 1]
        latest = self._store.changes.latest_of(endpoint.feed, done)
        confirmed = dict(self._confirmed(source, list(latest.values())))
        self._store.replays.remove(endpoint.feed, endpoint.name, list(done))
        return [record for records in confirmed.values() for record in records or ()]


class EndpointBusy(Exception):
    """A worker holds the endpoint for a moment: acknowledge again."""


def receiver_of(endpoint: Endpoint) -> str:
    """Return the name of an endpoint among the receivers of its feed."""
    return f"endpoint:{endpoint.name}"


def _turns(source: _Source) -> Iterator[tuple[tuple[int, str, int], _Source, Change]]:
    """What is read of a source in its order, each with what it is merged by."""
    time = 0
    for change in (*source.changes, *source.delayed):
        time = max(time, change.asof)
        yield (time, source.endpoint.name, change.seq), source, change


def _move(position: PullPosition, source: _Source, change: Change, replay: str) -> None:
    name = source.endpoint.name
    if replay:
        position.replayed[name] = replay, change.article_id
    elif change in source.delayed:
        position.beyond.setdefault(name, []).append(change.seq)
    else:
        position.changes[name] = change.seq
        if later := [seq for seq in position.beyond.pop(name, ()) if seq > change.seq]:
            position.beyond[name] = later


def _covers(entry: LedgerEntry, change: Change) -> bool:
    """Whether what was handed out last of an article is what a change of it means."""
    if entry.version < change.version:
        return False
    if change.state == "killed":
        return entry.status == "killed"
    return change.state in ("in", "early") or entry.status in NOTICES


def _attempt(pending: PendingArticle, outcome: str, now: int, reason: str) -> Attempt:
    message, entry = pending.message, pending.entry
    assert message is not None
    assert entry is not None
    return Attempt(
        now,
        pending.article_id,
        entry.version,
        entry.status,
        outcome,
        0,
        0,
        message.size,
        entry.digest,
        message.id if message.digest == entry.digest else "",
        reason,
        "",
    )
