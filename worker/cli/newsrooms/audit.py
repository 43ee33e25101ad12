"""The audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell, management
from worker.cli.newsrooms.api import api_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def entries(
    config: Path | None, data: Path | None, since: datetime | None, criteria: dict[str, str], limit: int
) -> list[dict[str, Any]]:
    """Return entries, the newest first. `criteria`: actor, action, target. Raises Failed."""
    if api := api_of(config, data):
        moment = since.isoformat() if since else None
        return list(api.items("audit", limit=limit, since=moment, **criteria))
    from feeds.moments import ms
    from worker.management.audit_trail import described
    from worker.record.audit import Filter

    with management(config, data) as newsroom:
        of = Filter(since=ms(since) if since else 0, **criteria)
        return [described(entry) for entry in newsroom.audit.entries(at_the_shell(), of, limit)]


def verdict(config: Path | None, data: Path | None) -> dict[str, Any]:
    """Return how many entries there are, and what is wrong with them, a sentence each. Raises Failed."""
    if api := api_of(config, data):
        answer: dict[str, Any] = api.get("audit", "verdict")
        return answer
    with management(config, data) as newsroom:
        return newsroom.audit.verify(at_the_shell())._asdict()
