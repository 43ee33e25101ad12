"""A cache in memory that is limited by bytes, not by the number of its entries."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

ROOM = 300
"""Bytes that an entry takes in addition to its value, about."""


class ByteCache(Generic[Key, Value]):
    """At most `most` bytes; the oldest entry goes first. Threads may share it.

    One document reads hundreds of entries, so a look-up must cost next to nothing: it takes no lock and keeps no record
    of when an entry was used last.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[Key, tuple[Value, int]] = {}
        self._size = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value of the key, or None."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def get_each(self, keys: Iterable[Key]) -> list[Value | None]:
        """Return the values of keys, in their order, None where there is none."""
        entries = self._entries
        return [None if (entry := entries.get(key)) is None else entry[0] for key in keys]

    def keep(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of about `size` bytes; one that is larger than the whole cache is not kept."""
        with self._lock:
            self._drop(key)
            if size + ROOM > self._most:
                return
            self._entries[key] = value, size + ROOM
            self._size += size + ROOM
            while self._size > self._most:
                self._drop(next(iter(self._entries)))

    def forget(self, which: Callable[[Key], bool] = lambda _: True) -> None:
        """Remove all entries, or those for whose keys `which` is true."""
        with self._lock:
            for key in [key for key in self._entries if which(key)]:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry[1]
