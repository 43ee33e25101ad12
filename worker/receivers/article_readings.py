"""The articles as sessions need them: as they are now, or were a moment ago.

What goes next is read while others are in flight, in the round trip that stores their answers. So the place of one that
is answered is taken at once, by an article that was read before the answer came. What was read so long ago that people
might notice, or before a change or a withdrawal of which a session knows, is read anew: as it was before a change there
would be nothing to send of it, and the change would be passed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any

    from worker.receivers.clearance import Clearance
    from worker.store.articles import Articles as ArticleStore
    from worker.store.articles import StoredArticle

_FRESH_SECONDS = 0.05
"""How long what was read is good for: a correction that comes later than that is what leaves."""
_REMEMBERED = 20_000
"""How many readings are remembered."""


class _Reading(NamedTuple):
    """The rev at which an article stood, and from before it was read `time` (monotonic) and the last `withdrawal`."""

    rev: str | None
    time: float
    withdrawal: int


class ArticleReadings:
    """What was read of articles by the sessions of this process. Used by the distributor's thread alone."""

    def __init__(self, articles: ArticleStore, clearance: Clearance) -> None:
        self._articles = articles
        self._clearance = clearance
        self._readings: dict[str, _Reading] = {}
        self._in_question: list[str] = []
        self._begun = (0.0, 0)

    def questions(self, article_ids: Iterable[str]) -> list[tuple[str, ...]]:
        """Return the commands that read what is not known of these articles; `note` takes the answers."""
        self._begun = now, _ = self._now()
        # What will be too old by the time that it is needed is read now.
        limit = now - _FRESH_SECONDS / 2
        readings = self._readings
        self._in_question = [
            article_id
            for article_id in dict.fromkeys(article_ids)
            if (reading := readings.get(article_id)) is None or reading.time < limit
        ]
        return self._articles.questions(self._in_question)

    def note(self, answers: Sequence[Any]) -> None:
        """Take in the answers to `questions`."""
        take = self._articles.take
        standings = zip(self._in_question, answers, strict=True)
        self._remember(((article_id, take(article_id, answer)) for article_id, answer in standings), self._begun)

    def fresh(self, article_ids: Iterable[str], planned: float, withdrawal: int) -> dict[str, StoredArticle]:
        """Return those of the articles that were read a moment ago.

        But after `planned` (monotonic), when it was read what has changed, and after the withdrawal with this number.
        """
        limit = max(planned, time.monotonic() - _FRESH_SECONDS)
        articles = {}
        for article_id in article_ids:
            reading = self._readings.get(article_id)
            if reading is not None and reading.time > limit and reading.withdrawal >= withdrawal:
                article = self._articles.remembered(article_id, reading.rev)
                if article is not None:
                    articles[article_id] = article
        return articles

    def read(self, article_ids: Collection[str], planned: float, withdrawal: int) -> dict[str, StoredArticle | None]:
        """Return all of them, as `fresh` does or as they are at this moment; None for one that does not exist."""
        articles: dict[str, StoredArticle | None] = {**self.fresh(article_ids, planned, withdrawal)}
        missing = [article_id for article_id in article_ids if article_id not in articles]
        if missing:
            begun = self._now()
            stored = self._articles.get_many(missing)
            self._remember(((article_id, article.rev) for article_id, article in stored.items()), begun)
            articles.update(dict.fromkeys(missing))
            articles.update(stored)
        return articles

    def _now(self) -> tuple[float, int]:
        return time.monotonic(), self._clearance.number

    def _remember(self, revs: Iterable[tuple[str, str | None]], begun: tuple[float, int]) -> None:
        if len(self._readings) > _REMEMBERED:
            self._readings.clear()
        for article_id, rev in revs:
            self._readings[article_id] = _Reading(rev, *begun)
