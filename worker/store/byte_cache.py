"""What is kept in memory because it may be asked for again: as much as fits in so many bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

ROOM = 300
"""Bytes that an entry takes beside its value, about: an empty one too."""


class ByteCache(Generic[Key, Value]):
    """At most `most` bytes; what was kept first goes first. Threads may share it.

    Hundreds of entries are asked for at once, so to ask must cost next to nothing: nothing is noted by it, and no lock
    is taken.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, tuple[Value, int]] = {}
        self._size = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return what is kept under the key, or None."""
        kept = self._kept.get(key)
        return None if kept is None else kept[0]

    def keep(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of about `size` bytes; one that would fill it all is not kept."""
        with self._lock:
            self._drop(key)
            if size + ROOM > self._most:
                return
            self._kept[key] = value, size + ROOM
            self._size += size + ROOM
            while self._size > self._most:
                self._drop(next(iter(self._kept)))

    def forget(self, which: Callable[[Key], bool] = lambda _: True) -> None:
        """Keep nothing of it, or nothing under keys of which `which` is true."""
        with self._lock:
            for key in [key for key in self._kept if which(key)]:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept[1]
