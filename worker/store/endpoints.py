"""How the endpoints of the settings are doing, for people and metrics; and how to try one now."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys
from worker.store.attempts import EndpointHealth
from worker.store.receiver_states import NOT_FAILING, Failing, Position, ReceiverState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts

_POSITIONS: tuple[Position | None, ...] = (None, "settled", "claimed", "backoff", "paused")
"""By the number that the scripts give them."""
_CHECKED = 100
"""How many changes beyond the cursor of an endpoint are checked one by one: it may have them already."""
SUSPENDED = "suspended"
"""How the reason of a pause begins when the endpoint caused it, not a person."""


class EndpointOverview(NamedTuple):
    """How one endpoint is doing at one moment. Times in ms, 0: none.

    `state`: the set that it is in, None when no worker has enrolled it; `score`: its score there, in backoff the next
    try, paused since when; `behind`: articles that it must still be sent; `waiting`: since when the first of them
    waits; `parked` and `disputed`: articles that it refuses; `due`: when the first in dispute is tried again;
    `replays`: articles to be sent again because a person asked, or as its backfill; `kills`: kills in dispute.
    """

    state: Position | None = None
    score: int = 0
    behind: int = 0
    waiting: int = 0
    failing: Failing = NOT_FAILING
    reason: str = ""
    health: EndpointHealth = EndpointHealth()
    parked: int = 0
    disputed: int = 0
    due: int = 0
    replays: int = 0
    kills: int = 0

    @property
    def next_try(self) -> int:
        """When something that waits is sent next; 0 if nothing waits or it is sent as soon as possible."""
        if self.state == "backoff":
            # What is in dispute waits with the rest.
            return self.score
        return 0 if self.state == "paused" else self.due

    @property
    def suspended(self) -> bool:
        """Whether it gets nothing because of what it did: a person must resume it."""
        return self.state == "paused" and self.reason.startswith(SUSPENDED)


class EndpointStanding(NamedTuple):
    """What an alarm needs to know of an endpoint. Times in ms, 0: none.

    `first_change`: of the first article beyond its cursor, which it may have all the same.
    """

    paused: bool = False
    suspended: bool = False
    reason: str = ""
    failing_since: int = 0
    first_change: int = 0


class RetriedEndpoint(NamedTuple):
    """An endpoint that is tried now: where it was, whether anything waits for it, how many articles are in dispute."""

    position: Position | None
    behind: bool
    disputes: int


class Endpoints:
    """The endpoints, each by its feed and its name."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def overviews(self, endpoints: Sequence[tuple[str, str]]) -> list[EndpointOverview]:
        """Return how each of the endpoints, (feed, name), is doing, in one round trip. Raises redis.RedisError."""
        calls = []
        for feed, name in endpoints:
            k = keys.feed(feed)
            own = [k.of_endpoint(name, noun) for noun in ("health", "parked", "disputed", "ledger", "replay")]
            places = [k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers, k.disputes_due]
            calls.append(([k.meta, k.log, k.article_states, *places, *own], [f"endpoint:{name}", _CHECKED]))
        overviews = []
        for (_, name), answer in zip(
            endpoints, self._scripts.run_each("endpoints/overview", calls) if calls else [], strict=True
        ):
            if isinstance(answer, Exception):
                self._damaged_records.report(f"endpoint {name}", str(answer), "it is shown as not enrolled")
                overviews.append(EndpointOverview())
            else:
                overview = self._damaged_records.read(
                    f"endpoint {name}", partial(_overview, answer), "it is shown as not enrolled"
                )
                overviews.append(overview or EndpointOverview())
        return overviews

    def standings(self, feed: str, endpoints: Sequence[str]) -> list[EndpointStanding]:
        """Return how the endpoints of a feed stand, in two round trips, and a third when some are behind."""
        k = keys.feed(feed)
        receivers = [f"endpoint:{name}" for name in endpoints]
        pipe = self._client.pipeline(transaction=False)
        pipe.hget(k.meta, "head")
        pipe.hmget(k.receiver_states, receivers)
        pipe.zmscore(k.paused, receivers)
        pipe.zmscore(k.settled, receivers)
        head, texts, paused, settled = pipe.execute()
        rows = []
        for text, pause, score in zip(texts, paused, settled, strict=True):
            state = ReceiverState.parse(text, int(float(score)) if score is not None else 0)
            cursor = int(float(score)) if score is not None else state.cursor
            is_behind = (score is not None or bool(text)) and cursor < int(head or 0)
            rows.append((state, pause is not None, cursor if is_behind else None))
        changes = self._first_changes(k, {cursor for _, _, cursor in rows if cursor is not None})
        return [
            EndpointStanding(
                is_paused,
                is_paused and state.reason.startswith(SUSPENDED),
                state.reason,
                state.failing.since,
                0 if cursor is None else changes.get(cursor, 0),
            )
            for state, is_paused, cursor in rows
        ]

    def _first_changes(self, k: keys.FeedKeys, cursors: set[int]) -> dict[int, int]:
        """When the first article beyond each cursor changed (ms). Most receivers that are behind share a few."""
        if not cursors:
            return {}
        ordered = sorted(cursors)
        pipe = self._client.pipeline(transaction=False)
        for cursor in ordered:
            pipe.zrangebyscore(k.log, f"({cursor}", "+inf", start=0, num=1)
        articles = {cursor: names[0] for cursor, names in zip(ordered, pipe.execute(), strict=True) if names}
        if not articles:
            return {}
        texts = self._client.hmget(k.article_states, list(articles.values()))
        return {cursor: _decided(text) for cursor, text in zip(articles, texts, strict=True)}

    def retry(self, feed: str, endpoint: str, now: int) -> RetriedEndpoint | None:
        """Have an endpoint tried at once, `now` in ms; None when no worker has enrolled it.

        One that is paused is resumed, its failures forgotten. One in backoff waits no longer, whatever it has asked
        for, and still counts as failing since it began to. Its disputes are due.
        """
        k = keys.feed(feed)
        places = [k.meta, k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers]
        answer = self._scripts.run(
            "endpoints/retry",
            [*places, k.of_endpoint(endpoint, "disputed"), k.disputes_due, k.outbox],
            [f"endpoint:{endpoint}", now],
        )
        return RetriedEndpoint(_POSITIONS[answer[0]], bool(answer[1]), answer[2]) if answer else None


def _decided(text: str | None) -> int:
    """When the state of an article in a feed was decided (ms); 0 when it is damaged."""
    try:
        return int(json.loads(text)["asof"]) if text else 0
    except (ValueError, TypeError, LookupError):
        return 0


def _overview(answer: list[Any]) -> EndpointOverview:
    position, score, text, behind, waiting, parked, disputed, due, replays, kills, health = answer
    state = ReceiverState.parse(text)
    if behind and state.failing.since:
        # It has taken nothing since, though corrections may have moved the article that waited first to the end.
        waiting = min(int(waiting) or state.failing.since, state.failing.since)
    return EndpointOverview(
        _POSITIONS[position],
        int(float(score)),
        behind,
        int(waiting),
        state.failing,
        state.reason,
        EndpointHealth.parse(dict(zip(health[::2], health[1::2], strict=True))),
        parked,
        disputed,
        int(float(due)),
        replays,
        kills,
    )
