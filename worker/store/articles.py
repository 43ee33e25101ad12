"""Articles as they stand now, and the schedule of those whose visibility changes by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feeds.article import Article
from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from worker.store.scripts import Client, Scripts

_CACHED = 10_000
"""Articles kept in memory, parsed; Redis is asked whether they are still the newest."""


@dataclass(frozen=True, slots=True)
class Held:
    """An article as it is kept. `rev` counts its saves, `feeds` are those it ever was in, `accepted` is in ms.

    `fingerprints` are of what it said before, up to the last time that it was killed and came back.
    """

    article: Article
    rev: int
    feeds: frozenset[str]
    accepted: int
    fingerprints: tuple[str, ...] = ()


class Articles:
    """The articles."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self._parsed: dict[str, Held] = {}

    def get(self, article_id: str) -> Held | None:
        """Return the article, or None."""
        return self.get_many([article_id]).get(article_id)

    def get_many(self, article_ids: Collection[str]) -> dict[str, Held]:
        """Return those of the articles that exist, as they are at this moment."""
        pipe = self._client.pipeline(transaction=False)
        for article_id in article_ids:
            pipe.hget(keys.article(article_id), "rev")
        revs = dict(zip(article_ids, pipe.execute(), strict=True))
        found = {}
        missing = []
        for article_id, rev in revs.items():
            held = self._parsed.get(article_id)
            if held is not None and rev is not None and held.rev == int(rev):
                found[article_id] = held
            elif rev is not None:
                missing.append(article_id)
        for article_id in missing:
            pipe.hmget(keys.article(article_id), "doc", "rev", "feeds", "accepted", "fingerprints")
        for article_id, (doc, rev, feeds, accepted, marks) in zip(missing, pipe.execute(), strict=True):
            names = frozenset(json.loads(feeds))
            held = Held(Article.stored(doc), int(rev), names, int(accepted), tuple((marks or "").split()))
            self._keep(article_id, held)
            found[article_id] = held
        return found

    def save(
        self,
        article: Article,
        expected_rev: int,
        feeds: Iterable[str],
        accepted: int,
        fingerprints: tuple[str, ...] = (),
    ) -> Held | None:
        """Save the article if its rev is still `expected_rev` (0: not there); return it as kept, else None."""
        names = frozenset(feeds)
        # Listed before it is saved: an id without an article is passed over, an article without an id would be lost.
        self._client.zadd(keys.ARTICLES, {article.id: _ms(article.published)})
        rev = self._scripts.run(
            "save",
            [keys.article(article.id)],
            [expected_rev, article.model_dump_json(), json.dumps(sorted(names)), accepted, " ".join(fingerprints)],
        )
        if not rev:
            return None
        held = Held(article, int(rev), names, accepted, fingerprints)
        self._keep(article.id, held)
        return held

    def authority(self, authority: str) -> str:
        """Return the authority under which ids of entries were first given; `authority` if none were."""
        self._client.set(keys.AUTHORITY, authority, nx=True)
        first: str = self._client.get(keys.AUTHORITY)
        return first

    def schedule(self, article_id: str, due: datetime | None) -> None:
        """Note when the article's visibility changes next; None: never."""
        if due is None:
            self._client.zrem(keys.SCHEDULE, article_id)
        else:
            self._client.zadd(keys.SCHEDULE, {article_id: _ms(due)})

    def postpone(self, article_id: str, due: datetime) -> None:
        """Have an article that is scheduled come due then."""
        self._client.zadd(keys.SCHEDULE, {article_id: _ms(due)}, xx=True)

    def due(self, now: datetime, limit: int) -> list[str]:
        """Return the ids of articles whose moment has come."""
        ids: list[str] = self._client.zrangebyscore(keys.SCHEDULE, "-inf", _ms(now), start=0, num=limit)
        return ids

    def next_due(self) -> int | None:
        """Return when the next article's visibility changes by itself (ms), or None."""
        first = self._client.zrange(keys.SCHEDULE, 0, 0, withscores=True)
        return int(first[0][1]) if first else None

    def ids(self) -> list[str]:
        """Return all article ids, the newest first."""
        ids: list[str] = self._client.zrevrange(keys.ARTICLES, 0, -1)
        return ids

    def indexed(self) -> dict[str, str]:
        """The definitions by which the articles were put into feeds: feed name -> definition as JSON."""
        known: dict[str, str] = self._client.hgetall(keys.DEFINITIONS)
        return known

    def mark_indexed(self, definitions: dict[str, str], now: int) -> None:
        """Note by which definitions all articles are in their feeds now (ms), and which feeds are no more."""
        removed = self.indexed().keys() - definitions.keys()
        pipe = self._client.pipeline(transaction=True)
        pipe.delete(keys.DEFINITIONS)
        pipe.hset(keys.DEFINITIONS, mapping=definitions)
        pipe.hdel(keys.FORMER, *definitions)
        for name in removed:
            pipe.hset(keys.FORMER, name, now)
        pipe.execute()

    def removed(self, feed: str) -> int | None:
        """When the feed was removed from the settings (ms); None when it was not, or is back."""
        when = self._client.hget(keys.FORMER, feed)
        return int(when) if when else None

    def _keep(self, article_id: str, held: Held) -> None:
        if len(self._parsed) >= _CACHED:
            # The oldest goes. Another thread may be doing the same.
            self._parsed.pop(next(iter(self._parsed), ""), None)
        self._parsed[article_id] = held


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
