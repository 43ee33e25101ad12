"""Which waiting transfer starts next, so that no receiver and no host keeps the others waiting.

A place is the right to be under way. There are `places` of them, and three bounds within that number:

- Of the transfers to one host and port, only `per_host` may be under way or next for a place.
- Receivers that are slow have a lane with a tenth of the places, because each keeps a place a hundred times longer.
- Questions (verifications of intent, pages that are read back) go to addresses that strangers gave. They have lanes,
  bounds per host and latency averages of their own, so whatever happens to them, pushes do not notice.

A transfer whose host is at its bound, or has no known address yet, waits with its host. It takes no place and holds up
nobody but that host. In each lane and at each host, transfers start in the order in which they came; urgent ones first.

Who counts what: only the scheduler counts places. `take_place` takes one, in total and in its lane, and `free_place`
gives it back. A host counts its transfers from the moment they line up in a lane, so that no host can fill the lane.
Whatever waits is counted by the length of its queue. The engine's `Submissions` count something else: the transfers
that have no answer yet, wherever they are. `Engine.room` computes from both how many more may come.

Used by one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from worker.outbound.latency import LatencyAverages
from worker.outbound.transfer import Transfer

_SLOW_SHARE = 0.1
"""The share of the places for slow receivers."""
_SLOW_PER_PLACE = 3
"""How many transfers to slow receivers are let in for each of their places. More would only be late."""
_QUESTIONS_SHARE = 0.1
"""The share of the places for questions, and of what one host may have at once. Of theirs, `_SLOW_SHARE` is for those
that are slow to answer."""


_Waiting = TypeVar("_Waiting")


class Host:
    """One host, for as long as it has transfers; pushes and questions each have their own.

    `in_use`: its transfers that are under way or lined up in a lane. Until it is `resolved`, all its transfers wait.
    """

    __slots__ = ("in_use", "name", "resolved", "traffic", "waiting")

    def __init__(self, name: str, traffic: Traffic, *, resolved: bool) -> None:
        self.name = name
        self.traffic = traffic
        self.resolved = resolved
        self.in_use = 0
        self.waiting: deque[Transfer] = deque()


class Place(NamedTuple):
    """A place that a transfer has or is next for, with the host and the lane that count it."""

    transfer: Transfer
    host: Host
    lane: Lane


class Lane:
    """Some of the places, and the transfers that are next for one of them. `in_use`: how many of the places are."""

    __slots__ = ("in_use", "places", "waiting")

    def __init__(self, places: int) -> None:
        self.places = places
        self.in_use = 0
        self.waiting: deque[Place] = deque()


class Traffic:
    """All pushes, or all questions: their two lanes, the hosts they go to, and which of their receivers are slow."""

    __slots__ = ("hosts", "latency", "per_host", "quick", "slow", "waiting_for_host")

    def __init__(self, places: int, per_host: int) -> None:
        self.quick = Lane(places)
        self.slow = Lane(max(1, int(places * _SLOW_SHARE)))
        self.per_host = per_host
        self.latency = LatencyAverages()
        self.hosts: dict[str, Host] = {}
        self.waiting_for_host = 0
        """How many transfers wait with their hosts."""


class Scheduler:
    """The transfers that wait, and the places of those that are under way."""

    def __init__(self, places: int, per_host: int) -> None:
        self._places = places
        self._pushes = pushes = Traffic(places, per_host)
        question_places, questions_per_host = int(places * _QUESTIONS_SHARE), int(per_host * _QUESTIONS_SHARE)
        self._questions = questions = Traffic(max(1, question_places), max(1, questions_per_host))
        # The lanes with few places first, or they would never get one.
        self._lanes = (pushes.slow, questions.slow, questions.quick, pushes.quick)
        self.in_use = 0
        """How many places are in use."""

    @property
    def blocked_pushes(self) -> int:
        """How many pushes wait only for their host or for a place in the slow lane. From any thread."""
        return self._pushes.waiting_for_host + len(self._pushes.slow.waiting)

    @property
    def waiting_questions(self) -> int:
        """How many questions wait. From any thread."""
        questions = self._questions
        return questions.waiting_for_host + len(questions.slow.waiting) + len(questions.quick.waiting)

    def add(self, transfer: Transfer, host_name: str, *, resolved: bool) -> bool:
        """Let a transfer wait for a place. Returns False, and does not, if too many wait for slow receivers already.

        `resolved`: the host's addresses are known; else the transfer waits for `host_resolved` or `host_failed`.
        """
        traffic = self._traffic(transfer)
        slow = traffic.slow
        crowded = slow.in_use + len(slow.waiting) >= _SLOW_PER_PLACE * slow.places
        if crowded and not transfer.urgent and traffic.latency.is_slow(_receiver(transfer)):
            return False
        host = traffic.hosts.get(host_name)
        if host is None:
            host = traffic.hosts[host_name] = Host(host_name, traffic, resolved=resolved)
        if host.resolved and host.in_use < traffic.per_host:
            host.in_use += 1
            self._line_up(transfer, host)
        else:
            _enqueue(host.waiting, transfer, urgent=transfer.urgent)
            traffic.waiting_for_host += 1
        return True

    def host_resolved(self, host_name: str, seconds: float) -> None:
        """Let the transfers to a host go on: its addresses are known now, after so many seconds."""
        for host in self._hosts_named(host_name):
            host.resolved = True
            for transfer in host.waiting:
                transfer.lookup_seconds = seconds
            while host.waiting and host.in_use < host.traffic.per_host:
                host.in_use += 1
                host.traffic.waiting_for_host -= 1
                self._line_up(host.waiting.popleft(), host)

    def host_failed(self, host_name: str) -> Iterator[Transfer]:
        """Remove and yield the transfers that wait for the addresses of a host: it has none."""
        for host in self._hosts_named(host_name):
            if not host.resolved:
                yield from self._remove_from_host(host, lambda _: True)

    def take_place(self) -> Place | None:
        """Give a place to the next transfer, which is under way from now on; None if none may start."""
        if self.in_use < self._places:
            for lane in self._lanes:
                if lane.waiting and lane.in_use < lane.places:
                    lane.in_use += 1
                    self.in_use += 1
                    return lane.waiting.popleft()
        return None

    def free_place(self, place: Place) -> None:
        """Take back the place of a transfer that has ended. The next one to the same host lines up in a lane."""
        place.lane.in_use -= 1
        self.in_use -= 1
        self._line_up_next(place.host)

    def record_latency(self, transfer: Transfer, seconds: float) -> None:
        """Take in how long a receiver took."""
        self._traffic(transfer).latency.record(_receiver(transfer), seconds)

    def remove_late(self, now: float) -> Iterator[Transfer]:
        """Remove and yield the transfers that can't end before their deadline any longer."""
        return self._remove(lambda transfer: now + transfer.timeout > transfer.deadline)

    def remove_all(self) -> Iterator[Transfer]:
        """Remove and yield all transfers that wait."""
        return self._remove(lambda _: True)

    def __bool__(self) -> bool:
        """Return whether any transfer waits."""
        return bool(self._pushes.quick.waiting or self.blocked_pushes or self.waiting_questions)

    def _traffic(self, transfer: Transfer) -> Traffic:
        return self._questions if transfer.question else self._pushes

    def _hosts_named(self, host_name: str) -> list[Host]:
        hosts = (traffic.hosts.get(host_name) for traffic in (self._pushes, self._questions))
        return [host for host in hosts if host]

    @staticmethod
    def _line_up(transfer: Transfer, host: Host) -> None:
        traffic = host.traffic
        lane = traffic.slow if traffic.latency.is_slow(_receiver(transfer)) else traffic.quick
        _enqueue(lane.waiting, Place(transfer, host, lane), urgent=transfer.urgent)

    def _line_up_next(self, host: Host) -> None:
        """Give what one of a host's transfers had in a lane to the next one that waits with the host."""
        if host.waiting:
            host.traffic.waiting_for_host -= 1
            self._line_up(host.waiting.popleft(), host)
        else:
            host.in_use -= 1
            self._forget_idle(host)

    def _remove(self, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        """Remove and yield from the front of each queue what is unwanted."""
        for traffic in (self._pushes, self._questions):
            for host in list(traffic.hosts.values()):
                yield from self._remove_from_host(host, unwanted)
        for lane in self._lanes:
            while lane.waiting and unwanted(lane.waiting[0].transfer):
                place = lane.waiting.popleft()
                self._line_up_next(place.host)
                yield place.transfer

    def _remove_from_host(self, host: Host, unwanted: Callable[[Transfer], bool]) -> Iterator[Transfer]:
        while host.waiting and unwanted(host.waiting[0]):
            host.traffic.waiting_for_host -= 1
            yield host.waiting.popleft()
        self._forget_idle(host)

    @staticmethod
    def _forget_idle(host: Host) -> None:
        if not host.in_use and not host.waiting:
            host.traffic.hosts.pop(host.name, None)


def _receiver(transfer: Transfer) -> str:
    return transfer.receiver or transfer.url


def _enqueue(queue: deque[_Waiting], entry: _Waiting, *, urgent: bool) -> None:
    """Put an entry behind all others, or before them if it is urgent."""
    (queue.appendleft if urgent else queue.append)(entry)


def host_of(url: str) -> str:
    """Return host and port as they stand in a URL, in lower case; the text itself if it is not a URL."""
    start = url.find("//") + 2
    if start == 1:
        return url
    end = url.find("/", start)
    host = url[start:] if end == -1 else url[start:end]
    if "?" in host or "#" in host or "@" in host:
        host = host.partition("?")[0].partition("#")[0].rpartition("@")[2]
    return host.lower()
