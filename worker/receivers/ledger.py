"""The ledger's entries: what an endpoint holds of an article.

It is also how a retry knows whether it repeats itself: an attempt that may have reached the partner is noted before its
outcome is known for good. The message id is made of the text that is sent: the same text sent again carries the same
id, and no other text ever does.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from worker.store.quick_json import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

Outcome = Literal["taken", "unknown", "refused"]
"""What an endpoint made of the last message about an article. unknown: it was sent and may have arrived."""
_LABELS: dict[Outcome, str] = {"taken": "", "unknown": "trying-", "refused": "refused-"}


@lru_cache(maxsize=256)
def _digest(text: str) -> str:
    # What endpoints hold of one article is often the same.
    return b64decode(text).hex()


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The last message about an article that an endpoint was sent: the article's version, and what the message meant.

    `status`: published, corrected, killed or withdrawn. `sent` in ms, `digest` the SHA-256 of the body, hexadecimal.
    `remote`: what the destination has to remember of the article, in words of its own.
    """

    version: int
    status: str
    sent: int
    digest: str
    outcome: Outcome = "taken"
    remote: str = ""

    @classmethod
    def parse(cls, text: str) -> LedgerEntry:
        """Read an entry as Redis keeps it (worker/store/keys.py).

        Of a damaged one only this is known: the endpoint was sent something. So it is sent the article or its kill as
        it is now, and no other article waits for it. The store reports it (worker/store/ledgers.py).
        """
        try:
            return cls._of(read_json(text))
        except (ValueError, TypeError, LookupError, AttributeError):
            return cls(0, "published", 0, "", "unknown")

    @classmethod
    def parse_all(cls, texts: Sequence[str]) -> list[LedgerEntry]:
        """Read many: in one go, which takes a third of the time, unless one of them is damaged."""
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            rows = read_json(f"[{','.join(texts)}]")
            if len(rows) == len(texts):
                return [cls._of(row) for row in rows]
        return [cls.parse(text) for text in texts]

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> LedgerEntry:
        outcome, remote = fields.get("outcome", "taken"), fields.get("remote", "")
        return cls(fields["version"], fields["status"], fields["at"], _digest(fields["sha256"]), outcome, remote)

    def __str__(self) -> str:
        outcome = "" if self.outcome == "taken" else f',"outcome":"{self.outcome}"'
        if self.remote:
            outcome += f',"remote":{json.dumps(self.remote)}'
        # In Base64 a digest takes two thirds of the memory, and there is one for each article and endpoint.
        digest = b64encode(bytes.fromhex(self.digest)).decode("ascii")
        return f'{{"version":{self.version},"status":"{self.status}","at":{self.sent},"sha256":"{digest}"{outcome}}}'

    @property
    def label(self) -> str:
        """Outcome and status in one word, as `dateline coverage` shows them: published, trying-published ..."""
        return _LABELS[self.outcome] + self.status
