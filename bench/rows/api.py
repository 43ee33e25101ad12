"""The API: how long each list takes, with 1,000 endpoints and 1,000,000 attempts in the record.

Every list is asked for its first page and for one that lies deep, with 100 entries each; one client, one request at a
time. The 95th percentile of the slowest list counts.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from bench.newsroom import TOKEN, endpoint, feeds, start_in, until
from bench.receiver import Receiver
from bench.results import Result, at_most, percentile
from worker.record import Record, attempts
from worker.record.attempts import NotedAttempt

ROUNDS = 1
LIMIT = """\
Of the endpoints, one round trip to Redis for the hundred that are shown; of attempts, one page of their primary key."""
_ENDPOINTS, _ATTEMPTS, _BATCH = 1_000, 1_000_000, 5_000
_REQUESTS, _MOST_MS = 60, 100.0
_DEEP = 5
_FIRST_MS = int(time.time() * 1000) - 86_400_000
"""Of yesterday: those of years ago would be taken out of the record meanwhile."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    endpoints, tries = max(100, int(_ENDPOINTS * scale)), int(_ATTEMPTS * scale)
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        names = [f"e{number:04}" for number in range(endpoints)]
        tables = "".join(endpoint(name, "api", receiver.url(f"/a/{name}", 0)) for name in names)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="dateline-bench-")))
        settings = f"{feeds(['api'])}{tables}\n[api]\nrequests = 1000000\n"
        newsroom = stack.enter_context(start_in(folder, receiver, settings))
        until(lambda: len(newsroom.store.receivers.endpoints("api")) == endpoints, 120, "the endpoints to be enrolled")
        record = stack.enter_context(closing(Record.connect(f"sqlite:///{folder / 'data' / 'record.db'}")))
        for begin in range(0, tries, _BATCH):
            rows = [attempt(names[number % endpoints], number) for number in range(begin, begin + _BATCH)]
            with record.write() as connection:
                attempts.note(connection, rows)
        slowest: list[tuple[float, str]] = []
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {TOKEN}"
            for path in ("endpoints", f"endpoints/{names[0]}/attempts", "articles", "feeds", "subscriptions", "audit"):
                times = _times(session, f"{newsroom.base_url}/api/v1/{path}?limit=100")
                slowest.append((percentile(times, 0.95) * 1000, path))
    milliseconds, path = max(slowest)
    note = f"{path}; {endpoints:,} endpoints, {tries:,} attempts; " + ", ".join(
        f"{name} {value:.0f} ms" for value, name in slowest
    )
    return [at_most("slowest list, p95", milliseconds, _MOST_MS, "ms", note)]


def _times(session: requests.Session, address: str) -> list[float]:
    """How long each of some requests takes: for the first page, and for one of the next."""
    seconds = []
    for number in range(_REQUESTS):
        url = address
        for _ in range(_DEEP if number % 2 else 1):
            begun = time.monotonic()
            answer = session.get(url, timeout=30)
            answer.raise_for_status()
            seconds.append(time.monotonic() - begun)
            cursor = answer.json()["next"]
            if cursor is None:
                break
            url = f"{address}&after={cursor}"
    return seconds


def attempt(name: str, number: int) -> NotedAttempt:
    """An attempt at an endpoint; each number is another one."""
    return NotedAttempt(
        receiver=f"endpoint:{name}",
        time=_FIRST_MS + number,
        article_id=f"article-{number % 1000}",
        message_id=f"msg_{number}",
        feed="api",
        version=1,
        action="published",
        outcome="delivered",
        status=200,
        milliseconds=12,
        bytes=2_000,
        sha256="0" * 64,
        error="",
        answer="",
    )
