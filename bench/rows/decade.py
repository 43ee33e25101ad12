"""Ten years: a newsroom with 1,000,000 articles in its record, 50 endpoints and 10,000 subscriptions.

The record is made by bench/decade.py, in SQLite; the feeds are those of the example newsroom. Redis is empty when the
newsroom is first started, so workers rebuild it from the record. Then, one after the other: what Redis and two workers
have in memory after a burst of news; how many events are carried out in a second, beside a newsroom with 1,000 articles
that is up as well; how long a restart takes until a first event arrives; how long until a feed that is added has its
document, and what deliveries take meanwhile; how long a kill of the oldest article takes to reach all endpoints; how
long Redis, emptied while all runs, takes to be rebuilt, with news every quarter of a second. A step that can't be
measured is a target missed, and the others are measured nevertheless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from urllib.parse import urlsplit
from uuid import uuid4

import requests

from bench.decade import ENDPOINT_FEED, ENDPOINTS, SUBSCRIBED_FEED, Decade, fill, subscription
from bench.machine import resident
from bench.newsroom import Newsroom, endpoint, event, example_feeds, start_in, until
from bench.receiver import Receiver, secret_of
from bench.results import Result, at_least, at_most, percentile
from feeds.moments import ms
from worker.record import Record

_ARTICLES, _FEWER, _FEWEST = 1_000_000, 10_000, 1_000
_SUBSCRIPTIONS = 10_000
_BURST = 300
_RATE_EVENTS, _AT_ONCE, _ROUNDS = 3_000, 100, 3
_QUIET = "tr"
"""An edition that nobody is pushed."""
_PAUSE_SECONDS = 0.25
_WATCHED_SECONDS = 10.0
_REBUILD_SECONDS = 180.0
_SHOWN = 50
"""Entries of a document, where settings say nothing else."""
_MEBI = 2**20

ROUNDS = 1
"""It takes minutes, or has rounds of its own."""
LIMIT = """\
Of a restart, what it begins with: two workers and the web server import their libraries, more than a second of
processor each, on the cores that there are, after Redis has loaded what it holds. With 20,000 articles it took as long
as with 500, but for that load. Of a feed that is added, going through the articles that may be in it: by py-spy the
worker that fills it does nothing else for two thirds of its time, half of that unpacking and reading them. Of the
deliveries meanwhile, most likely one moment: a worker that has taken new settings looks once through all its objects
for what is left of the former ones, and by py-spy stands still for a tenth of a second; there are fifty deliveries of
each event, so one event that falls into it is more than one in a hundred. Shorter turns of Python's lock (1 ms) changed
nothing there. Of events, what both newsrooms do beside them, each with two workers on two cores: words are still
indexed and articles trimmed when that is measured, more of them in the large one; with a tenth of the articles
(`--quick`) it was 0.74."""
_TABLES = example_feeds() + "".join(
    endpoint(f"e{number}", ENDPOINT_FEED, "{" + f"url{number}" + "}") for number in range(ENDPOINTS)
)
_ADDED = '\n[[feeds]]\nname = "added"\ntitle = "Added"\nselect = [{ section = ["local"] }]\n'


@dataclass
class _Memory:
    """MiB."""

    redis: float
    workers: float


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps the newsroom from being started."""
    articles, subscriptions = int(_ARTICLES * scale), int(_SUBSCRIPTIONS * scale)
    results: list[Result] = []
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        folders = [Path(stack.enter_context(TemporaryDirectory(prefix="dateline-bench-"))) for _ in range(3)]
        large, fewer, fewest = folders
        little: _Memory | None = None
        with (
            _step(results, "first start with fewer articles", "s"),
            _up(fewer, receiver, min(_FEWER, articles // 10), 0) as newsroom,
        ):
            little = _memory(newsroom, receiver, scale)
        made = _fill(large, receiver, articles, subscriptions)
        begun = time.monotonic()
        with start_in(large, receiver, _tables(receiver)) as newsroom:
            results.append(Result("articles in the record", articles, "", note=_how_it_was_made(large, made)))
            with _step(results, "first start, with an empty Redis", "s"):
                _until_rebuilt(newsroom, subscriptions)
                results.append(Result("first start, with an empty Redis", time.monotonic() - begun, "s"))
            with _step(results, "Redis", "MiB"):
                much = _memory(newsroom, receiver, scale)
                results.append(at_most("Redis", much.redis, 300, "MiB"))
                if little is None:
                    raise RuntimeError("a newsroom with few articles could not be measured")
                note = f"{much.workers:.0f} MiB against {little.workers:.0f}"
                ratio = much.workers / little.workers
                results.append(at_most("memory of two workers: many articles against few", ratio, 1.1, "x", note))
            with (
                _step(results, "events carried out: many articles against few", "x"),
                _up(fewest, receiver, min(_FEWEST, articles // 100), 0) as small,
            ):
                results.append(_rates(newsroom, small, scale))
            with _step(results, "kill of the oldest article until all endpoints have it", "s"):
                results.append(_kill(newsroom, receiver, made.oldest))
            with _step(results, "a feed that is added: its document", "s"):
                results += _added(newsroom, receiver)
        with _step(results, "restart until a first event arrives", "s"):
            begun = time.monotonic()
            with start_in(large, receiver, _tables(receiver)) as newsroom:
                receiver.reset()
                _tell(newsroom)
                arrived = receiver.wait(1, 60)
                results.append(at_most("restart until a first event arrives", arrived - begun, 5, "s"))
                with _step(results, "rebuild of an emptied Redis", "s"):
                    results += _rebuild(newsroom, receiver, subscriptions)
    return results


@contextmanager
def _step(results: list[Result], name: str, unit: str) -> Iterator[None]:
    """Note what could not be measured, and go on."""
    try:
        yield
    except (TimeoutError, RuntimeError, AssertionError, requests.RequestException) as error:
        results.append(Result(name, float("inf"), unit, "to be measured", met=False, note=str(error)))


def _tables(receiver: Receiver) -> str:
    text = _TABLES
    for number in range(ENDPOINTS):
        text = text.replace("{" + f"url{number}" + "}", receiver.url(f"/a/{number}", number))
    return text


@contextmanager
def _up(folder: Path, receiver: Receiver, articles: int, subscriptions: int) -> Iterator[Newsroom]:
    _fill(folder, receiver, articles, subscriptions)
    with start_in(folder, receiver, _tables(receiver)) as newsroom:
        _until_rebuilt(newsroom, subscriptions)
        yield newsroom


def _fill(folder: Path, receiver: Receiver, articles: int, subscriptions: int) -> Decade:
    now = datetime.now(UTC)
    details = []
    for number in range(subscriptions):
        path = f"/o/{number}"
        callback = receiver.url(path, number)
        host = urlsplit(callback).hostname or ""
        details.append(subscription(callback, secret_of(path), host, ms(now + timedelta(days=10))))
    with closing(Record.embedded(folder / "data", synchronous="normal")) as record:
        record.upgrade()
        return fill(record, articles, now, subscriptions=details)


def _how_it_was_made(folder: Path, made: Decade) -> str:
    size = (folder / "data" / "record.db").stat().st_size / 1e9
    return f"made in {made.seconds:.0f} s; {size:.2f} GB, " + ", ".join(
        f"{rows:,} {name}" for name, rows in sorted(made.rows.items())
    )


def _until_rebuilt(newsroom: Newsroom, subscriptions: int) -> None:
    """Wait until Redis has of the record what moves: windows, subscriptions, and endpoints at their places."""

    def done() -> bool:
        standing = newsroom.store.agreement.read()
        return (
            bool(standing.epoch and not standing.work and newsroom.document("all"))
            and newsroom.store.receivers.count_subscriptions(SUBSCRIBED_FEED) >= subscriptions
            and len(newsroom.store.receivers.endpoints(ENDPOINT_FEED)) == ENDPOINTS
        )

    until(done, _REBUILD_SECONDS, "Redis to be rebuilt from the record")
    newsroom.settled(ENDPOINT_FEED)


def _tell(newsroom: Newsroom, edition: str = "en") -> tuple[str, float]:
    """Publish an article; return its id and when that was begun."""
    article = f"new-{uuid4().hex[:12]}"
    return article, newsroom.send([event(article, "world", edition=edition)])


def _memory(newsroom: Newsroom, receiver: Receiver, scale: float) -> _Memory:
    """What is in memory after a burst of news for every endpoint."""
    burst = max(20, int(_BURST * scale))
    receiver.reset()
    newsroom.send([event(f"burst-{uuid4().hex[:12]}", "world", text=3_000, edition="en") for _ in range(burst)])
    receiver.wait(burst * ENDPOINTS, 300)
    newsroom.settled(ENDPOINT_FEED)
    return _Memory(newsroom.redis_bytes() / _MEBI, sum(map(resident, newsroom.workers())))


def _rates(large: Newsroom, small: Newsroom, scale: float) -> Result:
    rates: dict[str, list[float]] = {"large": [], "small": []}
    events = max(300, int(_RATE_EVENTS * scale))
    for _ in range(_ROUNDS + 1):
        for name, newsroom in (("small", small), ("large", large)):
            rates[name].append(_rate(newsroom, events))
    many, few = median(rates["large"][1:]), median(rates["small"][1:])
    return at_least("events carried out: many articles against few", many / few, 0.9, "x", f"{many:.0f}/s, {few:.0f}/s")


def _rate(newsroom: Newsroom, events: int) -> float:
    """Events a second, from the first one that is posted to the last one that is carried out."""
    begun = time.monotonic()
    for first in range(0, events, _AT_ONCE):
        many = range(min(_AT_ONCE, events - first))
        newsroom.send([event(f"rate-{uuid4().hex[:12]}", "world", text=3_000, edition=_QUIET) for _ in many])
    newsroom.carried_out()
    return events / (time.monotonic() - begun)


def _kill(newsroom: Newsroom, receiver: Receiver, article: str) -> Result:
    receiver.reset()
    begun = newsroom.send([{"id": f"evt-{uuid4()}", "type": "article.killed", "article": {"id": article}}])
    receiver.wait(ENDPOINTS, 60)
    newsroom.settled(ENDPOINT_FEED)
    counts = receiver.counts()
    told = [held[article][1] for held in counts.held.values() if article in held]
    if len(told) != ENDPOINTS:
        raise RuntimeError(f"{len(told)} of {ENDPOINTS} endpoints were told of the kill of {article}")
    return at_most("kill of the oldest article until all endpoints have it", max(told) - begun, 1, "s")


def _added(newsroom: Newsroom, receiver: Receiver) -> list[Result]:
    before = _delays(newsroom, receiver, lambda: time.sleep(_WATCHED_SECONDS))
    taken = 0.0

    def add() -> None:
        nonlocal taken
        begun = time.monotonic()
        newsroom.add(_ADDED)
        until(lambda: newsroom.document("added").count("<entry") >= _SHOWN, 120, "the document of a feed")
        taken = time.monotonic() - begun
        time.sleep(max(0.0, _WATCHED_SECONDS - taken))

    after = _delays(newsroom, receiver, add)
    usual, meanwhile = percentile(before, 0.99), percentile(after, 0.99)
    note = f"{meanwhile * 1000:.0f} ms against {usual * 1000:.0f} ms, of {len(after):,} and {len(before):,} deliveries"
    return [
        at_most("a feed that is added: its document", taken, 3, "s"),
        at_most("p99 of deliveries meanwhile", meanwhile / usual, 1.5, "x", note),
    ]


def _delays(newsroom: Newsroom, receiver: Receiver, meanwhile: Callable[[], None]) -> list[float]:
    """Publish all the time while something is done; return the seconds of each delivery from the post on."""
    receiver.reset()
    sent: dict[str, float] = {}
    ended = Event()

    def publish() -> None:
        while not ended.wait(_PAUSE_SECONDS):
            article, begun = _tell(newsroom)
            sent[article] = begun

    thread = Thread(target=publish, daemon=True)
    thread.start()
    try:
        meanwhile()
    finally:
        ended.set()
        thread.join(60)
    receiver.wait(len(sent) * ENDPOINTS, 120)
    held = receiver.counts().held.values()
    return [at - sent[article] for book in held for article, (_, at) in book.items() if article in sent]


def _rebuild(newsroom: Newsroom, receiver: Receiver, subscriptions: int) -> list[Result]:
    newsroom.settled(ENDPOINT_FEED)
    taken = 0.0

    def wipe() -> None:
        nonlocal taken
        begun = time.monotonic()
        newsroom.store.client.flushall()
        _until_rebuilt(newsroom, subscriptions)
        taken = time.monotonic() - begun

    delays = _delays(newsroom, receiver, wipe)
    note = (
        f"with {subscriptions:,} subscriptions; {len(delays):,} deliveries meanwhile, the slowest {max(delays):.1f} s"
    )
    return [at_most("rebuild of an emptied Redis", taken, 60, "s", note)]
