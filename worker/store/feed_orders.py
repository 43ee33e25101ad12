"""What a person has ordered of a feed that was defined anew: to push what was placed there, or to withdraw what left.

An order lists its articles, and workers carry it out a few at a time; what is listed is still to be done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from worker.store import keys, unnoted
from worker.store.changes import TOMBSTONES, Change
from worker.store.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.scripts import Client, Scripts

Action = Literal["push", "withdraw"]

_SCORES = 1000
"""Articles that one command lists."""
_REMEMBERED_SECONDS = 86_400
"""How long an order can be looked at that has been carried out."""


@dataclass(frozen=True, slots=True)
class FeedOrder:
    """An order: `rate` articles a second at the most, of `articles` still `waiting`; `ordered` in ms."""

    action: Action
    rate: float
    articles: int
    waiting: int
    ordered: int


class FeedOrders:
    """The orders. A feed has one at a time."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self.carrying_out = Lease(client, scripts, keys.ORDERING)
        """Held by the worker that carries orders out."""

    def give(self, feed: str, action: Action, articles: Mapping[str, int], rate: float, now: int) -> None:
        """Order it for articles (id -> place in the order); `now` in ms."""
        k = keys.feed(feed)
        order = {"action": action, "rate": rate, "articles": len(articles), "ordered": now}
        self._client.set(k.order, json.dumps(order))
        listed = list(articles.items())
        for start in range(0, len(listed), _SCORES):
            self._client.zadd(k.ordered, dict(listed[start : start + _SCORES]))
        self._client.sadd(keys.ORDERED, feed)

    def feeds(self) -> list[str]:
        """Return the feeds with an order that is not yet carried out."""
        return sorted(self._client.smembers(keys.ORDERED))

    def get(self, feed: str) -> FeedOrder | None:
        """Return the last order of a feed; None when there is none, or it was carried out long ago."""
        k = keys.feed(feed)
        pipe = self._client.pipeline(transaction=False)
        pipe.get(k.order)
        pipe.zcard(k.ordered)
        text, waiting = pipe.execute()
        try:
            fields = json.loads(text) if text else None
            return fields and FeedOrder(**fields, waiting=waiting)
        except (ValueError, TypeError):
            return None

    def next(self, feed: str, count: int) -> list[str]:
        """Return the next articles that wait, in order."""
        names: list[str] = self._client.zrange(keys.feed(feed).ordered, 0, count - 1)
        return names

    def carry_out(self, feed: str, action: Action, article_ids: Sequence[str]) -> int:
        """Carry it out for articles that wait and are hot; return of how many receivers learn something."""
        k = keys.feed(feed)
        places = [k.meta, k.log, k.article_states, k.tombstones, k.left, k.ordered]
        calls = [(places, [name, action, TOMBSTONES, feed, keys.CHANGED]) for name in article_ids]
        if not calls:
            return 0
        marks = [unnoted.mark(*article_ids)]
        return sum(seq > 0 for seq in self._scripts.run_many("feed_orders/carry_out", calls, marks))

    def end(self, feed: str) -> None:
        """Note that nothing waits any longer."""
        self._client.srem(keys.ORDERED, feed)
        self._client.expire(keys.feed(feed).order, _REMEMBERED_SECONDS)

    def concerned(self, feed: str, action: Action, article_ids: Sequence[str], endpoints: Sequence[str]) -> list[str]:
        """Return those of the articles, which stand before all cursors, that an order is about.

        To be withdrawn is what was pushed before it left, or what an endpoint has by its ledger.
        """
        if not article_ids:
            return []
        k = keys.feed(feed)
        pipe = self._client.pipeline(transaction=False)
        for key in (k.article_states, *map(k.ledger, endpoints)):
            pipe.hmget(key, list(article_ids))
        states, *ledgers = pipe.execute()
        entries = [any(columns) for columns in zip(*ledgers, strict=True)] or [False] * len(states)
        concerned = []
        for name, text, has_entry in zip(article_ids, states, entries, strict=True):
            try:
                change = Change.parse(0, name, text or "")
            except ValueError:
                continue
            left = change.state == "out" and (bool(change.previous_seq) or has_entry)
            if left if action == "withdraw" else change.state == "in":
                concerned.append(name)
        return concerned
