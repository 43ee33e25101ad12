"""Health, for orchestrators: whether a process lives, and whether events can be kept and carried out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from starlette.responses import PlainTextResponse, Response

from web.problem_details import answer, problem
from worker import clock
from worker.store import redis_errors

if TYPE_CHECKING:
    from starlette.requests import Request

    from web.change_listener import Watch
    from worker.runtime.wiring import Services

_ASKED_SECONDS = 1.5
"""How long /readyz waits for Redis: who asks often waits no longer than two seconds."""
_ASKERS = 8
"""How many of its questions may wait at once for a Redis that stalls."""


class Health:
    """Answers /healthz and /readyz."""

    def __init__(self, services: Services, watch: Watch) -> None:
        self._services = services
        self._watch = watch
        self._askers = ThreadPoolExecutor(_ASKERS, thread_name_prefix="health")
        self._asking = 0

    async def alive(self, request: Request) -> Response:
        """GET /healthz: the process answers."""
        del request
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """GET /readyz: 200 when events can be kept and carried out, else 503 with what is missing."""
        del request
        try:
            workers, older, lost = await self._asked()
        except (RedisError, TimeoutError) as error:
            if isinstance(error, RedisError) and redis_errors.kind(error) == "full":
                return problem(503, f"{redis_errors.sentence(error)}. Feeds are served, events are not taken.")
            seconds = round(self._watch.silent)
            return problem(
                503,
                f"Redis does not answer: feeds are served as they were {seconds} s ago, events are not taken.",
                redis_silent_seconds=seconds,
            )
        if not workers:
            return problem(
                503, "No worker is running: events are kept, and carried out once one is.", lost_workers=lost
            )
        if len(older) == len(workers):
            detail = "The workers that know the newest definitions of feeds were lost a moment ago: events are kept."
            return problem(503, detail, older_definitions=older)
        told: dict[str, Any] = {"status": "ready", "workers": len(workers), "older_definitions": older}
        if lost:
            told["lost_workers"] = lost
        if broker := self._services.wakeups.trouble:
            told["broker"] = f"{broker}: events are kept, and carried out by the sweep within a second or two"
        return answer(200, told)

    async def _asked(self) -> tuple[list[str], list[str], list[str]]:
        """What `_workers` says, in threads of its own. Raises TimeoutError when Redis is slow to say it."""
        if self._asking >= _ASKERS:
            raise TimeoutError
        self._asking += 1
        asked = asyncio.get_running_loop().run_in_executor(self._askers, self._workers)
        asked.add_done_callback(self._told)
        return await asyncio.wait_for(asyncio.shield(asked), _ASKED_SECONDS)

    def _told(self, asked: asyncio.Future[tuple[list[str], list[str], list[str]]]) -> None:
        self._asking -= 1
        asked.exception()  # nobody may wait for it any more

    def _workers(self) -> tuple[list[str], list[str], list[str]]:
        """The workers that are alive, and those of them that carry out no events: others have newer definitions.

        At last, which workers have ended themselves of late, and why.

        Raises redis.RedisError when events could not be kept.
        """
        store = self._services.store
        store.probe()
        now = clock.ms(clock.agreed())
        workers, older, lost = (
            store.workers.alive(now),
            store.definitions.outdated_workers(),
            store.workers.lost_workers(now),
        )
        return workers, sorted(older.intersection(workers)), lost
