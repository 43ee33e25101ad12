"""From an accepted event to the change logs: decide, save, and record the change in every feed it touches.

Each step can be done again without harm, so a worker that dies between two of them leaves nothing half done: the event
is still in its stream, and whoever reads it next finds the article saved, calls it a duplicate and records it again.
"""

from __future__ import annotations

import json
import math
import shlex
import time
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from feeds import event as events
from feeds.errors import InvalidEvent
from feeds.event import ArticleEvent, KillEvent, ListEvent, RepeatEvent
from feeds.fingerprint import remembered
from feeds.lifecycle import Ignore, decide
from feeds.lineage import AS_ITSELF, Sent, as_original, held_as_event, merged, relation
from worker import clock
from worker.newsroom.placement import states
from worker.store import keys, redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from feeds.article import Article
    from feeds.selection import Placement
    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.placement import ArticlePlacer
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.articles import StoredArticle
    from worker.store.events import StreamEntry
    from worker.wakeups import Wakeups

log = structlog.get_logger()

_BATCH = 64
"""Entries read at once: small, so that a kill that comes in meanwhile is read soon."""
_AGAIN_MS = 5_000
"""How long an entry is left alone whose worker died, or that could not be carried out."""
_WAIT_MS = 1_000
"""How long one look for kills waits for the first."""
_AT_ONCE = 100
"""How many articles that came due are recorded before anything else is looked at."""
_AHEAD = timedelta(days=1)
"""How far the clock of Redis may be ahead of ours."""
_LATER = timedelta(minutes=1)
"""When an article is looked at again that came due and could not be recorded."""
_REPEATED_PER_SECOND = 50.0
"""How many articles a second are sent again to one endpoint at the most."""
_REWINDS, _REWIND_SECONDS = 20, 0.05
"""How often, and how long apart, an endpoint that is being served is looked at before an article is sent again."""
_TRIES = 5
"""An entry that failed so often, by its own fault, is set aside."""
_DEATHS = 10
"""An entry is set aside with which so many workers died."""


class Contracts(Protocol):
    """What has to be known of the partners' endpoints."""

    def in_articles(self, feed: str) -> list[str]:
        """Return the names of the feed's endpoints that get one request per article: to them one can be repeated."""

    def read_back(self) -> bool:
        """Whether any names a page that is looked at after a kill."""


class Publisher:
    """Carries accepted events out, while it is in charge.

    `here` is offered each feed that has changed: True, and this process serves its receivers; else a worker is woken.
    `killed` is told each feed that a killed article ever was in, perhaps more than once.
    """

    def __init__(
        self,
        store: Store,
        site: Publication,
        wakeups: Wakeups,
        consumer: str,
        here: Callable[[str], bool],
        contracts: Contracts,
        killed: Callable[[str, StoredArticle], None],
        charge: EventPermit,
        placing: ArticlePlacer,
        alerts: Alerts,
    ) -> None:
        self._store = store
        self._site = site
        self._wakeups = wakeups
        self._consumer = consumer
        self._here = here
        self._contracts = contracts
        self._killed = killed
        self._charge = charge
        self._placing = placing
        self._alerts = alerts
        self._stopped = Event()
        self._held: set[tuple[str, str]] = set()

    def stop(self) -> None:
        """Carry out no more than what has been read."""
        self._stopped.set()

    @property
    def in_charge(self) -> bool:
        """Whether it has the newest definitions of feeds. Without them it carries out nothing."""
        return self._charge.held is not None

    def consume(self, seconds: float = math.inf) -> int:
        """Carry out the events that wait, for about so long; return how many entries were done with."""
        done = 0
        end = time.monotonic() + seconds
        while self.in_charge and not self._stopped.is_set():
            if not (entries := self._store.events.read(self._consumer, _BATCH)):
                break
            done += self._carry_out(entries)
            if time.monotonic() > end:
                break
        return done

    def consume_kills(self) -> int:
        """Carry out the kills that wait, or the next ones if they come within a second; return how many.

        No wake-up call is needed for it, and it waits for nothing else that this process does.
        """
        if not self.in_charge:
            return 0
        return self._carry_out(self._store.events.read_urgent(self._consumer, _BATCH, _WAIT_MS))

    def take_over(self, *, others: bool = True) -> int:
        """Carry out what dead workers had begun to read (`others`), and what could not be carried out here.

        Without the newest definitions: leave the latter to those that have them.
        """
        if not self.in_charge:
            self._store.events.hand_over(self._consumer, frozenset(self._held))
            return 0
        entries = []
        for entry, deaths in self._store.events.take_over(
            self._consumer,
            self._store.workers.living_among if others else set,
            frozenset(self._held),
            _AGAIN_MS,
            _BATCH,
        ):
            if deaths >= _DEATHS:
                self._set_aside(entry, f"{deaths} workers died while they had it")
                self._done([entry], self._charge.held)
            else:
                entries.append(entry)
        return self._carry_out(entries)

    def release_due(self, now: datetime) -> int:
        """Record articles whose embargo or expiry has come, a few at a time; return how many came due.

        One that can't be recorded is left for later, so that it keeps no other under embargo.
        """
        charge = self._charge.held
        if charge is None:
            return 0
        due = self._store.articles.due(now, _AT_ONCE)
        touched: set[str] = set()
        for article_id in due:
            try:
                touched |= self.reconcile(article_id, now)
                if self._store.articles.get(article_id) is None:
                    # Not saved as yet, or damaged.
                    self._store.articles.postpone(article_id, now + _LATER)
            except Exception as error:
                if redis_errors.kind(error) != "bug":
                    raise
                log.exception("release_failed", article_id=article_id, next_step="tried again in a minute")
                self._store.articles.postpone(article_id, now + _LATER)
        if due and self._charge.take() != charge:
            # By the definitions of who is in charge now they may belong in other feeds.
            for article_id in due:
                self._store.articles.schedule(article_id, now)
        self._wake(touched, urgent=False)
        return len(due)

    def reconcile(self, article_id: str, now: datetime) -> set[str]:
        """Make every feed's change log say what the article is at `now`; return the feeds that changed."""
        touched: set[str] = set()
        while held := self._store.articles.get(article_id):
            found = self._placing.placements(held.article, held.feeds, now, self._placing.lists())
            feeds = held.feeds | {placement.feed for placement in found}
            if feeds != held.feeds:
                saved = self._store.articles.save(held.article, held.rev, feeds, held.accepted, held.fingerprints)
                if saved is None:
                    continue
                held = saved
            touched |= self._record(held.article, found, now)
            if held.article.pubstatus == "canceled":
                for feed in held.feeds:
                    self._killed(feed, held)
            # Its moments were noted with it; if somebody saved another revision meanwhile, theirs must be noted last.
            latest = self._store.articles.get(article_id)
            if latest is None or latest.rev == held.rev:
                break
        return touched

    def _carry_out(self, entries: Sequence[StreamEntry]) -> int:
        """Carry entries out; return how many are done with. Raises redis.RedisError when Redis can't just now.

        What is not done with stays in its stream and is ours: it is taken again in a few seconds.
        """
        held = {(entry.stream, entry.id) for entry in entries}
        self._held |= held
        done: list[StreamEntry] = []
        charge = self._charge.held
        try:
            for entry in entries:
                if self._done_with(entry):
                    done.append(entry)  # noqa: PERF401 (what came before one that raised is done with)
        finally:
            try:
                self._done(done, charge)
            finally:
                self._held -= held
        return len(done)

    def _done(self, done: list[StreamEntry], charge: str | None) -> None:
        """Acknowledge entries that were carried out under a charge; if it holds no more they are handed over."""
        if done and not self._store.events.acknowledge(done, charge or ""):
            self._charge.lost()
            log.warning("events_handed_over", events=len(done), reason="a worker has newer definitions of feeds")

    def _done_with(self, entry: StreamEntry) -> bool:
        """Carry one entry out; False: it failed, and is to be tried again. Raises redis.RedisError in an outage."""
        try:
            event = events.read(json.loads(entry.body), self._moment(entry))
        except (InvalidEvent, ValueError, OverflowError, RecursionError) as error:
            self._reject(entry, str(error) or type(error).__name__)
            return True
        try:
            self._apply(event, entry)
        except Exception as error:
            if redis_errors.kind(error) != "bug":
                # It is nobody's fault, and no try.
                raise
            failures = self._store.events.count_failure(entry)
            log.exception("event_failed", entry=entry.id, event_id=event.id, failures=failures)
            if failures < _TRIES:
                return False
            self._set_aside(entry, f"failed {failures} times, at last: {type(error).__name__}: {error}"[:500])
        return True

    @staticmethod
    def _moment(entry: StreamEntry) -> datetime:
        """When Redis had the entry; now, if somebody gave one an id from the future: all after it have such ids."""
        now = clock.agreed()
        try:
            return entry.moment if entry.moment < now + _AHEAD else now
        except (ValueError, OverflowError):
            return now

    def _apply(self, event: events.Event, entry: StreamEntry) -> None:
        now = clock.agreed()
        if isinstance(event, ListEvent):
            touched = self._curate(event, now)
        elif isinstance(event, RepeatEvent):
            touched = self._repeat(event)
        else:
            touched = self._decide(event, entry, now)
        self._wake(touched, urgent=events.kills(event))

    def _decide(self, event: ArticleEvent | KillEvent, entry: StreamEntry, now: datetime) -> set[str]:
        touched: set[str] = set()
        while True:
            line = self._store.lineage.trace(event.article.id, event.article.evolved_from)
            article_id = line[-1]
            touched |= self._merge(line[:-1], article_id, now)
            held = self._store.articles.get(article_id)
            sent = self._sent(line, event.article.version, held)
            current = held.article if held else None
            decision = decide(current, as_original(event, article_id), now, self._moment(entry), sent)
            if isinstance(decision, Ignore):
                log.info("event_ignored", event_id=event.id, article_id=article_id, reason=decision.reason)
                self._store.counters.add("dateline_events", result=decision.reason)
                return touched | self.reconcile(article_id, now)
            if not self._save(decision.article, held, entry.accepted, now):
                continue
            # Whoever notes that it is an update looks afterwards whether it is there; so one of us sees the other.
            if held is not None or self._store.lineage.original(article_id) == article_id:
                break
        result = getattr(decision, "change", "held")
        log.info(
            "event_done", event_id=event.id, article_id=article_id, version=decision.article.version, result=result
        )
        self._store.counters.add("dateline_events", result=result)
        return touched | self.reconcile(article_id, now)

    def _sent(self, line: Sequence[str], version: int | None, held: StoredArticle | None) -> Sent:
        """How the document with this line is sent, and what it is to the one whose text we hold."""
        held_as = held.article.sent_as if held else None
        if held_as is None and len(line) == 1:
            return AS_ITSELF
        held_line = self._store.lineage.trace(held_as) if held_as else line[-1:]
        related = relation(line, held_line) if held else "same"
        return Sent(line[0], version, related) if len(line) > 1 else Sent(relation=related)

    def _merge(self, updates: Sequence[str], original: str, now: datetime) -> set[str]:
        """Have what we hold under the ids of updates, because those came first, become the original's.

        Each step can be done again: what was merged says so, when the original has it.
        """
        touched: set[str] = set()
        for name, kept in (self._store.articles.get_many(updates) if updates else {}).items():
            own: StoredArticle | None = kept
            while own is not None and own.article.merged_into is None:
                self._take(own, original, now)
                if self._save(merged(own.article, original), own, own.accepted, now):
                    log.info("article_merged", article_id=name, into=original)
                    break
                own = self._store.articles.get(name)
            # Also when it was merged before: the worker that did it may not have come this far.
            touched |= self.reconcile(name, now)
        return touched

    def _take(self, update: StoredArticle, original: str, now: datetime) -> None:
        """Have the original say what is held as an article of its own, unless it says something newer."""
        said = held_as_event(update.article)
        line = self._store.lineage.trace(update.article.sent_as or update.article.id)
        while True:
            held = self._store.articles.get(original)
            sent = self._sent(line, said.article.version, held)
            current = held.article if held else None
            decision = decide(current, as_original(said, original), now, update.article.arrived, sent)
            if isinstance(decision, Ignore) or self._save(decision.article, held, update.accepted, now):
                return

    def _save(self, article: Article, held: StoredArticle | None, accepted: int, now: datetime) -> StoredArticle | None:
        # What takes the place of a damaged article leaves the feeds where that may have been.
        rev, kept = (held.rev, held.feeds) if held else self._store.articles.remains(article.id)
        feeds = frozenset(one.name for one in self._site.definitions) if kept is None else kept
        found = self._placing.placements(article, feeds, now, self._placing.lists())
        # Scheduled before it is saved: a moment too many is harmless, a missing one is a broken embargo.
        self._store.articles.schedule(article.id, article.due(now))
        # Nothing of a killed text is kept; by these it is known again where somebody still shows it.
        marks = remembered(held.fingerprints, held.article) if held and self._contracts.read_back() else ()
        return self._store.articles.save(article, rev, feeds | {placement.feed for placement in found}, accepted, marks)

    def _record(self, article: Article, found: list[Placement], now: datetime) -> set[str]:
        places = states(article, found)
        # No request with its text begins, in any process, once it is recorded.
        if leaving := self._store.changes.leaving(article.id, {feed: state for feed, (state, _) in places.items()}):
            self._store.withdrawals.announce([(feed, article.id) for feed in leaving])
        seqs = self._store.changes.record(article.id, article.version, clock.ms(now), places)
        self._store.articles.schedule(article.id, article.due(now))
        return {feed for feed, seq in seqs.items() if seq}

    def _repeat(self, event: RepeatEvent) -> set[str]:
        """Have the article sent again to the endpoints of the feeds that it is in."""
        article_id = self._store.lineage.original(event.article.id)
        held = self._store.articles.get(article_id)
        touched = set()
        for feed in sorted(held.feeds) if held else ():
            change = self._store.changes.latest_of(feed, [article_id]).get(article_id)
            if change is None or change.state != "in":
                continue
            for endpoint in self._contracts.in_articles(feed):
                self._store.replays.request(
                    feed,
                    endpoint,
                    {article_id: change.seq},
                    f"repeat-{event.id}",
                    same_ids=False,
                    rate=_REPEATED_PER_SECOND,
                )
                if not self._rewound(feed, endpoint):
                    log.warning("repeat_waits", endpoint=endpoint, feed=feed, next_step="it goes with its next change")
                touched.add(feed)
        log.info("article_repeated", event_id=event.id, article_id=article_id, feeds=sorted(touched))
        self._store.counters.add("dateline_events", result="repeated" if touched else "unknown")
        return touched

    def _rewound(self, feed: str, endpoint: str) -> bool:
        """Have an endpoint claimed that is up to date; wait a little for one that is just being served."""
        for _ in range(_REWINDS):
            if self._store.replays.rewind(feed, endpoint):
                return True
            time.sleep(_REWIND_SECONDS)
        return False

    def _curate(self, event: ListEvent, now: datetime) -> set[str]:
        name, picks = event.list.name, event.list.articles
        if self._store.lists.set(name, event.time, picks):
            log.info("list_updated", event_id=event.id, list=name, articles=len(picks))
        # Done again even when the list was set already: the worker that set it may not have come this far.
        picked = self._store.lists.get_many([name])[name]
        current = list(dict.fromkeys(self._store.lineage.originals(picked).values()))
        places = [(article_id, len(current) - place) for place, article_id in enumerate(current)]
        feeds = [definition.name for definition in self._site.definitions if definition.list == name]
        members = [article_id for feed in feeds for article_id in self._store.changes.members(feed)]
        touched: set[str] = set()
        for article_id in dict.fromkeys((*members, *current)):
            touched |= self.reconcile(article_id, now)
        return touched | {feed for feed in feeds if self._store.changes.arrange(feed, clock.ms(now), places)}

    def _set_aside(self, entry: StreamEntry, reason: str) -> None:
        """Give up an event that could have been carried out, and tell people: its sender had a 202 for it.

        It may be sent again as it is. It is not read as an event here: workers may have died of that.
        """
        self._reject(entry, reason)
        value = _object(entry.body)
        event_id, kind = str(value.get("id", "")), str(value.get("type", ""))
        article_id = str(_dict(value.get("article")).get("id", ""))
        kill = entry.stream == keys.URGENT or kind == "article.killed"
        self._store.events.forget(event_id, kill=kill)
        self._store.counters.add("dateline_events_set_aside", kind="kill" if kill else "other")
        if kill:
            next_step = f"the article may still be read: dateline kill {shlex.quote(article_id)}"
        else:
            next_step = f"see why in the log before it, then have it sent again; it is kept in {keys.REJECTED}"
        about = {"event_id": event_id, "event_type": kind, "article_id": article_id, "reason": reason}
        self._alerts.tell("event.set_aside", entry=entry.id, **about, next_step=next_step)

    def _reject(self, entry: StreamEntry, reason: str) -> None:
        self._store.events.reject(entry.body, reason)
        log.error("event_rejected", entry=entry.id, reason=reason, kept_in=keys.REJECTED)
        self._store.counters.add("dateline_events", result="rejected")

    def _wake(self, touched: set[str], *, urgent: bool) -> None:
        for feed in sorted(self._store.receivers.receiving(touched)):
            # A message to another worker costs more than all the rest of a small distribution. Of a large one the
            # distributor tells the others; and a kill waits for nobody who is busy.
            if not self._here(feed) or urgent:
                self._wakeups.distribute(feed, urgent=urgent)


def _object(body: str) -> dict[str, Any]:
    try:
        return _dict(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
