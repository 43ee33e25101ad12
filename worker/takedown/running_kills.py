"""The kills of late that are not proven yet: who has confirmed, and who still has the text. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.record.finding import killed_since
from worker.takedown.coverage_report import coverage_report

if TYPE_CHECKING:
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.publication import Publication
    from worker.record import Record
    from worker.record.finding import ArticleSummary
    from worker.store import Store
    from worker.takedown.coverage_report import CoverageReport

LOOKED_BACK_MS = 3 * 86_400_000
"""A kill is shown among those that run for so long."""
_MOST = 50
_PROVEN_MOST = 10_000


class RunningKill(NamedTuple):
    """A killed article, and who has confirmed."""

    article: ArticleSummary
    report: CoverageReport


class RunningKills:
    """Finds them. What it has seen to be proven it does not look at again."""

    def __init__(self, store: Store, record: Record, articles: ArticleReader, publication: Publication) -> None:
        self._store = store
        self._record = record
        self._articles = articles
        self._publication = publication
        self._proven: set[tuple[str, int]] = set()

    def at(self, now: int) -> list[RunningKill]:
        """Return the kills that are not proven at `now` (ms), the newest first. Raises RecordAway, redis.RedisError."""
        with self._record.availability.read() as connection:
            killed = killed_since(connection, now - LOOKED_BACK_MS, _MOST)
        running = []
        for article in killed:
            if (article.article_id, article.accepted) in self._proven:
                continue
            report = coverage_report(self._store, self._articles, self._publication, article.article_id)
            if report is None:
                continue
            if report.unconfirmed:
                running.append(RunningKill(article, report))
            else:
                self._note_proven(article)
        return running

    def _note_proven(self, article: ArticleSummary) -> None:
        if len(self._proven) >= _PROVEN_MOST:
            self._proven.clear()
        self._proven.add((article.article_id, article.accepted))
