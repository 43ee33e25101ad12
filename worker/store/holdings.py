"""All that Redis holds, for whoever notes all of it in the record: read in parts, beside whoever else is at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys, unnoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.store.scripts import Client


class Holdings:
    """What Redis holds beside articles and receivers, which have their own modules."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def marked_names(self) -> list[str]:
        """Return the names under which all updates, lists and feeds of patterns are marked to be noted."""
        names = [unnoted.name("update", document) for document in self._client.hkeys(keys.EVOLVED)]
        for prefix, noun in ((keys.curated(""), "list"), (keys.pattern(""), "pattern")):
            for key in self._client.scan_iter(match=f"{prefix}*", count=1000):
                of_key = key.removeprefix(prefix)
                if noun == "list":
                    names.append(unnoted.name("list", of_key))
                else:
                    names += [unnoted.name("pattern", of_key, value) for value in self._client.hkeys(key)]
        return names

    def ledger_of(self, feed: str, endpoint: str, about: int) -> Iterator[dict[str, str]]:
        """Yield the ledger of an endpoint, about so many entries at once; one may come twice."""
        cursor = 0
        while True:
            cursor, lot = self._client.hscan(keys.feed(feed).ledger(endpoint), cursor, count=about)
            if lot:
                yield lot
            if not cursor:
                return

    def parked_of(self, feed: str, endpoint: str) -> dict[str, str]:
        """Return what is set aside for an endpoint: article id -> the attempt that was refused, as JSON."""
        attempts: dict[str, str] = self._client.hgetall(keys.feed(feed).of_endpoint(endpoint, "parked"))
        return attempts

    def pages_of(self, feed: str) -> list[tuple[str, str, float | None]]:
        """Return the pages that are looked at: (endpoint and article, what was seen as JSON, the next look in ms)."""
        k = keys.feed(feed)
        due = dict(self._client.zrange(k.page_checks_due, 0, -1, withscores=True))
        return [(member, text, due.get(member)) for member, text in self._client.hgetall(k.page_checks).items()]
