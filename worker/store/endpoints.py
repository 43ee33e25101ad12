"""How the endpoints of the settings stand, all of them in one round trip: what people and metrics look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.store import keys
from worker.store.attempts import Health, parse_health
from worker.store.receivers import NOT_FAILING, Failing, Hold, Position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.damage import Damage
    from worker.store.scripts import Scripts

_POSITIONS: tuple[Position, ...] = ("settled", "claimed", "backoff", "paused")


class Outlook(NamedTuple):
    """How one endpoint stands at one moment. Times in ms.

    `state`: the set that it is in, None when no worker has enrolled it; `score`: what it has there, in backoff the next
    try, paused since when; `behind`: changes of its feed that it has still to get; `parked` and `disputed`: articles.
    """

    state: Position | None = None
    score: int = 0
    behind: int = 0
    failing: Failing = NOT_FAILING
    reason: str = ""
    health: Health = Health()
    parked: int = 0
    disputed: int = 0


class Endpoints:
    """Reads how endpoints stand."""

    def __init__(self, scripts: Scripts, damage: Damage) -> None:
        self._scripts = scripts
        self._damage = damage

    def outlooks(self, endpoints: Sequence[tuple[str, str]]) -> list[Outlook]:
        """Return how each of the endpoints, (feed, name), stands, in one round trip. Raises redis.RedisError."""
        calls = []
        for feed, name in endpoints:
            k = keys.feed(feed)
            receiver = f"endpoint:{name}"
            calls.append(
                self._scripts.reading(
                    *(("ZSCORE", key, receiver) for key in (k.settled, k.claimed, k.backoff, k.paused)),
                    ("HGET", k.holds, receiver),
                    ("HGET", k.meta, "head"),
                    ("HLEN", k.of(name, "parked")),
                    ("HLEN", k.of(name, "disputed")),
                    ("HGETALL", k.of(name, "health")),
                )
            )
        read = []
        for (_, name), answer in zip(endpoints, self._scripts.run_each("read", calls) if calls else [], strict=True):
            if isinstance(answer, Exception):
                self._damage.found(f"endpoint {name}", str(answer), "it is shown as not enrolled")
                read.append(Outlook())
            else:
                read.append(_outlook(answer))
        return read


def _outlook(answer: list[object]) -> Outlook:
    *scores, kept, head, parked, disputed, texts = answer
    health = parse_health(texts)
    for state, found in zip(_POSITIONS, scores, strict=True):
        if found is not None:
            score = int(float(str(found)))
            hold = Hold.parse(kept if isinstance(kept, str) else None, score if state == "settled" else 0)
            cursor = score if state == "settled" else hold.cursor
            behind = max(0, int(str(head or 0)) - cursor)
            counts = int(str(parked)), int(str(disputed))
            return Outlook(state, score, behind, hold.failing, hold.reason, health, *counts)
    return Outlook(health=health, parked=int(str(parked)), disputed=int(str(disputed)))
