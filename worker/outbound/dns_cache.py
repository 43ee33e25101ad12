"""Addresses of host names: looked up in our own threads, remembered, and used while they are looked up again.

libcurl could do this, but not well enough for us. It looks up ten names at a time, for all hosts together, so a dozen
names whose servers do not answer keep every other name waiting. It forgets names after a minute, so news for ten
thousand hosts would begin with ten thousand lookups. And it goes through all names it remembers whenever it opens a
connection. Here nobody waits for a name whose addresses are known, and whoever waits for another takes no place.

None of this is a matter of trust: the guard judges each address when a socket is opened.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, NamedTuple

from worker.outbound.errors import Fault

Lookup = Callable[..., list[tuple[Any, ...]]]
"""socket.getaddrinfo, or a function that answers like it."""

FRESH_SECONDS = 60.0
"""A name that is used is looked up again after this time, in the background."""
STALE_SECONDS = 86_400
"""An address is used for so long although the name server does not answer."""
UNREACHABLE_SECONDS = 1.0
"""A name whose addresses can't be reached is looked up at once, but no more often than this."""

_MAX_THREADS = 100
_MAX_NAMES = 50_000
"""How many names are remembered; then the one that was looked up longest ago is forgotten."""
# Whatever else stands for a host (an address in any spelling, localhost, nonsense) libcurl understands by itself.
_NAME = re.compile(r"((?:[a-z0-9_-]+\.)*(?!localhost\.?(?::|$)|[0-9])[a-z0-9_-]+\.?)(?::([0-9]+))?")


class LookupEnd(NamedTuple):
    """The end of a lookup that somebody waited for. Without a `fault` the name can be used now.

    `seconds`: since the first began to wait.
    """

    name: str
    fault: Fault | None = None
    message: str = ""
    seconds: float = 0.0


class _Addresses:
    """The addresses of a name, and the same as `lines` for libcurl. Times are on the caller's clock, in seconds.

    `loaded`: libcurl has the lines. `unreachable`: no connection came about to any of the addresses; then those from
    the next lookup are tried before these, not in their place.
    """

    __slots__ = ("addresses", "lines", "loaded", "lookup_at", "refresh_at", "stale_at", "unreachable")

    def __init__(self, name: str, addresses: list[str], now: float) -> None:
        self.addresses = addresses
        self.lines = _curl_lines(name, addresses) if addresses else []
        self.loaded = False
        self.unreachable = False
        self.lookup_at = now
        self.refresh_at = now + FRESH_SECONDS
        self.stale_at = now + STALE_SECONDS


class DnsCache:
    """Names with their addresses. A name is a host as it stands in URLs, in lower case, with the port if it has one.

    `lookup` runs in other threads. `wake` is called from these when `ended` has something to report. A name without
    known addresses is waited for at most `patience` seconds.
    """

    def __init__(self, lookup: Lookup, wake: Callable[[], None], patience: float) -> None:
        self._lookup = lookup
        self._wake = wake
        self._patience = patience
        self._addresses: dict[str, _Addresses] = {}
        self._loading: list[_Addresses] = []
        self._lines_to_drop: list[str] = []
        self._under_lookup: set[str] = set()
        self._waiting_until: dict[str, float] = {}
        # From here on under the lock: the threads use them too.
        self._lock = Lock()
        self._to_look_up: deque[str] = deque()
        self._answers: deque[tuple[str, list[str] | OSError | UnicodeError]] = deque()
        self._thread_count = 0
        self._closed = False

    def resolve(self, name: str, now: float) -> bool:
        """Return whether a name can be used now. If not, it is being looked up, and `ended` will report it."""
        known_addresses = self._addresses.get(name)
        if known_addresses is None:
            if _NAME.fullmatch(name):
                self._waiting_until.setdefault(name, now + self._patience)
                self._start_lookup(name)
                return False
            self._store(name, [], now)
        elif now >= known_addresses.refresh_at and known_addresses.lines:
            self._refresh(name, known_addresses, now)
        return True

    def report_unreachable(self, name: str, now: float) -> None:
        """Look a name up at once: no connection came about to any of its addresses, so it may have moved."""
        known_addresses = self._addresses.get(name)
        if known_addresses and known_addresses.lines and now - known_addresses.lookup_at >= UNREACHABLE_SECONDS:
            known_addresses.unreachable = True
            self._refresh(name, known_addresses, now)

    def ended(self, now: float) -> list[LookupEnd]:
        """Take in what the lookups have found; return the end of each that somebody waited for."""
        with self._lock:
            answers, self._answers = self._answers, deque()
        ends = []
        for name, answer in answers:
            self._under_lookup.discard(name)
            end = self._take_in(name, answer, now)
            if (until := self._waiting_until.pop(name, None)) is not None:
                ends.append(end._replace(seconds=max(0.0, now - until + self._patience)))
        # These are in the order of their limits.
        while self._waiting_until and (name := next(iter(self._waiting_until))) and self._waiting_until[name] <= now:
            del self._waiting_until[name]
            ends.append(LookupEnd(name, Fault.TIMEOUT, f"no address for {name} within {self._patience:g} s"))
        return ends

    def lines_to_load(self, name: str) -> list[str] | None:
        """Return the lines that libcurl must be given (CURLOPT_RESOLVE) before it can use the name.

        None: it has them. No lines: this is not a name, or it was forgotten meanwhile; libcurl resolves it by itself.
        """
        known_addresses = self._addresses.get(name)
        if known_addresses is None or not known_addresses.lines:
            return []
        if known_addresses.loaded:
            return None
        self._loading.append(known_addresses)
        return [*self._lines_to_drop, *known_addresses.lines]

    def lines_loaded(self) -> None:
        """Note that libcurl has all lines that `lines_to_load` has returned."""
        for addresses in self._loading:
            addresses.loaded = True
        if self._loading:
            self._loading.clear()
            self._lines_to_drop.clear()

    def close(self) -> None:
        """Call `wake` no longer. Lookups that are under way end by themselves."""
        with self._lock:
            self._closed = True
            self._to_look_up.clear()

    def _refresh(self, name: str, known_addresses: _Addresses, now: float) -> None:
        known_addresses.refresh_at = now + FRESH_SECONDS
        known_addresses.lookup_at = now
        self._start_lookup(name)

    def _take_in(self, name: str, answer: list[str] | OSError | UnicodeError, now: float) -> LookupEnd:
        previous = self._addresses.get(name)
        if isinstance(answer, list):
            if previous and previous.unreachable:
                # The name server may not know yet, or know too early, of a move: the old addresses are tried last.
                answer = [*answer, *(address for address in previous.addresses if address not in answer)]
            self._store(name, answer, now)
            return LookupEnd(name)
        nonexistent = isinstance(answer, UnicodeError) or answer.errno == socket.EAI_NONAME
        if previous and (nonexistent or now >= previous.stale_at):
            self._forget(name)
        return LookupEnd(name, Fault.DNS, f"no address for {name}: {answer.args[-1]}")

    def _store(self, name: str, addresses: list[str], now: float) -> None:
        self._addresses.pop(name, None)
        while len(self._addresses) >= _MAX_NAMES:
            self._forget(next(iter(self._addresses)))
        self._addresses[name] = _Addresses(name, addresses, now)

    def _forget(self, name: str) -> None:
        # A "-" makes libcurl forget the name too, as soon as it is given lines again.
        self._lines_to_drop += [f"-{line.rpartition(':')[0]}" for line in self._addresses.pop(name).lines]

    def _start_lookup(self, name: str) -> None:
        if name in self._under_lookup:
            return
        self._under_lookup.add(name)
        with self._lock:
            self._to_look_up.append(name)
            if self._thread_count == _MAX_THREADS:
                return
            self._thread_count += 1
        Thread(target=self._run_lookups, name="dns-lookup", daemon=True).start()

    def _run_lookups(self) -> None:
        """Look names up until none is left. Runs in its own thread."""
        while True:
            with self._lock:
                if not self._to_look_up:
                    self._thread_count -= 1
                    return
                name = self._to_look_up.popleft()
            answer: list[str] | OSError | UnicodeError
            try:
                answer = self._look_up(name)
            except (OSError, UnicodeError) as error:
                answer = error
            with self._lock:
                self._answers.append((name, answer))
                if not self._closed:
                    self._wake()

    def _look_up(self, name: str) -> list[str]:
        """Return the addresses of a name in the order in which to try them."""
        match = _NAME.fullmatch(name)
        assert match
        addresses = (str(row[4][0]) for row in self._lookup(match[1], None, type=socket.SOCK_STREAM))
        return list(dict.fromkeys(addresses))


def _curl_lines(name: str, addresses: list[str]) -> list[str]:
    """The addresses of a name as libcurl takes them."""
    match = _NAME.fullmatch(name)
    assert match
    host, port = match.groups()
    joined = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    # Without a port in the name, one line for the port of each scheme.
    return [f"{host}:{number}:{joined}" for number in ((port,) if port else ("80", "443"))]
