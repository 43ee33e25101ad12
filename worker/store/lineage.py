"""Which documents are updates of which: the ids under which one article was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.store.scripts import Client, Scripts


class Lineage:
    """The lines of documents (feeds/lineage.py)."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def trace(self, document_id: str, origin: str | None = None) -> list[str]:
        """Return the ids from a document back to the original; alone if it is none of an update.

        `origin`: of which it says to be an update, which is noted for good, unless another was noted before.
        """
        ids: list[str] = self._scripts.run("lineage/trace", [keys.EVOLVED], [document_id, origin or ""])
        return ids

    def original(self, document_id: str) -> str:
        """Return the id of the article that stands for a document: its own, if it is no update."""
        return self.originals([document_id])[document_id]

    def originals(self, document_ids: Collection[str]) -> dict[str, str]:
        """Return the ids of the articles that stand for documents, by the documents' ids."""
        found = {name: name for name in document_ids}
        open_ids = list(found)
        while open_ids:
            answers = self._client.hmget(keys.EVOLVED, [found[name] for name in open_ids])
            origins = dict(zip(open_ids, answers, strict=True))
            open_ids = [name for name, origin in origins.items() if origin]
            found |= {name: origins[name] for name in open_ids}
        return found
