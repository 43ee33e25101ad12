"""The last rendered fragments, kept in memory up to a number of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.rights import EVERYTHING, Rights
from worker.store.byte_cache import ByteCache

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from worker.store.articles import StoredArticle


class FragmentCache:
    """Keeps at most `most_bytes` of fragments and drops the oldest first. Threads may share it.

    An empty fragment is kept as well: it stands for an article that the gate keeps out.
    """

    def __init__(self, most_bytes: int) -> None:
        self._fragments: ByteCache[Hashable, bytes] = ByteCache(most_bytes)

    def get(self, format_key: str, articles: Iterable[StoredArticle], rights: Rights) -> list[bytes | None]:
        """Return the fragments of articles' revisions, in their order, None where one is not in the cache."""
        if rights is EVERYTHING:
            # As `_key` does it, without a call for each of a thousand.
            return self._fragments.get_each([(stored.article.id, stored.rev, format_key) for stored in articles])
        return self._fragments.get_each([_key(format_key, stored, rights) for stored in articles])

    def keep(self, format_key: str, stored: StoredArticle, rights: Rights, fragment: bytes) -> None:
        """Keep the fragment of an article's revision."""
        self._fragments.keep(_key(format_key, stored, rights), fragment, len(fragment))


def _key(format_key: str, stored: StoredArticle, rights: Rights) -> Hashable:
    # Rights take longer to hash than all the rest, and nearly every receiver has the right to everything.
    plain = (stored.article.id, stored.rev, format_key)
    return plain if rights is EVERYTHING else (*plain, rights)
