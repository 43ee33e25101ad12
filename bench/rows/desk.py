"""The desk, with 1,000 endpoints that all get an article, 40,000 articles and 1,000,000 attempts in the record.

Each page is asked for by one visitor, one request at a time; the 95th percentile of the slowest counts. Then an article
is published while the page *Now* is open: from the last answer of a receiver until the page is sent that all are done.
At last articles go to all endpoints as fast as they can, with 50 pages open and with none: what a delivery costs the
workers, the web server and Redis, as processor time. Those pages are played by a process that is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import requests

from bench.decade import fill
from bench.newsroom import Newsroom, endpoint, event, example_feeds, start_in, until
from bench.receiver import Receiver
from bench.results import Result, at_most, percentile
from bench.rows.api import attempt
from config.settings import load
from worker.management.callers import shell
from worker.management.management import Management
from worker.management.surroundings import Surroundings
from worker.record import Record, attempts

ROUNDS = 1
LIMIT = """\
Of pages, what they show of a thousand receivers: one script reads them, and a page has the first forty. Of open pages,
the parts that they ask for when something has happened: one answer is made for all that ask at the same moment."""
_ENDPOINTS, _ARTICLES, _ATTEMPTS, _BATCH = 1_000, 40_000, 1_000_000, 5_000
_REQUESTS, _MOST_MS = 40, 100.0
_DESKS, _PUBLISHED = 50, 40
_MOST_SHARE, _MOST_SECONDS = 1.02, 1.0
_FEED, _SECTION = "en", "culture"
_PAGES = (
    *("", "/alarms", "/articles", "/articles?q=harbour", "/articles/ferry", "/articles/ferry/kill"),
    *("/articles/ferry/killed", "/articles/ferry/preview", "/lists", "/endpoints", "/endpoints/e0"),
    *("/partners", "/feeds", f"/feeds/{_FEED}", "/subscriptions", "/audit", "/people", "/keys"),
)


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    endpoints = max(100, int(_ENDPOINTS * scale))
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="dateline-bench-")))
        names = [f"e{number}" for number in range(endpoints)]
        _fill(folder, names, scale)
        tables = "".join(endpoint(name, _FEED, receiver.url(f"/a/{name}", place)) for place, name in enumerate(names))
        newsroom = stack.enter_context(start_in(folder, receiver, f"{example_feeds()}{tables}"))
        until(lambda: len(newsroom.store.receivers.endpoints(_FEED)) == endpoints, 900, "endpoints to be enrolled")
        newsroom.rest(600)
        session = _signed_in(folder, newsroom)
        _publish(newsroom, receiver, "ferry", endpoints)
        results = [_pages(session, newsroom, f"{endpoints:,} endpoints")]
        results.append(_on_the_screen(session, newsroom, receiver, endpoints))
        results.append(_with_desks(session, newsroom, receiver, endpoints, max(5, int(_PUBLISHED * scale))))
    return results


def _fill(folder: Path, names: list[str], scale: float) -> None:
    (folder / "data").mkdir()
    with closing(Record.connect(f"sqlite:///{folder / 'data' / 'record.db'}", synchronous="normal")) as record:
        record.upgrade()
        fill(record, int(_ARTICLES * scale), datetime.now(UTC))
        for begin in range(0, int(_ATTEMPTS * scale), _BATCH):
            rows = [attempt(names[number % len(names)], number) for number in range(begin, begin + _BATCH)]
            with record.write() as connection:
                attempts.note(connection, rows)


def _signed_in(folder: Path, newsroom: Newsroom) -> requests.Session:
    settings = load(folder / "dateline.toml", newsroom.environ)
    with closing(Record.connect(f"sqlite:///{folder / 'data' / 'record.db'}")) as record:
        management = Management(newsroom.store, record, Surroundings.of(settings))
        management.people.add(shell("bench"), "mira", "admin")
        link = management.sessions.make_link(shell("bench"), "mira")
    session = requests.Session()
    address = f"{newsroom.base_url}/desk/sign-in/link/{link}"

    def done() -> bool:
        answer = session.post(address, headers={"Origin": newsroom.base_url}, allow_redirects=False, timeout=30)
        return answer.status_code == 303 and bool(session.cookies)

    until(done, 30, "the sign-in")
    return session


def _publish(newsroom: Newsroom, receiver: Receiver, article: str, endpoints: int, count: int = 1) -> float:
    """Publish articles; return when the last endpoint had the last of them."""
    receiver.reset()
    names = [article] if count == 1 else [f"{article}-{number}" for number in range(count)]
    newsroom.send([event(name, _SECTION, edition="en") for name in names])
    return receiver.wait(endpoints * count, 300)


def _pages(session: requests.Session, newsroom: Newsroom, size: str) -> Result:
    slowest: list[tuple[float, str]] = []
    newsroom.rest()
    for path in _PAGES:
        seconds = []
        for _ in range(_REQUESTS):
            begun = time.monotonic()
            session.get(f"{newsroom.base_url}/desk{path}", timeout=30).raise_for_status()
            seconds.append(time.monotonic() - begun)
        slowest.append((percentile(seconds, 0.95) * 1000, path or "/"))
    milliseconds, path = max(slowest)
    note = f"{path}; {size}; " + ", ".join(f"{name} {value:.0f} ms" for value, name in slowest)
    return at_most("slowest page, p95", milliseconds, _MOST_MS, "ms", note)


def _on_the_screen(session: requests.Session, newsroom: Newsroom, receiver: Receiver, endpoints: int) -> Result:
    shown: list[float] = []

    def follow() -> None:
        with session.get(f"{newsroom.base_url}/desk/live", stream=True, timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith(b"data: ["):
                    for story in json.loads(line[6:]):
                        if story["article"] == "quay" and story["done"] == story["receivers"] == endpoints:
                            shown.append(time.monotonic())
                            return

    thread = Thread(target=follow, daemon=True)
    thread.start()
    time.sleep(1)
    answered = _publish(newsroom, receiver, "quay", endpoints)
    thread.join(60)
    if not shown:
        raise RuntimeError("the page was never sent that all have the article")
    note = f"from the last of {endpoints:,} answers until the page is sent that all are done"
    return at_most("on the screen", shown[0] - answered, _MOST_SECONDS, "s", note)


def _with_desks(
    session: requests.Session, newsroom: Newsroom, receiver: Receiver, endpoints: int, count: int
) -> Result:
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    microseconds: dict[int, list[float]] = {0: [], _DESKS: []}
    number = 0
    # By turns, so that what else the machine does falls on both.
    for desks in (0, _DESKS, _DESKS, 0):
        with _open(newsroom, cookie, desks):
            newsroom.rest(120) if not desks else time.sleep(3)
            usage = newsroom.usage()
            number += 1
            _publish(newsroom, receiver, f"load-{number}", endpoints, count)
            microseconds[desks].append(usage.seconds("workers", "web", "Redis") / (endpoints * count) * 1e6)
    without, beside = (sum(rounds) / len(rounds) for rounds in microseconds.values())
    note = f"{beside:.0f} µs of processor time a delivery against {without:.0f}"
    return at_most(f"deliveries with {_DESKS} open pages: cost", beside / without, _MOST_SHARE, "x", note)


@contextmanager
def _open(newsroom: Newsroom, cookie: str, desks: int) -> Iterator[None]:
    if not desks:
        yield
        return
    words = [sys.executable, "-m", "bench.desk_visitors", newsroom.base_url, cookie, str(desks)]
    process = subprocess.Popen(words)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
