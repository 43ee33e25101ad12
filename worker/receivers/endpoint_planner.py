"""Plans what the partner endpoints of a claim may be sent, and begins their sessions.

Reads for all endpoints of a claim at once. Sends nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import structlog
from cachetools import LRUCache

from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_payloads import DelayedArticles, PayloadRequest
from worker.receivers.article_pushes import ArticlePushes
from worker.receivers.feed_push import FeedPush
from worker.receivers.message_cache import MessageCache
from worker.receivers.push_plan import Postponement, PushPlan
from worker.receivers.settlements import given_back
from worker.record.availability import RecordAway
from worker.store.changes import OwedNotices
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feeds.definition import FeedDefinition
    from feeds.formats.interface import Provider
    from worker.destinations.endpoint import Endpoint
    from worker.documents.feed_payloads import FeedPayloads
    from worker.newsroom.article_reader import ArticleReader
    from worker.pictures.pictures import Pictures
    from worker.receivers.endpoint_directory import EndpointDirectory
    from worker.store import Store
    from worker.store.changes import Change
    from worker.store.receivers import Claim, Claims
    from worker.store.replays import Replay

log = structlog.get_logger()

ARTICLES_PER_CLAIM = 50
"""How many changes are read in one claim, for each article that may be in flight at once."""
_DELAYED_CHANGES = 1000
"""How many changes are read for an endpoint in mode "feed" with a delay: kills among them do not wait."""
_CHANGES_CACHED = 50_000
"""How many changes stay in memory for other endpoints that stand at the same place."""
_REPLAYED_PER_PUSH = 100
"""How many articles an endpoint in mode "feed" is sent again in one push."""
_DEPARTURES_PER_SCRIPT = 2_000
"""How many articles that have left a feed one script goes through, so that no other call waits for it for long."""
_SEARCHES_REMEMBERED = 1_024
"""Of how many endpoints it is remembered how far their departures have been gone through."""
_RECORD_AWAY_MS = 10_000
"""How long a replay waits when its articles are cold and the record is away."""
_NOTHING_OWED = OwedNotices(0, [], {})


class EndpointPlanner:
    """Plans pushes to partner endpoints. `timeout` of one request in seconds; `pictures`: those beside articles.

    It remembers changes that several endpoints have to be sent, messages that were rendered, and how far it has looked
    for notices that are owed. Everything else it reads when a claim is made.
    """

    def __init__(
        self,
        store: Store,
        articles: ArticleReader,
        payloads: FeedPayloads,
        provider: Provider,
        directory: EndpointDirectory,
        *,
        timeout: float,
        pictures: Pictures | None = None,
    ) -> None:
        self._store = store
        self._articles = articles
        self._payloads = payloads
        self._directory = directory
        self._timeout = timeout
        self._pictures = pictures
        self._messages = MessageCache(provider, pictures)
        self._changes: LRUCache[tuple[str, int, int, int], list[Change]] = LRUCache(
            _CHANGES_CACHED, getsizeof=lambda changes: 1 + len(changes)
        )
        self._searched_to: LRUCache[tuple[str, str], int] = LRUCache(_SEARCHES_REMEMBERED)

    def forget(self, feed: str) -> None:
        """Read the changes of a feed anew: Redis may have lost time, and now number other changes alike."""
        for key in [key for key in self._changes if key[0] == feed]:
            del self._changes[key]
        for endpoint in [endpoint for endpoint in self._searched_to if endpoint[0] == feed]:
            del self._searched_to[endpoint]

    def plan(self, definition: FeedDefinition, claims: Claims) -> dict[str, PushPlan | Settlement]:
        """Return what the endpoints among the claims may be sent, by receiver, without those not in our settings.

        A settlement: nothing may be sent now.
        """
        plans: dict[str, PushPlan | Settlement] = {}
        article_plans: dict[str, tuple[Claim, PushPlan]] = {}
        last_departure = max(claims.kill, claims.left)
        for claim in claims.claims:
            if "endpoint" not in claim.details:
                continue
            endpoint = self._directory.by_name.get(claim.details["endpoint"])
            if endpoint is None or endpoint.feed != definition.name:
                continue
            if endpoint.is_pulled:
                # Redis has lost that its partner reads it, or it was pushed to before.
                self._store.receivers.keep_from_claims(definition.name, claim.receiver)
                plans[claim.receiver] = given_back(claim)
                continue
            owed = self._owed(claim) if last_departure > claim.cursor else _NOTHING_OWED
            plan = plans[claim.receiver] = self._within_rate(claim, endpoint, owed.changes)
            if isinstance(plan, PushPlan) and endpoint.mode == "article":
                article_plans[endpoint.name] = claim, plan
        if article_plans:
            self._complete(definition.name, claims.head, article_plans)
        return plans

    def begin(
        self,
        definition: FeedDefinition,
        claim: Claim,
        plan: PushPlan,
        head: int,
        deadline: float,
        withdrawals_seen: int,
    ) -> ArticlePushes | FeedPush:
        """Begin to serve a claim made at `head` until `deadline` (monotonic seconds).

        `withdrawals_seen`: the last withdrawal from the feed that was heard of before the claim.
        """
        session: ArticlePushes | FeedPush
        if plan.endpoint.mode == "article":
            session = ArticlePushes(claim, plan, self._messages, self._timeout, deadline, self._pictures)
        else:
            session = self._feed_push(definition, claim, plan, head, deadline, withdrawals_seen)
        session.withdrawals_seen = withdrawals_seen
        return session

    def note_withdrawals(self, session: ArticlePushes) -> None:
        """Let a session know what has been withdrawn from its feed since it began."""
        claim = session.claim
        latest = self._store.changes.latest_of(claim.feed, list(session.unfinished_articles()))
        session.note_withdrawals(latest, self._owed(claim))

    def _feed_push(
        self,
        definition: FeedDefinition,
        claim: Claim,
        plan: PushPlan,
        head: int,
        deadline: float,
        withdrawals_seen: int,
    ) -> FeedPush:
        endpoint = plan.endpoint
        feed_format = FEED_FORMATS[endpoint.format]
        cursor = _floor(claim)
        if silent := claim.failing.until > clock.ms(clock.agreed()):
            # It has asked to be left alone; kills alone do not wait.
            plan.notices = [change for change in plan.notices if change.state == "killed"]
            plan.postponed = Postponement(claim.cursor + 1, claim.failing.until)
        notices = tuple(plan.notices)
        changes = self._changes_since(endpoint.feed, cursor, _DELAYED_CHANGES, head) if endpoint.delay else []
        if silent or plan.allowance == 0:
            if plan.allowance:
                self._store.attempts.return_tokens(claim.feed, endpoint.name, plan.allowance)
            request = PayloadRequest(cursor, head, "urgent", urgent=notices, withdrawal=withdrawals_seen)
            if endpoint.holds_document:
                apart = PushPlan(endpoint)
                apart.admit(changes, endpoint.delay)
                delayed = _held_back(apart, changes)
                request = request._replace(scope="whole", rights=endpoint.rights, delayed=delayed)
            # Nobody is slowed down by a document for which there is no need yet.
            is_due = bool(notices) or not endpoint.holds_document
            payload = self._payloads.build(definition, feed_format, request) if is_due else None
            return FeedPush(endpoint, claim, payload, claim.cursor, plan.postponed, None, self._timeout, deadline)
        replay = self._next_replays(endpoint.feed, head, {endpoint.name: (_REPLAYED_PER_PUSH, plan)}).get(endpoint.name)
        plan.admit(changes, endpoint.delay)
        request = PayloadRequest(
            cursor,
            head,
            "whole" if endpoint.holds_document else "changes",
            rights=endpoint.rights,
            delayed=_held_back(plan, changes),
            resend=replay.articles if replay else (),
            urgent=notices,
            withdrawal=withdrawals_seen,
        )
        payload = self._payloads.build(definition, feed_format, request)
        return FeedPush(endpoint, claim, payload, head, plan.postponed, replay, self._timeout, deadline, plan.allowance)

    def _owed(self, claim: Claim) -> OwedNotices:
        """Return the notices of what the endpoint has of articles that have left the feed since its cursor.

        Those of kills come first. Many articles leave, by expiry, and an endpoint that is far behind has few of them:
        how far they have been searched in vain is remembered. After a crash the endpoint may have what was in flight
        then, whatever its ledger says, so all kills count.
        """
        may_have_more = claim.cursor < claim.details.get("cut", 0)
        feed, name = claim.feed, claim.details["endpoint"]
        searched_to = max(claim.cursor, self._searched_to.get((feed, name), 0))
        notices = OwedNotices(0, [], {})
        searches: tuple[tuple[Literal["killed", "left"], int], ...] = (("killed", claim.cursor), ("left", searched_to))
        for departure, start in searches:
            reached = start
            while len(notices.changes) < ARTICLES_PER_CLAIM:
                unsure = may_have_more and departure == "killed"
                owed = self._store.changes.owed_notices(
                    feed, name, departure, reached, _DEPARTURES_PER_SCRIPT, unsure=unsure
                )
                notices.changes.extend(owed.changes)
                notices.ledger.update(owed.ledger)
                if not owed.reached:
                    break
                reached = owed.reached
                if departure == "left" and not notices.changes:
                    self._searched_to[feed, name] = reached
        return notices

    def _within_rate(self, claim: Claim, endpoint: Endpoint, notices: list[Change]) -> PushPlan | Settlement:
        """Return a plan with as many requests as the endpoint's rate allows now."""
        if endpoint.rate is None:
            return PushPlan(endpoint, None, notices)
        most = ARTICLES_PER_CLAIM * endpoint.concurrency if endpoint.mode == "article" else 1
        now = clock.ms(clock.agreed())
        allowance, wait = self._store.attempts.take_tokens(claim.feed, endpoint.name, now, endpoint.rate, most)
        if allowance:
            return PushPlan(endpoint, allowance, notices)
        if not notices:
            # Waiting for the rate is no failure.
            return Settlement(claim, "retry", claim.cursor, now + wait, claim.failing, "throttled")
        # Nobody slows down the notice of what the endpoint has. The rest waits for the rate.
        return PushPlan(endpoint, 0, notices, Postponement(claim.cursor + 1, now + wait))

    def _complete(self, feed: str, head: int, plans: dict[str, tuple[Claim, PushPlan]]) -> None:
        """Complete the plans of article pushes, by endpoint, with what the store has for them."""
        self._add_changes(feed, head, plans)
        for _, plan in plans.values():
            if not plan.due_disputes:
                continue
            # An article that has changed since, or is sent again anyway, is no longer tried as a dispute.
            replayed = plan.replay.articles if plan.replay else ()
            elsewhere = {change.article_id for change in plan.changes}.union(replayed)
            plan.due_disputes = tuple(article for article in plan.due_disputes if article not in elsewhere)
            plan.latest_changes |= self._store.changes.latest_of(feed, plan.due_disputes)
        article_ids = {name: list(plan.article_ids()) for name, (_, plan) in plans.items()}
        ledgers = self._store.ledgers.read(feed, article_ids)
        for name, (_, plan) in plans.items():
            plan.ledger = ledgers[name]

    def _add_changes(self, feed: str, head: int, plans: dict[str, tuple[Claim, PushPlan]]) -> None:
        """Add the disputes that are due, then changes, then what is sent again, as far as there is room for them."""
        standings = self._store.attempts.standings(feed, list(plans))
        replay_room: dict[str, tuple[int, PushPlan]] = {}
        now = clock.ms(clock.agreed())
        for name, (claim, plan) in plans.items():
            plan.standing = standings[name]
            if plan.allowance == 0:
                # There is room for notices of what it has alone.
                continue
            room = ARTICLES_PER_CLAIM * plan.endpoint.concurrency
            silent = claim.failing.until > now
            if not silent:
                due = [article for article, dispute in plan.standing.disputes.items() if dispute.due <= now]
                plan.due_disputes = tuple(due[:room])
                room -= len(plan.due_disputes)
            changes = self._changes_since(feed, _floor(claim), room, head)
            plan.end = head if len(changes) < room else 0
            plan.admit(changes, plan.endpoint.delay, claim.failing.until)
            if len(changes) < room and not silent:
                replay_room[name] = room - len(changes), plan
        for name, replay in self._next_replays(feed, head, replay_room).items():
            _, plan = plans[name]
            plan.replay = replay
            plan.latest_changes = self._store.changes.latest_of(feed, replay.articles)

    def _next_replays(self, feed: str, head: int, rooms: Mapping[str, tuple[int, PushPlan]]) -> dict[str, Replay]:
        """Return what is sent again next, by endpoint, with its articles warm; each as much as it has room for.

        While the record is away, what is cold waits, and the plan says so.
        """
        replays = self._store.replays.next_articles(feed, {name: room for name, (room, _) in rooms.items()})
        try:
            self._articles.get_many({article_id for replay in replays.values() for article_id in replay.articles})
        except RecordAway as error:
            log.warning("replay_waits_for_the_record", feed=feed, endpoints=sorted(replays), reason=str(error))
            due = clock.ms(clock.agreed()) + _RECORD_AWAY_MS
            for name in replays:
                plan = rooms[name][1]
                plan.postponed = plan.postponed or Postponement(head, due)
            return {}
        return replays

    def _changes_since(self, feed: str, cursor: int, limit: int, head: int) -> list[Change]:
        """Return the changes after a cursor: the same for all endpoints that stand there while the head stays."""
        key = (feed, cursor, limit, head)
        changes = self._changes.get(key)
        if changes is None:
            changes = self._store.changes.since(feed, cursor, limit)
            if len(changes) < _CHANGES_CACHED:
                self._changes[key] = changes
        return changes


def _floor(claim: Claim) -> int:
    """Return the change after which an endpoint gets all: its cursor may be lower while it is sent something again."""
    return max(claim.cursor, claim.details["since"]) if "enrolled" in claim.details else claim.cursor


def _held_back(plan: PushPlan, changes: list[Change]) -> DelayedArticles | None:
    """Return what of these changes a plan has not admitted; None: it has admitted all."""
    admitted = {change.seq for change in plan.changes}
    delayed = frozenset(change.article_id for change in changes if change.seq not in admitted)
    return DelayedArticles(delayed, changes[-1].seq) if delayed else None
