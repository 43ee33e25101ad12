"""What feed readers tell of their subscribers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.newsrooms.api import api_of
from worker.cli.newsrooms.records import the_record
from worker.cli.terminal import Failed, feed_names, settings_of

if TYPE_CHECKING:
    from pathlib import Path

DAYS_MOST = 400
_DAY_MS = 86_400_000


def readers_of_feed(config: Path | None, data: Path | None, feed: str, days: int) -> list[dict[str, Any]]:
    """Return the days on which readers of a feed named a number, the oldest first. Raises Failed."""
    if api := api_of(config, data):
        answer: dict[str, Any] = api.get("feeds", feed, "readers", days=days)
        return list(answer["days"])
    from worker import clock
    from worker.record import feed_readers, finding

    settings = settings_of(config, data)
    today = clock.ms(clock.agreed()) // _DAY_MS
    with the_record(settings) as record, record.read() as connection:
        rows = feed_readers.readers_of(connection, feed, today - days + 1)
        is_configured = any(feed == definition.name for definition in settings.feeds)
        if not rows and not is_configured and not finding.is_feed(connection, feed):
            raise Failed(f"there is no feed {feed}; known: {feed_names(settings)}", 2)
    return feed_readers.days_as_json(rows)
