"""What time changes by itself, and what nobody was woken for: each is a duty with a thread of its own.

heartbeat    says that the worker is alive
kills        carries out kills as they come, whoever woke whom
events       carries out events as they come, and what dead workers had begun
releases     embargoes that end, articles that expire
receivers    expired claims, due backoffs, ended leases, who is behind, requests to be verified, pages to be looked at
operations   sends operational events to the operators' webhook
counters     totals for /metrics
consumers    forgets those of workers that are gone
"""

from __future__ import annotations

import time
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from feeds.patterns import pattern_of
from worker import clock
from worker.runtime import logs
from worker.runtime.duty import Duty
from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.newsroom.event_consumer import EventConsumer
    from worker.newsroom.publication import Publication
    from worker.newsroom.releases import Releases
    from worker.runtime.operations_webhook import OperationsWebhook
    from worker.store import Store
    from worker.store.receivers import FeedSweep
    from worker.wakeups import Wakeups

log = structlog.get_logger()

INTERVAL = 1.0
"""Seconds between two sweeps."""
_SHARE = (0.7, 1.3)
"""Of an interval, how long it is waited at the least and at the most."""
_chance = Random()  # noqa: S311 (jitter is no secret)
_LOCK_MS = 900
"""The lock outlives no interval: a worker that died with it is missed for one sweep at the most."""
_RELEASE_MS = 100
"""How long the release of what came due is one worker's."""
_LOOK_SECONDS = 0.5
"""How often it is looked for what dead workers have left."""
_CHARGE_SECONDS = 0.2
"""How often a worker that has older definitions of feeds looks whether it is to carry out kills."""
_HEARD_SECONDS = 5.0
"""How long the heartbeat must have been heard before others are taken for dead who were not."""
_RETIRE_SECONDS = 600.0
"""How often it is looked for consumers of workers that are gone, and how long they are left."""
_AT_ONCE = 1000
"""How many receivers of a feed one sweep moves, of each kind."""
_MANY_UNNOTED = 5000
"""Of so many changes that are not in the record yet nobody waits for the duty that looks for them."""
_FEEDS = 100
"""How many feeds are swept in one round trip: a script in between is soon served."""
_STOP_SECONDS = 30.0
"""How long what was begun may take when a worker stops."""


class Sweeper:
    """Does the duties.

    `try_locally` is offered each feed whose receivers are behind; it returns True when this process serves them.
    `verify` and `look` begin the verifications and the looks at pages that are due in a feed, and return soon;
    `inform_ended` informs the subscribers whose leases have ended, by the details of their subscriptions. `listens`:
    events are carried out as they come, and not only when nobody else has done so for a while.
    """

    def __init__(
        self,
        store: Store,
        site: Publication,
        consumer: EventConsumer,
        releases: Releases,
        operations: OperationsWebhook,
        wakeups: Wakeups,
        worker: str,
        *,
        try_locally: Callable[[str], bool],
        verify: Callable[[str], None],
        inform_ended: Callable[[str, list[dict[str, Any]]], None],
        look: Callable[[str], None],
        claim_seconds: float,
        listens: bool,
    ) -> None:
        self._store = store
        self._listens = listens
        self._site = site
        self._consumer = consumer
        self._releases = releases
        self._operations = operations
        self._wakeups = wakeups
        self._worker = worker
        self._try_locally = try_locally
        self._verify = verify
        self._inform_ended = inform_ended
        self._look = look
        # Twice what ours may be: another worker's settings may be newer.
        self._longest_claim = int((2 * claim_seconds + 60) * 1000)
        self._lost = 0
        self._unheard = time.monotonic()
        self._duties = [
            Duty("kills", self._kills, 0.0),
            Duty("events", self._events, 0.0),
            Duty("releases", self.release, INTERVAL),
            Duty("receivers", self._sweep_in_turn, INTERVAL),
            Duty("operations", operations.send, INTERVAL),
            Duty("counters", self._count, INTERVAL),
            Duty("consumers", self._retire, _RETIRE_SECONDS),
            # The last to stop.
            Duty("heartbeat", self._alive, INTERVAL),
        ]

    def appear(self) -> None:
        """Say that this worker is alive, before anything of it begins. Raises redis.RedisError."""
        self._alive()

    def start(self) -> None:
        """Start the threads."""
        for duty in self._duties:
            duty.start()

    def stop(self) -> None:
        """Stop when what has been begun is done."""
        *duties, heartbeat = self._duties
        for duty in duties:
            duty.stop()
        end = time.monotonic() + _STOP_SECONDS
        for duty in duties:
            duty.join(max(0.0, end - time.monotonic()))
        heartbeat.stop()
        heartbeat.join(_STOP_SECONDS)
        self._store.workers.leave(self._worker)

    def _sweep_in_turn(self) -> float:
        """Sweep, and return after how long to look again, which varies.

        Who sweeps serves what is due if it can. If all looked as often, the first one would always be the first, and an
        endpoint that it does not know would never come to others.
        """
        self.sweep()
        return INTERVAL * _chance.uniform(*_SHARE)

    def sweep(self) -> None:
        """Sweep the receivers of all feeds now, unless another worker has just done so or knows more of them."""
        if not self._consumer.in_charge or not self._store.client.set(keys.SWEEP, "1", nx=True, px=_LOCK_MS):
            return
        now = clock.ms(clock.agreed())
        grace = self._store.outages.grace(now)
        if grace.outage:
            log.warning("leases_last_longer", outage_seconds=grace.outage // 1000, longer_seconds=grace.longer // 1000)
        former = self._store.definitions.former_feeds(now)
        feeds = self._store.receivers.feeds()
        lots = (feeds[start : start + _FEEDS] for start in range(0, len(feeds), _FEEDS))
        for feed, swept in chain.from_iterable(self._sweep(lot, now, now - grace.longer).items() for lot in lots):
            if swept.expired:
                log.info("swept", feed=feed, expired_claims=swept.expired)
            if swept.ended:
                self._inform_ended(feed, swept.ended)
            if swept.behind and not self._try_locally(feed):
                self._wakeups.distribute(feed)
            # Not in our settings, nor in those of whoever is in charge.
            gone = self._site.feed(feed) is None and not former.isdisjoint((feed, pattern_of(feed)))
            removed = gone and self._store.receivers.count_subscriptions(feed)
            if swept.verifications or removed:
                self._verify(feed)
            if swept.page_checks:
                self._look(feed)

    def _sweep(self, feeds: list[str], now: int, ended: int) -> dict[str, FeedSweep]:
        sweeps = self._store.receivers.sweep(feeds, now, _AT_ONCE, ended, self._longest_claim)
        unnoted = {feed: swept.unnoted for feed, swept in sweeps.items() if swept.unnoted}
        self._store.outboxes.report(unnoted)
        if sum(unnoted.values()) > _MANY_UNNOTED:
            self._wakeups.record()
        return sweeps

    def release(self) -> float | None:
        """Record what has come due; return after how many seconds the next does, None: not before the next look.

        Embargoes that end between two looks do not wait for one.
        """
        if not self._consumer.in_charge:
            return None
        if not self._store.client.set(keys.RELEASE, "1", nx=True, px=_RELEASE_MS):
            # Another worker has just done so: if it died of it, it is our turn.
            return self._until_due(_RELEASE_MS / 1000)
        self._releases.release_due(clock.agreed())
        return self._until_due(0.0)

    def _until_due(self, least: float) -> float:
        due = self._store.articles.next_due()
        seconds = INTERVAL if due is None else (due - clock.ms(clock.agreed())) / 1000
        return min(INTERVAL, max(least, seconds))

    def _kills(self) -> float | None:
        if not self._consumer.in_charge:
            return _CHARGE_SECONDS
        self._consumer.consume_kills()
        return None

    def _events(self) -> float | None:
        done = self._consumer.consume(_LOOK_SECONDS, listens=self._listens)
        done += self._consumer.take_over(from_dead_workers=self._heard())
        return None if done or (self._listens and self._consumer.in_charge) else _LOOK_SECONDS

    def _count(self) -> None:
        lost = logs.lost()
        if lost > self._lost:
            self._store.counters.add("dateline_log_lines_lost", lost - self._lost)
            self._lost = lost
        self._store.counters.flush()
        now = clock.ms(clock.agreed())
        if self._store.rates.is_due(now):
            self._store.rates.put(now, self._store.counters.read())

    def _retire(self) -> None:
        self._store.events.forget_consumers(int(_RETIRE_SECONDS * 1000))

    def _alive(self) -> None:
        try:
            self._store.clock.measure()
            self._store.workers.report_alive(self._worker, clock.ms(clock.agreed()))
        except RedisError:
            self._unheard = time.monotonic()
            raise

    def _heard(self) -> bool:
        """Whether living workers can have reported: in an outage, and just after it, nobody is known to be alive."""
        return time.monotonic() - self._unheard > _HEARD_SECONDS
