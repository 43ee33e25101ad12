"""What the gate keeps out of feed formats, as people and programs look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.formats import FEED_FORMATS
from feeds.moments import iso
from worker.documents.quality_gate import kept_out

if TYPE_CHECKING:
    from worker.store import Store


def parked_rows(store: Store) -> list[dict[str, Any]]:
    """Return the articles that the gate keeps out of feed formats as they are now, by format and article."""
    return [
        {
            "format": format_name,
            "article": article_id,
            "version": refusal.version,
            "since": iso(refusal.time),
            "reasons": refusal.reasons,
        }
        for format_name in sorted(FEED_FORMATS)
        for article_id, refusal in sorted(kept_out(store, format_name).items())
    ]
