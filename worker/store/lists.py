"""Curated lists such as "Editor Picks": the ids of their articles in the editors' order."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from worker.store import keys, unnoted
from worker.store.damaged_records import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts


class CuratedLists:
    """The curated lists."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def get_many(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the ids of each list; an unknown list is empty."""
        list_names = list(names)
        pipe = self._client.pipeline(transaction=False)
        for name in list_names:
            pipe.hget(keys.curated(name), "articles")
        return {
            name: self._damaged_records.read(f"list {name}", partial(_articles, value), "it is empty until it is set")
            or ()
            for name, value in zip(list_names, answers(pipe), strict=True)
        }

    def set(self, name: str, time: datetime, articles: Sequence[str], event: str = "") -> bool:
        """Set a list as of a time; False when it is the same already or a later event has set it.

        `event`: the id of the event that says so.
        """
        milliseconds = f"{time.timestamp() * 1000:.3f}"
        call = ([keys.curated(name)], [milliseconds, json.dumps(articles), event])
        return bool(self._scripts.run_many("lists/set", [call], [unnoted.mark(unnoted.name("list", name))])[0])


def _articles(text: str | None) -> tuple[str, ...]:
    return tuple(map(str, json.loads(text or "[]")))
