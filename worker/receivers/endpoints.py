"""All partner endpoints: which conversation a claim begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Literal

from cachetools import LRUCache

from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_payloads import DelayedArticles, PayloadRequest
from worker.receivers.article_pushes import ArticlePushes, Bodies, Known
from worker.receivers.feed_pushes import FeedPush
from worker.store.changes import OwedNotices
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from feeds.definition import FeedDefinition
    from feeds.formats.interface import Provider
    from worker.destinations.http import Endpoint
    from worker.documents.feed_payloads import FeedPayloads
    from worker.store import Store
    from worker.store.changes import Change
    from worker.store.receivers import Claim, Claims

ARTICLES_PER_CLAIM = 50
"""How many changes are looked at in one claim, for each article that may be in flight at once."""
_LOOKED_AT = 1000
"""How many changes are looked at for an endpoint in mode "feed" with a delay: kills among them do not wait."""
_CHANGES_CACHED = 50_000
"""How many changes are kept in memory for other endpoints that stand at the same place."""
_AGAIN = 100
"""How many articles an endpoint in mode "feed" is sent again in one push."""
_LOOKED_THROUGH = 2_000
"""How many articles that have left a feed are looked through in one script, lest others wait for it."""
_PLACES = 1_024
"""Of how many endpoints it is remembered how far that was done."""
_NOTHING_OWED = OwedNotices(0, [], {})


@dataclass(slots=True)
class Plan:
    """What an endpoint that was claimed may be sent now, and in article mode what is known.

    `limit`: how many requests its rate allows, beside notices of what it holds; None: it has no rate.
    """

    endpoint: Endpoint
    limit: int | None
    known: Known = field(default_factory=Known)


class Partners:
    """Pushes to partner endpoints. `timeout` in seconds; `endpoints` by name, taken again when the settings are."""

    def __init__(self, store: Store, payloads: FeedPayloads, provider: Provider, *, timeout: float) -> None:
        self._store = store
        self._payloads = payloads
        self._timeout = timeout
        self._bodies = Bodies(provider)
        self._changes: LRUCache[tuple[str, int, int, int], list[Change]] = LRUCache(
            _CHANGES_CACHED, getsizeof=lambda changes: 1 + len(changes)
        )
        self._looked: LRUCache[tuple[str, str], int] = LRUCache(_PLACES)
        self.endpoints: dict[str, Endpoint] = {}

    def in_articles(self, feed: str) -> list[str]:
        """Return the names of the feed's endpoints that get one request per article. From any thread."""
        return [
            endpoint.name for endpoint in self.endpoints.values() if (endpoint.feed, endpoint.mode) == (feed, "article")
        ]

    def early(self) -> set[str]:
        """Return the names of the feeds with an endpoint that may have articles before their embargo ends."""
        return {endpoint.feed for endpoint in self.endpoints.values() if endpoint.early}

    def read_back(self) -> bool:
        """Whether any endpoint names a page that is looked at after a kill."""
        return any(endpoint.check_url for endpoint in self.endpoints.values())

    def forget(self, feed: str) -> None:
        """Read the changes of a feed anew: Redis may have lost time, and say another thing under the same numbers."""
        for key in [key for key in self._changes if key[0] == feed]:
            del self._changes[key]
        for endpoint in [endpoint for endpoint in self._looked if endpoint[0] == feed]:
            del self._looked[endpoint]

    def plan(self, definition: FeedDefinition, claims: Claims) -> dict[str, Plan | Settlement]:
        """Return what the endpoints among the claims may be sent, by receiver; those that are not ours are left out.

        A settlement: nothing may be sent now. Reads for all of them at once.
        """
        plans: dict[str, Plan | Settlement] = {}
        in_articles: dict[str, tuple[Claim, Plan]] = {}
        gone = max(claims.kill, claims.left)
        for claim in claims.claims:
            if "endpoint" not in claim.details:
                continue
            endpoint = self.endpoints.get(claim.details["endpoint"])
            if endpoint is None or endpoint.feed != definition.name:
                continue
            owed = self._owed(claim) if gone > claim.cursor else _NOTHING_OWED
            plan = plans[claim.receiver] = self._within_rate(claim, endpoint, owed.changes)
            if isinstance(plan, Plan) and endpoint.mode == "article":
                in_articles[endpoint.name] = claim, plan
        if in_articles:
            self._read(definition.name, claims.head, in_articles)
        return plans

    def begin(
        self, definition: FeedDefinition, claim: Claim, plan: Plan, head: int, deadline: float, after: int
    ) -> ArticlePushes | FeedPush:
        """Begin to serve a claim made at `head` until `deadline` (monotonic seconds).

        `after`: the last withdrawal that was heard of before the claim.
        """
        endpoint = plan.endpoint
        if endpoint.mode == "article":
            pushes = ArticlePushes(endpoint, claim, plan.known, self._bodies, self._timeout, deadline, plan.limit)
            pushes.after = after
            return pushes
        pushed = self._push(definition, claim, plan, head, deadline, after)
        pushed.after = after
        return pushed

    def _push(
        self, definition: FeedDefinition, claim: Claim, plan: Plan, head: int, deadline: float, after: int
    ) -> FeedPush:
        endpoint, known = plan.endpoint, plan.known
        feed_format = FEED_FORMATS[endpoint.format]
        cursor = _floor(claim)
        if asked := claim.failing.until > clock.ms(clock.agreed()):
            # It has asked to be left alone; kills alone do not wait.
            known.owed = [change for change in known.owed if change.state == "killed"]
            known.later = claim.cursor + 1, claim.failing.until
        first = tuple(known.owed)
        if asked or plan.limit == 0:
            if plan.limit:
                self._store.attempts.return_tokens(claim.feed, endpoint.name, plan.limit)
            request = PayloadRequest(cursor, head, "urgent", urgent=first, withdrawal=after)
            payload = self._payloads.build(definition, feed_format, request)
            return FeedPush(endpoint, claim, payload, claim.cursor, known.later, None, self._timeout, deadline)
        replay = self._store.replays.next_articles(endpoint.feed, {endpoint.name: _AGAIN}).get(endpoint.name)
        changes = self._since(endpoint.feed, cursor, _LOOKED_AT, head) if endpoint.delay else []
        known.take(changes, endpoint.delay)
        told = {change.seq for change in known.changes}
        later = frozenset(change.article_id for change in changes if change.seq not in told)
        request = PayloadRequest(
            cursor,
            head,
            rights=endpoint.rights,
            delayed=DelayedArticles(later, changes[-1].seq) if later else None,
            resend=replay.articles if replay else (),
            urgent=first,
            withdrawal=after,
        )
        payload = self._payloads.build(definition, feed_format, request)
        return FeedPush(endpoint, claim, payload, head, known.later, replay, self._timeout, deadline, plan.limit)

    def look_again(self, delivery: ArticlePushes) -> None:
        """Something has been withdrawn from the feed since the delivery began: have it know what."""
        claim = delivery.claim
        latest = self._store.changes.latest_of(claim.feed, list(delivery.left()))
        delivery.hear(latest, self._owed(claim))

    def _owed(self, claim: Claim) -> OwedNotices:
        """What the endpoint holds of articles that have left the feed since its cursor: kills, then the others.

        Many leave, by expiry, and few of them are held by an endpoint that is far behind: how far they have been looked
        through in vain is remembered. After a crash it may hold what was in flight then, so all kills count.
        """
        cut = claim.cursor < claim.details.get("cut", 0)
        feed, name = claim.feed, claim.details["endpoint"]
        since = max(claim.cursor, self._looked.get((feed, name), 0))
        found = OwedNotices(0, [], {})
        ways: tuple[tuple[Literal["killed", "left"], int], ...] = (("killed", claim.cursor), ("left", since))
        for how, after in ways:
            reached = after
            while len(found.changes) < ARTICLES_PER_CLAIM:
                unsure = cut and how == "killed"
                owed = self._store.changes.owed_notices(feed, name, how, reached, _LOOKED_THROUGH, unsure=unsure)
                found.changes.extend(owed.changes)
                found.ledger.update(owed.ledger)
                if not owed.reached:
                    break
                reached = owed.reached
                if how == "left" and not found.changes:
                    self._looked[feed, name] = reached
        return found

    def _within_rate(self, claim: Claim, endpoint: Endpoint, owed: list[Change]) -> Plan | Settlement:
        if endpoint.rate is None:
            return Plan(endpoint, None, Known(owed=owed))
        most = ARTICLES_PER_CLAIM * endpoint.concurrency if endpoint.mode == "article" else 1
        now = clock.ms(clock.agreed())
        limit, wait = self._store.attempts.take_tokens(claim.feed, endpoint.name, now, endpoint.rate, most)
        if not limit and not owed:
            # Waiting for the rate is no failure. Nobody slows down the notice of what the endpoint holds.
            return Settlement(claim, "retry", claim.cursor, now + wait, claim.failing, "throttled")
        known = Known(owed=owed)
        if not limit:
            # The rest, and what is not to go after all, waits for the rate.
            known.later = claim.cursor + 1, now + wait
        return Plan(endpoint, limit, known)

    def _read(self, feed: str, head: int, plans: dict[str, tuple[Claim, Plan]]) -> None:
        """Read what is to be known for pushes of articles, by endpoint."""
        standings = self._store.attempts.standings(feed, list(plans))
        room = {}
        now = clock.ms(clock.agreed())
        for name, (claim, plan) in plans.items():
            standing = plan.known.standing = standings[name]
            if plan.limit == 0:
                # Notices of what it holds alone.
                continue
            most = ARTICLES_PER_CLAIM * plan.endpoint.concurrency
            if claim.failing.until <= now:
                due = [article for article, dispute in standing.disputes.items() if dispute.due <= now]
                plan.known.disputed = tuple(due[:most])
                most -= len(plan.known.disputed)
            changes = self._since(feed, _floor(claim), most, head)
            plan.known.reached = head if len(changes) < most else 0
            plan.known.take(changes, plan.endpoint.delay, claim.failing.until)
            if len(changes) < most and claim.failing.until <= now:
                room[name] = most - len(changes)
        for name, replay in self._store.replays.next_articles(feed, room).items():
            known = plans[name][1].known
            known.replay = replay
            known.again = self._store.changes.latest_of(feed, replay.articles)
        for _, plan in plans.values():
            known = plan.known
            # What has changed since, or is sent again anyway, is no dispute any more.
            elsewhere = {change.article_id for change in known.changes}.union(
                known.replay.articles if known.replay else ()
            )
            known.disputed = tuple(article for article in known.disputed if article not in elsewhere)
            known.again |= self._store.changes.latest_of(feed, known.disputed)
        wanted = {name: list(plan.known.article_ids()) for name, (_, plan) in plans.items()}
        ledgers = self._store.receivers.ledgers(feed, wanted)
        # They are looked at again when their turn comes; what has not changed by then need not be read one by one.
        self._store.articles.get_many(set(chain.from_iterable(wanted.values())))
        for name, (_, plan) in plans.items():
            plan.known.ledger = ledgers[name]

    def _since(self, feed: str, cursor: int, limit: int, head: int) -> list[Change]:
        """The changes after a cursor: the same for all endpoints that stand there while nothing new has come."""
        key = (feed, cursor, limit, head)
        changes = self._changes.get(key)
        if changes is None:
            changes = self._store.changes.since(feed, cursor, limit)
            if len(changes) < _CHANGES_CACHED:
                self._changes[key] = changes
        return changes


def _floor(claim: Claim) -> int:
    """The change after which an endpoint is told all: it may stand before that while it is sent something again."""
    return max(claim.cursor, claim.details["since"]) if "enrolled" in claim.details else claim.cursor
