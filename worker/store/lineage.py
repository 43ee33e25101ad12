"""Which document is an update of which: the ids under which the newsroom has sent one article."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys, known_ids, unnoted

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.store.scripts import Client, Scripts


class Lineage:
    """From each update to its original (feeds/lineage.py)."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def trace(self, document_id: str, origin: str | None = None) -> list[str]:
        """Return the ids from a document back to the original; its own alone if it is not an update.

        `origin`: the document that it says it updates. That is noted for good, unless another was noted before.
        """
        if origin:
            self._scripts.run("known_ids/add", known_ids.KEYS, known_ids.arguments([document_id]))
        marks = [unnoted.mark(unnoted.name("update", document_id))] if origin else []
        [ids] = self._scripts.run_many("lineage/trace", [([keys.EVOLVED], [document_id, origin or ""])], marks)
        return list(ids)

    def original(self, document_id: str) -> str:
        """Return the id of the article that stands for a document: its own, if it is not an update."""
        return self.originals([document_id])[document_id]

    def originals(self, document_ids: Collection[str]) -> dict[str, str]:
        """Return the ids of the articles that stand for documents, by the documents' ids."""
        originals = {name: name for name in document_ids}
        open_ids = list(originals)
        while open_ids:
            answers = self._client.hmget(keys.EVOLVED, [originals[name] for name in open_ids])
            origins = dict(zip(open_ids, answers, strict=True))
            open_ids = [name for name, origin in origins.items() if origin]
            originals |= {name: origins[name] for name in open_ids}
        return originals
