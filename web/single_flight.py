"""Does a piece of work once for all who ask for it while it is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")


class SingleFlight(Generic[Outcome]):
    """Work that is under way, by key. For one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Future[Outcome]] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return the outcome of `work`, or of what another caller has begun under this key. Raises what it raises."""
        # A client that goes away must not cancel it for the others.
        return await asyncio.shield(self.begin(key, work))

    def begin(self, key: Hashable, work: Callable[[], Awaitable[Outcome]]) -> asyncio.Future[Outcome]:
        """Begin `work`, unless it is under way under this key; return its future, for which nobody has to wait."""
        future = self._under_way.get(key)
        if future is None:
            future = self._under_way[key] = asyncio.ensure_future(work())
            future.add_done_callback(lambda _: self._under_way.pop(key))
        return future
