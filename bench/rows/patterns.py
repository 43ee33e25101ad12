"""Patterns: 1,000 feeds touched by one article, each then read as RSS, Atom and JSON Feed.

Every feed is full with 50 articles; one more enters all of them. Recording: from the event to the change logs of all
feeds. Rendering: all their documents, by a process that was told of the change only by Redis. Medians of the rounds,
each with a new article; milliseconds for each feed.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.newsroom import event
from bench.results import Result, at_most
from feeds.definition import FeedDefinition, Selector
from feeds.formats import READERS
from worker import clock
from worker.app import app, configure
from worker.documents import Documents
from worker.embedded import EmbeddedRedis
from worker.intake import Intake
from worker.publish import Publisher
from worker.site import Site
from worker.store import Store
from worker.wakeups import Wakeups

LIMIT = """\
Three envelopes by feedgen, and the window of the feed with the articles in it as Redis has them at that moment."""

_FEEDS = 1_000
_ENTRIES = 50
_ROUNDS = 5


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    definitions = tuple(
        FeedDefinition(name=f"topic/{number}", title=f"Topic {number}", select=(Selector(section=("Harbour",)),))
        for number in range(int(_FEEDS * scale))
    )
    site = Site("https://herald.example", "The Bench Herald", "herald.example,2026", "en", definitions)
    recorded: list[float] = []
    rendered: list[float] = []
    with TemporaryDirectory(prefix="dateline-bench-") as folder:
        server = EmbeddedRedis(Path(folder))
        configure(server.start())
        try:
            writer, reader = Store.connect(server.url), Store.connect(server.url)
            wakeups = Wakeups(app)
            intake = Intake(writer, wakeups)
            publisher = Publisher(writer, site, wakeups, "bench", here=lambda _: True, in_articles=lambda _: [])
            documents = Documents(reader, site)
            writer.events.prepare()
            for number in range(_ENTRIES):
                intake.accept([event(f"a{number}", "Harbour")], clock.now())
            publisher.consume()
            for number in range(_ENTRIES, _ENTRIES + 1 + _ROUNDS):
                begun = time.perf_counter()
                intake.accept([event(f"a{number}", "Harbour")], clock.now())
                publisher.consume()
                recorded.append((time.perf_counter() - begun) * 1000 / len(definitions))
                begun = time.perf_counter()
                bodies = [documents.current(one, form).body for one in definitions for form in READERS]
                rendered.append((time.perf_counter() - begun) * 1000 / len(definitions))
                if not all(f"/a{number}".encode() in body for body in bodies):
                    raise RuntimeError("there are documents without the new article")
            writer.close()
            reader.close()
        finally:
            server.stop()
    # The first round warms up.
    recording, rendering = median(recorded[1:]), median(rendered[1:])
    size = sum(map(len, bodies)) // len(bodies)
    return [
        Result("recording", recording, "ms", note=f"one article, {len(definitions):,} feeds of {_ENTRIES}"),
        Result("rendering", rendering, "ms", note=f"{len(bodies):,} documents of {size:,} bytes"),
        at_most("time per feed", recording + rendering, 2, "ms"),
    ]
