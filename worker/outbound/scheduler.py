"""Whose turn it is: which of the waiting transfers may start, so that no receiver and no host keeps others waiting.

Bounds: `places` for all that is under way; `per_host` for what of it goes to one host (and port); and of the places a
small share for receivers that are known to be slow, which have a lane of their own. Questions (verifications of intent,
pages that are read back) go to whoever a stranger names: they have small lanes, bounds per host and a memory of who is
slow of their own, so whatever they meet with, pushes do not feel it. A transfer whose host is at its bound, or can't be
called yet, waits apart, takes no place, and holds up nobody but its own host; per host and lane it is first come, first
served, after what is urgent. Used by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from worker.outbound.latency import Pace
from worker.outbound.transfer import Transfer

_SLOW_SHARE = 0.1
"""Of the places, for the slow: each keeps one a hundred times longer than others do."""
_SLOW_WITHIN = 3
"""How many of the slow are taken in, for each of their places. More would only be late, and fill the engine."""
_QUESTIONS_SHARE = 0.1
"""Of the places, for questions, and of what one host may have at once. Of theirs, the slow have `_SLOW_SHARE`."""


_Waiting = TypeVar("_Waiting")


class Host:
    """One host while there is something for it. `busy`: its transfers that are under way or next for a place.

    While it is not `open`, all wait. It is one for questions and another one for pushes.
    """

    __slots__ = ("busy", "name", "open", "traffic", "waiting")

    def __init__(self, name: str, traffic: Traffic, *, is_open: bool) -> None:
        self.name = name
        self.traffic = traffic
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


class Traffic:
    """Pushes, or questions: their lanes, the hosts they go to, and which of their receivers are slow."""

    __slots__ = ("hosts", "pace", "per_host", "quick", "slow", "with_host")

    def __init__(self, places: int, per_host: int, pace: Pace) -> None:
        self.quick = Lane(places)
        self.slow = Lane(max(1, int(places * _SLOW_SHARE)))
        self.per_host = per_host
        self.pace = pace
        self.hosts: dict[str, Host] = {}
        self.with_host = 0
        """How many wait for their host."""


class Turn(NamedTuple):
    """A transfer that may start. `host` and `lane` are told when it has ended."""

    transfer: Transfer
    host: Host
    lane: Lane


class Turns:
    """The transfers that wait, and how many are under way. `pace` knows who is slow to take pushes."""

    def __init__(self, places: int, per_host: int, pace: Pace) -> None:
        self._places = places
        self._pushes = Traffic(places, per_host, pace)
        few = int(places * _QUESTIONS_SHARE), int(per_host * _QUESTIONS_SHARE)
        self._questions = Traffic(max(1, few[0]), max(1, few[1]), Pace())
        # Those with few places first: they must get those.
        pushes, questions = self._pushes, self._questions
        self._lanes = (pushes.slow, questions.slow, questions.quick, pushes.quick)
        self.under_way = 0
        """How many are under way."""

    @property
    def held_up(self) -> int:
        """How many pushes wait for nothing but their host or for a place in the lane of the slow. From any thread."""
        return self._pushes.with_host + len(self._pushes.slow.waiting)

    @property
    def asking(self) -> int:
        """How many questions wait. From any thread."""
        questions = self._questions
        return questions.with_host + len(questions.slow.waiting) + len(questions.quick.waiting)

    def add(self, transfer: Transfer, name: str, *, is_open: bool) -> bool:
        """Take a transfer in; False, and it is not, when too many of the slow wait already.

        `is_open`: its host can be called now; else it waits for `open` or `refuse`.
        """
        traffic = self._traffic(transfer)
        slow = traffic.slow
        crowded = slow.busy + len(slow.waiting) >= _SLOW_WITHIN * slow.places
        if crowded and not transfer.urgent and traffic.pace.is_slow(_receiver(transfer)):
            return False
        host = traffic.hosts.get(name)
        if host is None:
            host = traffic.hosts[name] = Host(name, traffic, is_open=is_open)
        if host.open and host.busy < traffic.per_host:
            host.busy += 1
            self._line_up(transfer, host)
        else:
            _queue(host.waiting, transfer, urgent=transfer.urgent)
            traffic.with_host += 1
        return True

    def open(self, name: str) -> None:
        """The host can be called from now on."""
        for host in self._hosts_of(name):
            host.open = True
            while host.waiting and host.busy < host.traffic.per_host:
                host.busy += 1
                host.traffic.with_host -= 1
                self._line_up(host.waiting.popleft(), host)

    def refuse(self, name: str) -> Iterator[Transfer]:
        """Take out those that wait for a host that can't be called."""
        for host in self._hosts_of(name):
            if not host.open:
                yield from self._take_out_waiting(host, lambda _: True)

    def take(self) -> Turn | None:
        """Return the transfer whose turn it is, now under way, or None."""
        if self.under_way < self._places:
            for lane in self._lanes:
                if lane.waiting and lane.busy < lane.places:
                    lane.busy += 1
                    self.under_way += 1
                    return Turn(*lane.waiting.popleft(), lane)
        return None

    def leave(self, host: Host, lane: Lane) -> None:
        """A transfer that was under way has ended: the next one to the same host queues up for a place."""
        lane.busy -= 1
        self.under_way -= 1
        self._step_up(host)

    def took(self, transfer: Transfer, seconds: float) -> None:
        """Remember how long a receiver has taken."""
        self._traffic(transfer).pace.took(_receiver(transfer), seconds)

    def late(self, now: float) -> Iterator[Transfer]:
        """Take out those that have waited for too long to be started any more."""
        return self._take_out(lambda transfer: now + transfer.timeout > transfer.deadline)

    def clear(self) -> Iterator[Transfer]:
        """Take out all that wait."""
        return self._take_out(lambda _: True)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._pushes.quick.waiting or self.held_up or self.asking)

    def _traffic(self, transfer: Transfer) -> Traffic:
        return self._questions if transfer.question else self._pushes

    def _hosts_of(self, name: str) -> list[Host]:
        hosts = (traffic.hosts.get(name) for traffic in (self._pushes, self._questions))
        return [host for host in hosts if host]

    @staticmethod
    def _line_up(transfer: Transfer, host: Host) -> None:
        traffic = host.traffic
        lane = traffic.slow if traffic.pace.is_slow(_receiver(transfer)) else traffic.quick
        _queue(lane.waiting, (transfer, host), urgent=transfer.urgent)

    def _take_out(self, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        for traffic in (self._pushes, self._questions):
            for host in list(traffic.hosts.values()):
                yield from self._take_out_waiting(host, unwanted)
        for lane in self._lanes:
            while lane.waiting and unwanted(lane.waiting[0][0]):
                transfer, host = lane.waiting.popleft()
                self._step_up(host)
                yield transfer

    def _take_out_waiting(self, host: Host, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        while host.waiting and unwanted(host.waiting[0]):
            host.traffic.with_host -= 1
            yield host.waiting.popleft()
        self._forget(host)

    def _step_up(self, host: Host) -> None:
        if host.waiting:
            host.traffic.with_host -= 1
            self._line_up(host.waiting.popleft(), host)
        else:
            host.busy -= 1
            self._forget(host)

    @staticmethod
    def _forget(host: Host) -> None:
        if not host.busy and not host.waiting:
            host.traffic.hosts.pop(host.name, None)


def _receiver(transfer: Transfer) -> str:
    return transfer.receiver or transfer.url


def _queue(waiting: deque[_Waiting], one: _Waiting, *, urgent: bool) -> None:
    """Have one wait behind all others, or before them."""
    (waiting.appendleft if urgent else waiting.append)(one)


def host_of(url: str) -> str:
    """Return host and port as the URL has them, in lower case; what is no URL is its own host."""
    _, slashes, rest = url.partition("//")
    if not slashes:
        return url
    return rest.partition("/")[0].partition("?")[0].partition("#")[0].rpartition("@")[2].lower()
