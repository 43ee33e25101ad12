"""Health, for orchestrators: whether a process lives, and whether events can be stored and carried out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import RedisError
from starlette.responses import PlainTextResponse, Response

from web.problem_details import json_response, problem
from worker import clock
from worker.store import redis_errors

if TYPE_CHECKING:
    from starlette.requests import Request

    from web.change_listener import ChangeListener
    from web.record_health import RecordHealth
    from worker.retention.agreement import Agreement
    from worker.store import Store
    from worker.wakeups import Wakeups

_REDIS_SECONDS = 1.5
"""How long /readyz waits for Redis: orchestrators often wait no longer than two seconds."""
_MOST_PROBES = 8
"""How many requests may wait at once for a Redis that stalls."""


class WorkerStates(NamedTuple):
    """The workers that are alive; those of them with older definitions, who carry out no events; and lost ones.

    `lost`: those that have ended themselves of late, each with its reason. `rebuild`: how far that of Redis is, "" when
    there is none. `deaf_channels`: those that take no alarms, and why.
    """

    alive: list[str]
    older: list[str]
    lost: list[str]
    rebuild: str = ""
    deaf_channels: dict[str, str] = {}  # noqa: RUF012 (a default that nobody changes)


class HealthEndpoint:
    """Answers /healthz and /readyz."""

    def __init__(
        self,
        store: Store,
        record: RecordHealth,
        wakeups: Wakeups,
        listener: ChangeListener,
        agreement: Agreement | None = None,
    ) -> None:
        self._agreement = agreement
        self._store = store
        self._record = record
        self._wakeups = wakeups
        self._listener = listener
        self._threads = ThreadPoolExecutor(_MOST_PROBES, thread_name_prefix="health")
        self._probes = 0

    async def alive(self, request: Request) -> Response:
        """GET /healthz: the process answers."""
        del request
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """GET /readyz: 200 when events can be kept and carried out, else 503 with what is missing.

        Without the record they can: the answer says since when it is away.
        """
        del request
        record = await self._record_state()
        try:
            workers = await self._probe_in_time()
        except (RedisError, TimeoutError) as error:
            return self._not_ready(error, record)
        if not workers.alive:
            detail = "No worker is running: events are kept, and carried out once one is."
            return problem(503, detail, lost_workers=workers.lost, **record)
        if len(workers.older) == len(workers.alive):
            detail = "The workers that know the newest definitions of feeds were lost a moment ago: events are kept."
            return problem(503, detail, older_definitions=workers.older, **record)
        health: dict[str, Any] = {
            "status": "ready",
            "workers": len(workers.alive),
            "older_definitions": workers.older,
        }
        if workers.lost:
            health["lost_workers"] = workers.lost
        if workers.deaf_channels:
            health["alarm_channels"] = workers.deaf_channels
        if workers.rebuild:
            health["rebuild"] = workers.rebuild
        if trouble := self._wakeups.trouble:
            health["broker"] = f"{trouble}: events are kept, and carried out by the sweep within a second or two"
        return json_response(200, health | record)

    def _not_ready(self, error: RedisError | TimeoutError, record: dict[str, Any]) -> Response:
        """Return what is wrong with Redis. Raises the error if it is a bug."""
        # Events are taken as long as one of the two takes them.
        about_events = "events are not taken" if record else "the record takes events, which are carried out later"
        if isinstance(error, RedisError):
            kind = redis_errors.kind(error)
            if kind == "bug":
                raise error
            if kind == "full":
                return problem(503, f"{redis_errors.sentence(error)}. Feeds are served, {about_events}.", **record)
        if self._agreement is not None and (trouble := self._agreement.trouble):
            return problem(503, f"{trouble}. Feeds are served as they were before, {about_events}.", **record)
        seconds = round(self._listener.silent_seconds)
        return problem(
            503,
            f"Redis does not answer: feeds are served as they were {seconds} s ago, {about_events}.",
            redis_silent_seconds=seconds,
            **record,
        )

    async def _record_state(self) -> dict[str, Any]:
        """Return why the record is away, and since when; nothing when it is there."""
        absence = await self._record.absence()
        if absence is None:
            return {}
        return {
            "record": f"{absence.reason}. Redis alone keeps what happens, and the record gets it later",
            "record_away_since": clock.moment(absence.since).isoformat(),
        }

    async def _probe_in_time(self) -> WorkerStates:
        """Probe in a thread of this endpoint. Raises TimeoutError when Redis is slow, and what `_probe` raises."""
        if self._probes >= _MOST_PROBES:
            raise TimeoutError
        self._probes += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._probe)
        future.add_done_callback(self._probe_ended)
        return await asyncio.wait_for(asyncio.shield(future), _REDIS_SECONDS)

    def _probe_ended(self, future: asyncio.Future[WorkerStates]) -> None:
        self._probes -= 1
        future.exception()  # the request that waited for it may have ended

    def _probe(self) -> WorkerStates:
        """Return how the workers are. Raises redis.RedisError when events could not be stored."""
        self._store.probe()
        now = clock.ms(clock.agreed())
        alive = self._store.workers.alive(now)
        older = self._store.definitions.outdated_workers().intersection(alive)
        progress = self._store.agreement.progress()
        rebuild = ""
        if progress.work == "rebuild" and not progress.finished:
            rebuild = f"rebuilding Redis from the record: it is through with {progress.done} of {progress.all}"
        channels = self._store.alarms.channels()
        deaf = {name: f"it takes no alarms: {state.error}" for name, state in channels.items() if state.failing}
        return WorkerStates(alive, sorted(older), self._store.workers.lost_workers(now), rebuild, deaf)
