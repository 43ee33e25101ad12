"""What endpoints have of articles: their ledgers, as deliveries read them; that of all time is in the record.

They are written by lua/attempts/record.lua, and by a rebuild (lua/restoring/ledger.lua).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Scripts

_AT_ONCE = 2_000
"""How many entries of ledgers one script reads, about: nobody else is answered by Redis meanwhile."""
_Lookup = tuple[str, tuple[str, ...]]
"""An endpoint, and the articles whose entries in its ledger are read."""


class Ledgers:
    """The ledgers of all endpoints."""

    def __init__(self, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._scripts = scripts
        self._damaged_records = damaged_records

    def read_one(self, feed: str, endpoint: str, article_ids: Sequence[str]) -> dict[str, str]:
        """Return the entries of these articles in the endpoint's ledger, as JSON, by article id."""
        return self.read(feed, {endpoint: article_ids})[endpoint]

    def read(self, feed: str, articles: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        """Return the same of several endpoints (endpoint -> article ids), in one round trip."""
        ledgers: dict[str, dict[str, str]] = {endpoint: {} for endpoint in articles}
        lookups = [(endpoint, tuple(article_ids)) for endpoint, article_ids in articles.items() if article_ids]
        calls = [_ledgers_call(feed, lot) for lot in _lots(lookups)]
        answers = self._scripts.run_many("endpoints/ledgers", calls) if calls else ()
        for (endpoint, article_ids), entries in zip(lookups, chain.from_iterable(answers), strict=True):
            ledger = ledgers[endpoint]
            for place, text in zip(entries[::2], entries[1::2], strict=True):
                ledger[article_ids[place]] = text
                if not (text.startswith("{") and text.endswith("}")):
                    record = f"entry of {article_ids[place]} in the ledger of {endpoint}"
                    self._damaged_records.report(record, "is no JSON", "the endpoint is sent the article again")
        return ledgers


def _lots(lookups: Sequence[_Lookup]) -> Iterator[list[_Lookup]]:
    """Yield the look-ups in lots of a size that Redis likes."""
    lot: list[_Lookup] = []
    size = 0
    for lookup in lookups:
        if lot and size + len(lookup[1]) > _AT_ONCE:
            yield lot
            lot, size = [], 0
        lot.append(lookup)
        size += len(lookup[1])
    if lot:
        yield lot


def _ledgers_call(feed: str, lookups: Sequence[_Lookup]) -> tuple[list[str], list[Any]]:
    """The keys and arguments of endpoints/ledgers.lua: endpoints that stand at one place have one list of articles."""
    k = keys.feed(feed)
    lists = {article_ids: number for number, article_ids in enumerate(dict.fromkeys(ids for _, ids in lookups), 1)}
    arguments: list[Any] = [len(lists)]
    for article_ids in lists:
        arguments += len(article_ids), *article_ids
    arguments += [lists[article_ids] for _, article_ids in lookups]
    return [k.ledger(endpoint) for endpoint, _ in lookups], arguments
