"""A session with an endpoint that gets one request per changed article, the oldest change first.

Up to `concurrency` articles are in flight at once, never two requests of one article. Each article is read anew before
it is sent, so a correction or a kill that came in meanwhile is what leaves. The cursor moves over what is done from the
oldest change on; what is done beyond a gap is in the ledger, and is not sent twice.

What goes next is the concern of `pending_articles`, what is due of an article that of `due_messages`, and whose trouble
a refusal is that of `disputes`. What an endpoint has refused before, and since when it has taken another article, is in
its ledger and its health, so a doubt outlives its claim.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from worker import clock
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer
from worker.pictures.pictures import PicturesAwaited
from worker.receivers import policy
from worker.receivers.disputes import Contest, Park, RefusedPush, judge
from worker.receivers.doubts import Doubts
from worker.receivers.due_messages import DueMessages
from worker.receivers.endpoint_pushes import EndpointPushes
from worker.receivers.pending_articles import PendingArticle, PendingQueue
from worker.receivers.push_session import brief, early_settlement, outcome_of
from worker.receivers.push_status import NOTICES
from worker.store.attempts import PARKED_ALONE, RECALL
from worker.store.changes import Change
from worker.store.receiver_states import NOT_FAILING, Failing
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from worker.outbound.jobs import Job
    from worker.outbound.transfer import Transfer
    from worker.pictures.pictures import Pictures
    from worker.receivers.ledger import Outcome
    from worker.receivers.message_cache import MessageCache
    from worker.receivers.push_plan import PushPlan
    from worker.receivers.push_session import Articles
    from worker.store.articles import StoredArticle
    from worker.store.changes import OwedNotices
    from worker.store.receivers import Claim

_PICTURES_SECONDS = 1.0
"""After how long an article goes on that waits for pictures, at the least."""


class ArticlePushes(EndpointPushes):
    """Pushes what a plan has: notices of what the endpoint must no longer show, the changes, what is sent again.

    Notices alone are free of the endpoint's rate. `timeout` of each request in seconds, `deadline` of all in monotonic
    seconds: a request that might outlast it is left to the next claim. `pictures` are fetched that go beside articles:
    one that waits for its pictures does not keep the others waiting.
    """

    on_pictures: Callable[[ArticlePushes, PendingArticle], None]
    """Gets the session and an article whose pictures were fetched, or could not be, in any thread. Set before the first
    request."""

    def __init__(
        self,
        claim: Claim,
        plan: PushPlan,
        messages: MessageCache,
        timeout: float,
        deadline: float,
        pictures: Pictures | None = None,
    ) -> None:
        super().__init__(plan.endpoint, claim, timeout, deadline)
        self.planned = time.monotonic()
        """When it was last read what has changed: articles as they were before may lack that."""
        self._pictures = pictures
        self._fetching = 0
        self._began_fetching = False
        self._awaited: PicturesAwaited | None = None
        self._plan = plan
        self._allowance = plan.allowance
        self._messages = DueMessages(plan.endpoint, claim, plan.ledger, messages)
        self._doubts = Doubts()
        self._last_success = plan.standing.took
        # Articles about which a dispute goes on, begins or has ended in this claim.
        self._disputes = plan.standing.disputes
        self._contested: set[str] = set()
        self._undisputed: list[str] = []
        self._replayed: list[str] = []
        self._ended: Settlement | None = None
        # What is sent again is not sent as a change beside it: one request of an article at a time.
        again = plan.replay.articles if plan.replay is not None else ()
        changes = [PendingArticle(change, str(change.seq)) for change in plan.changes if change.article_id not in again]
        self._queue = PendingQueue(changes, claim.cursor, plan.end)
        for pending in self._replays():
            self._queue.add_last(pending)
        for pending in self._due_disputes():
            # What must go goes before what is new.
            (self._queue.add_last if pending.change.state == "in" else self._queue.add_first)(pending)
        self._put_ahead(plan.notices)

    def _replays(self) -> Iterator[PendingArticle]:
        """Yield the articles of the replay, each as a change after all others."""
        plan, replay = self._plan, self._plan.replay
        if replay is None:
            return
        last = plan.changes[-1].seq if plan.changes else self.claim.cursor
        for article_id in replay.articles:
            change = plan.latest_changes.get(article_id) or Change(0, article_id, "out", 0, was_in_feed=False)
            occasion = str(change.seq) if replay.same_ids else replay.id
            yield PendingArticle(replace(change, seq=last), occasion, replayed=True)

    def _due_disputes(self) -> Iterator[PendingArticle]:
        """Yield the articles in dispute that are due. Of those that are in no log any more the dispute has ended."""
        for article_id in self._plan.due_disputes:
            change = self._plan.latest_changes.get(article_id)
            if change is None:
                self._undisputed.append(article_id)
                continue
            dispute = self._disputes[article_id]
            yield PendingArticle(replace(change, seq=self.claim.cursor), str(change.seq), dispute=dispute)

    def needed_articles(self) -> Iterable[str]:
        """Return the ids of the articles that may go next."""
        if self._ended is not None:
            return ()
        return self._queue.next_ids(self._room)

    def articles_ahead(self) -> Iterable[str]:
        """Return the ids of the articles that may go next, and of as many that go after them as may be in flight."""
        if self._ended is not None:
            return ()
        return self._queue.next_ids(self._room + self._endpoint.concurrency)

    @property
    def _room(self) -> int:
        """How many more articles may be in flight; what is fetched for them counts as in flight to others alone."""
        return self._endpoint.concurrency - (self.in_flight - self._fetching)

    def unfinished_articles(self) -> Iterable[str]:
        """Return the ids of the articles that wait or are in flight."""
        return self._queue.unfinished_ids()

    def note_withdrawals(self, latest: Mapping[str, Change], owed: OwedNotices) -> None:
        """Take in what has become of articles in the feed: their latest changes, and notices that are owed.

        An article that has left is not sent as if it were still there. The notice of what the endpoint has of it, or
        will have in a moment, goes ahead.
        """
        self.planned = time.monotonic()
        self._queue.update(latest)
        self._messages.add(owed.ledger)
        arriving = [
            change
            for article_id in self._queue.texts_in_flight()
            if (change := latest.get(article_id)) and change.state != "in"
        ]
        self._put_ahead([*owed.changes, *arriving])

    def next_request(self, articles: Articles) -> Transfer | Job | None:
        """Return the request for the next article that the endpoint has not had, if it may be sent now."""
        while self._ended is None and self._room > 0:
            if time.monotonic() + self._timeout > self._deadline:
                self._queue.leave_the_rest(with_notices=True)
                break
            pending = self._queue.take(articles.keys())
            if pending is None:
                break
            if self._is_due(pending, articles[pending.article_id]):
                if request := self._push(pending):
                    return request
                break
        self._advance()
        return None

    def _push(self, pending: PendingArticle) -> Transfer | Job | None:
        assert pending.message is not None
        replay_id = self._plan.replay.id if pending.replayed and self._plan.replay else ""
        texts = () if pending.is_notice else (pending.article_id,)
        article_id = pending.article_id
        remote, doubtful = self._messages.remote(article_id), self._messages.is_doubtful(article_id)
        request = self._request(pending, pending.message, texts, replay_id, remote, doubtful=doubtful)
        if self.in_flight - self._fetching > self._queue.in_flight:
            self._queue.depart(pending)
            self._spend(pending, 1)
        if request:
            request.urgent = pending.ahead
        return request

    def _is_due(self, pending: PendingArticle, stored: StoredArticle | None) -> bool:
        """Work out what is due of the article as it is, and whether it may be sent now."""
        try:
            is_due = stored is not None and self._messages.prepare(pending, stored)
        except PicturesAwaited as awaited:
            self._await(pending, awaited)
            return False
        if not is_due or (pending.ahead and not pending.is_notice):
            self._finish(pending)
            if pending.article_id in self._disputes:
                self._undisputed.append(pending.article_id)
            return False
        assert pending.message is not None
        if pending.message.refused:
            if not pending.refused or pending.replayed:
                self._park(pending)
            self._finish(pending)
            return False
        if not pending.ahead and self._allowance == 0:
            self._queue.leave_the_rest()
            return False
        if self._waits_in_dispute(pending):
            self._finish(pending)
            return False
        return True

    def _await(self, pending: PendingArticle, awaited: PicturesAwaited) -> None:
        """Have the pictures fetched that go beside an article, or leave it to the next claim when they may be tried."""
        assert self._pictures is not None
        # What is sent must leave in time for its answer.
        until = self._deadline - self._timeout
        may_fetch = not pending.awaited and awaited.due <= time.monotonic()
        if may_fetch and self._pictures.fetch(awaited, until, partial(self.on_pictures, self, pending)):
            self._queue.await_pictures(pending)
            self._fetching += 1
            self.in_flight += 1
            self._began_fetching = True
        elif self._awaited is None or awaited.due < self._awaited.due:
            # It is neither done nor waits any more, so the cursor stays before it.
            self._awaited = awaited

    def began_fetching(self) -> bool:
        """Return whether an article has begun to wait for its pictures since this was called last."""
        began, self._began_fetching = self._began_fetching, False
        return began

    def take_pictures(self, pending: PendingArticle) -> None:
        """Go on with an article whose pictures were fetched, or could not be."""
        self._fetching -= 1
        self.in_flight -= 1
        pending.awaits = False

    def _waits_in_dispute(self, pending: PendingArticle) -> bool:
        """Whether a change is of an article in dispute that is not due yet: the cursor passes its change again."""
        dispute = self._disputes.get(pending.article_id)
        if dispute is None or not pending.failed or pending.replayed:
            return False
        pending.dispute = dispute
        return dispute.due > clock.ms(clock.agreed())

    def _put_ahead(self, changes: Iterable[Change]) -> None:
        """Have the notices of these changes go ahead, unless they are under way."""
        # A notice that was refused while the endpoint takes other articles is tried again by itself.
        under_way = (
            self._queue.notices_under_way() | self._doubts.article_ids() | self._disputes.keys() | self._contested
        )
        kills_only = self.claim.failing.until > clock.ms(clock.agreed())
        self._queue.add_ahead(
            PendingArticle(change, str(change.seq), ahead=True)
            for change in changes
            if change.article_id not in under_way and (change.state == "killed" or not kills_only)
        )

    def break_off(self, settlement: Settlement) -> None:
        """Send no more articles."""
        self._ended = self._ended or settlement

    def take_answer(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Judge the answer to one article."""
        assert isinstance(key, PendingArticle)
        pending, entry = key, key.entry
        assert entry is not None
        assert pending.message is not None
        self.in_flight -= 1
        self._queue.arrive(pending)
        if not answer.started:
            # The rate is charged for what was sent.
            self._spend(pending, -1)
        if answer.fault is Fault.OUTDATED and not answer.started:
            # Something was withdrawn while the request waited for its turn: what is due is worked out anew.
            self._queue.put_back(pending)
            return "given_back"
        self.accepted_ms = pending.accepted
        suspect = 0 < pending.failed <= self._last_success
        outcome = outcome_of(self.claim, answer, now, chance, endpoint=True, suspect=suspect)
        ledger: dict[str, str] = {}
        dispute = alert = ""
        match outcome:
            case policy.Delivered():
                name = "delivered"
                answer.message = "; ".join(filter(None, (answer.message, pending.message.lacking)))
                ledger = self._messages.note(pending.article_id, entry, "taken", now, answer.remote)
                self._take_success(pending, now)
            case policy.Refused(status):
                client_error = 400 <= status < 500
                if entry.status == "killed" and client_error and not pending.refused:
                    alert = "kill.refused"
                name, dispute = self._take_refusal(pending, outcome, now, chance)
                # Since when it is refused: a page that is read back after that shows nothing that was sent before.
                first = clock.moment(pending.refused) if client_error and pending.refused else now
                how: Outcome = "refused" if client_error else "unknown"
                ledger = self._messages.note(pending.article_id, entry, how, first, answer.remote)
            case _:
                name = self._end_early(outcome, now)
                if answer.started:
                    ledger = self._messages.note(pending.article_id, entry, "unknown", now, answer.remote)
        self._note_attempt(
            pending.message, entry, pending.article_id, answer, name, ledger, now, dispute=dispute, alert=alert
        )
        self._advance()
        return name

    def _take_success(self, pending: PendingArticle, now: datetime) -> None:
        self._finish(pending)
        # One success ends a row of failures.
        now_ms, until = clock.ms(now), self.claim.failing.until
        failing = Failing(0, now_ms, until) if until > now_ms else NOT_FAILING
        if failing != self.claim.failing:
            self.claim = self.claim._replace(failing=failing)
        self._last_success = now_ms
        # The endpoint takes something, so a second refusal of these would be about them.
        self._queue.retry_next(self._doubts.clear())

    def _take_refusal(
        self, pending: PendingArticle, outcome: policy.Refused, now: datetime, chance: float
    ) -> tuple[str, str]:
        """Find out whose trouble a refusal is; return the outcome and the dispute, both as `AttemptRecord` has them."""
        assert pending.entry is not None
        if pending.ahead:
            self._queue.join(pending)
        refusal = RefusedPush(
            outcome,
            notice=pending.entry.status in NOTICES,
            replayed=pending.replayed,
            dispute=pending.dispute,
            refused=pending.refused,
            failed=pending.failed,
            last_success=self._last_success,
            alone=self._is_alone(now),
        )
        match judge(refusal, now, chance):
            case Park(alone):
                self._finish(pending)
                return "refused", PARKED_ALONE if alone else ""
            case Contest(dispute):
                self._finish(pending)
                self._contested.add(pending.article_id)
                return "retry", str(dispute)
        self._doubts.add(pending, outcome.otherwise)
        if self._doubts.endpoint_is_at_fault:
            self._end_early(outcome.otherwise, now)
        elif self._doubts.next_one_decides:
            # The newest that was not refused yet differs most from what is in doubt.
            self._queue.move_to_front(self._messages.is_untried)
        return "retry", RECALL if self._plan.standing.parked >= self._last_success else ""

    def _is_alone(self, now: datetime) -> bool:
        """Whether for long enough nothing but one article was to be sent, and the endpoint's last answer was yes."""
        if self._queue or self._doubts or self.in_flight or not self._queue.complete:
            return False
        since, standing = self.claim.failing.since, self._plan.standing
        return standing.took > standing.parked and since > 0 and now - clock.moment(since) >= policy.ALONE_AFTER

    def _end_early(self, outcome: policy.Outcome, now: datetime) -> str:
        """Send no more articles because of an answer; return the outcome's name."""
        settlement, name = early_settlement(self.claim, outcome, self._queue.cursor, now)
        # Of several that fail together the first one counts.
        self.break_off(settlement)
        return name

    def _spend(self, pending: PendingArticle, requests: int) -> None:
        if self._allowance is not None and not pending.ahead:
            self._allowance -= requests

    def _park(self, pending: PendingArticle) -> None:
        """Set an article aside that breaks the rules of its format: it is not sent."""
        assert pending.message is not None
        assert pending.entry is not None
        reason = f"kept back by the gate: {pending.message.refused}"
        answer = Answer(0, {}, b"", Fault.INVALID, reason, 0.0, started=False)
        now = clock.agreed()
        ledger = self._messages.note(pending.article_id, pending.entry, "refused", now)
        self._note_attempt(pending.message, pending.entry, pending.article_id, answer, "parked", ledger, now)

    def _finish(self, pending: PendingArticle) -> None:
        self._queue.finish(pending)
        if pending.replayed:
            self._replayed.append(pending.article_id)

    def _advance(self) -> None:
        self._queue.advance(to_end=self._ended is None)

    def settle(self) -> Settlement:
        """Return what the claim came to, once nothing is in flight."""
        if self._doubts and self._doubts.otherwise is not None:
            # There was no other article to tell whose trouble it is.
            self._end_early(self._doubts.otherwise, clock.agreed())
        cursor, plan = self._queue.cursor, self._plan
        settlement = self._ended or Settlement(self.claim, "done", cursor)
        settlement.cursor = cursor
        if plan.postponed is not None:
            # What was sent beyond it is in the ledger, and is not sent twice.
            settlement.cursor = min(cursor, plan.postponed.seq - 1)
            if self._ended is None:
                self._postpone(settlement, plan.postponed.due, "delayed")
        if plan.replay is not None and (plan.replay.more or len(self._replayed) < len(plan.replay.articles)):
            # Some wait to be sent again: the endpoint stays a change behind the head, so that it is found.
            settlement.cursor = min(settlement.cursor, plan.end - 1)
            if self._ended is None:
                # They go when the rate allows it.
                self._postpone(settlement, clock.ms(clock.agreed()) + 1000, "replaying")
        if self._awaited is not None and self._ended is None:
            seconds = max(_PICTURES_SECONDS, self._awaited.due - time.monotonic())
            self._postpone(settlement, clock.ms(clock.agreed()) + int(seconds * 1000), brief(str(self._awaited)))
        settlement.replayed = self._replayed
        settlement.undisputed = self._undisputed
        settlement.unspent = self._allowance or 0
        return settlement
