"""The distributor: claims receivers that are behind, has the engine serve them, and settles what came of it.

One thread per worker process. A wake-up call names a feed; from then on the distributor claims for that feed while the
engine has room, so claims, transfers and settlements of several batches overlap and no call waits for its slowest
receiver. When a claim was full, another worker is woken before anything is sent.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter, defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import structlog
from redis.exceptions import RedisError

from worker import clock
from worker.documents.quality_gate import FeedRefused
from worker.receivers import policy
from worker.receivers.article_pushes import ArticlePushes
from worker.store import redis_errors
from worker.store.endpoints import SUSPENDED
from worker.store.receivers import SettledClaims, Settlement
from worker.watchdog import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from feeds.definition import FeedDefinition
    from worker.newsroom.publication import Publication
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer, Transfer
    from worker.receivers.clearance import Clearance
    from worker.receivers.delivery import Articles, Delivery
    from worker.receivers.endpoints import Partners
    from worker.receivers.subscribers import WebSub
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.attempts import AttemptRecord
    from worker.store.receivers import Claim, Claims
    from worker.wakeups import Wakeups

log = structlog.get_logger()

BATCH = 500
"""Receivers in one claim at the most."""
_WORTHWHILE = 100
"""While answers come, this many are settled or claimed at least in one round trip; less when there is nothing to do."""
_SETTLED_AT_ONCE = 250
"""Settlements in one round trip at the most: a receiver must not wait long for its next change."""
_SLACK_SECONDS = 1.0
"""How much longer a claim holds than its transfers may take, so that there is time to settle it."""
_LOOK_SECONDS = 0.05
"""How often it is looked whether what is wanted may be claimed, and whether those in backoff may be brought forward."""
_IDLE_SECONDS = 1.0
"""How long it waits at most when there is nothing to do, so that it is seen to be alive."""
_PAUSE_SECONDS = 0.5
"""How long it rests after a pass that failed."""
_STILL_SECONDS = 300.0
"""How long a pass may take, with Redis slow, before the distributor is taken to stand still."""
_FORWARD_SECONDS = 1.0
"""How often the backoff of a feed is gone through because of new changes; a kill goes through it at once."""


class _Withdrawn(NamedTuple):
    """Something was withdrawn from a feed."""

    feed: str


_Message = tuple["Delivery", object, "Answer"] | _Withdrawn | str | None
"""An answer to a delivery's request, with its key; a withdrawal; the name of a feed to claim for; or None: stop."""


@dataclass(slots=True)
class _Forward:
    """How far the backoff of one feed was gone through: at which head, when; and since when it is due again, 0: not."""

    head: int = 0
    at: float = 0.0
    due: float = 0.0

    def ready(self, now: float, *, busy: bool) -> bool:
        """Whether to go through it: no more than once a second, and not while others are being served, but for a kill.

        The others are waited for no longer than a second.
        """
        return self.due != 0 and now - self.at >= _FORWARD_SECONDS and (not busy or now - self.due >= _FORWARD_SECONDS)


class Distributor:
    """Serves receivers that are behind. `claim_seconds`: how long a claim holds.

    `on_answers(feed, endpoint, attempts)` is told what an endpoint has answered, before that is noted.
    """

    def __init__(
        self,
        store: Store,
        site: Publication,
        engine: Engine,
        websub: WebSub,
        partners: Partners,
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
        self._websub = websub
        self._partners = partners
        self._alerts = alerts
        self._on_answers = on_answers
        self._wakeups = wakeups
        self._clearance = clearance
        self._claim_seconds = claim_seconds
        self._inbox: SimpleQueue[_Message] = SimpleQueue()
        self._wanted: deque[str] = deque()
        self._count: Counter[tuple[str, str, int]] = Counter()
        self._ready: dict[Delivery, None] = {}
        self._tried: dict[tuple[str, str], list[AttemptRecord]] = defaultdict(list)
        self._serving = 0
        self._articles: dict[str, set[ArticlePushes]] = defaultdict(set)
        self._stamps: dict[str, str] = {}
        self._ended: dict[str, list[Settlement]] = defaultdict(list)
        self._forward: dict[str, _Forward] = defaultdict(_Forward)
        self._stopping = False
        self._outage = redis_errors.Outage(log, what="distributor")
        self._thread = Thread(target=self._run, name="distributor", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._clearance.tell(lambda feed: self._inbox.put(_Withdrawn(feed)))
        self._thread.start()

    def want(self, feed: str) -> None:
        """Claim for the feed as soon as there is room. Returns at once."""
        self._inbox.put(feed)

    def offer(self, feed: str) -> bool:
        """Claim for the feed at once, if there is room; return whether there is. From any thread."""
        if self._stopping or self._engine.room() <= 0:
            return False
        self.want(feed)
        return True

    def claim_no_more(self) -> None:
        """Claim nothing from now on; what is held goes on. Returns at once."""
        self._inbox.put(None)

    def stop(self, grace: float) -> None:
        """Claim no more, finish or give back what is held, settle it all. Takes `grace` seconds and a little more."""
        self.claim_no_more()
        self._engine.stop(grace)
        self._thread.join(grace + 10)
        if self._thread.is_alive():
            log.error("distributor_stuck", serving=self._serving, next_step="the claims expire and are taken over")

    def _run(self) -> None:
        with watched("distributor", _STILL_SECONDS) as beat:
            while not (self._stopping and not self._serving and not self._ended):
                beat()
                self._pass()

    def _pass(self) -> None:
        """Do what there is to do, once around."""
        try:
            self._receive()
            # Before anything more is sent: a crash is to repeat no more than what is in flight.
            self._note()
            self._send()
            self._settle()
            self._claim()
            self._bring_forward()
            self._outage.over()
        except RedisError as error:
            # What is unsettled is settled when Redis is back; the claims expire if that is too late.
            self._outage.met(error, "trying again")
            time.sleep(_PAUSE_SECONDS)
        except Exception:
            log.exception("distributor_failed", next_step="claims that were lost expire and are taken over")
            time.sleep(_PAUSE_SECONDS)

    def _receive(self) -> None:
        """Take what is in the inbox, at most so much that it can be settled at once; wait if there is nothing to do."""
        may_claim = bool(self._wanted) and self._engine.room() > 0 and self._clearance.holds()
        idle = not self._ended and not self._ready and (self._stopping or not may_claim)
        waits = self._wanted or any(forward.due for forward in self._forward.values())
        patience = _LOOK_SECONDS if waits else _IDLE_SECONDS
        try:
            self._take(self._inbox.get(block=idle, timeout=patience))
            for _ in range(_SETTLED_AT_ONCE):
                self._take(self._inbox.get_nowait())
        except Empty:
            pass
        self._tell_counters()

    def _take(self, message: _Message) -> None:
        if message is None:
            self._stopping = True
        elif isinstance(message, _Withdrawn):
            # Those that have room for one more request tell of it now, not after their next answer.
            self._ready.update(dict.fromkeys(self._articles.get(message.feed, ())))
        elif isinstance(message, str):
            if message not in self._wanted:
                self._wanted.append(message)
        else:
            self._answered(*message)

    def _answered(self, delivery: Delivery, key: object, answer: Answer) -> None:
        now = clock.agreed()
        try:
            word = delivery.answered(key, answer, now, random.random())  # noqa: S311 (jitter is no secret)
        except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
            delivery.break_off(_broken_off(delivery.claim, error))
            self._ready[delivery] = None
            return
        kind = "endpoint" if "endpoint" in delivery.claim.details else "websub"
        self._count[kind, word, delivery.accepted] += 1
        if word != "delivered":
            # What an endpoint does is a contract's matter; of subscribers there are thousands, and always some fail.
            (log.info if kind == "endpoint" else log.debug)(
                "attempt_failed",
                feed=delivery.claim.feed,
                receiver=delivery.claim.receiver,
                outcome=word,
                status=answer.status,
                reason=answer.message,
            )
        self._collect(delivery)
        self._ready[delivery] = None

    def _collect(self, delivery: Delivery) -> None:
        if delivery.attempts:
            endpoint = delivery.claim.details["endpoint"]
            self._tried[delivery.claim.feed, endpoint] += delivery.attempts
            delivery.attempts.clear()

    def _tell_counters(self) -> None:
        """Count what was answered in a pass; all of it is taken to have come now."""
        now = clock.ms(clock.agreed())
        for (kind, word, accepted), times in self._count.items():
            self._store.counters.add("dateline_attempts", times, kind=kind, outcome=word)
            if word == "delivered" and accepted:
                seconds = max(0.0, (now - accepted) / 1000)
                self._store.counters.observe("dateline_delivery_seconds", seconds, times, kind=kind)
        self._count.clear()

    def _send(self) -> None:
        """Have all that may be sent now sent, with the articles as they are at this moment, read for all at once."""
        while self._ready:
            for delivery in self._ready:
                if isinstance(delivery, ArticlePushes):
                    self._look_again(delivery)
            wanted = {article_id for delivery in self._ready for article_id in delivery.wants()}
            found = self._store.articles.get_many(wanted) if wanted else {}
            articles = dict.fromkeys(wanted) | found
            ready, self._ready = self._ready, {}
            requests = [request for delivery in ready for request in self._go_on(delivery, articles)]
            if requests:
                self._engine.submit(requests)

    def _look_again(self, delivery: ArticlePushes) -> None:
        """Have a delivery know what was withdrawn, before the articles are read that it is about to say."""
        last = self._clearance.last(delivery.claim.feed)
        if last > delivery.after:
            try:
                self._partners.look_again(delivery)
            except Exception as error:
                if _is_outage(error):
                    # It looks again when Redis is back.
                    raise
                # One receiver's trouble is not the others'.
                delivery.break_off(_broken_off(delivery.claim, error))
            delivery.after = last

    def _go_on(self, delivery: Delivery, articles: Articles) -> Iterator[Transfer]:
        """Yield what is to be sent now; when nothing is left and nothing in flight, the claim has ended."""
        if isinstance(delivery, ArticlePushes) and not self._clearance.holds():
            # Nothing could begin. The claim is given back; nothing is claimed until Redis is heard again.
            delivery.break_off(_given_back(delivery.claim))
        may_begin = self._clearance.may_begin
        try:
            while request := delivery.next(articles):
                if request.article_ids:
                    request.is_current = partial(may_begin, delivery.claim.feed, request.article_ids, delivery.after)
                yield request
        except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
            delivery.break_off(_broken_off(delivery.claim, error))
        # What the gate keeps back was tried without being sent.
        self._collect(delivery)
        if not delivery.in_flight:
            if any(delivery.wants()):
                # What it wanted it did not need; it wants to look at others.
                self._ready[delivery] = None
            else:
                if isinstance(delivery, ArticlePushes):
                    self._articles[delivery.claim.feed].discard(delivery)
                self._end(delivery.settlement)

    def _end(self, settlement: Settlement) -> None:
        self._serving -= 1
        self._ended[settlement.claim.feed].append(settlement)

    def _settle(self) -> None:
        if sum(map(len, self._ended.values())) < _WORTHWHILE and not self._inbox.empty():
            return
        for feed in list(self._ended):
            settled = self._settle_all(feed)
            del self._ended[feed]
            if settled.fenced:
                log.warning("claims_lost", feed=feed, receivers=len(settled.fenced), reason="they had expired")
            if settled.behind and feed not in self._wanted:
                self._wanted.append(feed)

    def _settle_all(self, feed: str) -> SettledClaims:
        """End the claims of a feed that wait for it. Raises redis.RedisError in an outage; then they wait on.

        One that a fault of ours keeps from being ended is left to expire, and keeps no other waiting.
        """
        ended = self._ended[feed]
        for settlement in tuple(ended):
            try:
                self._conclude(settlement)
            except Exception as error:
                if _is_outage(error):
                    raise
                ended.remove(settlement)
                self._unsettled(settlement, error)
        try:
            return self._store.receivers.settle(feed, clock.ms(clock.agreed()), ended)
        except Exception as error:
            if _is_outage(error):
                raise
        # One of them it was. Those that were ended before it are fenced off now: that says nothing.
        behind = 0
        for settlement in tuple(ended):
            try:
                behind += self._store.receivers.settle(feed, clock.ms(clock.agreed()), [settlement]).behind
            except Exception as error:
                if _is_outage(error):
                    raise
                self._unsettled(settlement, error)
            ended.remove(settlement)
        return SettledClaims(behind, [])

    def _unsettled(self, settlement: Settlement, error: Exception) -> None:
        """Tell of a claim that can't be ended."""
        claim, next_step = settlement.claim, "the claim expires and is taken over"
        if isinstance(error, RedisError):
            self._store.damaged_records.report(f"receivers of {claim.feed}", str(error), "their claims expire")
        else:
            log.error("settling_failed", feed=claim.feed, receiver=claim.receiver, next_step=next_step, exc_info=error)

    def _conclude(self, settlement: Settlement) -> None:
        """Do what goes before the end of a claim. It can be done again."""
        feed = settlement.claim.feed
        if settlement.verb == "pause" and not settlement.alerted:
            self._suspended(settlement)
        if settlement.replayed:
            endpoint = settlement.claim.details["endpoint"]
            self._store.replays.remove(feed, endpoint, settlement.replayed)
        if settlement.undisputed:
            endpoint = settlement.claim.details["endpoint"]
            self._store.attempts.forget_disputes(feed, endpoint, settlement.undisputed)
        if settlement.unspent:
            self._store.attempts.return_tokens(feed, settlement.claim.details["endpoint"], settlement.unspent)
            settlement.unspent = 0

    def _suspended(self, settlement: Settlement) -> None:
        """Note that an endpoint is left alone, and tell operators."""
        feed, endpoint = settlement.claim.feed, settlement.claim.details["endpoint"]
        status = self._store.attempts.note_suspension(feed, endpoint, clock.ms(clock.agreed()))
        reason = settlement.reason.removeprefix(f"{SUSPENDED}: ")
        next_step = f"mend it with the partner, then dateline endpoints --retry {endpoint}"
        about = {"endpoint": endpoint, "feed": feed, "status": status, "reason": reason}
        self._alerts.tell("endpoint.suspended", **about, next_step=next_step)
        settlement.alerted = True

    def _note(self) -> None:
        """Keep what was tried at endpoints, and tell what operators want to know of it."""
        if not self._tried:
            return
        for (feed, endpoint), attempts in self._tried.items():
            with _alone(feed, endpoint):
                # First, because what is recorded is not sent again after a crash.
                self._on_answers(feed, endpoint, attempts)
        recovered = self._record()
        tried, self._tried = self._tried, defaultdict(list)
        for (feed, endpoint), attempts in tried.items():
            with _alone(feed, endpoint):
                if (feed, endpoint) in recovered:
                    self._alerts.tell("endpoint.recovered", endpoint=endpoint, feed=feed)
                for one in attempts:
                    self._tell(endpoint, feed, one)

    def _record(self) -> set[tuple[str, str]]:
        """Keep what was tried; return the endpoints that recovered. What can't be kept of one is told, and passed over.

        Raises redis.RedisError in an outage.
        """
        try:
            return self._store.attempts.record(self._tried)
        except Exception as error:
            if _is_outage(error):
                raise
        recovered = set()
        for (feed, endpoint), attempts in self._tried.items():
            with _alone(feed, endpoint):
                recovered |= self._store.attempts.record({(feed, endpoint): attempts})
        return recovered

    def _tell(self, endpoint: str, feed: str, tried: AttemptRecord) -> None:
        """Tell operators of what an attempt came to, if they want to know."""
        attempt = tried.attempt
        about = {"endpoint": endpoint, "feed": feed, "status": attempt.status, "reason": attempt.error}
        article = {"article_id": attempt.article, "version": attempt.version}
        if attempt.outcome in ("refused", "parked"):
            self._alerts.tell("article.parked", **about, **article, answer=attempt.answer)
        if tried.alert == "kill.refused":
            again = "it is tried again until it is taken; talk to the partner"
            self._alerts.tell(tried.alert, **about, **article, answer=attempt.answer, next_step=again)
        elif tried.alert == "push.refused":
            self._alerts.tell(
                tried.alert, **about, answer=attempt.answer, next_step="it is made again, later each time"
            )

    def _claim(self) -> None:
        """Claim once for each feed that is wanted, in turn, while the engine has room."""
        for _ in range(len(self._wanted)):
            limit = min(BATCH, self._engine.room())
            if self._stopping or not self._clearance.holds():
                return
            if limit < _WORTHWHILE and (limit <= 0 or not self._inbox.empty()):
                return
            feed = self._wanted.popleft()
            definition = self._site.feed(feed)
            if definition is None:
                continue
            begun = time.monotonic()
            after = self._clearance.last(feed)
            deadline = clock.ms(clock.agreed()) + int((self._claim_seconds + _SLACK_SECONDS) * 1000)
            claims = self._store.receivers.claim(feed, limit, deadline)
            self._follow(feed, claims)
            if len(claims.claims) == limit:
                self._wanted.append(feed)
            if len(claims.claims) == BATCH:
                self._wakeups.distribute(feed)
            self._serving += len(claims.claims)
            self._begin_all(definition, claims, begun + self._claim_seconds, after)
            self._send()
            if claims.backoff > 0:
                self._look_forward(self._forward[feed], claims, all_claimed=len(claims.claims) < limit)

    def _follow(self, feed: str, claims: Claims) -> None:
        """Forget what was known of a feed, should its history not be the one that we knew: Redis may have lost time."""
        if not claims.trail:
            return
        known = self._stamps.get(feed)
        self._stamps[feed] = claims.trail[-1]
        if known is not None and known not in claims.trail:
            self._websub.forget(feed)
            self._partners.forget(feed)
            self._forward.pop(feed, None)

    @staticmethod
    def _look_forward(forward: _Forward, claims: Claims, *, all_claimed: bool) -> None:
        """Note that there may be something new for those in backoff.

        They come after all others; but a kill does not wait, not for anybody.
        """
        if claims.kill > forward.head:
            forward.at, forward.due = 0.0, -math.inf
        elif all_claimed and claims.head > forward.head and not forward.due:
            forward.due = time.monotonic()

    def _begin_all(self, definition: FeedDefinition, claims: Claims, deadline: float, after: int) -> None:
        """Begin to serve all receivers of the feed that were claimed, until `deadline` (monotonic seconds).

        `after`: the last withdrawal that was heard of before the claim.
        """
        try:
            plans = self._partners.plan(definition, claims)
        except Exception as error:  # noqa: BLE001 (whatever it was, these claims must not be lost)
            for claim in claims.claims:
                self._end(_broken_off(claim, error))
            return
        now = clock.ms(clock.agreed())
        for claim in claims.claims:
            delivery: Delivery
            try:
                if claim.failing.until > now and claim.cursor >= claims.kill:
                    # It has been given back meanwhile, or has renewed its subscription: that changes nothing.
                    self._end(_left_alone(claim))
                    continue
                if "endpoint" not in claim.details:
                    delivery = self._websub.begin(definition, claim, claims.head, deadline, after)
                else:
                    plan = plans.get(claim.receiver) or _unknown(claim)
                    if isinstance(plan, Settlement):
                        self._end(plan)
                        continue
                    delivery = self._partners.begin(definition, claim, plan, claims.head, deadline, after)
            except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
                self._end(_broken_off(claim, error))
                continue
            delivery.hand_in = partial(self._hand_in, delivery)
            if isinstance(delivery, ArticlePushes):
                self._articles[definition.name].add(delivery)
            self._ready[delivery] = None

    def _hand_in(self, delivery: Delivery, key: object, answer: Answer) -> None:
        self._inbox.put((delivery, key, answer))

    def _bring_forward(self) -> None:
        """Make receivers in backoff come due earlier because of a new change; because of a kill, at once."""
        for feed, forward in list(self._forward.items()):
            if self._stopping or not forward.ready(time.monotonic(), busy=self._engine.busy()):
                continue
            due, forward.due = forward.due, 0.0
            try:
                self._bring_forward_in(feed, forward)
            except Exception as error:
                if _is_outage(error):
                    forward.due = due
                    raise
                # Nor is it gone through again at once: it would keep the other feeds waiting.
                log.exception("bringing_forward_failed", feed=feed, next_step="they come due in their own time")

    def _bring_forward_in(self, feed: str, forward: _Forward) -> None:
        """Go through the backoff of one feed."""
        now = clock.agreed()
        tip = self._store.changes.head(feed)
        dues = {}
        for receiver, due, hold in self._store.receivers.backing_off(feed):
            if hold.cursor >= tip.seq:
                continue
            sooner = now
            if hold.cursor >= tip.kill or hold.failing.last > tip.killed:
                # It knows of the last kill, or has just failed to be told.
                if not hold.failing.since:
                    # It waits for a time of its own, not because it failed.
                    continue
                since, last, until = map(clock.moment, hold.failing)
                sooner = policy.brought_forward(clock.moment(due), since, last, until, now)
            if clock.ms(sooner) < due:
                dues[receiver] = clock.ms(sooner)
        self._store.receivers.bring_forward(feed, dues)
        forward.head, forward.at = tip.seq, time.monotonic()
        swept = self._store.receivers.sweep([feed], clock.ms(now), BATCH).get(feed)
        if swept and swept.behind and feed not in self._wanted:
            self._wanted.append(feed)


def _is_outage(error: Exception) -> bool:
    """Whether Redis can't just now: that is nobody's fault, and the same works later."""
    return isinstance(error, RedisError) and redis_errors.kind(error) != "bug"


@contextmanager
def _alone(feed: str, endpoint: str) -> Iterator[None]:
    """Pass over an error of ours about one endpoint, and tell it. Raises redis.RedisError in an outage."""
    try:
        yield
    except Exception as error:
        if _is_outage(error):
            raise
        log.exception("noting_failed", feed=feed, endpoint=endpoint, next_step="what was tried is in the log only")


def _left_alone(claim: Claim) -> Settlement:
    """What is said of a receiver that has asked to be left alone (Retry-After)."""
    return Settlement(claim, "retry", claim.cursor, claim.failing.until, claim.failing, "asked to be left alone")


def _unknown(claim: Claim) -> Settlement:
    """What is said of an endpoint that is not in our settings.

    Another worker's may be newer, and only reading settings takes an endpoint away.
    """
    due = clock.ms(clock.agreed()) + 5_000
    return Settlement(claim, "retry", claim.cursor, due, claim.failing, "unknown here")


def _given_back(claim: Claim) -> Settlement:
    """What is said of a claim that nothing came of; the receiver is not to blame."""
    return Settlement(claim, "back", claim.cursor, 0, claim.failing)


def _broken_off(claim: Claim, error: Exception) -> Settlement:
    """What is said of a claim that an error of ours ended; the receiver is not to blame."""
    if isinstance(error, RedisError) and _is_outage(error):
        redis_errors.report(log, error, "the receiver is given back")
        return Settlement(claim, "back", claim.cursor, 0, claim.failing)
    due = clock.ms(clock.agreed()) + 60_000
    if isinstance(error, FeedRefused):
        return Settlement(claim, "retry", claim.cursor, due, claim.failing, str(error)[:120])
    log.error(
        "push_failed", feed=claim.feed, receiver=claim.receiver, next_step="tried again in a minute", exc_info=error
    )
    return Settlement(claim, "retry", claim.cursor, due, claim.failing, "internal")
