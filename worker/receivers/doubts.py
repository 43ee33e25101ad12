"""The articles of a claim that are in doubt: refused since the endpoint last took one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.receivers import policy
    from worker.receivers.pending_articles import PendingArticle

_LIMIT_FIRST = 2
"""When so many articles were refused in a row, it is the endpoint's trouble; twice as many whenever a yes to another
article has ended a doubt."""
_LIMIT_MOST = 16
"""So many at the most."""


class Doubts:
    """Articles that were refused in a row, and what that means should the endpoint take nothing else (`otherwise`)."""

    def __init__(self) -> None:
        self._articles: list[PendingArticle] = []
        self._limit = _LIMIT_FIRST
        self.otherwise: policy.Retry | policy.Suspend | None = None

    def __bool__(self) -> bool:
        return bool(self._articles)

    def add(self, pending: PendingArticle, otherwise: policy.Retry | policy.Suspend) -> None:
        """Note a refusal."""
        self._articles.append(pending)
        self.otherwise = otherwise

    @property
    def endpoint_is_at_fault(self) -> bool:
        """Whether so many were refused in a row that it is about the endpoint."""
        return len(self._articles) >= self._limit

    @property
    def next_one_decides(self) -> bool:
        """Whether one more refusal is enough to tell."""
        return len(self._articles) == self._limit - 1

    def article_ids(self) -> set[str]:
        """Return the ids of the articles in doubt."""
        return {pending.article_id for pending in self._articles}

    def clear(self) -> list[PendingArticle]:
        """End the doubt, because the endpoint has taken an article; return those that were in doubt."""
        articles, self._articles = self._articles, []
        if articles:
            # Bad ones come together. The good ones must last to tell each of them apart.
            self._limit = min(2 * self._limit, _LIMIT_MOST)
        return articles
