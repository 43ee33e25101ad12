"""`python -m bench.storage`: what Dateline keeps takes how much of Redis' memory, and how much of the record's disk.

An article of 3 kB in three feeds that ten endpoints were told of; an attempt until it is in the record; a
subscription; an event id; an id of an article. Then a row of each table, and what all of it comes to after years. The
figures of docs/operations.md, "Storage".
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.postgresql import postgresql
from bench.record_sizes import bytes_per_row
from feeds.article import Article
from worker.intake.accept import Intake
from worker.receivers.ledger import LedgerEntry
from worker.runtime import logs
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.store import Store
from worker.store.articles import NEW
from worker.store.attempts import Attempt, AttemptRecord
from worker.wakeups import Wakeups

ARTICLES, ENDPOINTS, ATTEMPTS, SUBSCRIPTIONS, EVENTS, IDS = 1000, 10, 1000, 1000, 10_000, 200_000
REVISIONS = 4 / 3
"""Of an article, as bench/decade.py makes them."""
HOT_DAYS, KEPT_DAYS = 30, 400
"""As settings say where they say nothing else: retention.hot, retention.attempts and retention.events."""
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


def known_ids(store: Store) -> None:
    """Know ids of articles."""
    for first in range(0, IDS, 250):
        store.known_ids.add([f"hh-2026-{number:07}" for number in range(first, first + 250)])


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
    ("the id of an article, hot or cold", known_ids, IDS),
)


def main() -> None:
    """Measure each, print a line for it, and what it comes to."""
    logs.configure("warning")
    redis = _measure_redis()
    records = {}
    with tempfile.TemporaryDirectory() as folder, postgresql() as url:
        for name, address in (("SQLite", f"sqlite:///{folder}/record.db"), ("PostgreSQL", url)):
            if address is not None:
                records[name] = bytes_per_row(address)
    print("\nin the record, bytes a row with its indexes" + "".join(f"{name:>14}" for name in records))
    for table in next(iter(records.values())):
        print(f"{table:43}" + "".join(f"{each[table]:14,.0f}" for each in records.values()))
    print(
        f"\n{'articles a day':>14} {'after':>9} {'Redis, MB':>10}" + "".join(f"{name + ', GB':>16}" for name in records)
    )
    for articles in (100, 1_000, 10_000):
        for years in (1, 10):
            sizes = "".join(f"{_record_bytes(each, articles, years) / 1e9:16,.1f}" for each in records.values())
            print(f"{articles:14,} {years:3} years {_redis_bytes(redis, articles, years) / 1e6:10,.0f}{sizes}")


def _redis_bytes(each: list[float], articles: int, years: int) -> float:
    """What Redis holds by then: what is hot, ids of events for a week, 1,000 subscriptions, the ids there ever were."""
    article, _, subscription, event, known = each
    days = min(HOT_DAYS, years * 365)
    return articles * (days * article + 7 * REVISIONS * event + years * 365 * known) + SUBSCRIPTIONS * subscription


def _record_bytes(each: dict[str, float], articles: int, years: int) -> float:
    """What the record holds by then: all articles with their revisions and ledger, events and attempts for a time."""
    for_good = each["articles"] + each["article_words"] + len(FEEDS) * each["memberships"]
    for_good += REVISIONS * (each["revisions"] + ENDPOINTS * each["deliveries"])
    for_a_time = REVISIONS * (each["events"] + ENDPOINTS * each["attempts"])
    return articles * (years * 365 * for_good + min(KEPT_DAYS, years * 365) * for_a_time)


def _measure_redis() -> list[float]:
    """Bytes of each step."""
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        redis = EmbeddedRedis(Path(folder))
        store = Store.connect(redis.start())
        try:
            for name, keep, many in STEPS:
                before = store.client.info("memory")["used_memory"]
                keep(store)
                sizes.append((store.client.info("memory")["used_memory"] - before) / many)
                print(f"{name:65} {sizes[-1]:12,.1f} bytes")
        finally:
            store.close()
            redis.stop()
    return sizes


if __name__ == "__main__":
    main()
