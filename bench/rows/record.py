"""The record: what it costs, on SQLite and on PostgreSQL, both with commits that reach the disk.

Three newsrooms are up at once, and take turns: Dateline as it was before it had a record, and as it is, with a record
on either. How many events are carried out in a second, posted in arrays of a hundred; how long one event takes to be
answered, posted one at a time: each when the one before is carried out, and all in a row, when carrying them out takes
the processors meanwhile. Then how many attempts, each with its line in the ledger, are noted in a second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from uuid import uuid4

from bench.newsroom import Newsroom, event, example_feeds, start_in
from bench.peers.before import before_the_record
from bench.postgresql import postgresql
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most, percentile
from worker.record import Record, attempts, deliveries
from worker.record.attempts import NotedAttempt
from worker.record.deliveries import Delivery

_EVENTS, _AT_ONCE, _ROUNDS = 3_000, 100, 5
_POSTS, _POSTS_EACH = 600, 30
_ATTEMPTS, _BATCH, _ENDPOINTS = 100_000, 1_000, 50
_MORE_MS = {"SQLite": 3.0, "PostgreSQL": 2.0}
_BEFORE = "without"
_SYNCS, _PAGE = 50, 4096
_PAUSE_SECONDS = 0.02
"""In which what was carried out is noted."""

ROUNDS = 1
"""It takes minutes, or has rounds of its own."""
LIMIT = """\
Of events, mostly the processors: an event that takes 3 ms of them without a record has to be committed, noted and its
words indexed besides, and a server of PostgreSQL shares the same two cores. To write what an event changes takes
0.1 ms of them, one statement for each table and batch. The workers do not use them wholly: they wait for Redis, turn
by turn. Of answers, the way through SQLAlchemy and the commit, 1.4 ms without anything else going
on, and the sync of the disk, which stands beside the number. Where a sync takes longer than the target, only
`record.synchronous = "normal"` is quicker: a loss of power may then cost the last events. Posts in a row wait for the
processors too, as the events before them are being carried out."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        variables: dict[str, dict[str, str]] = {_BEFORE: {}, "SQLite": {}}
        interpreters = {_BEFORE: stack.enter_context(before_the_record())}
        url = stack.enter_context(postgresql())
        if url is not None:
            with closing(Record.connect(url)) as record:
                record.upgrade()
            variables["PostgreSQL"] = {"DATELINE_RECORD_URL": url}
        newsrooms = {}
        for name, environ in variables.items():
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="dateline-bench-")))
            newsrooms[name] = stack.enter_context(
                start_in(folder, receiver, example_feeds(), environ, interpreter=interpreters.get(name))
            )
        results = _events(newsrooms, max(300, int(_EVENTS * scale)))
        results += _answers(newsrooms, max(3, int(_POSTS * scale) // _POSTS_EACH))
    if url is None:
        results.append(Result("PostgreSQL", float("inf"), "", "to be measured", met=False, note="it is not installed"))
    return results + _noted(max(10, int(_ATTEMPTS * scale) // _BATCH))


def _events(newsrooms: dict[str, Newsroom], events: int) -> list[Result]:
    rates: dict[str, list[float]] = {name: [] for name in newsrooms}
    busy = ""
    for _ in range(_ROUNDS + 1):
        for name, newsroom in newsrooms.items():
            usage = newsroom.usage()
            begun = time.monotonic()
            for first in range(0, events, _AT_ONCE):
                newsroom.send([_event() for _ in range(min(_AT_ONCE, events - first))])
            newsroom.carried_out()
            rates[name].append(events / (time.monotonic() - begun))
            busy = usage.report()
            newsroom.rest()
    # The first round warms all up.
    middle = {name: median(values[1:]) for name, values in rates.items()}
    ours = [name for name in newsrooms if name != _BEFORE]
    return [
        Result("events carried out, without a record", middle[_BEFORE], "/s"),
        *(
            at_least(
                f"events carried out, {name} against without",
                middle[name] / middle[_BEFORE],
                0.85,
                "x",
                f"{middle[name]:.0f}/s; {busy}",
            )
            for name in ours
        ),
    ]


def _answers(newsrooms: dict[str, Newsroom], turns: int) -> list[Result]:
    warm, in_a_row = _times(newsrooms, turns, one_by_one=True), _times(newsrooms, turns, one_by_one=False)
    sync = _sync_ms()
    without = median(warm[_BEFORE])
    return [
        Result("POST answered, without a record: p50", without, "ms"),
        *(
            Result(
                f"POST answered, all in a row, {name}: p50",
                median(times),
                "ms",
                note=f"p99 {percentile(times, 0.99):.1f} ms",
            )
            for name, times in in_a_row.items()
        ),
        *(
            at_most(
                f"POST answered, {name}: p50 more than without",
                median(warm[name]) - without,
                more,
                "ms",
                f"{median(warm[name]):.1f} ms; p99 {percentile(warm[name], 0.99):.1f} ms, "
                f"without {percentile(warm[_BEFORE], 0.99):.1f} ms; a sync of this disk takes {sync:.1f} ms",
            )
            for name, more in _MORE_MS.items()
            if name in warm
        ),
    ]


def _times(newsrooms: dict[str, Newsroom], turns: int, *, one_by_one: bool) -> dict[str, list[float]]:
    """How long posts took to be answered (ms), by newsroom, without those of the first turn."""
    times: dict[str, list[float]] = {name: [] for name in newsrooms}
    for _ in range(turns + 1):
        for name, newsroom in newsrooms.items():
            for _ in range(_POSTS_EACH):
                begun = newsroom.send([_event()])
                times[name].append((time.monotonic() - begun) * 1000)
                if one_by_one:
                    newsroom.carried_out()
                    time.sleep(_PAUSE_SECONDS)
            newsroom.rest()
    return {name: values[_POSTS_EACH:] for name, values in times.items()}


def _sync_ms() -> float:
    """How long the disk takes to have a page of a file that has just been written (ms), in the middle."""
    times = []
    with TemporaryFile(buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(_PAGE))
            begun = time.monotonic()
            os.fsync(file.fileno())
            times.append((time.monotonic() - begun) * 1000)
    return median(times)


def _event() -> dict[str, object]:
    return event(f"a-{uuid4().hex[:12]}", "world", text=3_000, edition="en")


def _noted(batches: int) -> list[Result]:
    results = []
    with TemporaryDirectory(prefix="dateline-bench-") as folder, postgresql() as url:
        for name, address in (("SQLite", f"sqlite:///{folder}/record.db"), ("PostgreSQL", url)):
            if address is None:
                continue
            with closing(Record.connect(address)) as record:
                record.upgrade()
                rate = _noted_into(record, batches)
            results.append(at_least(f"attempts noted, {name}", rate, 10_000, "/s", f"{_BATCH} in a transaction"))
    return results


def _noted_into(record: Record, batches: int) -> float:
    """Attempts a second, each with its line in the ledger, as fifty endpoints take articles one after the other."""
    digest = sha256(b"body").hexdigest()
    begun = time.monotonic()
    for batch in range(batches):
        tries, entries = _batch(batch, digest)
        with record.write() as connection:
            attempts.note(connection, tries)
            deliveries.note(connection, entries)
    return batches * _BATCH / (time.monotonic() - begun)


def _batch(batch: int, digest: str) -> tuple[Sequence[NotedAttempt], Sequence[Delivery]]:
    tries, entries = [], []
    for number in range(batch * _BATCH, (batch + 1) * _BATCH):
        article, name, moment = f"hh-{number // _ENDPOINTS:08}", f"e{number % _ENDPOINTS}", 1_790_000_000_000 + number
        message = f"msg_{number:024}"
        told = (f"endpoint:{name}", moment, article, message, "en", 1, "published", "delivered", 204, 30, 3_600, digest)
        tries.append(NotedAttempt(*told, "", ""))
        entries.append(Delivery(name, "en", article, 1, "published", "taken", digest, moment + 30, moment))
    return tries, entries
