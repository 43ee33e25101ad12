"""The copy of the management that all processes follow, and what the record has still to get of the audit.

The truth is in the record. The copy is for processes that start while the record is away, and it is how all of them
hear of a change at once.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from worker.store import keys
from worker.store.announcements import Announcements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client, Scripts


class ManagementCopies:
    """The copy."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def stamp(self) -> str:
        """Return what tells this copy from all others; "" when there is none."""
        return self._client.hget(keys.MANAGEMENT, "stamp") or ""

    def get(self) -> str | None:
        """Return the copy as JSON."""
        copy: str | None = self._client.hget(keys.MANAGEMENT, "copy")
        return copy

    def endpoints(self) -> dict[str, str]:
        """Return the feed of each endpoint in the copy that was not removed: for whoever does without the record."""
        with suppress(ValueError, LookupError, TypeError):  # a damaged one is reported by whoever goes by it
            endpoints = json.loads(self.get() or "{}").get("endpoints", [])
            return {entry["name"]: entry["settings"]["feed"] for entry in endpoints if entry["removed"] is None}
        return {}

    def put(self, stamp: str, revision: int, copy: str, replaced: str = "") -> bool:
        """Put a copy (JSON) there and announce it, unless a later one is there; return whether it was put.

        `replaced`: the stamp of a copy that this one replaces, whatever its revision.
        """
        arguments = [stamp, revision, copy, replaced, keys.MANAGED]
        return bool(self._scripts.run("management/put", [keys.MANAGEMENT], arguments))

    def listen(self) -> Announcements:
        """Hear of copies from now on."""
        return Announcements(self._client, keys.MANAGED)

    def leave(self, entries: Sequence[str]) -> None:
        """Leave entries of the audit (JSON) for the record, which is away."""
        self._client.rpush(keys.UNAUDITED, *entries)

    def left(self, limit: int) -> list[str]:
        """Return the first entries that were left, at most so many."""
        entries: list[str] = self._client.lrange(keys.UNAUDITED, 0, limit - 1)
        return entries

    def note_taken(self, entries: Sequence[str]) -> None:
        """Note that the record has these entries."""
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            pipe.lrem(keys.UNAUDITED, 1, entry)
        pipe.execute()
