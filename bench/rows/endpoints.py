"""Endpoints: 200 partner endpoints in article mode, 50 events a second for 60 s.

Measured twice. "all": every endpoint gets every event, which is 10,000 signed requests a second. "sections": twenty
sections with ten endpoints each, as partners order them, which is 500. The events are thirds: new articles, their
corrections and further corrections. How far behind an endpoint is at the end is the age of the oldest event that it
does not have yet, in that version or a newer one. The receiver checks every signature and keeps book of the versions.
"""

from __future__ import annotations

import random
import time

from bench.newsroom import WORKERS, endpoint, event, start, until
from bench.receiver import Counts, Receiver
from bench.results import Result, at_least, at_most

LIMIT = """\
10,000 signed requests a second, each with an article that was looked at just before, an attempt and a line in a
ledger, are more than the two processors have, with the receiver, Redis and the web server on the same two: a bare
libcurl loop that only signs and posts the same body makes 14,000. A delivery keeps a processor of the workers busy
for about 300 microseconds: half of it the distributor (judging, building, signing, keeping), a quarter libcurl and
its thread, a quarter the record, into which attempts are noted; Redis has another 60. One round trip keeps the
answers of a pass and reads what goes next; three scripts read what a claim needs of all its endpoints."""

_ENDPOINTS = 200
_SECTIONS = 20
_EVENTS_PER_SECOND = 50
_SECONDS = 60
_DRAIN_SECONDS = 120.0
_MAX_BEHIND = 2.0
_LEAST_PER_SECOND = 6_000

_Accepted = dict[tuple[str, int], float]
"""(Article, version) -> when its event was sent."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    seconds = max(5, int(_SECONDS * scale))
    return [*_measure("all", 1, seconds), *_measure("sections", _SECTIONS, seconds)]


def _measure(name: str, sections: int, seconds: int) -> list[Result]:
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
            for number, (article, version) in enumerate(_stories(seconds * _EVENTS_PER_SECOND)):
                time.sleep(max(0.0, begun + number / _EVENTS_PER_SECOND - time.monotonic()))
                section = names[article % sections]
                sent = newsroom.send([event(f"{section}-{article}", section, version)])
                accepted[f"{section}-{article}", version] = sent
            end = time.monotonic()
            at_end = receiver.counts()
            busy = usage.report()
            late = max(0.0, end - begun - seconds)
            drained = _drain(receiver, accepted, sections)
            counts = receiver.counts()
    delivered = len(at_end.arrivals) / (end - begun)
    offered = len(accepted) * _ENDPOINTS / sections / seconds
    state = f"all had everything {drained:.1f} s after the end" if drained is not None else "not all within 2 minutes"
    note = f"{offered:.0f}/s wanted, {WORKERS} workers; {busy}"
    return [
        at_least(f"{name}: deliveries", delivered, min(_LEAST_PER_SECOND, 0.98 * offered), "/s", note),
        at_most(
            f"{name}: farthest behind at the end",
            _behind(at_end, accepted, sections, end),
            _MAX_BEHIND,
            "s",
            f"{state}; events were {late:.1f} s late",
        ),
        at_most(f"{name}: versions out of order", counts.backwards, 0, "", f"{counts.repeated} came twice"),
    ]


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
