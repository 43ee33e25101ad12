"""Host names and their addresses: looked up in threads of our own, remembered, and used while they are looked up again.

libcurl could do it. But it looks up ten names at a time, for all hosts together, and forgets them after a minute: a
dozen names whose servers do not answer keep every other name waiting, and news for ten thousand hosts begin with ten
thousand lookups; and it goes through all it remembers whenever it opens a connection. Here a name that is known is
never waited for, and one that is not known keeps no place meanwhile.

None of this is a matter of trust: the guard judges each address when its socket is opened.
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
"""socket.getaddrinfo, or what answers like it."""

FRESH_SECONDS = 60.0
"""After so long a name that is used is looked up again, in the background."""
STALE_SECONDS = 86_400
"""So long an address is used although its name server does not answer."""
DOUBT_SECONDS = 1.0
"""A name whose addresses can't be reached is looked up at once, but no more often than this."""

_THREADS = 100
_KNOWN_MOST = 50_000
"""Names that are remembered; then those that were looked up longest ago are forgotten."""
# What else may stand for a host (an address in any spelling, localhost, nonsense) libcurl sees through by itself.
_NAME = re.compile(r"((?:[a-z0-9_-]+\.)*(?!localhost\.?(?::|$)|[0-9])[a-z0-9_-]+\.?)(?::([0-9]+))?")


class Found(NamedTuple):
    """The end of a lookup: no `fault` if the name is known now."""

    name: str
    fault: Fault | None = None
    message: str = ""


class _Known:
    """A name with its addresses, and as lines for libcurl, which remembers them itself once it has been `told`.

    `doubted`: the addresses could not be reached; what is found then stands before them, not in their place.
    """

    __slots__ = ("addresses", "asked_at", "doubted", "good_until", "lines", "look_at", "told")

    def __init__(self, name: str, addresses: list[str], now: float) -> None:
        self.addresses = addresses
        self.lines = _lines(name, addresses) if addresses else []
        self.told = False
        self.doubted = False
        self.asked_at = now
        self.look_at = now + FRESH_SECONDS
        self.good_until = now + STALE_SECONDS


class Names:
    """What is known. A name is a host as URLs have it, in lower case, with the port if there is one.

    `wake` is called from other threads when `found` has something to tell; `patience` is how many seconds a name that
    is not known is waited for.
    """

    def __init__(self, lookup: Lookup, wake: Callable[[], None], patience: float) -> None:
        self._lookup = lookup
        self._wake = wake
        self._patience = patience
        self._known: dict[str, _Known] = {}
        self._telling: list[_Known] = []
        self._dropped: list[str] = []
        self._asked: set[str] = set()
        self._wanted: dict[str, float] = {}
        # Under the lock, for the threads.
        self._lock = Lock()
        self._to_ask: deque[str] = deque()
        self._answers: deque[tuple[str, list[str] | OSError | UnicodeError]] = deque()
        self._threads = 0
        self._closed = False

    def knows(self, name: str, now: float) -> bool:
        """Return whether a name is known; if not, `found` will tell about it."""
        known = self._known.get(name)
        if known is None:
            if _NAME.fullmatch(name):
                self._wanted.setdefault(name, now + self._patience)
                self._ask(name)
                return False
            self._remember(name, [], now)
        elif now >= known.look_at and known.lines:
            self._ask_again(name, known, now)
        return True

    def doubt(self, name: str, now: float) -> None:
        """Look a name up at once: no connection came about to any of its addresses. It may have moved."""
        known = self._known.get(name)
        if known and known.lines and now - known.asked_at >= DOUBT_SECONDS:
            known.doubted = True
            self._ask_again(name, known, now)

    def found(self, now: float) -> list[Found]:
        """Return what has become of the names that were not known."""
        with self._lock:
            answers, self._answers = self._answers, deque()
        ends = []
        for name, answer in answers:
            self._asked.discard(name)
            end = self._learn(name, answer, now)
            if self._wanted.pop(name, None) is not None:
                ends.append(end)
        # Asked for in the order of their limits.
        while self._wanted and (name := next(iter(self._wanted))) and self._wanted[name] <= now:
            del self._wanted[name]
            ends.append(Found(name, Fault.TIMEOUT, f"no address for {name} within {self._patience:g} seconds"))
        return ends

    def untold(self, name: str) -> list[str] | None:
        """Return the lines that libcurl must be told before it can use the name.

        None: it has been told. No lines: it is no name, or forgotten meanwhile; libcurl may see for itself.
        """
        known = self._known.get(name)
        if known is None or not known.lines:
            return []
        if known.told:
            return None
        self._telling.append(known)
        return [*self._dropped, *known.lines]

    def told(self) -> None:
        """All lines that `untold` has returned have reached libcurl."""
        for known in self._telling:
            known.told = True
        if self._telling:
            self._telling.clear()
            self._dropped.clear()

    def close(self) -> None:
        """Wake nobody any more. Lookups that are under way end by themselves."""
        with self._lock:
            self._closed = True
            self._to_ask.clear()

    def _ask_again(self, name: str, known: _Known, now: float) -> None:
        known.look_at = now + FRESH_SECONDS
        known.asked_at = now
        self._ask(name)

    def _learn(self, name: str, answer: list[str] | OSError | UnicodeError, now: float) -> Found:
        known = self._known.get(name)
        if isinstance(answer, list):
            if known and known.doubted:
                # A name server may be behind, or ahead, of what it speaks of: what was known is tried after the news.
                answer = [*answer, *(address for address in known.addresses if address not in answer)]
            self._remember(name, answer, now)
            return Found(name)
        denied = isinstance(answer, UnicodeError) or answer.errno == socket.EAI_NONAME
        if known and (denied or now >= known.good_until):
            self._forget(name)
        return Found(name, Fault.DNS, f"no address for {name}: {answer.args[-1]}")

    def _remember(self, name: str, addresses: list[str], now: float) -> None:
        self._known.pop(name, None)
        while len(self._known) >= _KNOWN_MOST:
            self._forget(next(iter(self._known)))
        self._known[name] = _Known(name, addresses, now)

    def _forget(self, name: str) -> None:
        # "-": libcurl is to forget it too, at the next occasion.
        self._dropped += [f"-{line.rpartition(':')[0]}" for line in self._known.pop(name).lines]

    def _ask(self, name: str) -> None:
        if name in self._asked:
            return
        self._asked.add(name)
        with self._lock:
            self._to_ask.append(name)
            if self._threads == _THREADS:
                return
            self._threads += 1
        Thread(target=self._look_up, name="names", daemon=True).start()

    def _look_up(self) -> None:
        """Look up what is asked for until there is nothing left. Runs in a thread of its own."""
        while True:
            with self._lock:
                if not self._to_ask:
                    self._threads -= 1
                    return
                name = self._to_ask.popleft()
            answer: list[str] | OSError | UnicodeError
            try:
                answer = self._addresses(name)
            except (OSError, UnicodeError) as error:
                answer = error
            with self._lock:
                self._answers.append((name, answer))
                if not self._closed:
                    self._wake()

    def _addresses(self, name: str) -> list[str]:
        """Ask for the addresses of a name, in the order in which they are to be tried."""
        match = _NAME.fullmatch(name)
        assert match
        found = (str(answer[4][0]) for answer in self._lookup(match[1], None, type=socket.SOCK_STREAM))
        return list(dict.fromkeys(found))


def _lines(name: str, addresses: list[str]) -> list[str]:
    """What libcurl is told of a name."""
    match = _NAME.fullmatch(name)
    assert match
    host, port = match.groups()
    written = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    # Without a port, one line for each scheme.
    return [f"{host}:{one}:{written}" for one in ((port,) if port else ("80", "443"))]
