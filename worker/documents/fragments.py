"""Fragments of feed documents, kept for as long as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.rights import EVERYTHING, Rights
from worker.store.byte_cache import ByteCache

if TYPE_CHECKING:
    from collections.abc import Hashable

    from worker.store.articles import StoredArticle


class Fragments:
    """At most `most` bytes; the oldest go first. Threads may share it. An empty one is kept too."""

    def __init__(self, most: int) -> None:
        self._kept: ByteCache[Hashable, bytes] = ByteCache(most)

    def get(self, format_name: str, held: StoredArticle, rights: Rights) -> bytes | None:
        """Return the fragment of an article's revision, if it is kept."""
        return self._kept.get(_key(format_name, held, rights))

    def keep(self, format_name: str, held: StoredArticle, rights: Rights, fragment: bytes) -> None:
        """Keep the fragment of an article's revision."""
        self._kept.keep(_key(format_name, held, rights), fragment, len(fragment))


def _key(format_name: str, held: StoredArticle, rights: Rights) -> Hashable:
    # Rights take longer to hash than all the rest, and nearly always there are none to heed.
    plain = (held.article.id, held.rev, format_name)
    return plain if rights is EVERYTHING else (*plain, rights)
