"""`python -m bench.storage`: what Dateline keeps takes how much of Redis' memory, on a Redis of its own.

An article of 3 kB in three feeds that ten endpoints were told of; an attempt until it is in the record; a
subscription; an event id. The figures of docs/production.md, "What grows, and how fast".
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feeds.article import Article
from worker.intake.accept import Intake
from worker.receivers.ledger import LedgerEntry
from worker.runtime import logs
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.store import Store
from worker.store.articles import NEW
from worker.store.attempts import Attempt, AttemptRecord
from worker.wakeups import Wakeups

ARTICLES, ENDPOINTS, ATTEMPTS, SUBSCRIPTIONS, EVENTS = 1000, 10, 1000, 1000, 10_000
FEEDS = ("all", "en", "world")
_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
_SENTENCE = "The ferry left the inner harbour at ten past six, with forty people and two dogs on board. "


def articles(store: Store) -> None:
    """Keep articles, and what endpoints were told of them."""
    entry = str(LedgerEntry(1, "published", 1772352000000, "0" * 64))
    for number in range(ARTICLES):
        moment = _BEGIN + timedelta(minutes=number)
        article = Article(
            id=f"hh-2026-{number:06}",
            version=1,
            headline=f"Harbour reopens to ferries, part {number}",
            body_html=f"<p>{_SENTENCE * 33}</p>",
            url=f"https://www.harbour-herald.example/world/ferries-{number}",
            published=moment,
            updated=moment,
        )
        now = int(moment.timestamp() * 1000)
        store.articles.save(article, NEW, FEEDS, now)
        store.changes.record(article.id, 1, now, dict.fromkeys(FEEDS, ("in", now)))
        for endpoint in range(ENDPOINTS):
            ledger = f"dateline:{{feed:{FEEDS[endpoint % len(FEEDS)]}}}:ledger:partner-{endpoint}"
            store.client.hset(ledger, article.id, entry)


def attempts(store: Store) -> None:
    """Have attempts wait for the record. Their endpoint and its ledger are there already."""
    entry = str(LedgerEntry(1, "published", 1772352000000, "0" * 64))
    for number in range(ATTEMPTS):
        article = f"hh-2026-{number:06}"
        numbers = {"time": 1772352000000 + number, "version": 1, "status": 204, "milliseconds": 12, "bytes": 3600}
        texts = {"action": "published", "outcome": "delivered", "sha256": "0" * 64, "message_id": f"msg_{number:032}"}
        attempt = Attempt(article=article, error="", answer="", **numbers, **texts)
        store.attempts.record({("all", "partner-0"): [AttemptRecord(attempt, {article: entry})]})


def subscriptions(store: Store) -> None:
    """Keep subscriptions."""
    for number in range(SUBSCRIPTIONS):
        name = f"s{number:024x}"
        details = {
            "callback": f"https://reader.example/push/{number:08}",
            "format": "atom",
            "secret": "0" * 32,
            "expires": 1772352000000,
            "host": "reader.example",
            "client": "192.0.2.1",
        }
        store.client.hset("dateline:{feed:all}:receivers", name, json.dumps(details))
        store.client.zadd("dateline:{feed:all}:leases", {name: 1772352000000})
        store.client.zadd("dateline:{feed:all}:settled", {name: 1000})


def events(store: Store) -> None:
    """Remember event ids."""
    intake = Intake(store, _Nobody())
    for number in range(EVENTS):
        event = {"id": f"evt-{number:032}", "type": "article.repeated", "article": {"id": "hh-1"}}
        intake.accept([event], _BEGIN)
    store.client.delete("dateline:events")


class _Nobody(Wakeups):
    """Nobody is there to be woken."""

    def __init__(self) -> None:
        pass

    def consume(self, *, urgent: bool) -> None:
        """Wake nobody."""


STEPS: tuple[tuple[str, Callable[[Store], None], int], ...] = (
    (f"an article of 3 kB in {len(FEEDS)} feeds, told to {ENDPOINTS} endpoints", articles, ARTICLES),
    ("an attempt that waits for the record", attempts, ATTEMPTS),
    ("a subscription", subscriptions, SUBSCRIPTIONS),
    ("an event id that is remembered", events, EVENTS),
)


def main() -> None:
    """Measure each, and print a line for it."""
    logs.configure("warning")
    with tempfile.TemporaryDirectory() as folder:
        redis = EmbeddedRedis(Path(folder))
        store = Store.connect(redis.start())
        try:
            for name, keep, many in STEPS:
                before = store.client.info("memory")["used_memory"]
                keep(store)
                print(f"{name:65} {(store.client.info('memory')['used_memory'] - before) / many:12,.0f} bytes")
        finally:
            store.close()
            redis.stop()


if __name__ == "__main__":
    main()
