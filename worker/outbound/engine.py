"""The engine that moves bytes: one loop, one multi handle of libcurl, thousands of transfers at once.

    submit ──> Submissions ──> DnsCache, Scheduler (who starts) ──> EasyHandle (a request) ──> multi ──> on_answer

Whatever leaves the process goes through here. The guard judges every address, connections are kept from one batch to
the next, HTTP/2 carries many requests on one connection, and a receiver that misbehaves costs one place until its time
is up. The engine knows nothing of feeds, receivers or retries.

Its loop has a thread of its own. A thread that lives on its answers takes turns of the loop instead (`Engine.turn`):
two that share Python's lock and wake each other for each answer take a third more of the processor. As soon as that
thread does something else for longer, such as waiting for Redis, the engine's own goes on. Whichever is in a turn is
meant by "the engine's thread", in which answers are passed on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from socket import getaddrinfo
from threading import Event, Lock, Thread

import pycurl
import structlog

from worker.outbound.descriptors import allow_descriptors
from worker.outbound.dns_cache import DnsCache, Lookup
from worker.outbound.easy_handle import EasyHandle
from worker.outbound.errors import Fault
from worker.outbound.file_engines import FileEngines
from worker.outbound.guard import Guard
from worker.outbound.jobs import Job, JobPool
from worker.outbound.scheduler import Host, Place, Scheduler, host_of
from worker.outbound.socket_events import SocketEvents
from worker.outbound.submissions import Submissions
from worker.outbound.transfer import Answer, Transfer, unsent
from worker.watchdog import watched

log = structlog.get_logger()

_LOOK_SECONDS = 0.5
"""How often the engine looks for transfers that wait in vain."""
_IDLE_SECONDS = 1.0
"""How long it waits at most when there is nothing to do, so that the watchdog sees that it is alive."""
_LENT_SECONDS = 0.02
"""How long the engine's own thread leaves the loop to whoever has taken a turn of it."""
_TURN_SECONDS = 60.0
"""How long one turn of its loop may take before the watchdog takes it for dead."""
_CONNECTIONS_PER_PLACE = 2
"""How many connections are kept, in use or not. With one for each place, each new host would cost the connection of
another."""
_OTHER_DESCRIPTORS = 256
"""Descriptors for everything that a worker has open beside its transfers."""
_STARTED_AT_ONCE = 50
"""How many transfers are started before it is looked for answers. Those that have ended leave handles and connections
which are still at hand: with a thousand under way to quick receivers, a transfer costs a fifth more."""
_STUCK_SECONDS = 10.0
"""How much longer than its grace a stop waits for the last answers."""
_CLOSE_SECONDS = 1.0
"""How long a stop waits, after the last answer, for libcurl to close: libcurl may be waiting for a name server."""
_MAX_HTTP2_HOSTS = 10_000
"""How many hosts are remembered to speak HTTP/2."""
_UNREACHED = frozenset({Fault.CONNECT, Fault.FORBIDDEN, Fault.RESET, Fault.TIMEOUT, Fault.TLS})
"""Faults that may come from an address at which the host is no longer."""
_STOPPING = "the engine is stopping"
_TOO_LATE = "it might outlast its deadline"
_OUTDATED = "it is out of date"
_CROWDED = "too many requests to slow receivers are waiting"


class Engine:
    """Sends transfers; those of files by engines of their own (`FileEngines`).

    `places`: how many are under way at once; `per_host`: how many of these go to one host and port; `connect_timeout`
    in seconds. `lookup` finds the addresses of a host; a transfer waits for it for up to `connect_timeout` as well.
    `carries_files`: whether it has engines for files, and is not one of these itself.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        places: int = 1000,
        per_host: int = 100,
        connect_timeout: float = 5.0,
        lookup: Lookup = getaddrinfo,
        carries_files: bool = True,
    ) -> None:
        self._places = places
        self._file_engines: FileEngines | None = None
        if carries_files:
            self._file_engines = FileEngines(
                lambda: _started(
                    Engine(
                        guard,
                        places=per_host,
                        per_host=per_host,
                        connect_timeout=connect_timeout,
                        lookup=lookup,
                        carries_files=False,
                    )
                )
            )
        self._guard = guard
        self._connect_timeout = connect_timeout
        self._free_handles: list[EasyHandle] = []
        self._busy_handles: dict[pycurl.Curl, EasyHandle] = {}
        self._scheduler = Scheduler(places, per_host)
        self._http2_hosts: set[str] = set()
        self._looked_at = 0.0
        self._may_start = False
        self._sockets = SocketEvents()
        self._submissions = Submissions(self._sockets.wake)
        self._jobs = JobPool()
        self._dns = DnsCache(lookup, self._sockets.wake, connect_timeout)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._sockets.watch)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _CONNECTIONS_PER_PLACE * places)
        self._thread = Thread(target=self._run, name="engine", daemon=True)
        self._turning = Lock()
        """Has whoever is in a turn: all that turns change is theirs."""
        self._lent_until = 0.0
        self._ending = Event()
        self._stop_at: float | None = None
        self._all_answered = Event()

    def start(self) -> None:
        """Start the thread, and have the system allow as many sockets as the places need."""
        allow_descriptors(_CONNECTIONS_PER_PLACE * self._places + _OTHER_DESCRIPTORS)
        self._thread.start()

    def submit(self, requests: Sequence[Transfer | Job]) -> None:
        """Send transfers, and run jobs in threads of theirs. Returns at once; from any thread.

        When the engine has stopped, their `on_answer` is called in this thread before this returns: NOT_STARTED.
        """
        files = self._file_engines
        transfers = [
            request for request in requests if isinstance(request, Transfer) and (request.file is None or files is None)
        ]
        if len(transfers) < len(requests):
            self._jobs.submit([request for request in requests if isinstance(request, Job)])
            if files is not None:
                files.submit(request for request in requests if isinstance(request, Transfer) and request.file)
        if transfers and not self._submissions.put(transfers):
            for transfer in transfers:
                _pass_on(transfer, _not_started(_STOPPING))

    def room(self) -> int:
        """Return how many more transfers may come before they wait for a place; below 0 when some do already.

        Transfers that wait only for their own host, or for the few places of the slow, do not count, or they would keep
        others out; beyond the number of places they do. Questions that wait never count. From any thread.
        """
        exempt = min(self._scheduler.blocked_pushes, self._places) + self._scheduler.waiting_questions
        return self._places - self._submissions.unanswered + exempt

    @property
    def unanswered(self) -> int:
        """How many transfers have no answer yet, wherever they are."""
        return self._submissions.unanswered

    def busy(self) -> bool:
        """Return whether more than a tenth of the places are taken or waited for."""
        return self.room() < self._places - self._places // 10

    def stop(self, grace: float) -> None:
        """Take no more transfers, give back those that wait, and end those under way after `grace` seconds.

        When this returns, every transfer has its answer. Never call it in the engine's own thread.
        """
        if self._stop_at is None:
            self._stop_at = time.monotonic() + grace
        self._ending.set()
        self._jobs.stop(grace)
        if self._file_engines is not None:
            end = self._stop_at
            self._file_engines.stop(lambda: max(0.0, end - time.monotonic()))
        if self._thread.ident is None:
            self._end()
            return
        self._submissions.wake()
        if not self._all_answered.wait(grace + _STUCK_SECONDS):
            log.error("engine_stuck", next_step="what is under way ends with the process")
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        with watched("engine", _TURN_SECONDS) as beat:
            while self._stop_at is None or (self._busy_handles and time.monotonic() < self._stop_at):
                beat()
                lent = self._lent_until - time.monotonic()
                if lent > 0 and not self._ending.is_set():
                    self._ending.wait(lent)
                    continue
                with self._turning:
                    if self._lent_until <= time.monotonic() or self._ending.is_set():
                        self._turn_safely(_IDLE_SECONDS)
            with self._turning:
                self._end()

    def turn(self, seconds: float = 0.0, is_due: Callable[[], bool] = bool) -> bool:
        """Take a turn of the loop in the caller's thread, so that answers are passed on there.

        Wait for at most so many seconds until something happens; not at all if `is_due`, which is asked when no wake-up
        call can be heard by another thread any more. Returns False, without waiting, once the engine is to stop: its
        own thread does the rest. For one thread; never within an `on_answer`.
        """
        self._lent_until = time.monotonic() + seconds + _LENT_SECONDS
        if not self._turning.acquire(blocking=False):
            # Its own thread may be waiting for something to happen.
            self._submissions.wake()
            self._turning.acquire()
        try:
            if self._ending.is_set():
                return False
            self._turn_safely(0.0 if is_due() else seconds)
        finally:
            self._lent_until = time.monotonic() + _LENT_SECONDS
            self._turning.release()
        return True

    def wake(self) -> None:
        """End the present or the next turn at once, without a transfer. From any thread."""
        self._submissions.wake()

    def _turn_safely(self, seconds: float) -> None:
        try:
            self._turn(seconds)
        except Exception:
            # Transfers end in their time in any case. The pause keeps this from filling the log.
            log.exception("engine_turn_failed", under_way=len(self._busy_handles))
            time.sleep(0.1)

    def _turn(self, seconds: float) -> None:
        """Wait until something happens, for so long at the most, and handle it."""
        multi = self._multi
        milliseconds = multi.timeout()
        woken, ready = self._sockets.wait(self._longest_wait(milliseconds, seconds))
        for fd, action in ready:
            multi.socket_action(fd, action)
        if milliseconds == 0 or not ready:
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        if woken:
            self._take_in()
        self._collect_answers()
        self._may_start = bool(self._scheduler) and self._start_transfers()
        if self._may_start:
            # Send the requests now, not after the next wait. Some end at once.
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._dns.lines_loaded()
            self._collect_answers()

    def _longest_wait(self, milliseconds: int, seconds: float) -> float:
        """How many seconds to wait, `seconds` at most; `milliseconds`: to libcurl's next limit (-1: none)."""
        if self._may_start or not seconds:
            return 0.0
        limits = [seconds]
        if milliseconds >= 0:
            limits.append(milliseconds / 1000)
        if self._scheduler:
            limits.append(_LOOK_SECONDS)
        if self._stop_at is not None:
            limits.append(max(0.0, self._stop_at - time.monotonic()))
        return min(limits)

    def _take_in(self) -> None:
        """Let what has been submitted wait for a place."""
        transfers = self._submissions.take_all()
        if self._stop_at is not None:
            self._give_back(transfers, _STOPPING)
            return
        now = time.monotonic()
        for transfer in transfers:
            host_name = host_of(transfer.url)
            if not self._scheduler.add(transfer, host_name, resolved=self._dns.resolve(host_name, now)):
                self._answer(transfer, unsent(Fault.CROWDED, f"not started: {_CROWDED}"))
        self._take_lookups(now)

    def _take_lookups(self, now: float) -> None:
        """Let the transfers go on whose host has been looked up; answer those whose host has no address."""
        for host_name, fault, message, seconds in self._dns.ended(now):
            if fault is None:
                self._scheduler.host_resolved(host_name, seconds)
            else:
                for transfer in self._scheduler.host_failed(host_name):
                    self._answer(transfer, unsent(fault, message))

    def _start_transfers(self) -> bool:
        """Start the next transfers that may start; return whether others may be able to."""
        now = time.monotonic()
        if self._stop_at is not None:
            self._give_back(self._scheduler.remove_all(), _STOPPING)
        elif now - self._looked_at > _LOOK_SECONDS:
            self._looked_at = now
            self._take_lookups(now)
            self._give_back(self._scheduler.remove_late(now), _TOO_LATE)
        for number in range(_STARTED_AT_ONCE):
            place = self._scheduler.take_place()
            if place is None:
                return number > 0
            transfer = place.transfer
            if now + transfer.timeout > transfer.deadline:
                self._scheduler.free_place(place)
                self._give_back((transfer,), _TOO_LATE)
            elif transfer.is_current is not None and not transfer.is_current():
                self._scheduler.free_place(place)
                self._answer(transfer, unsent(Fault.OUTDATED, f"not started: {_OUTDATED}"))
            else:
                self._send(place, now)
        return True

    def _send(self, place: Place, now: float) -> None:
        """Give the transfer in a place to libcurl, or answer it if it can't be sent as it stands."""
        host_name = place.host.name
        handle = self._free_handles.pop() if self._free_handles else EasyHandle(self._guard, self._connect_timeout)
        try:
            handle.load(
                place,
                now,
                name_lines=self._dns.lines_to_load(host_name),
                multiplexes=host_name in self._http2_hosts,
            )
            self._multi.add_handle(handle.curl)
        except (ValueError, TypeError, pycurl.error) as error:
            handle.clear()
            self._free_handles.append(handle)
            self._scheduler.free_place(place)
            self._answer(place.transfer, unsent(Fault.INVALID, f"can't be sent: {error}"))
            return
        self._busy_handles[handle.curl] = handle

    def _collect_answers(self) -> None:
        """Finish the transfers that libcurl has ended."""
        waiting = 1
        while waiting:
            waiting, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._finish(curl, pycurl.E_OK, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)

    def _finish(self, curl: pycurl.Curl, code: int, message: str, fault: Fault | None = None) -> None:
        """Free the handle and the place of a transfer that has ended, and pass its answer on."""
        handle = self._busy_handles.pop(curl)
        place = handle.place
        transfer, host, _ = place
        answer = handle.answer(time.monotonic(), code, message, fault)
        if answer.fault is None and transfer.url.startswith("https"):
            self._remember_http2(host, multiplexes=handle.multiplexed())
        elif answer.fault in _UNREACHED:
            self._dns.report_unreachable(host.name, time.monotonic())
        self._multi.remove_handle(curl)
        handle.clear()
        self._free_handles.append(handle)
        self._scheduler.free_place(place)
        self._scheduler.record_latency(transfer, answer.seconds)
        self._answer(transfer, answer)

    def _remember_http2(self, host: Host, *, multiplexes: bool) -> None:
        """Remember whether a host speaks HTTP/2: a request to it then waits for a connection that is being opened.

        To another host, libcurl would let the request wait for the end of others, so we ask for this only when we know.
        """
        if not multiplexes:
            self._http2_hosts.discard(host.name)
        elif len(self._http2_hosts) < _MAX_HTTP2_HOSTS:
            self._http2_hosts.add(host.name)

    def _give_back(self, transfers: Iterable[Transfer], reason: str) -> None:
        for transfer in transfers:
            self._answer(transfer, _not_started(reason))

    def _answer(self, transfer: Transfer, answer: Answer) -> None:
        self._submissions.answered += 1
        _pass_on(transfer, answer)

    def _end(self) -> None:
        """Answer every transfer that has no answer yet, and close."""
        if not self._submissions.close():
            return
        self._take_in()
        self._give_back(self._scheduler.remove_all(), _STOPPING)
        for curl in list(self._busy_handles):
            self._finish(curl, pycurl.E_OK, "ended because the engine is stopping", Fault.STOPPED)
        self._dns.close()
        self._all_answered.set()
        self._multi.close()
        for handle in self._free_handles:
            handle.curl.close()
        self._sockets.close()


def _started(engine: Engine) -> Engine:
    engine.start()
    return engine


def _not_started(reason: str) -> Answer:
    return unsent(Fault.NOT_STARTED, f"not started: {reason}")


def _pass_on(transfer: Transfer, answer: Answer) -> None:
    try:
        transfer.on_answer(answer)
    except Exception:
        # Only the host: the rest of the URL may be a secret.
        log.exception("answer_not_taken", host=host_of(transfer.url), status=answer.status, fault=answer.fault)
