"""The time zone of a newsroom: days that people name are days there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.cli.newsrooms.api import api_of
from worker.cli.terminal import settings_of

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo


def zone_of(config: Path | None, data: Path | None) -> ZoneInfo | None:
    """Return the time zone of the newsroom that is meant; None: UTC. Raises Failed, SettingsError."""
    api = api_of(config, data)
    return api.zone() if api else settings_of(config, data).site.zone
