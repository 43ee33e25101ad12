"""Wrong keys and wrong passwords: how many somebody has shown in a window of time, to whichever web process."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

Noun = Literal["key", "address", "person"]
"""A wrong key of an address; a wrong password of an address, or for a person."""


class Mistakes:
    """Counts them. Every count is forgotten when its window is over."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, noun: Noun, name: str, now: int, window_ms: int) -> int:
        """Count one at `now` (ms); return how many there were in this window, with this one."""
        key = _key(noun, name, now // window_ms)
        pipe = self._client.pipeline(transaction=False)
        pipe.incr(key)
        pipe.pexpire(key, window_ms)
        count, _ = pipe.execute()
        return int(count)

    def count(self, noun: Noun, name: str, now: int, window_ms: int) -> int:
        """Return how many there were in the window of `now` (ms)."""
        return int(self._client.get(_key(noun, name, now // window_ms)) or 0)

    def forget(self, noun: Noun, name: str, now: int, window_ms: int) -> None:
        """Forget those in the window of `now` (ms)."""
        self._client.delete(_key(noun, name, now // window_ms))


def _key(noun: Noun, name: str, window: int) -> str:
    # What somebody has typed as a name may be anything, their password too.
    return keys.mistakes(noun, window, sha256(name.encode("utf-8", "replace")).hexdigest()[:32])
