"""The words of the desk in Arabic."""

from __future__ import annotations

ARABIC: dict[str, str] = {}
