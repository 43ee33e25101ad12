"""The revisions of an article, each with what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.article import Article
from feeds.moments import iso
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


def revision_json(revision: Revision, changed: list[FieldChange] | None) -> dict[str, Any]:
    """Return a revision and what it changed, for JSON."""
    return {
        "version": revision.version,
        "accepted": iso(revision.accepted),
        "event": revision.event_id or None,
        "sender": revision.sender or None,
        "pubstatus": revision.pubstatus,
        "sha256": revision.sha256,
        "forgotten": revision.document is None,
        "changes": None if changed is None else [change.as_json() for change in changed],
    }
