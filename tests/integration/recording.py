"""Notes in a record what Redis has, as it is now, and shows all that Redis has of an article."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from sqlalchemy import delete, insert

from worker.record import Record, tables
from worker.retention.noter import Noter
from worker.store import Store, keys

_OF_THE_LAST_SAVE = ("event", "result", "earlier")
"""What matters until the record has it."""


def note(store: Store, record: Record, *article_ids: str) -> None:
    """Have the record have articles with their places and ledgers as Redis has them."""
    Noter(store, record).note(article_ids)
    deliveries = []
    for name, stored in store.articles.get_many(article_ids).items():
        for feed in stored.feeds:
            for endpoint in store.cooling.endpoints(feed):
                entry = store.client.hget(keys.feed(feed).ledger(endpoint), name)
                if entry is not None:
                    deliveries.append(_delivery(endpoint, feed, name, json.loads(entry)))
    with record.write() as connection:
        connection.execute(delete(tables.deliveries).where(tables.deliveries.c.article_id.in_(article_ids)))
        if deliveries:
            connection.execute(insert(tables.deliveries), deliveries)


def _delivery(endpoint: str, feed: str, article_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "feed": feed,
        "article_id": article_id,
        "version": entry["version"],
        "action": entry["status"],
        "state": {"unknown": "trying", "refused": "refused"}.get(entry.get("outcome", ""), "taken"),
        "sha256": b64decode(entry["sha256"]).hex(),
        "taken": None,
        "sent": entry["at"],
    }


def held(store: Store, article_id: str, *, exactly: bool = False) -> dict[str, Any]:
    """Return all that Redis has of an article, by key; without revs and stamps unless `exactly`."""
    whole: dict[str, Any] = {}
    for key in store.client.scan_iter(count=1000):
        kind = store.client.type(key)
        value: Any = None
        if kind == "hash":
            value = store.client.hgetall(key) if key == keys.article(article_id) else store.client.hget(key, article_id)
        elif kind == "zset":
            value = store.client.zscore(key, article_id)
        elif kind == "set":
            value = store.client.sismember(key, article_id) or None
        if value is not None:
            whole[key] = value if exactly else _plain(value)
    return whole


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: text
            for name, text in value.items()
            if name not in {"rev", "recorded", "warmed", "cooling", *_OF_THE_LAST_SAVE}
        }
    if isinstance(value, str) and value.startswith("{"):
        return {name: field for name, field in json.loads(value).items() if name != "warm"}
    return value
