"""The distributor: claims receivers that are behind, has the engine serve them, and settles the claims.

One thread per worker process. A wake-up call names a feed; from then on the distributor claims for that feed while the
engine has room, so claims, transfers and settlements of several batches overlap and no call waits for its slowest
receiver. When a claim has left others, another worker is woken before anything is sent.

Only the engine counts its places: how much is claimed depends on `Engine.room` alone. `Sessions.open_claims` counts
claims, and only to know when a stop is complete.
"""

from __future__ import annotations

import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker import clock
from worker.receivers.attempt_notes import AttemptNotes, OutcomeCounts
from worker.receivers.backoff_review import BackoffReview
from worker.receivers.feed_queue import FeedHistories, FeedQueue
from worker.receivers.inbox import (
    ArticleWithdrawn,
    FeedBehind,
    Inbox,
    PicturesFetched,
    RequestAnswered,
    StopRequested,
    SubscriberAnswered,
)
from worker.receivers.sessions import Sessions
from worker.receivers.settlements import Settlements
from worker.store import redis_errors
from worker.watchdog import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.newsroom.publication import Publication
    from worker.outbound.engine import Engine
    from worker.receivers.clearance import Clearance
    from worker.receivers.endpoint_planner import EndpointPlanner
    from worker.receivers.inbox import Message
    from worker.receivers.subscribers import Subscribers
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.attempts import AttemptRecord
    from worker.store.receivers import Claims
    from worker.wakeups import Wakeups

log = structlog.get_logger()

BATCH = 500
"""How many receivers one claim takes at the most."""
_SHARED_ABOVE = 100
"""Of more receivers than these, one claim takes half: another worker, who is woken, has the others."""
_WAKE_SECONDS = 0.1
"""How often another worker is woken for what claims of fewer than BATCH have left, at the most: it costs both of them
a message of Celery, and under load the others are awake."""
_WORTHWHILE = 100
"""While answers come, at least so many are settled or claimed in one round trip; fewer when there is nothing to do."""
_SETTLED_AT_ONCE = 250
"""How many are settled in one round trip at the most: a receiver must not wait long for its next change."""
_SLACK_SECONDS = 1.0
"""How much longer a claim holds than its transfers may take, so that there is time to settle it."""
_POLL_SECONDS = 0.05
"""How often it looks for room to claim for the next feed, and for reviews of the backoff that are due."""
_IDLE_SECONDS = 1.0
"""How long it waits at most when there is nothing to do, so that the watchdog hears of it."""
_PAUSE_SECONDS = 0.5
"""How long it rests after a pass that failed."""
_STUCK_SECONDS = 300.0
"""How long a pass may take, with Redis slow, before the distributor counts as stuck."""


class Distributor:
    """The loop that serves receivers which are behind. `claim_seconds`: how long a claim holds.

    Once around, it takes its messages, saves what was answered, has the sessions send what they may, settles those that
    have ended, claims the next receivers, and reviews who is in backoff. `on_answers(feed, endpoint, attempts)` is
    called with what an endpoint has answered, before that is saved.
    """

    def __init__(
        self,
        store: Store,
        site: Publication,
        engine: Engine,
        subscribers: Subscribers,
        planner: EndpointPlanner,
        alerts: Alerts,
        wakeups: Wakeups,
        clearance: Clearance,
        *,
        claim_seconds: float,
        on_answers: Callable[[str, str, Sequence[AttemptRecord]], None],
    ) -> None:
        self._store = store
        self._site = site
        self._engine = engine
        self._wakeups = wakeups
        self._clearance = clearance
        self._claim_seconds = claim_seconds
        self._inbox = Inbox(engine)
        self._feeds = FeedQueue()
        self._histories = FeedHistories()
        self._backoff = BackoffReview(store)
        self._on_other_history = (subscribers.forget, planner.forget, self._backoff.forget)
        self._counts = OutcomeCounts(store.counters)
        self._attempts = AttemptNotes(store.attempts, alerts, on_answers)
        self._settlements = Settlements(store, alerts)
        self._sessions = Sessions(
            store.articles,
            engine,
            subscribers,
            planner,
            clearance,
            self._inbox,
            self._attempts,
            self._counts,
            self._settlements,
        )
        self._stopping = False
        self._woken = -_WAKE_SECONDS
        """When another worker was last woken."""
        self._at_rest = Event()
        self._rest_lock = Lock()
        self._outage = redis_errors.Outage(log, what="distributor")
        self._thread = Thread(target=self._run, name="distributor", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._clearance.subscribe(lambda feed: self._inbox.put(ArticleWithdrawn(feed)))
        self._thread.start()

    def serve(self, feed: str) -> None:
        """Claim for the feed as soon as there is room. Returns at once; from any thread."""
        with self._rest_lock:
            self._at_rest.clear()
            self._inbox.put(FeedBehind(feed))

    def let_go_first(self, seconds: float) -> None:
        """Wait until all that `serve` was called for is claimed and answered, so long at the most. From any thread."""
        self._at_rest.wait(seconds)

    def is_pushing(self) -> bool:
        """Whether something is still to be claimed or answered here. From any thread."""
        return not self._at_rest.is_set()

    def try_locally(self, feed: str) -> bool:
        """Claim for the feed at once, if there is room; return whether there is. From any thread."""
        if self._stopping or self._engine.room() <= 0:
            return False
        self.serve(feed)
        return True

    def stop_claiming(self) -> None:
        """Claim nothing from now on; what was claimed is still served. Returns at once."""
        self._inbox.put(StopRequested())

    def stop(self, grace: float) -> None:
        """Claim nothing more, finish or give back what was claimed, settle all.

        Takes `grace` seconds and a little more.
        """
        self.stop_claiming()
        self._engine.stop(grace)
        self._thread.join(grace + 10)
        if self._thread.is_alive():
            log.error(
                "distributor_stuck",
                serving=self._sessions.open_claims,
                next_step="the claims expire and are taken over",
            )

    def _run(self) -> None:
        with watched("distributor", _STUCK_SECONDS) as beat:
            while not (self._stopping and not self._sessions.open_claims and not self._settlements):
                beat()
                self._pass()

    def _pass(self) -> None:
        """Do what there is to do, once around."""
        try:
            self._take_messages()
            self._save_and_send()
            self._settle()
            self._claim()
            self._review_backoff()
            self._outage.over()
        except RedisError as error:
            # What is unsettled is settled when Redis is back; the claims expire if that is too late.
            self._outage.met(error, "trying again")
            time.sleep(_PAUSE_SECONDS)
        except Exception:
            log.exception("distributor_failed", next_step="claims that were lost expire and are taken over")
            time.sleep(_PAUSE_SECONDS)

    def _save_and_send(self) -> None:
        """Save what was answered, and send what goes next: while Redis works, so do we.

        What was answered is on its way to Redis before anything more is sent, so a crash repeats no more than was in
        flight. What is to be sent after that is looked at in the same round trip.
        """
        readings = self._sessions.readings
        answers = self._attempts.save(readings.questions(self._sessions.articles_ahead()), self._sessions.send_ahead)
        if answers is not None:
            readings.note(answers)
        self._sessions.send()

    def _take_messages(self) -> None:
        """Take what is in the inbox, at most so much that it can be settled at once; wait if there is nothing to do."""
        seconds = self._wait_seconds()
        if seconds and not self._feeds and not self._sessions.open_claims:
            with self._rest_lock:
                if self._inbox.empty():
                    self._at_rest.set()
        for message in self._inbox.take(_SETTLED_AT_ONCE, seconds):
            self._take(message)
        self._counts.flush()

    def _wait_seconds(self) -> float:
        """Return how long to wait for a message; 0: there is something to do."""
        may_claim = bool(self._feeds) and self._engine.room() > 0 and self._clearance.holds()
        if self._settlements or self._sessions.any_ready or (may_claim and not self._stopping):
            return 0.0
        return _POLL_SECONDS if self._feeds or self._backoff.is_due() else _IDLE_SECONDS

    def _take(self, message: Message) -> None:
        match message:
            case SubscriberAnswered(push, answer):
                self._sessions.take_push_answer(push, answer)
            case RequestAnswered(session, key, answer):
                self._sessions.take_answer(session, key, answer)
            case PicturesFetched(session, pending):
                self._sessions.take_pictures(session, pending)
            case FeedBehind(feed):
                self._feeds.add(feed)
            case ArticleWithdrawn(feed):
                self._sessions.look_at_withdrawal(feed)
            case StopRequested():
                self._stopping = True

    def _settle(self) -> None:
        """Save settlements when they are worth a round trip, or when there is nothing else to do."""
        if len(self._settlements) >= _WORTHWHILE or self._inbox.empty():
            for feed in self._settlements.save():
                self._feeds.add(feed)

    def _claim(self) -> None:
        """Claim once for each feed in the queue, while the engine has room."""
        for _ in range(len(self._feeds)):
            limit = min(BATCH, self._engine.room())
            if self._stopping or not self._clearance.holds():
                return
            if limit < _WORTHWHILE and (limit <= 0 or not self._inbox.empty()):
                return
            self._claim_for(self._feeds.next(), limit)

    def _claim_for(self, feed: str, limit: int) -> None:
        definition = self._site.feed(feed)
        if definition is None:
            return
        begun = time.monotonic()
        withdrawals_seen = self._clearance.last(feed)
        deadline = clock.ms(clock.agreed()) + int((self._claim_seconds + _SLACK_SECONDS) * 1000)
        claims = self._store.receivers.claim(feed, limit, deadline, _SHARED_ABOVE)
        self._check_history(feed, claims)
        if claims.may_be_more:
            self._feeds.add(feed)
            self._wake_another(feed, len(claims.claims))
        self._sessions.begin(definition, claims, begun + self._claim_seconds, withdrawals_seen)
        self._sessions.send()
        self._backoff.note_claims(feed, claims, all_claimed=not claims.may_be_more)

    def _wake_another(self, feed: str, claimed: int) -> None:
        """Have another worker claim what is left of a feed, of which so many were claimed here."""
        now = time.monotonic()
        if claimed == BATCH or now >= self._woken + _WAKE_SECONDS:
            self._woken = now
            self._wakeups.distribute(feed)

    def _check_history(self, feed: str, claims: Claims) -> None:
        """Forget what was read of a feed when its history is another one: Redis may have lost time."""
        if self._histories.has_changed(feed, claims.trail):
            for forget in self._on_other_history:
                forget(feed)

    def _review_backoff(self) -> None:
        """Bring receivers in backoff forward because of new changes."""
        for feed in self._backoff.ready_feeds(busy=self._engine.busy()):
            if self._stopping:
                return
            if self._backoff.review(feed, BATCH):
                self._feeds.add(feed)
