"""The claims that this process is serving: begins their sessions, sends what they have to send, ends them.

Run by the distributor's thread alone. One receiver's trouble must never be another's: an error ends one session.
"""

from __future__ import annotations

import random
from collections import defaultdict
from functools import partial
from itertools import islice, takewhile
from typing import TYPE_CHECKING, TypeGuard

import structlog

from worker import clock
from worker.receivers.article_pushes import ArticlePushes
from worker.receivers.article_readings import ArticleReadings
from worker.receivers.inbox import PicturesFetched, RequestAnswered
from worker.receivers.settlements import broken_off, given_back, left_alone, not_configured
from worker.receivers.subscribers import SubscriberPush
from worker.store import redis_errors
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from feeds.definition import FeedDefinition
    from worker.outbound.engine import Engine
    from worker.outbound.jobs import Job
    from worker.outbound.transfer import Answer, Transfer
    from worker.receivers.attempt_notes import AttemptNotes, OutcomeCounts
    from worker.receivers.clearance import Clearance
    from worker.receivers.endpoint_planner import EndpointPlanner
    from worker.receivers.inbox import Inbox
    from worker.receivers.pending_articles import PendingArticle
    from worker.receivers.push_plan import PushPlan
    from worker.receivers.push_session import Articles, PushSession
    from worker.receivers.settlements import Settlements
    from worker.receivers.subscribers import Subscribers
    from worker.store.articles import Articles as ArticleStore
    from worker.store.articles import StoredArticle
    from worker.store.receivers import Claim, Claims

log = structlog.get_logger()

_SUBMITTED_AT_ONCE = 25
"""How many requests are made before the engine gets them: receivers have something to do while others are made, and to
wake the engine costs as much as to make a request."""


class Sessions:
    """All sessions of this process.

    A session is *ready* when it may have something to send: it has begun, has had an answer, or has to look at a
    withdrawal. Everything that ready sessions need is read at once. A session ends when it has nothing to send and
    nothing in flight; `open_claims` counts those that have not ended.
    """

    def __init__(
        self,
        articles: ArticleStore,
        engine: Engine,
        subscribers: Subscribers,
        planner: EndpointPlanner,
        clearance: Clearance,
        inbox: Inbox,
        attempts: AttemptNotes,
        counts: OutcomeCounts,
        settlements: Settlements,
    ) -> None:
        self.readings = ArticleReadings(articles, clearance)
        self._engine = engine
        self._subscribers = subscribers
        self._planner = planner
        self._clearance = clearance
        self._inbox = inbox
        self._attempts = attempts
        self._counts = counts
        self._settlements = settlements
        self._ready: dict[PushSession, None] = {}
        self._pushes: list[SubscriberPush] = []
        self._article_pushes: dict[str, set[ArticlePushes]] = defaultdict(set)
        self.open_claims = 0

    @property
    def any_ready(self) -> bool:
        """Whether any session, or a push to a subscriber, may have something to send."""
        return bool(self._ready or self._pushes)

    def begin(self, definition: FeedDefinition, claims: Claims, deadline: float, withdrawals_seen: int) -> None:
        """Begin to serve all receivers of the feed that were claimed, until `deadline` (monotonic seconds).

        `withdrawals_seen`: the last withdrawal from the feed that was heard of before the claim.
        """
        self.open_claims += len(claims.claims)
        try:
            plans = self._planner.plan(definition, claims)
        except Exception as error:  # noqa: BLE001 (whatever it was, these claims must not be lost)
            for claim in claims.claims:
                self._end(broken_off(claim, error))
            return
        now = clock.ms(clock.agreed())
        for claim in claims.claims:
            if claim.failing.until > now and claim.cursor >= claims.kill:
                # It has been given back meanwhile, or has renewed its subscription: that changes nothing.
                self._end(left_alone(claim))
                continue
            try:
                session = self._session(
                    definition, claim, plans.get(claim.receiver), claims.head, deadline, withdrawals_seen
                )
            except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
                self._end(broken_off(claim, error))
                continue
            if isinstance(session, SubscriberPush):
                self._pushes.append(session)
                continue
            if isinstance(session, Settlement):
                self._end(session)
                continue
            session.on_answer = self._on_answer
            if isinstance(session, ArticlePushes):
                session.on_pictures = self._on_pictures
                self._article_pushes[definition.name].add(session)
            self._ready[session] = None

    def _session(
        self,
        definition: FeedDefinition,
        claim: Claim,
        plan: PushPlan | Settlement | None,
        head: int,
        deadline: float,
        withdrawals_seen: int,
    ) -> PushSession | SubscriberPush | Settlement:
        """Return the session of a claim, or how it ends when nothing may be sent now."""
        if "endpoint" not in claim.details:
            return self._subscribers.begin(definition, claim, head, deadline, withdrawals_seen)
        if plan is None:
            return not_configured(claim)
        if isinstance(plan, Settlement):
            return plan
        return self._planner.begin(definition, claim, plan, head, deadline, withdrawals_seen)

    def _on_answer(self, session: PushSession, key: object, answer: Answer) -> None:
        """Pass an answer on from the engine's thread to ours."""
        self._inbox.put(RequestAnswered(session, key, answer))

    def _on_pictures(self, session: ArticlePushes, pending: PendingArticle) -> None:
        self._inbox.put(PicturesFetched(session, pending))

    def take_pictures(self, session: ArticlePushes, pending: PendingArticle) -> None:
        """Have a session go on with an article whose pictures it has waited for."""
        self._ready[session] = None
        session.take_pictures(pending)

    def take_answer(self, session: PushSession, key: object, answer: Answer) -> None:
        """Have a session judge an answer."""
        self._ready[session] = None
        try:
            outcome = session.take_answer(key, answer, clock.agreed(), random.random())  # noqa: S311 (jitter is no secret)
        except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
            session.break_off(broken_off(session.claim, error))
            return
        self._counts.add("endpoint", outcome, session.accepted_ms)
        if outcome != "delivered":
            log.info("attempt_failed", **_failure(session.claim, outcome, answer))
        self._attempts.collect(session)

    def take_push_answer(self, push: SubscriberPush, answer: Answer) -> None:
        """Have a push to a subscriber judge its answer, and end its claim."""
        try:
            outcome = push.take_answer(answer)
            settlement = push.settle()
        except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
            self._end(broken_off(push.claim, error))
            return
        self._counts.add("websub", outcome, push.accepted_ms)
        if outcome != "delivered":
            # What an endpoint does is a contract's matter; of subscribers there are thousands, and always some fail.
            log.debug("attempt_failed", **_failure(push.claim, outcome, answer))
        self._end(settlement)

    def look_at_withdrawal(self, feed: str) -> None:
        """Have the sessions of a feed that have room send the notice now, not after their next answer."""
        self._ready.update(dict.fromkeys(self._article_pushes.get(feed, ())))

    def articles_ahead(self) -> Iterator[str]:
        """Yield the ids of the articles that ready sessions send next, and of those that they send after them."""
        for session in self._ready:
            if isinstance(session, ArticlePushes):
                yield from session.articles_ahead()

    def send_ahead(self) -> None:
        """Have sent what was read a moment ago, while answers are on their way into the store.

        Of an article whose own answer is among these, nothing is sent before it is there.
        """
        if any(self._is_outdated(session) for session in self._ready):
            return
        self._submit(self._requests_ahead())

    def _requests_ahead(self) -> Iterator[Transfer | Job]:
        for session in self._ready:
            if isinstance(session, ArticlePushes) and self._clearance.holds():
                needed = session.needed_articles()
                articles = self.readings.fresh(needed, session.planned, session.withdrawals_seen)
                claim = session.claim
                unconfirmed = self._attempts.unconfirmed(claim.feed, claim.details["endpoint"])
                # Nothing goes before what must go first: neither a text nor a withdrawal before a kill.
                if articles := _up_to_the_first_lacking(needed, articles, unconfirmed):
                    yield from self._next_requests(session, articles)

    def send(self) -> None:
        """Have everything sent that may be sent now, with the articles as they are, read all at once."""
        if self._pushes:
            self._send_pushes()
        while self._ready:
            for session in [session for session in self._ready if self._is_outdated(session)]:
                self._note_withdrawals(session)
            article_ids = {article_id for session in self._ready for article_id in session.needed_articles()}
            # What was read before a withdrawal was noted must not be sent as if it had been read after it.
            last = max(session.withdrawals_seen for session in self._ready)
            planned = max((session.planned for session in self._ready if isinstance(session, ArticlePushes)), default=0)
            articles = self.readings.read(article_ids, planned, last)
            ready, self._ready = self._ready, {}
            self._submit(request for session in ready for request in self._requests(session, articles))

    def _submit(self, requests: Iterator[Transfer | Job]) -> None:
        """Have requests sent while the next ones are made."""
        while lot := list(islice(requests, _SUBMITTED_AT_ONCE)):
            self._engine.submit(lot)
            self._engine.turn()

    def _send_pushes(self) -> None:
        """Have the pushes to subscribers sent; nothing has to be read for them."""
        pushes, self._pushes = self._pushes, []
        on_answer, may_begin = self._inbox.put_answer, self._clearance.may_begin
        transfers = []
        for push in pushes:
            try:
                transfer = push.request(on_answer, may_begin)
            except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
                self._end(broken_off(push.claim, error))
                continue
            if transfer is None:
                self._end(push.settle())
            else:
                transfers.append(transfer)
        if transfers:
            self._engine.submit(transfers)
            self._engine.turn()

    def _is_outdated(self, session: PushSession) -> TypeGuard[ArticlePushes]:
        """Whether something was withdrawn of which a session of articles does not know yet."""
        return (
            isinstance(session, ArticlePushes) and self._clearance.last(session.claim.feed) > session.withdrawals_seen
        )

    def _note_withdrawals(self, session: ArticlePushes) -> None:
        """Let a session know what was withdrawn, before the articles are read that it is about to send."""
        last = self._clearance.last(session.claim.feed)
        try:
            self._planner.note_withdrawals(session)
        except Exception as error:
            if redis_errors.is_outage(error):
                # It is done when Redis is back.
                raise
            session.break_off(broken_off(session.claim, error))
        session.withdrawals_seen = last

    def _requests(self, session: PushSession, articles: Articles) -> Iterator[Transfer | Job]:
        """Yield what is to be sent now; end the session when nothing is left and nothing in flight."""
        if isinstance(session, ArticlePushes) and not self._clearance.holds():
            # No request could begin. The claim is given back; nothing is claimed until Redis is heard again.
            session.break_off(given_back(session.claim))
        yield from self._next_requests(session, articles)
        # What the gate keeps back is an attempt, although it is not sent.
        self._attempts.collect(session)
        if isinstance(session, ArticlePushes) and session.began_fetching():
            # Others may go meanwhile.
            self._ready[session] = None
            return
        if session.in_flight:
            return
        if any(session.needed_articles()):
            # Nothing was due of the articles that it had; it needs others.
            self._ready[session] = None
            return
        if isinstance(session, ArticlePushes):
            self._article_pushes[session.claim.feed].discard(session)
        self._end(session.settle())

    def _next_requests(self, session: PushSession, articles: Articles) -> Iterator[Transfer | Job]:
        """Yield what is to be sent now, made of these articles."""
        may_begin = self._clearance.may_begin
        try:
            while request := session.next_request(articles):
                if request.article_ids:
                    request.is_current = partial(
                        may_begin, session.claim.feed, request.article_ids, session.withdrawals_seen
                    )
                yield request
        except Exception as error:  # noqa: BLE001 (one receiver's trouble is not the others')
            session.break_off(broken_off(session.claim, error))

    def _end(self, settlement: Settlement) -> None:
        self.open_claims -= 1
        self._settlements.add(settlement)


def _failure(claim: Claim, outcome: str, answer: Answer) -> dict[str, object]:
    """What the log says of an attempt that failed."""
    return {
        "feed": claim.feed,
        "receiver": claim.receiver,
        "outcome": outcome,
        "status": answer.status,
        "reason": answer.message,
    }


def _up_to_the_first_lacking(
    article_ids: Iterable[str], articles: Mapping[str, StoredArticle], unconfirmed: Collection[str]
) -> dict[str, StoredArticle]:
    """Return the articles from the first one on that are here and not unconfirmed, up to one that is not."""
    return {
        article_id: articles[article_id]
        for article_id in takewhile(lambda name: name in articles and name not in unconfirmed, article_ids)
    }
