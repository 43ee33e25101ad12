"""What may be left in Redis of the text of a killed article: events that were refused, and what endpoints answered.

The article itself keeps its identity alone from the moment of its kill. Redis' own files have what was overwritten
until Redis writes them anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.store.scripts import Client, Scripts

_AT_ONCE = 500


class TextTraces:
    """Finds and erases them."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def erase(self, article_id: str, endpoints: Iterable[tuple[str, str]]) -> None:
        """Erase what is left of an article's text; `endpoints` are those that may have had it, by feed and name."""
        self._erase_rejected(article_id)
        for feed, endpoint in endpoints:
            self._erase_answer(keys.feed(feed).of_endpoint(endpoint, "parked"), article_id)

    def _erase_rejected(self, article_id: str) -> None:
        quoted = {json.dumps(article_id), json.dumps(article_id, ensure_ascii=False)}
        start = "-"
        while entries := self._client.xrange(keys.REJECTED, min=start, count=_AT_ONCE):
            about = [entry for entry, fields in entries if any(name in fields.get("event", "") for name in quoted)]
            if about:
                self._client.xdel(keys.REJECTED, *about)
            start = f"({entries[-1][0]}"

    def _erase_answer(self, parked: str, article_id: str) -> None:
        text: str | None = self._client.hget(parked, article_id)
        if text is None:
            return
        try:
            fields: Any = json.loads(text)
            without = json.dumps(fields | {"answer": "", "error": ""})
        except (ValueError, TypeError):
            return
        if without != text:
            self._scripts.run("text_traces/replace", [parked], [article_id, text, without])

    def rewrite_files(self) -> bool:
        """Have Redis write its append-only file anew, in the background; False: it has none."""
        if not int(self._client.info("persistence").get("aof_enabled", 0)):
            return False
        self._client.bgrewriteaof()
        return True
