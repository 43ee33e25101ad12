"""The ledger's entries: what an endpoint holds of an article.

It is also how a retry knows whether it repeats itself: an attempt that may have reached the partner is noted before its
outcome is known for good. The message id is made of the text that is sent: the same text sent again carries the same
id, and no other text ever does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What an endpoint holds of an article: its version, and what was said of it.

    The status is published, corrected, killed or withdrawn; `trying-` before it: sent, outcome unknown; `refused-`
    before it: the endpoint will not have it. `sent` in ms, `digest` the SHA-256 of the body.
    """

    version: int
    status: str
    sent: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> LedgerEntry:
        """Read an entry as it is kept."""
        version, status, sent, digest = text.split(":")
        return cls(int(version), status, int(sent), digest)

    def __str__(self) -> str:
        return f"{self.version}:{self.status}:{self.sent}:{self.digest}"
