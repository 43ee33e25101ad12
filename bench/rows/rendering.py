"""Rendering: one new article in a feed of 200, as RSS, Atom and JSON Feed.

Ours renders the article's fragments and joins them with those of the 199 others, which are kept, in envelopes that are
kept but for the time of the feed's change, as `worker.documents` does it.
Beside it, in turns, the three documents built at once, RSS and Atom by feedgen. They must be the same to the byte.
Medians of the rounds, each with a new article.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from statistics import median

from bench.results import Result, at_least
from feeds.article import Image
from feeds.entry import Channel, Entry, tag_uri
from feeds.formats import READERS
from worker.documents.kept_envelopes import KeptEnvelopes

LIMIT = """\
Of the time two thirds are feedgen's own work for the one article in RSS and Atom, and most of the rest is copying a
megabyte of fragments into three documents."""

_ENTRIES = 200
_ROUNDS = 40
_NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
_SITE = "https://herald.example"


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    entries = [_entry(number) for number in reversed(range(_ENTRIES))]
    kept = {one.name: [one.fragment(entry) for entry in entries] for one in READERS}
    envelopes = KeptEnvelopes()
    built: list[float] = []
    joined: list[float] = []
    for number in range(_ENTRIES, _ENTRIES + max(10, int(_ROUNDS * scale))):
        new = _entry(number)
        channel = _channel(new.updated)
        entries = [new, *entries[:-1]]

        begun = time.perf_counter()
        wholes = [one.render(channel, entries, ()) for one in READERS]
        built.append((time.perf_counter() - begun) * 1000)

        begun = time.perf_counter()
        documents = []
        for one in READERS:
            kept[one.name] = [one.fragment(new), *kept[one.name][:-1]]
            documents.append(envelopes.make(one, channel, ()).around(kept[one.name]))
        joined.append((time.perf_counter() - begun) * 1000)

        if documents != wholes:
            raise RuntimeError("joined fragments are not what is built at once")
    sizes = ", ".join(f"{one.name} {len(whole):,} bytes" for one, whole in zip(READERS, wholes, strict=True))
    return [
        Result("fragments", median(joined), "ms", note=sizes),
        Result("built at once", median(built), "ms"),
        at_least("fragments against built at once", median(built) / median(joined), 35, "x", "equal to the byte"),
    ]


def _entry(number: int) -> Entry:
    moment = _NOON + timedelta(minutes=number)
    return Entry(
        id=tag_uri("herald.example,2026", "article", f"a{number}"),
        title=f"Ferry number {number} leaves the harbour on time",
        url=f"{_SITE}/a{number}",
        summary=f"The harbour office counts {number} departures since the timetable was changed.",
        html=f"<p>{'The ferry left on time. ' * 40}</p>",
        language="en",
        section="Harbour",
        subjects=("Ferries", "Timetables"),
        authors=("The harbour desk",),
        images=(Image(url=f"{_SITE}/a{number}.jpg", type="image/jpeg", width=1200, height=800),),
        published=moment,
        updated=moment,
        rights="",
        article_id=f"a{number}",
        version=1,
        publisher="The Bench Herald",
    )


def _channel(updated: datetime) -> Channel:
    return Channel(
        id=tag_uri("herald.example,2026", "feed", "harbour"),
        title="Harbour",
        description="News from the harbour",
        language="en",
        publisher="The Bench Herald",
        home_url=f"{_SITE}/harbour",
        self_url=f"{_SITE}/feeds/harbour",
        hub_url=f"{_SITE}/hub",
        updated=updated,
    )
