"""What happened at each partner endpoint: the last attempts, its health, the articles it refused.

Nothing here decides what is sent; it is what people look at, and what operational events are made of.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.scripts import Client, Scripts

KEPT = 1000
"""Attempts kept for each endpoint, about."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to tell an endpoint something. `time` in ms; `answer`: the beginning of what it said."""

    time: int
    article: str
    version: int
    said: str
    outcome: str
    status: int
    milliseconds: int
    bytes: int
    sha256: str
    message_id: str
    error: str
    answer: str


class Tried(NamedTuple):
    """An attempt, and what is to be noted of it in the ledger: article id -> `version:status:time:sha256`."""

    attempt: Attempt
    ledger: dict[str, str]


_PARKING = ("refused", "parked")
"""Outcomes that set an article aside: the endpoint's no, and our own gate's."""
_FIELDS = tuple(field.name for field in fields(Attempt))
_values = attrgetter(*_FIELDS)


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has been doing. Times in ms, 0: never; `latency`: moving average in ms of its answers."""

    attempts: int = 0
    successes: int = 0
    failures: int = 0
    latency: float = 0.0
    status: int = 0
    last: int = 0
    success: int = 0
    failed: int = 0
    suspended: int = 0
    error: str = ""
    answer: str = ""


class Attempts:
    """The attempts of all endpoints."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def record(self, attempts: Mapping[tuple[str, str], Sequence[Tried]]) -> set[tuple[str, str]]:
        """Keep attempts by feed and endpoint, in order; return the endpoints that recovered from a suspension."""
        calls = []
        for (feed, endpoint), tried in attempts.items():
            k = keys.feed(feed)
            arguments: list[Any] = [KEPT, ",".join(_FIELDS)]
            for attempt, ledger in tried:
                arguments += _values(attempt)
                arguments.append(json.dumps(asdict(attempt)) if attempt.outcome in _PARKING else "")
                arguments.append(json.dumps(ledger) if ledger else "")
            names = [k.of(endpoint, "attempts"), k.of(endpoint, "health"), k.of(endpoint, "parked")]
            calls.append(([*names, k.ledger(endpoint)], arguments))
        recovered = self._scripts.run_many("attempted", calls)
        return {endpoint for endpoint, first in zip(attempts, recovered, strict=True) if first}

    def last(self, feed: str, endpoint: str, count: int) -> list[Attempt]:
        """Return the last attempts, the newest first."""
        found = self._client.xrevrange(keys.feed(feed).of(endpoint, "attempts"), count=count)
        return [_typed(Attempt, fields) for _, fields in found]

    def health(self, feed: str, endpoint: str) -> Health:
        """Return how the endpoint has been doing."""
        health: Health = _typed(Health, self._client.hgetall(keys.feed(feed).of(endpoint, "health")))
        return health

    def spend(self, feed: str, endpoint: str, now: int, rate: float, wanted: int) -> tuple[int, int]:
        """Take up to `wanted` attempts from what `rate` (a second) allows; return how many, and ms until the next."""
        given, wait = self._scripts.run("spend", [keys.feed(feed).of(endpoint, "bucket")], [now, rate, wanted])
        return int(given), int(wait)

    def parked(self, feed: str, endpoint: str) -> dict[str, Attempt]:
        """Return the articles that the endpoint refused for good, each with the attempt."""
        found = self._client.hgetall(keys.feed(feed).of(endpoint, "parked"))
        return {article: Attempt(**json.loads(text)) for article, text in found.items()}


def _typed(kind: Any, fields: dict[str, str]) -> Any:
    """A dataclass from the texts of a hash."""
    types = {"int": int, "float": float, "str": str}
    return kind(**{name: types[kind.__annotations__[name]](value) for name, value in fields.items()})
