"""How this room reads articles: as the store has them, with those that are cold brought back first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.store.articles import Remains, StoredArticle


class ArticleReader(Protocol):
    """Reads articles as they are at this moment (worker/retention/warm.py)."""

    def get(self, article_id: str) -> StoredArticle | None:
        """Return the article, or None."""

    def get_many(self, article_ids: Collection[str]) -> dict[str, StoredArticle]:
        """Return those of the articles that exist."""

    def look_up(self, article_id: str, *, certain: bool) -> StoredArticle | Remains:
        """Return the article, or what stands in its place when it is not there or can't be read.

        `certain`: raise RecordAway rather than take an article for new that may be in a record that is away.
        """

    def look_up_original(self, document_id: str, *, certain: bool) -> StoredArticle | Remains | None:
        """As `look_up`; None when the document is an update of another."""
