"""Totals since the beginning, in Redis, where all processes of all machines add to them; `/metrics` reads them.

A counter is a name and labels, written `name{label=value,...}` as a field of one hash.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

Totals = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Totals by their names and their labels, (label, value) each."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
"""Upper bounds of the buckets of durations."""


class Counters:
    """Adds in memory; `flush` carries the sums to Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sums: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._sums[_field(name, labels)] += amount  # type: ignore[assignment]  # a Counter adds floats as well

    def observe(self, name: str, seconds: float, times: int = 1, **labels: str) -> None:
        """Add a duration to a histogram, `times` times."""
        bound = next((str(bound) for bound in SECONDS if seconds <= bound), "+Inf")
        self.add(f"{name}_bucket", times, **labels, le=bound)
        self.add(f"{name}_sum", seconds * times, **labels)

    def flush(self) -> None:
        """Add to Redis what was counted since the last flush. Raises redis.RedisError; then the next flush adds it."""
        with self._lock:
            sums, self._sums = self._sums, Counter()
        if not sums:
            return
        pipe = self._client.pipeline(transaction=False)
        for field, amount in sums.items():
            pipe.hincrbyfloat(keys.COUNTERS, field, amount)
        try:
            pipe.execute()
        except RedisError:
            with self._lock:
                self._sums.update(sums)
            raise

    def read(self) -> Totals:
        """Return all totals by (name, labels). What can't be read is left out."""
        totals: Totals = {}
        for field, value in self._client.hgetall(keys.COUNTERS).items():
            name, _, rest = field.partition("{")
            labels = tuple(_pair(part) for part in rest.rstrip("}").split(",") if part)
            with suppress(ValueError):
                totals[name, labels] = float(value)
        return totals


def _field(name: str, labels: dict[str, str]) -> str:
    if not labels:
        return name
    return f"{name}{{{','.join(f'{label}={value}' for label, value in labels.items())}}}"


def _pair(part: str) -> tuple[str, str]:
    label, _, value = part.partition("=")
    return label, value
