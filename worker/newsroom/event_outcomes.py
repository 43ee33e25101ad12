"""What became of an event that was carried out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What an event has changed: the feeds, the article, and the version of the revision that it made.

    `result`: published, corrected, killed, held, duplicate, stale, conflict, listed, repeated, unknown. An event that
    is carried out once more, because a worker died, has the result that it had at first. `unreported`:
    what came of it is not in the log and the metrics yet: pushes do not wait for that.
    """

    result: str
    changed_feeds: set[str] = field(default_factory=set)
    article_id: str | None = None
    version: int | None = None
    unreported: bool = False
