"""The revisions of an article, each with what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.article import Article
from feeds.revision_changes import FieldChange, changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.record.articles import Revision


def with_changes(revisions: Iterable[Revision]) -> Iterator[tuple[Revision, list[FieldChange] | None]]:
    """Yield each revision with what it changed; None: its words or those of the one before are forgotten."""
    before: Article | None = None
    has_words = True
    for revision in revisions:
        document = None if revision.document is None else Article.stored(revision.document)
        if document is None:
            yield revision, None
        elif has_words:
            yield revision, changes(before, document)
        else:
            yield revision, None if document.pubstatus == "canceled" else changes(None, document)
        before, has_words = document, document is not None
