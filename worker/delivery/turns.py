"""Whose turn it is: which of the waiting transfers may start, so that no host keeps the others waiting.

Two bounds: `places` for all that is under way, `per_host` for what of it goes to one host (and port). A transfer whose
host is at its bound, or can't be called yet, waits apart, takes no place, and holds up nobody but its own host; per
host it is first come, first served. Used by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from worker.delivery.transfer import Transfer


class Host:
    """One host while there is something for it. `busy`: its transfers that are under way or next for a place.

    While it is not `open`, all wait.
    """

    __slots__ = ("busy", "name", "open", "waiting")

    def __init__(self, name: str, *, is_open: bool) -> None:
        self.name = name
        self.open = is_open
        self.busy = 0
        self.waiting: deque[Transfer] = deque()


class Turns:
    """The transfers that wait, and how many are under way."""

    def __init__(self, places: int, per_host: int) -> None:
        self._places = places
        self._per_host = per_host
        self._next: deque[tuple[Transfer, Host]] = deque()
        self._hosts: dict[str, Host] = {}
        self.under_way = 0
        self.held_up = 0
        """How many wait for nothing but their own host."""

    def add(self, transfer: Transfer, name: str, *, is_open: bool) -> None:
        """Take a transfer in. `is_open`: its host can be called now; else it waits for `open` or `refuse`."""
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(name, is_open=is_open)
        if host.open and host.busy < self._per_host:
            host.busy += 1
            self._next.append((transfer, host))
        else:
            host.waiting.append(transfer)
            self.held_up += 1

    def open(self, name: str) -> None:
        """The host can be called from now on."""
        if host := self._hosts.get(name):
            host.open = True
            while host.waiting and host.busy < self._per_host:
                host.busy += 1
                self.held_up -= 1
                self._next.append((host.waiting.popleft(), host))

    def refuse(self, name: str) -> Iterator[Transfer]:
        """Take out those that wait for a host that can't be called."""
        host = self._hosts.get(name)
        if host and not host.open:
            yield from self._take_out_waiting(host, lambda _: True)

    def take(self) -> tuple[Transfer, Host] | None:
        """Return the transfer whose turn it is, now under way, or None."""
        if self._next and self.under_way < self._places:
            self.under_way += 1
            return self._next.popleft()
        return None

    def leave(self, host: Host) -> None:
        """A transfer of `host` that was under way has ended: the next one to the same host queues up for a place."""
        self.under_way -= 1
        self._step_up(host)

    def late(self, now: float) -> Iterator[Transfer]:
        """Take out those that have waited for too long to be started any more."""
        return self._take_out(lambda transfer: now + transfer.timeout > transfer.deadline)

    def clear(self) -> Iterator[Transfer]:
        """Take out all that wait."""
        return self._take_out(lambda _: True)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._next) or self.held_up > 0

    def _take_out(self, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        for host in list(self._hosts.values()):
            yield from self._take_out_waiting(host, unwanted)
        while self._next and unwanted(self._next[0][0]):
            transfer, host = self._next.popleft()
            self._step_up(host)
            yield transfer

    def _take_out_waiting(self, host: Host, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        while host.waiting and unwanted(host.waiting[0]):
            self.held_up -= 1
            yield host.waiting.popleft()
        self._forget(host)

    def _step_up(self, host: Host) -> None:
        if host.waiting:
            self.held_up -= 1
            self._next.append((host.waiting.popleft(), host))
        else:
            host.busy -= 1
            self._forget(host)

    def _forget(self, host: Host) -> None:
        if not host.busy and not host.waiting:
            self._hosts.pop(host.name, None)


def host_of(url: str) -> str:
    """Return host and port as the URL has them, in lower case; what is no URL is its own host."""
    _, slashes, rest = url.partition("//")
    if not slashes:
        return url
    return rest.partition("/")[0].partition("?")[0].partition("#")[0].rpartition("@")[2].lower()
