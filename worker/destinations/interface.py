"""What every kind of destination is given to send: a message."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Message:
    """One push: its message id, its text, and the payload, which is the text or the text compressed.

    `digest`: the SHA-256 (hex) of the text. `refused`: why the quality gate keeps it back; empty: it does not.
    """

    id: str
    text: bytes
    payload: bytes
    digest: str
    refused: str = ""

    @classmethod
    def of(cls, message_id: str, text: bytes, *, compressed: bool, refused: str = "") -> Message:
        """Return the message with this text."""
        # Without the time of day: the same body is the same bytes, whenever it is sent.
        payload = gzip.compress(text, 6, mtime=0) if compressed else text
        return cls(message_id, text, payload, sha256(text).hexdigest(), refused)

    @property
    def size(self) -> int:
        """How many bytes are sent."""
        return len(self.payload)


def message_id(text: bytes, *parts: object) -> str:
    """Return the id of a push of `text`; `parts` distinguish it from a push of the same text after another one.

    Receivers drop what comes twice under one id (Standard Webhooks 1.0), so an id must stand for one body.
    """
    parts = (*parts, sha256(text).hexdigest())
    return "msg_" + sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
