"""Answers that many pages ask for at the same moment, because they heard the same news: made once for all of them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from starlette.responses import Response

FRESH_SECONDS = 0.3
"""An answer that was begun longer ago is made anew. Pages wait longer than that after they have heard of something
(REFRESH_MS in static/desk.js), so what they get was begun after it had happened."""
_KEPT_MOST = 200


class SharedAnswers:
    """Has them made. Everything is called in one event loop."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, asyncio.Future[Response]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Response]]) -> Response:
        """Return the answer that `key` names; it must name all that the answer depends on. Raises what `make` does."""
        now = time.monotonic()
        begun, answer = self._answers.get(key, (0.0, None))
        if answer is None or now - begun > FRESH_SECONDS:
            if len(self._answers) >= _KEPT_MOST:
                self._answers = {name: pair for name, pair in self._answers.items() if now - pair[0] <= FRESH_SECONDS}
            answer = asyncio.ensure_future(make())
            self._answers[key] = now, answer
        # Whoever hangs up takes it from nobody else.
        return await asyncio.shield(answer)
