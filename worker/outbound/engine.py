"""The engine that moves bytes: one thread, one of libcurl's multi handles, thousands of transfers at once.

    submit ──> inbox ──> names, turns (who may start) ──> handle (one request) ──> multi ──> on_answer(answer)

Whatever leaves the process goes through here: the guard sees every address, connections are kept from one batch to the
next, HTTP/2 carries many requests on one, and a receiver that misbehaves costs one place until its time is up. The
engine knows nothing of feeds, receivers or retries.
"""

from __future__ import annotations

import resource
import time
from collections import deque
from collections.abc import Iterable, Sequence
from socket import getaddrinfo
from threading import Event, Lock, Thread

import pycurl
import structlog
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from worker.outbound.dns_cache import Lookup, Names
from worker.outbound.easy_handle import Handle
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.latency import Pace
from worker.outbound.scheduler import Host, Turn, Turns, host_of
from worker.outbound.socket_events import SocketEvents
from worker.outbound.transfer import DEFAULT_TLS, Answer, Tls, Transfer
from worker.watchdog import watched

__all__ = ["DEFAULT_TLS", "Answer", "Engine", "Tls", "Transfer"]

log = structlog.get_logger()

_LOOK_SECONDS = 0.5
"""How often those that wait are looked through for such as wait in vain."""
_IDLE_SECONDS = 1.0
"""How long it waits at most when there is nothing to do, so that it is seen to be alive."""
_TURN_SECONDS = 60.0
"""How long one turn may take before the engine is taken to stand still."""
_CONNECTIONS_PER_PLACE = 2
"""Connections that are kept, in use or not: with as many as places, each new host would cost one that is still good."""
_OTHER_DESCRIPTORS = 256
"""Descriptors for all that a worker has open beside its transfers."""
_STUCK_SECONDS = 10.0
"""How much longer than it was given the end of what is under way is waited for."""
_CLOSE_SECONDS = 1.0
"""How long a stop waits, when all is answered, for libcurl to close; it may itself be waiting for a name server."""
_HOSTS_KNOWN = 10_000
"""How many hosts are remembered to speak HTTP/2."""
_UNREACHED = frozenset({Fault.CONNECT, Fault.FORBIDDEN, Fault.RESET, Fault.TIMEOUT, Fault.TLS})
"""What may go wrong because a host is not where it was."""
_STOPPING = "the engine is stopping"
_TOO_LATE = "it might outlast its deadline"
_OUT_OF_DATE = "it is out of date"
_CROWDED = "too many slow ones are waiting"


class Engine:
    """Sends transfers.

    `places`: how many are under way at once; `per_host`: how many of them to one host and port; `connect_timeout` in
    seconds; `connection_seconds`: how long a connection is used before a host's name is asked for again; `ca_file`: PEM
    file of the authorities that are trusted, by default those that `requests` trusts; `lookup` finds the addresses of a
    host, which may take up to `connect_timeout` before a transfer begins.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        places: int = 1000,
        per_host: int = 100,
        connect_timeout: float = 5.0,
        connection_seconds: int = 600,
        user_agent: str = "Dateline/0.1",
        ca_file: str | None = None,
        lookup: Lookup = getaddrinfo,
    ) -> None:
        self._places = places
        self._parts = (guard, connect_timeout, connection_seconds, user_agent, ca_file or DEFAULT_CA_BUNDLE_PATH)
        self._free: list[Handle] = []
        self._busy: dict[pycurl.Curl, Handle] = {}
        self._turns = Turns(places, per_host, Pace())
        self._multiplexing: set[str] = set()
        self._looked = 0.0
        self._sockets = SocketEvents()
        self._names = Names(lookup, self._sockets.wake, connect_timeout)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._sockets.watch)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _CONNECTIONS_PER_PLACE * places)
        self._thread = Thread(target=self._run, name="engine", daemon=True)
        self._answered = 0
        self._all_answered = Event()
        # From here on under the lock: other threads write them.
        self._lock = Lock()
        self._inbox: deque[Transfer] = deque()
        self._submitted = 0
        self._woken = False
        self._stop_at: float | None = None
        self._ended = False

    def start(self) -> None:
        """Start the thread, and have the system allow as many sockets as there are places."""
        _allow_descriptors(_CONNECTIONS_PER_PLACE * self._places + _OTHER_DESCRIPTORS)
        self._thread.start()

    def submit(self, transfers: Sequence[Transfer]) -> None:
        """Have transfers sent. Returns at once; from any thread.

        When the engine has stopped they are answered before this returns, in this thread: NOT_STARTED.
        """
        with self._lock:
            if not self._ended:
                self._inbox.extend(transfers)
                self._submitted += len(transfers)
                self._wake()
                return
        for transfer in transfers:
            _tell(transfer, _unsent(Fault.NOT_STARTED, _STOPPING))

    def room(self) -> int:
        """Return how many more transfers may come before they queue up for a place; below 0 when some do already.

        Those that wait for nothing but their own host, or for the few places of the slow, do not count, lest they keep
        the others out, until they are more than there are places. Nor do questions that wait, however many they are.
        """
        passed_by = min(self._turns.held_up, self._places) + self._turns.asking
        return self._places - (self._submitted - self._answered) + passed_by

    def busy(self) -> bool:
        """Return whether more than a tenth of the places are taken or waited for."""
        return self.room() < self._places - self._places // 10

    def stop(self, grace: float) -> None:
        """Stop: take nothing more, give back what waits, let what is under way end within `grace` seconds, then end it.

        When this returns, every transfer has been answered. Not to be called in the engine's thread.
        """
        with self._lock:
            if self._stop_at is None:
                self._stop_at = time.monotonic() + grace
            started = self._thread.ident is not None
            if not self._ended:
                self._wake()
        if started:
            if not self._all_answered.wait(grace + _STUCK_SECONDS):
                log.error("engine_stuck", next_step="what is under way ends with the process")
            self._thread.join(_CLOSE_SECONDS)
        elif not self._ended:
            self._end()

    def _wake(self) -> None:
        # One call to the system for all that is submitted before the thread looks.
        if not self._woken:
            self._woken = True
            self._sockets.wake()

    def _run(self) -> None:
        with watched("engine", _TURN_SECONDS) as beat:
            while self._stop_at is None or (self._busy and time.monotonic() < self._stop_at):
                beat()
                try:
                    self._turn()
                except Exception:
                    # Transfers keep their time limits whatever this is. The pause is there lest it fill the log.
                    log.exception("engine_turn_failed", under_way=len(self._busy))
                    time.sleep(0.1)
            self._end()

    def _turn(self) -> None:
        """Wait until something happens, and see to it."""
        multi = self._multi
        milliseconds = multi.timeout()
        woken, ready = self._sockets.wait(self._patience(milliseconds))
        for fd, action in ready:
            multi.socket_action(fd, action)
        if milliseconds == 0 or not ready:
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        if woken:
            self._take_in()
        self._collect()
        while self._turns and self._begin():
            # The requests are sent now, not after the next wait; some end at once.
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._names.told()
            self._collect()

    def _patience(self, milliseconds: int) -> float:
        """How many seconds to wait at most, when libcurl's next time limit is so far off (-1: it has none)."""
        limits = [_IDLE_SECONDS]
        if milliseconds >= 0:
            limits.append(milliseconds / 1000)
        if self._turns:
            limits.append(_LOOK_SECONDS)
        if self._stop_at is not None:
            limits.append(max(0.0, self._stop_at - time.monotonic()))
        return min(limits)

    def _take_in(self) -> None:
        with self._lock:
            self._woken = False
            arrived, self._inbox = self._inbox, deque()
        if self._stop_at is not None:
            self._give_back(arrived, _STOPPING)
            return
        now = time.monotonic()
        for transfer in arrived:
            name = host_of(transfer.url)
            if not self._turns.add(transfer, name, is_open=self._names.knows(name, now)):
                self._hand_out(transfer, _unsent(Fault.CROWDED, _CROWDED))
        self._call_names(now)

    def _call_names(self, now: float) -> None:
        """See to those that wait for their host's name."""
        for name, fault, message in self._names.found(now):
            if fault is None:
                self._turns.open(name)
            else:
                for transfer in self._turns.refuse(name):
                    self._hand_out(transfer, Answer(0, {}, b"", fault, message, 0.0, started=False))

    def _begin(self) -> bool:
        """Start what may start; return whether anything did."""
        now = time.monotonic()
        if self._stop_at is not None:
            self._give_back(self._turns.clear(), _STOPPING)
        elif now - self._looked > _LOOK_SECONDS:
            self._looked = now
            self._call_names(now)
            self._give_back(self._turns.late(now), _TOO_LATE)
        begun = False
        while turn := self._turns.take():
            transfer = turn.transfer
            if now + transfer.timeout > transfer.deadline:
                self._turns.leave(turn.host, turn.lane)
                self._give_back((transfer,), _TOO_LATE)
            elif transfer.is_current is not None and not transfer.is_current():
                self._turns.leave(turn.host, turn.lane)
                self._hand_out(transfer, _unsent(Fault.OUTDATED, _OUT_OF_DATE))
            else:
                begun |= self._send(turn, now)
        return begun

    def _send(self, turn: Turn, now: float) -> bool:
        transfer, host, lane = turn
        handle = self._free.pop() if self._free else Handle(*self._parts)
        try:
            handle.load(
                turn,
                now,
                names=self._names.untold(host.name),
                multiplexes=host.name in self._multiplexing,
            )
            self._multi.add_handle(handle.curl)
        except (ValueError, TypeError, pycurl.error) as error:
            handle.clear()
            self._free.append(handle)
            self._turns.leave(host, lane)
            self._hand_out(transfer, Answer(0, {}, b"", Fault.INVALID, f"can't be sent: {error}", 0.0, started=False))
            return False
        self._busy[handle.curl] = handle
        return True

    def _collect(self) -> None:
        """Hand out the answers that have come."""
        waiting = 1
        while waiting:
            waiting, good, bad = self._multi.info_read()
            for curl in good:
                self._finish(curl, pycurl.E_OK, "")
            for curl, code, message in bad:
                self._finish(curl, code, message)

    def _finish(self, curl: pycurl.Curl, code: int, message: str, fault: Fault | None = None) -> None:
        handle = self._busy.pop(curl)
        transfer, host, lane = handle.turn
        answer = handle.answer(time.monotonic(), code, message, fault)
        if answer.fault is None and transfer.url.startswith("https"):
            self._learn(host, multiplexes=handle.multiplexed())
        elif answer.fault in _UNREACHED:
            self._names.doubt(host.name, time.monotonic())
        self._multi.remove_handle(curl)
        handle.clear()
        self._free.append(handle)
        self._turns.leave(host, lane)
        self._turns.took(transfer, answer.seconds)
        self._hand_out(transfer, answer)

    def _learn(self, host: Host, *, multiplexes: bool) -> None:
        """Remember who speaks HTTP/2: there a request rather waits for a connection than to open one more.

        Elsewhere libcurl would have it wait for the end of another request, so nobody is asked to before it is known.
        """
        if not multiplexes:
            self._multiplexing.discard(host.name)
        elif len(self._multiplexing) < _HOSTS_KNOWN:
            self._multiplexing.add(host.name)

    def _give_back(self, transfers: Iterable[Transfer], reason: str) -> None:
        for transfer in transfers:
            self._hand_out(transfer, _unsent(Fault.NOT_STARTED, reason))

    def _hand_out(self, transfer: Transfer, answer: Answer) -> None:
        self._answered += 1
        _tell(transfer, answer)

    def _end(self) -> None:
        """Answer whatever has no answer yet, and close."""
        with self._lock:
            self._ended = True
        self._take_in()
        self._give_back(self._turns.clear(), _STOPPING)
        for curl in list(self._busy):
            self._finish(curl, pycurl.E_OK, "ended because the engine is stopping", Fault.STOPPED)
        self._names.close()
        self._all_answered.set()
        self._multi.close()
        for handle in self._free:
            handle.curl.close()
        self._sockets.close()


def _unsent(fault: Fault, reason: str) -> Answer:
    return Answer(0, {}, b"", fault, f"not started: {reason}", 0.0, started=False)


def _tell(transfer: Transfer, answer: Answer) -> None:
    try:
        transfer.on_answer(answer)
    except Exception:
        # Only the host: the rest of the URL may be a secret.
        log.exception("answer_not_taken", host=host_of(transfer.url), status=answer.status, fault=answer.fault)


def _allow_descriptors(needed: int) -> None:
    """Raise this process's limit of open descriptors to `needed`, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < needed:
        log.warning("few_descriptors", allowed=wanted, needed=needed, next_step="raise `ulimit -n` or lower places")
