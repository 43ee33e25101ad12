"""What is wrong with a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong. line: where, from 1, or None. rule: a stable name. reason: what must be otherwise."""

    line: int | None
    rule: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.reason} ({self.rule})"


Findings = Iterator[Finding]
