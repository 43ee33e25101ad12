"""Whose turn it is: which of the waiting transfers may start, so that no receiver and no host keeps others waiting.

Three bounds: `places` for all that is under way; `per_host` for what of it goes to one host (and port); and of the
places a small share for receivers that are known to be slow, which have a lane of their own. A transfer whose host is
at its bound, or can't be called yet, waits apart, takes no place, and holds up nobody but its own host; per host and
lane it is first come, first served, after what is urgent. Used by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from worker.delivery.pace import Pace
from worker.delivery.transfer import Transfer

_SLOW_SHARE = 0.1
"""Of the places, for the slow: each keeps one a hundred times longer than others do."""
_SLOW_WITHIN = 3
"""How many of the slow are taken in, for each of their places. More would only be late, and fill the engine."""


_Waiting = TypeVar("_Waiting")


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


class Lane:
    """Those that are next for one of its `places`; `busy`: how many of them are taken."""

    __slots__ = ("busy", "places", "waiting")

    def __init__(self, places: int) -> None:
        self.places = places
        self.busy = 0
        self.waiting: deque[tuple[Transfer, Host]] = deque()


class Turn(NamedTuple):
    """A transfer that may start. `host` and `lane` are told when it has ended."""

    transfer: Transfer
    host: Host
    lane: Lane


class Turns:
    """The transfers that wait, and how many are under way. `pace` knows who is slow."""

    def __init__(self, places: int, per_host: int, pace: Pace) -> None:
        self._places = places
        self._per_host = per_host
        self._pace = pace
        self._quick = Lane(places)
        self._slow = Lane(max(1, int(places * _SLOW_SHARE)))
        self._hosts: dict[str, Host] = {}
        self._with_host = 0

    @property
    def under_way(self) -> int:
        """How many are under way."""
        return self._quick.busy + self._slow.busy

    @property
    def held_up(self) -> int:
        """How many wait for nothing but their own host or for a place in the lane of the slow. From any thread."""
        return self._with_host + len(self._slow.waiting)

    def add(self, transfer: Transfer, name: str, *, is_open: bool) -> bool:
        """Take a transfer in; False, and it is not, when too many of the slow wait already.

        `is_open`: its host can be called now; else it waits for `open` or `refuse`.
        """
        slow = self._slow
        crowded = slow.busy + len(slow.waiting) >= _SLOW_WITHIN * slow.places
        if crowded and not transfer.urgent and self._pace.is_slow(transfer.url):
            return False
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(name, is_open=is_open)
        if host.open and host.busy < self._per_host:
            host.busy += 1
            self._line_up(transfer, host)
        else:
            _queue(host.waiting, transfer, urgent=transfer.urgent)
            self._with_host += 1
        return True

    def open(self, name: str) -> None:
        """The host can be called from now on."""
        if host := self._hosts.get(name):
            host.open = True
            while host.waiting and host.busy < self._per_host:
                host.busy += 1
                self._with_host -= 1
                self._line_up(host.waiting.popleft(), host)

    def refuse(self, name: str) -> Iterator[Transfer]:
        """Take out those that wait for a host that can't be called."""
        host = self._hosts.get(name)
        if host and not host.open:
            yield from self._take_out_waiting(host, lambda _: True)

    def take(self) -> Turn | None:
        """Return the transfer whose turn it is, now under way, or None."""
        if self.under_way < self._places:
            # The slow first: they have few places, and must get those.
            for lane in (self._slow, self._quick):
                if lane.waiting and lane.busy < lane.places:
                    lane.busy += 1
                    return Turn(*lane.waiting.popleft(), lane)
        return None

    def leave(self, host: Host, lane: Lane) -> None:
        """A transfer that was under way has ended: the next one to the same host queues up for a place."""
        lane.busy -= 1
        self._step_up(host)

    def late(self, now: float) -> Iterator[Transfer]:
        """Take out those that have waited for too long to be started any more."""
        return self._take_out(lambda transfer: now + transfer.timeout > transfer.deadline)

    def clear(self) -> Iterator[Transfer]:
        """Take out all that wait."""
        return self._take_out(lambda _: True)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._quick.waiting or self._slow.waiting or self._with_host)

    def _line_up(self, transfer: Transfer, host: Host) -> None:
        lane = self._slow if self._pace.is_slow(transfer.url) else self._quick
        _queue(lane.waiting, (transfer, host), urgent=transfer.urgent)

    def _take_out(self, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        for host in list(self._hosts.values()):
            yield from self._take_out_waiting(host, unwanted)
        for lane in (self._slow, self._quick):
            while lane.waiting and unwanted(lane.waiting[0][0]):
                transfer, host = lane.waiting.popleft()
                self._step_up(host)
                yield transfer

    def _take_out_waiting(self, host: Host, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        while host.waiting and unwanted(host.waiting[0]):
            self._with_host -= 1
            yield host.waiting.popleft()
        self._forget(host)

    def _step_up(self, host: Host) -> None:
        if host.waiting:
            self._with_host -= 1
            self._line_up(host.waiting.popleft(), host)
        else:
            host.busy -= 1
            self._forget(host)

    def _forget(self, host: Host) -> None:
        if not host.busy and not host.waiting:
            self._hosts.pop(host.name, None)


def _queue(waiting: deque[_Waiting], one: _Waiting, *, urgent: bool) -> None:
    """Have one wait behind all others, or before them."""
    (waiting.appendleft if urgent else waiting.append)(one)


def host_of(url: str) -> str:
    """Return host and port as the URL has them, in lower case; what is no URL is its own host."""
    _, slashes, rest = url.partition("//")
    if not slashes:
        return url
    return rest.partition("/")[0].partition("?")[0].partition("#")[0].rpartition("@")[2].lower()
