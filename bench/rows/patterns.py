"""Patterns: 1,000 feeds touched by one article, each then read as RSS, Atom and JSON Feed.

They are the feeds of ten subjects at a hundred desks, made by a hundred patterns, each full with 50 articles; one more
enters all of them. Recording: from the event to the change logs of all feeds. Rendering: all their documents, by
somebody who hears of the change only from Redis, as a web server does. Medians of the rounds, each with a new article,
for each feed.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.newsroom import event
from bench.results import Result, at_most
from config.settings import load
from feeds.formats import READERS
from web.change_listener import ChangeListener
from web.feed_heads import FeedHeads
from worker import clock
from worker.intake.accept import Intake
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.runtime.record_in_use import make_embedded
from worker.runtime.services import build
from worker.runtime.wiring import WorkerRuntime
from worker.wakeups import Wakeups

LIMIT = """\
Of the time nearly all are the three documents: for each feed a round trip for what has changed in it and one for the
article that is new, and for each document a join. They are made when somebody asks for them, so a feed that nobody asks
for costs what recording takes."""

_SUBJECTS = tuple(f"harbour-{number}" for number in range(10))
_PATTERNS = 100
_ENTRIES = 50
_ROUNDS = 5


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    patterns = [f"desk{number}/subject/*" for number in range(int(_PATTERNS * scale))]
    names = [pattern.replace("*", subject) for pattern in patterns for subject in _SUBJECTS]
    recorded: list[float] = []
    rendered: list[float] = []
    with TemporaryDirectory(prefix="dateline-bench-") as folder:
        config = Path(folder, "dateline.toml")
        config.write_text(_settings(patterns, folder))
        settings = load(config, {})
        make_embedded(settings)
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            desk, reader = build(settings, server.url), build(settings, server.url)
            runtime = WorkerRuntime(desk, queues=("intake", "distribute"))
            consumer = runtime.newsroom.events
            desk.store.events.create_group()
            runtime.newsroom.permit.renew()
            intake = Intake(desk.store, _Nobody())
            intake.accept([_event(number) for number in range(_ENTRIES)], clock.now())
            consumer.consume()
            feeds = reader.publication.named(names)
            heads = FeedHeads()
            for feed in feeds:
                heads.follow(feed.name)
            listener = ChangeListener(reader.store.changes, heads, reader.documents.forget, lambda: None)
            listener.start()
            for number in range(_ENTRIES, _ENTRIES + 1 + _ROUNDS):
                begun = time.perf_counter()
                intake.accept([_event(number)], clock.now())
                consumer.consume()
                recorded.append((time.perf_counter() - begun) * 1000 / len(feeds))
                begun = time.perf_counter()
                bodies = [
                    reader.documents.current(feed, one, at_least=heads.heard(feed.name)).body
                    for feed in feeds
                    for one in READERS
                ]
                rendered.append((time.perf_counter() - begun) * 1000 / len(feeds))
                if not all(f"/a{number}".encode() in body for body in bodies):
                    raise RuntimeError("there are documents without the new article")
            listener.stop()
            desk.store.close()
            reader.store.close()
        finally:
            server.stop()
    # The first round warms up.
    recording, rendering = median(recorded[1:]), median(rendered[1:])
    size = sum(map(len, bodies)) // len(bodies)
    return [
        Result("recording", recording, "ms", note=f"one article, {len(feeds):,} feeds of {_ENTRIES}"),
        Result("rendering", rendering, "ms", note=f"{len(bodies):,} documents of {size:,} bytes on average"),
        at_most("time per feed", recording + rendering, 1, "ms"),
    ]


class _Nobody(Wakeups):
    """Wakes nobody: the row carries its events out itself."""

    def __init__(self) -> None:
        pass

    def consume(self, *, urgent: bool) -> None:
        """Do nothing."""


def _event(number: int) -> dict[str, Any]:
    sent = event(f"a{number}", "Harbour", text=500)
    sent["article"]["subjects"] = _SUBJECTS
    return sent


def _settings(patterns: list[str], folder: str) -> str:
    feeds = "".join(f'\n[[feeds]]\nname = "{pattern}"\ntitle = "{pattern}"\n' for pattern in patterns)
    return f"""
data_dir = "{folder}"

[site]
title = "The Bench Herald"
base_url = "https://herald.example"
id_authority = "herald.example,2026"
{feeds}"""
