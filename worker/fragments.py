"""Fragments of feed documents, kept for as long as there is room."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from feeds.rights import EVERYTHING, Rights

if TYPE_CHECKING:
    from collections.abc import Hashable

    from worker.store.articles import Held


_ROOM = 300
"""Bytes that a fragment takes beside its own, about: an empty one is kept too."""


class Fragments:
    """At most `most` bytes; the oldest go first. Threads may share it.

    A document asks for hundreds, so to ask must cost next to nothing: nothing is noted by it, and no lock is taken.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Hashable, bytes] = {}
        self._size = 0
        self._lock = Lock()

    def get(self, format_name: str, held: Held, rights: Rights) -> bytes | None:
        """Return the fragment of an article's revision, if it is kept."""
        return self._kept.get(_key(format_name, held, rights))

    def keep(self, format_name: str, held: Held, rights: Rights, fragment: bytes) -> None:
        """Keep the fragment of an article's revision."""
        with self._lock:
            key = _key(format_name, held, rights)
            self._drop(key)
            self._kept[key] = fragment
            self._size += _ROOM + len(fragment)
            while self._size > self._most:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        fragment = self._kept.pop(key, None)
        if fragment is not None:
            self._size -= _ROOM + len(fragment)


def _key(format_name: str, held: Held, rights: Rights) -> Hashable:
    # Rights take longer to hash than all the rest, and nearly always there are none to heed.
    plain = (held.article.id, held.rev, format_name)
    return plain if rights is EVERYTHING else (*plain, rights)
