"""Articles that the gate keeps out of a feed format, by format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client, Scripts


class Refusal(NamedTuple):
    """Which version was refused, when (ms), and why. A newer version of the article has made it void."""

    version: int
    time: int
    reasons: list[str]


class Refusals:
    """The refusals."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def note(self, format_name: str, article_id: str, refusal: Refusal) -> bool:
        """Keep a refusal; False when this version's, or a newer one's, is kept already."""
        key = keys.refused(format_name)
        return bool(self._scripts.run("refuse", [key], [article_id, refusal.version, json.dumps(refusal)]))

    def of(self, article_id: str, format_names: Sequence[str]) -> dict[str, Refusal]:
        """Return what is kept of the article, by format."""
        pipe = self._client.pipeline(transaction=False)
        for name in format_names:
            pipe.hget(keys.refused(name), article_id)
        found = zip(format_names, pipe.execute(), strict=True)
        return {name: Refusal(*json.loads(value)) for name, value in found if value}

    def all(self, format_name: str) -> dict[str, Refusal]:
        """Return what is kept, by article."""
        found = self._client.hgetall(keys.refused(format_name))
        return {article_id: Refusal(*json.loads(value)) for article_id, value in found.items()}

    def drop(self, format_name: str, article_ids: Sequence[str]) -> None:
        """Forget what is void."""
        if article_ids:
            self._client.hdel(keys.refused(format_name), *article_ids)
