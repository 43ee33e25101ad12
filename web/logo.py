"""The newsroom's logo: a file that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}


def readable(logo: Path | None) -> Path | None:
    """Return the picture, unless it can't be read: the pages are there without it."""
    try:
        if logo is not None:
            logo.read_bytes()
    except OSError as error:
        log.warning("logo_unreadable", path=str(logo), reason=error.strerror or str(error))
        return None
    return logo
