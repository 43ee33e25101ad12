"""The ids of all articles that there ever were, and of all documents that were updates of others: a compact filter.

It tells without the record that an id is new. An id that it takes for known may be new too, in fewer than 1 of 100
cases; then the record knows. It takes 13 bits for each id (lua/known_ids/filter.part).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.store.scripts import Client, Scripts

KEYS = (keys.KNOWN_IDS, keys.KNOWN_IDS_META)


@dataclass(frozen=True, slots=True)
class FilterProgress:
    """How far the filter is.

    `complete`: the epoch of the record whose ids it has all; `building`: of the record from which it is being built,
    with the `table` and the `last` id that were read.
    """

    complete: str
    building: str
    table: str
    last: str


class KnownIds:
    """The filter."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def add(self, ids: Iterable[str]) -> None:
        """Note ids as known."""
        if numbers := arguments(ids):
            self._scripts.run("known_ids/add", KEYS, numbers)

    def ask(self, ids: Sequence[str]) -> tuple[str, bool, list[bool]]:
        """Return the epoch of the record whose ids it has all, or "", and of each id whether it may be known.

        Between them: whether articles were ever taken out of this Redis because they were cold.
        """
        epoch, trimmed, *answers = self._scripts.run("known_ids/ask", KEYS, arguments(ids))
        return epoch, bool(trimmed), [bool(answer) for answer in answers]

    def distrust(self) -> None:
        """Note that it may lack ids, so that nothing is taken for new before it has been built anew."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hdel(keys.KNOWN_IDS_META, "complete", "building", "table", "last")
        pipe.hset(keys.KNOWN_IDS_META, "trimmed", 1)
        pipe.execute()

    def note_trimming(self) -> None:
        """Note that articles are taken out of this Redis."""
        self._client.hset(keys.KNOWN_IDS_META, "trimmed", 1)

    def progress(self) -> FilterProgress:
        """Return how far the filter is."""
        fields = self._client.hmget(keys.KNOWN_IDS_META, "complete", "building", "table", "last")
        return FilterProgress(*(field or "" for field in fields))

    def note_progress(self, epoch: str, table: str, last: str) -> None:
        """Note how far it has been built from the record of this epoch."""
        self._client.hset(keys.KNOWN_IDS_META, mapping={"building": epoch, "table": table, "last": last})

    def complete(self, epoch: str) -> None:
        """Note that it has all ids of the record of this epoch."""
        self._client.hset(keys.KNOWN_IDS_META, "complete", epoch)


def arguments(ids: Iterable[str]) -> list[int]:
    """Return two numbers of 32 bits for each id, as the scripts take them."""
    numbers = []
    for name in ids:
        digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        # Odd: a step that has a divisor in common with the size of a stage would visit fewer places.
        numbers += [int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big") | 1]
    return numbers
