"""How the endpoints of the settings stand: what people and metrics look at; and having one tried now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys
from worker.store.attempts import EndpointHealth
from worker.store.receivers import NOT_FAILING, Failing, Position, ReceiverState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Scripts

_POSITIONS: tuple[Position | None, ...] = (None, "settled", "claimed", "backoff", "paused")
"""By the number that the scripts give them."""
_LOOKED_AT = 100
"""How many changes beyond the cursor of an endpoint are looked at one by one, for what it has been told already."""
SUSPENDED = "suspended"
"""What the reason of a pause begins with that is not a person's, but an endpoint's own doing."""


class EndpointOverview(NamedTuple):
    """How one endpoint stands at one moment. Times in ms, 0: none.

    `state`: the set that it is in, None when no worker has enrolled it; `score`: what it has there, in backoff the next
    try, paused since when; `behind`: articles that it has still to be told of; `waiting`: since when the first of them
    waits; `parked` and `disputed`: articles that it refuses; `due`: when the first in dispute is tried again; `again`:
    articles to be sent again because a person asked, or as its backfill; `kills`: those in dispute that are kills.
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
    again: int = 0
    kills: int = 0

    @property
    def next_try(self) -> int:
        """When something is sent that waits, 0 if nothing does or it goes as soon as it can."""
        if self.state == "backoff":
            # What is in dispute waits with the rest.
            return self.score
        return 0 if self.state == "paused" else self.due

    @property
    def suspended(self) -> bool:
        """Whether it is left alone because of what it did: a person is to resume it."""
        return self.state == "paused" and self.reason.startswith(SUSPENDED)


class RetriedEndpoint(NamedTuple):
    """Where an endpoint stood that was to be tried now; whether anything waits for it; how many articles in dispute."""

    stood: Position | None
    behind: bool
    disputes: int


class Endpoints:
    """The endpoints, each by its feed and its name."""

    def __init__(self, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._scripts = scripts
        self._damaged_records = damaged_records

    def overviews(self, endpoints: Sequence[tuple[str, str]]) -> list[EndpointOverview]:
        """Return how each of the endpoints, (feed, name), stands, in one round trip. Raises redis.RedisError."""
        calls = []
        for feed, name in endpoints:
            k = keys.feed(feed)
            own = [k.of(name, what) for what in ("health", "parked", "disputed", "ledger", "replay")]
            places = [k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers, k.disputes_due]
            calls.append(([k.meta, k.log, k.article_states, *places, *own], [f"endpoint:{name}", _LOOKED_AT]))
        read = []
        for (_, name), answer in zip(
            endpoints, self._scripts.run_each("endpoints/overview", calls) if calls else [], strict=True
        ):
            if isinstance(answer, Exception):
                self._damaged_records.report(f"endpoint {name}", str(answer), "it is shown as not enrolled")
                read.append(EndpointOverview())
            else:
                outlook = self._damaged_records.read(
                    f"endpoint {name}", partial(_outlook, answer), "it is shown as not enrolled"
                )
                read.append(outlook or EndpointOverview())
        return read

    def retry(self, feed: str, endpoint: str, now: int) -> RetriedEndpoint | None:
        """Have an endpoint tried at once, `now` in ms; None when no worker has enrolled it.

        One that is paused is taken up again, its failures forgotten. One in backoff waits no longer, whatever it has
        asked for, and goes on failing since when it did. What it refuses while it takes others is due.
        """
        k = keys.feed(feed)
        places = [k.meta, k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers]
        found = self._scripts.run(
            "endpoints/retry", [*places, k.of(endpoint, "disputed"), k.disputes_due], [f"endpoint:{endpoint}", now]
        )
        return RetriedEndpoint(_POSITIONS[found[0]], bool(found[1]), found[2]) if found else None


def _outlook(answer: list[Any]) -> EndpointOverview:
    position, score, kept, behind, waiting, parked, disputed, due, again, kills, texts = answer
    state = _POSITIONS[position]
    hold = ReceiverState.parse(kept)
    if behind and hold.failing.since:
        # It has been told of nothing since, though corrections may have put others in the place of what waited first.
        waiting = min(int(waiting) or hold.failing.since, hold.failing.since)
    return EndpointOverview(
        state,
        int(float(score)),
        behind,
        int(waiting),
        hold.failing,
        hold.reason,
        EndpointHealth.parse(dict(zip(texts[::2], texts[1::2], strict=True))),
        parked,
        disputed,
        int(float(due)),
        again,
        kills,
    )
