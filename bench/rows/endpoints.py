"""Endpoints: 200 partner endpoints in article mode, for 30 s.

"all": every endpoint gets every one of 50 events a second, which is 10,000 signed requests a second. "half": of 25,
which is 5,000. "sections": of 50 events, with twenty sections and ten endpoints for each, as partners order them, which
is 500. The events are thirds: new articles, their corrections and further corrections. How far behind an endpoint is at
the end is the age of the oldest event that it does not have yet, in that version or a newer one: of "half" this alone
has a target, since a version that a correction overtakes while it waits for its turn is never sent. The receiver checks
every signature and keeps book of the versions. Beside it (a): one Celery task per delivery with `requests.post`, with
the same body to the same endpoints, 2,000 times: its rate is the same from the first to the last.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from bench.newsroom import WORKERS, endpoint, event, start, until
from bench.peers.celery import Pool, best_pool, post_peer
from bench.receiver import Counts, Receiver
from bench.results import Result, at_least, at_most

LIMIT = """\
Everybody has everything a moment after the end, so the workers keep up: what is missing of 10,000 and of 5,000 a
second are versions that a correction overtook while they waited for their turn, which is what mode "article" is for.
(a) keeps nothing of what it sends, and skips nothing; where it sends more than 667 a second, 15 times that is more than
the events ask for. How busy a delivery keeps a processor of the workers is told above (cores by deliveries), and what
the processors do beside them: there is nothing left. Of the time in which workers held Python's lock, by py-spy in
"all", three fifths were the distributor's and the engine's, a sixth the attempts in the record, a twelfth the results
of events in the record, and the rest what an event takes, whoever gets it. Of the distributor's a fifth were the
engine's turns and a fifth requests, made and signed; a seventh each went for judging answers, and for plans and
sessions of claims; a tenth for sending Redis what is kept. One round trip keeps the answers of a pass and reads what
goes after the next ones, which are made and sent meanwhile; three scripts read what a claim needs."""

_ENDPOINTS = 200
_SECTIONS = 20
_EVENTS_PER_SECOND = 50
_SECONDS = 30
_THEIRS = 2_000
_DRAIN_SECONDS = 120.0
_MAX_BEHIND = 2.0
_LEAST_PER_SECOND = 6_000
_LEAST_AGAINST_TASKS = 15

_Accepted = dict[tuple[str, int], float]
"""(Article, version) -> when its event was sent."""


@dataclass(frozen=True)
class _Measured:
    """What came of one load."""

    rate: float
    """Deliveries per second."""
    offered: float
    """How many were wanted."""
    behind: float
    """How far the last one is behind at the end, in seconds."""
    backwards: int
    """Versions that came after newer ones."""
    body: bytes
    """What was delivered, once."""
    note: str
    drained: str
    """When all had everything."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    seconds = max(5, int(_SECONDS * scale))
    everything = _measure(1, _EVENTS_PER_SECOND, seconds)
    theirs, pool = _tasks(scale, everything.body)
    return [
        at_least("all: deliveries", everything.rate, _LEAST_PER_SECOND, "/s", everything.note),
        Result("all: (a) Celery task with requests.post", theirs, "/s", note=f"{pool}"),
        at_least("all: against (a)", everything.rate / theirs, _LEAST_AGAINST_TASKS, "x"),
        Result("all: farthest behind at the end", everything.behind, "s", note=everything.drained),
        at_most("all: versions out of order", everything.backwards, 0, ""),
        *_half(_measure(1, _EVENTS_PER_SECOND // 2, seconds)),
        *_kept_up("sections", _measure(_SECTIONS, _EVENTS_PER_SECOND, seconds)),
    ]


def _half(measured: _Measured) -> list[Result]:
    """Nobody may be far behind. The rate is told, and has no target: versions that are overtaken are not sent."""
    return [Result("half: deliveries", measured.rate, "/s", note=measured.note), *_near("half", measured)]


def _kept_up(name: str, measured: _Measured) -> list[Result]:
    """What is wanted where the events are few enough."""
    rate = at_least(f"{name}: deliveries", measured.rate, 0.98 * measured.offered, "/s", measured.note)
    return [rate, *_near(name, measured)]


def _near(name: str, measured: _Measured) -> list[Result]:
    return [
        at_most(f"{name}: farthest behind at the end", measured.behind, _MAX_BEHIND, "s", measured.drained),
        at_most(f"{name}: versions out of order", measured.backwards, 0, ""),
    ]


def _tasks(scale: float, body: bytes) -> tuple[float, Pool]:
    """The rate of peer (a), and how it was run."""
    pool, _ = best_pool(scale)
    count = max(400, int(_THEIRS * scale))
    with Receiver() as receiver, post_peer(receiver, pool) as peer:
        return peer.rate([f"/o/{number % _ENDPOINTS}" for number in range(count)], body), pool


def _measure(sections: int, events_per_second: int, seconds: int) -> _Measured:
    names = [f"s{number}" for number in range(sections)]
    with Receiver() as receiver:
        tables = "".join(
            endpoint(f"e{number}", names[number % sections], receiver.url(f"/a/{number}", number))
            for number in range(_ENDPOINTS)
        )
        with start(receiver, names, tables) as newsroom:
            found = newsroom.store.receivers.endpoints
            until(lambda: sum(len(found(section)) for section in names) == _ENDPOINTS, 30, "endpoints to be enrolled")
            for section in names:
                newsroom.publish(f"{section}-warm", section)
            receiver.wait(_ENDPOINTS, 60)
            receiver.reset()
            usage = newsroom.usage()
            accepted: _Accepted = {}
            begun = time.monotonic()
            for number, (article, version) in enumerate(_stories(seconds * events_per_second)):
                time.sleep(max(0.0, begun + number / events_per_second - time.monotonic()))
                section = names[article % sections]
                sent = newsroom.send([event(f"{section}-{article}", section, version)])
                accepted[f"{section}-{article}", version] = sent
            end = time.monotonic()
            at_end = receiver.counts()
            busy = usage.report()
            late = max(0.0, end - begun - seconds)
            drained = _drain(receiver, accepted, sections)
            counts = receiver.counts()
    offered = len(accepted) * _ENDPOINTS / sections / seconds
    state = f"all had everything {drained:.1f} s after the end" if drained is not None else "not all within 2 minutes"
    return _Measured(
        rate=len(at_end.arrivals) / (end - begun),
        offered=offered,
        behind=_behind(at_end, accepted, sections, end),
        backwards=counts.backwards,
        body=counts.body,
        note=f"{offered:.0f}/s wanted, {WORKERS} workers; {busy}; {counts.repeated} came twice",
        drained=f"{state}; events were {late:.1f} s late",
    )


def _stories(events: int) -> list[tuple[int, int]]:
    """(Article, version): in the order of the events, each article's versions in theirs."""
    articles = [number for number in range(-(-events // 3)) for _ in range(3)][:events]
    # Corrections come soon, among other articles' events.
    chance = random.Random(1)
    places = sorted((place + chance.uniform(0, 60), article) for place, article in enumerate(articles))
    versions: dict[int, int] = {}
    stories = []
    for _, article in places:
        versions[article] = versions.get(article, 0) + 1
        stories.append((article, versions[article]))
    return stories


def _missing(counts: Counts, accepted: _Accepted, sections: int) -> list[float]:
    """When what somebody does not have yet was sent."""
    by_section: dict[int, list[tuple[str, int, float]]] = {}
    for (article, version), sent in accepted.items():
        by_section.setdefault(int(article[1:].partition("-")[0]), []).append((article, version, sent))
    missing = []
    for number in range(_ENDPOINTS):
        held = counts.held.get(f"/a/{number}".encode(), {})
        for article, version, sent in by_section.get(number % sections, []):
            if held.get(article, (0, 0.0))[0] < version:
                missing.append(sent)
                break
    return missing


def _behind(counts: Counts, accepted: _Accepted, sections: int, end: float) -> float:
    return end - min(_missing(counts, accepted, sections), default=end)


def _drain(receiver: Receiver, accepted: _Accepted, sections: int) -> float | None:
    """Seconds until all have everything, or None."""
    begun = time.monotonic()
    while time.monotonic() - begun < _DRAIN_SECONDS:
        counts = receiver.counts()
        if not _missing(counts, accepted, sections):
            last = max(at for held in counts.held.values() for _, at in held.values())
            return max(0.0, last - begun)
        time.sleep(1)
    return None
