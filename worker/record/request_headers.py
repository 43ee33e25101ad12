"""The header lines of requests, in a seventh of their bytes: what all requests to an endpoint say alike is kept once.

An attempt keeps the digest of its pattern, which is all lines with the values left out that differ each time, and then
these values. Patterns are kept for good: there is one for each way in which an endpoint was ever set.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select

from worker.record.tables import request_headers
from worker.record.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

_DIFFERENT = frozenset(
    {
        "dateline-replay",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""Headers that say something else each time."""
_LEFT_OUT = "\t"
"""Stands after the name of a header whose value is left out: no line of a request ends with it."""
_DIGEST = 16
"""How many hexadecimal digits of its SHA-256 name a pattern."""


class PatternsOfHeaders:
    """Takes header lines apart, and notes the patterns that it has met."""

    def __init__(self) -> None:
        self._patterns: dict[str, str] = {}
        self._digests: dict[str, str] = {}

    def packed(self, lines: str, message_id: str) -> str:
        """Return header lines as an attempt keeps them; `message_id`: that of the attempt, which has it beside."""
        if not lines:
            return ""
        pattern, values = [], []
        for line in lines.split("\n"):
            name, _, value = line.partition(": ")
            if name.lower() not in _DIFFERENT:
                pattern.append(line)
                continue
            pattern.append(f"{name}{_LEFT_OUT}")
            values.append("" if value == message_id else value)
        return "\n".join((self._digest_of("\n".join(pattern)), *values))

    def _digest_of(self, pattern: str) -> str:
        digest = self._digests.get(pattern)
        if digest is None:
            digest = self._digests[pattern] = sha256(pattern.encode()).hexdigest()[:_DIGEST]
            self._patterns[digest] = pattern
        return digest

    def note(self, connection: Connection) -> None:
        """Write the patterns, in the caller's transaction."""
        upsert(connection, request_headers, [{"digest": name, "lines": text} for name, text in self._patterns.items()])


def unpacked(connection: Connection, packed: Collection[tuple[str, str]]) -> list[str]:
    """Return the header lines of attempts, given what `packed` made of them and their message ids."""
    digests = {text.partition("\n")[0] for text, _ in packed if text}
    if not digests:
        return [""] * len(packed)
    rows = connection.execute(
        select(request_headers.c.digest, request_headers.c.lines).where(request_headers.c.digest.in_(sorted(digests)))
    )
    patterns = {row.digest: row.lines for row in rows}
    return [_whole(text, message_id, patterns) for text, message_id in packed]


def _whole(packed: str, message_id: str, patterns: Mapping[str, str]) -> str:
    digest, *values = packed.split("\n")
    following = iter(values)
    lines = patterns.get(digest, "").split("\n")
    return "\n".join(
        f"{line.removesuffix(_LEFT_OUT)}: {next(following, '') or message_id}" if line.endswith(_LEFT_OUT) else line
        for line in lines
    )
