"""Articles that the quality gate keeps out of a feed format, by format."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from worker.store import keys
from worker.store.damaged_records import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts


class Refusal(NamedTuple):
    """Which version was refused, when (ms), and why. It does not hold for newer versions of the article."""

    version: int
    time: int
    reasons: list[str]


class Refusals:
    """The refusals."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def note(self, format_name: str, article_id: str, refusal: Refusal) -> bool:
        """Note a refusal; False when the refusal of this version, or of a newer one, is noted already."""
        key = keys.refused(format_name)
        return bool(
            self._scripts.run("refusals/note", [key], [article_id, refusal.version, json.dumps(refusal._asdict())])
        )

    def of(self, article_id: str, format_names: Sequence[str]) -> dict[str, Refusal]:
        """Return the refusals of an article, by format."""
        pipe = self._client.pipeline(transaction=False)
        for name in format_names:
            pipe.hget(keys.refused(name), article_id)
        texts = dict(zip(format_names, answers(pipe), strict=True))
        return self._read(f"refusal of {article_id}", texts)

    def all(self, format_name: str) -> dict[str, Refusal]:
        """Return the refusals in a format, by article."""
        return self._read(f"refusals in {format_name}", self._client.hgetall(keys.refused(format_name)))

    def _read(self, record: str, texts: Mapping[str, str | None]) -> dict[str, Refusal]:
        refusals = {
            name: self._damaged_records.read(record, partial(_refusal, text), "it is judged anew")
            for name, text in texts.items()
            if text
        }
        return {name: refusal for name, refusal in refusals.items() if refusal is not None}

    def drop(self, format_name: str, article_ids: Sequence[str]) -> None:
        """Forget refusals that no longer hold."""
        if article_ids:
            self._client.hdel(keys.refused(format_name), *article_ids)


def _refusal(text: str) -> Refusal:
    fields = json.loads(text)
    return Refusal(int(fields["version"]), int(fields["time"]), list(fields["reasons"]))
