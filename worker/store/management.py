"""The copy of the management that all processes follow, and what the record has still to get of the audit.

The truth is in the record. The copy is for processes that start while the record is away, and it is how all of them
hear of a change at once.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import redis

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client, Scripts

_SUBSCRIBE_SECONDS = 5.0
"""How long Redis may take to answer a subscription."""


class ManagementAnnouncements:
    """Hears when another copy is put, from its creation until it is closed, on its own connection."""

    def __init__(self, client: Client) -> None:
        self._pubsub = client.pubsub()
        self._pubsub.subscribe(keys.MANAGED)
        if self._pubsub.get_message(timeout=_SUBSCRIBE_SECONDS) is None:
            self.close()
            raise redis.TimeoutError("Redis did not answer a subscription")

    def wait(self, seconds: float) -> None:
        """Return at an announcement, or after so long. Raises redis.RedisError when the connection is lost."""
        self._pubsub.get_message(timeout=seconds)

    def close(self) -> None:
        """Hear nothing more."""
        self._pubsub.close()


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

    def listen(self) -> ManagementAnnouncements:
        """Hear of copies from now on."""
        return ManagementAnnouncements(self._client)

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
