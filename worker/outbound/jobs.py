"""Jobs: sending that libcurl has no word for (mail with its answers for each address, queues), in a few threads.

    submit ──> a queue for each host ──> a thread, if the host has not its share of them already ──> on_answer

A job waits for its server, so a server that is slow keeps a thread. It can't keep more than `per_host` of them: the
jobs of all other hosts go on. What waits until it could not end before its deadline any longer is given back, as in the
engine.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from threading import Condition, Thread

import structlog

from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer, unsent

log = structlog.get_logger()

_IDLE_SECONDS = 30.0
"""After how long without work a thread ends."""
_LOOK_SECONDS = 0.5
"""How often it is looked for jobs that wait in vain."""


@dataclass(slots=True, eq=False)
class Job:
    """One piece of sending. `on_answer` is called once for each, in a thread of the pool: it must be quick."""

    host: str
    """Who is called, with the port: jobs to one host share its threads."""
    run: Callable[[], Answer]
    """Sends and returns the answer; takes no longer than `timeout`. What it raises counts as a mistake of ours."""
    timeout: float
    """Seconds for all of it, from its start."""
    deadline: float
    """On time.monotonic(). A job whose timeout would outlast it is not started."""
    on_answer: Callable[[Answer], None]
    urgent: bool = False
    """It goes before all others that wait for the same host."""
    article_ids: Collection[str] = ()
    """As of a Transfer."""
    is_current: Callable[[], bool] | None = None
    """As of a Transfer; called when the job gets its thread. `run` asks again before the text leaves."""


class JobPool:
    """Runs jobs in up to `threads` threads, which are made when they are needed; `per_host` of them for one host."""

    def __init__(self, threads: int = 16, per_host: int = 4) -> None:
        self._most = threads
        self._per_host = per_host
        self._changed = Condition()
        self._waiting: dict[str, deque[Job]] = {}
        self._running: dict[Job, float] = {}
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run jobs. Returns at once; from any thread. After `stop` they are answered before this returns."""
        with self._changed:
            closed = self._closed
            for job in () if closed else jobs:
                waiting = self._waiting.setdefault(job.host, deque())
                (waiting.appendleft if job.urgent else waiting.append)(job)
            while self._idle < sum(map(len, self._waiting.values())) and self._threads < self._most:
                self._threads += 1
                self._idle += 1
                Thread(target=self._work, name="job", daemon=True).start()
            self._changed.notify(len(jobs))
        if closed:
            _answer_all(jobs, Fault.NOT_STARTED, "not started: the engine is stopping")

    def stop(self, grace: float) -> None:
        """Give back what waits, and end what runs after `grace` seconds: every job has its answer then."""
        with self._changed:
            self._closed = True
            waiting = [job for jobs in self._waiting.values() for job in jobs]
            self._waiting.clear()
            self._changed.notify_all()
        _answer_all(waiting, Fault.NOT_STARTED, "not started: the engine is stopping")
        with self._changed:
            self._changed.wait_for(lambda: not self._running, grace)
            unfinished = list(self._running)
            self._running.clear()
        # Their threads end with the process; what they still return counts no more.
        _answer_all(unfinished, Fault.STOPPED, "ended because the engine is stopping")

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._next()
                until = time.monotonic() + _IDLE_SECONDS
                while job is None and not self._closed and (left := until - time.monotonic()) > 0:
                    self._changed.wait(min(left, _LOOK_SECONDS) if self._waiting else left)
                    job = self._next()
                if job is None:
                    self._threads -= 1
                    self._idle -= 1
                    return
                begun = self._running[job] = time.monotonic()
                self._idle -= 1
            answer = _outcome(job, begun)
            with self._changed:
                self._idle += 1
                counts = self._running.pop(job, None) is not None
                self._changed.notify_all()
            if counts:
                _pass_on(job, answer)

    def _next(self) -> Job | None:
        """Take out the job that runs next, or is too late to be run; None: there is none. Hosts take turns."""
        now = time.monotonic()
        for host, jobs in self._waiting.items():
            late = now + jobs[0].timeout > jobs[0].deadline
            if late or sum(job.host == host for job in self._running) < self._per_host:
                del self._waiting[host]
                job = jobs.popleft()
                if jobs:
                    self._waiting[host] = jobs
                return job
        return None


def _outcome(job: Job, begun: float) -> Answer:
    """Run a job, unless it is too late for it, or its text was withdrawn."""
    if begun + job.timeout > job.deadline:
        return unsent(Fault.NOT_STARTED, "not started: it might outlast its deadline")
    try:
        if job.is_current is not None and not job.is_current():
            return unsent(Fault.OUTDATED, "not started: it is out of date")
        answer = job.run()
    except Exception as error:
        log.exception("job_failed", host=job.host)
        answer = Answer(0, {}, b"", Fault.INTERNAL, f"it failed: {type(error).__name__}", 0.0, started=True)
    answer.seconds = time.monotonic() - begun
    return answer


def _answer_all(jobs: Iterable[Job], fault: Fault, message: str) -> None:
    for job in jobs:
        _pass_on(job, unsent(fault, message))


def _pass_on(job: Job, answer: Answer) -> None:
    try:
        job.on_answer(answer)
    except Exception:
        log.exception("answer_not_taken", host=job.host, status=answer.status, fault=answer.fault)
